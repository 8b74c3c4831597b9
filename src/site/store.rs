//! All SQL about the site, which is one row.

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::model::{Site, SiteCommentsPolicy};
use crate::db::Connection;

pub async fn read(connection: &mut Connection) -> sqlx::Result<Site> {
    sqlx::query_as!(
        Site,
        r#"select title, description, comments_policy as "comments_policy: SiteCommentsPolicy", version, updated_at from site"#
    )
    .fetch_one(connection)
    .await
}

/// What changes in the site; `None` stays as it is, `Some(None)` is taken away.
#[derive(Debug, Default, Serialize)]
pub struct Changes<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<Option<&'a str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comments_policy: Option<SiteCommentsPolicy>,
}

/// Changes the site; `None` if it is in none of the versions `if_match`.
pub async fn update(
    connection: &mut Connection,
    changes: &Changes<'_>,
    if_match: Option<&[i64]>,
    now: DateTime<Utc>,
) -> sqlx::Result<Option<Site>> {
    sqlx::query_as!(
        Site,
        r#"update site set
             title = coalesce($1, title),
             description = case when $2 then $3 else description end,
             comments_policy = coalesce($4, comments_policy),
             version = version + 1,
             updated_at = $5
           where $6::bigint[] is null or version = any($6)
           returning title, description, comments_policy as "comments_policy: SiteCommentsPolicy", version, updated_at"#,
        changes.title,
        changes.description.is_some(),
        changes.description.flatten(),
        changes.comments_policy.map(SiteCommentsPolicy::as_str),
        now,
        if_match
    )
    .fetch_optional(connection)
    .await
}
