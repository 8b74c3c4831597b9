//! All SQL about the site, which is one row.

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::model::{Site, SiteCommentsPolicy};
use crate::db::{Connection, Outcome};

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

/// Changes the site. Refused if it is in none of the versions `if_match`.
pub async fn update(
    connection: &mut Connection,
    changes: &Changes<'_>,
    if_match: Option<&[i64]>,
    now: DateTime<Utc>,
) -> sqlx::Result<Outcome> {
    let result = sqlx::query!(
        r#"with old as (
             select title, description, comments_policy from site
             where $6::bigint[] is null or version = any($6)
             for no key update),
           new as (
             select coalesce($1, title) as title, case when $2 then $3 else description end as description,
               coalesce($4, comments_policy) as comments_policy
             from old),
           changed as (
             update site set
               title = new.title,
               description = new.description,
               comments_policy = new.comments_policy,
               version = site.version + 1,
               updated_at = $5
             from old, new
             where old is distinct from new
             returning site.version)
           select exists (select from old) as "found!", exists (select from changed) as "changed!""#,
        changes.title,
        changes.description.is_some(),
        changes.description.flatten(),
        changes.comments_policy.map(SiteCommentsPolicy::as_str),
        now,
        if_match
    )
    .fetch_one(connection)
    .await?;
    Ok(Outcome::of(result.found, result.changed))
}
