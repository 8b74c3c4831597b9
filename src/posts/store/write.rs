//! Making, changing, deleting and restoring posts.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::db::Connection;
use crate::posts::model::{PostRef, Publication, Slug};

/// A post to be made.
#[derive(Debug)]
pub struct NewPost<'a> {
    /// Who writes it.
    pub author_id: Uuid,
    /// The title.
    pub title: &'a str,
    /// What it is about.
    pub summary: Option<&'a str>,
    /// The text, in Markdown.
    pub body: &'a str,
    /// The text, as safe HTML.
    pub body_html: &'a str,
    /// In lower case, each once.
    pub tags: &'a [String],
    /// Whether it takes comments.
    pub comments_open: bool,
    /// How it is published.
    pub publication: Publication,
}

/// Makes a post and gives its id; `None` if the slug is taken.
pub async fn insert(
    connection: &mut Connection,
    slug: &Slug,
    new: &NewPost<'_>,
    now: DateTime<Utc>,
) -> sqlx::Result<Option<Uuid>> {
    let published_at = match new.publication {
        Publication::Never => None,
        Publication::Now => Some(now),
        Publication::At(at) => Some(at),
    };
    sqlx::query_scalar!(
        "insert into posts (id, author_id, slug, title, summary, body, body_html, tags, comments_open,
                            published_at, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11)
         on conflict (slug) do nothing
         returning id",
        Uuid::now_v7(),
        new.author_id,
        slug.as_str(),
        new.title,
        new.summary,
        new.body,
        new.body_html,
        new.tags,
        new.comments_open,
        published_at,
        now
    )
    .fetch_optional(connection)
    .await
}

/// What changes in a post; `None` stays as it is, `Some(None)` is taken away.
#[derive(Debug, Default)]
pub struct Changes<'a> {
    /// The unique name for its URL.
    pub slug: Option<&'a str>,
    /// The title.
    pub title: Option<&'a str>,
    /// What it is about.
    pub summary: Option<Option<&'a str>>,
    /// The text, in Markdown and as safe HTML.
    pub body: Option<(&'a str, &'a str)>,
    /// In lower case, each once.
    pub tags: Option<&'a [String]>,
    /// Whether it takes comments.
    pub comments_open: Option<bool>,
    /// How it is published.
    pub publication: Option<Publication>,
}

/// Changes a post; false if it is not there, or in none of the versions `if_match`. A taken slug violates its unique index.
pub async fn update(
    connection: &mut Connection,
    id: Uuid,
    changes: &Changes<'_>,
    if_match: Option<&[i64]>,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let (publication, at) = match changes.publication {
        None => ("keep", None),
        Some(Publication::Never) => ("never", None),
        Some(Publication::Now) => ("now", None),
        Some(Publication::At(at)) => ("at", Some(at)),
    };
    let updated = sqlx::query!(
        "update posts set
           slug = coalesce($3, slug),
           title = coalesce($4, title),
           summary = case when $5 then $6 else summary end,
           body = coalesce($7, body),
           body_html = coalesce($8, body_html),
           tags = coalesce($9, tags),
           comments_open = coalesce($10, comments_open),
           published_at = case $11::text
             when 'never' then null
             when 'now' then least(published_at, $2)
             when 'at' then $12
             else published_at end,
           version = version + 1,
           updated_at = $2
         where id = $1 and deleted_at is null and ($13::bigint[] is null or version = any($13))",
        id,
        now,
        changes.slug,
        changes.title,
        changes.summary.is_some(),
        changes.summary.flatten(),
        changes.body.map(|(markdown, _)| markdown),
        changes.body.map(|(_, html)| html),
        changes.tags,
        changes.comments_open,
        publication,
        at,
        if_match
    )
    .execute(connection)
    .await?;
    Ok(updated.rows_affected() > 0)
}

/// Deletes a post, which stays restorable; false if it is not there, or in none of the versions `if_match`.
pub async fn delete(
    connection: &mut Connection,
    id: Uuid,
    if_match: Option<&[i64]>,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let deleted = sqlx::query!(
        "update posts set deleted_at = $2, version = version + 1, updated_at = $2
         where id = $1 and deleted_at is null and ($3::bigint[] is null or version = any($3))",
        id,
        now,
        if_match
    )
    .execute(connection)
    .await?;
    Ok(deleted.rows_affected() > 0)
}

/// Takes back a deletion, if there was one.
pub async fn restore(connection: &mut Connection, post: &PostRef, now: DateTime<Utc>) -> sqlx::Result<()> {
    sqlx::query!(
        "update posts set deleted_at = null, version = version + 1, updated_at = $3
         where id = coalesce($1, (select id from posts where slug = $2)) and deleted_at is not null",
        post.id(),
        post.slug(),
        now
    )
    .execute(connection)
    .await?;
    Ok(())
}
