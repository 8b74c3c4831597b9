//! All SQL about posts.

use crate::db::Connection;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::model::{Post, PostHead, PostRef, PostStatus, PostSummary, Publication, Slug};
use crate::users::model::Byline;

/// A row of a list, with the key of the list's order.
#[derive(Debug)]
pub struct SummaryRow {
    id: Uuid,
    slug: String,
    title: String,
    summary: Option<String>,
    tags: Vec<String>,
    status: PostStatus,
    comments_open: bool,
    author_id: Option<Uuid>,
    author_username: Option<String>,
    author_display_name: Option<String>,
    published_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    deleted_at: Option<DateTime<Utc>>,
}

impl SummaryRow {
    /// Where the row is in a list.
    #[must_use]
    pub fn key(&self) -> Key {
        (self.published_at.unwrap_or(self.created_at), self.id)
    }
}

impl From<SummaryRow> for PostSummary {
    fn from(row: SummaryRow) -> Self {
        Self {
            id: row.id,
            slug: row.slug,
            title: row.title,
            summary: row.summary,
            tags: row.tags,
            status: row.status,
            comments_open: row.comments_open,
            author: Byline::new(row.author_id, row.author_username, row.author_display_name),
            published_at: row.published_at,
            created_at: row.created_at,
            updated_at: row.updated_at,
            deleted_at: row.deleted_at,
        }
    }
}

/// The order of lists: by publication, a draft by its creation; then by id.
pub type Key = (DateTime<Utc>, Uuid);

/// Which posts a list shows.
#[derive(Debug)]
pub struct Filter<'a> {
    /// Those with this status; `None` is those that were deleted.
    pub status: Option<PostStatus>,
    /// Those of this user.
    pub author: Option<Uuid>,
    /// Those with this tag.
    pub tag: Option<&'a str>,
    /// Those that match this web search.
    pub search: Option<&'a str>,
    /// Oldest instead of newest first.
    pub ascending: bool,
    /// Those after this one.
    pub after: Option<Key>,
    /// How many rows.
    pub rows: i64,
}

/// One list, in one of two directions.
macro_rules! list {
    ($filter:expr, $now:expr, $beyond:tt, $direction:tt) => {
        sqlx::query_as!(
            SummaryRow,
            r#"select p.id, p.slug, p.title, p.summary, p.tags, p.comments_open,
                 case when p.published_at is null then 'draft'
                      when p.published_at > $1 then 'scheduled' else 'published' end as "status!: PostStatus",
                 p.author_id, u.username as "author_username?", u.display_name as author_display_name,
                 p.published_at, p.created_at, p.updated_at, p.deleted_at
               from posts p left join users u on u.id = p.author_id
               where case $2::text
                   when 'published' then p.deleted_at is null and p.published_at <= $1
                   when 'scheduled' then p.deleted_at is null and p.published_at > $1
                   when 'draft' then p.deleted_at is null and p.published_at is null
                   else p.deleted_at is not null end
                 and ($2 <> 'published' or coalesce(p.published_at, p.created_at) <= $1)
                 and ($3::uuid is null or p.author_id = $3)
                 and ($4::text is null or p.tags @> array[$4])
                 and ($5::text is null or p.search @@ websearch_to_tsquery('english', $5))
                 and ($6::timestamptz is null or (coalesce(p.published_at, p.created_at), p.id) "# + $beyond + r#" ($6, $7))
               order by coalesce(p.published_at, p.created_at) "# + $direction + ", p.id " + $direction + " limit $8",
            $now,
            $filter.status.map_or("deleted", PostStatus::as_str),
            $filter.author,
            $filter.tag,
            $filter.search,
            $filter.after.map(|(at, _)| at),
            $filter.after.map(|(_, id)| id),
            $filter.rows
        )
    };
}

/// A page of posts.
pub async fn list(
    connection: &mut Connection,
    filter: &Filter<'_>,
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<SummaryRow>> {
    if filter.ascending {
        list!(filter, now, ">", "asc").fetch_all(connection).await
    } else {
        list!(filter, now, "<", "desc").fetch_all(connection).await
    }
}

/// The post, unless it was deleted.
pub async fn find(
    connection: &mut Connection,
    post: &PostRef,
    now: DateTime<Utc>,
) -> sqlx::Result<Option<Post>> {
    let row = sqlx::query!(
        r#"select p.id, p.slug, p.title, p.summary, p.tags, p.comments_open,
             case when p.published_at is null then 'draft'
                  when p.published_at > $3 then 'scheduled' else 'published' end as "status!: PostStatus",
             p.author_id, u.username as "author_username?", u.display_name as author_display_name,
             p.published_at, p.created_at, p.updated_at, p.body, p.body_html
           from posts p left join users u on u.id = p.author_id
           where p.id = coalesce($1, (select id from posts where slug = $2)) and p.deleted_at is null"#,
        post.id(),
        post.slug(),
        now
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|row| Post {
        summary: PostSummary {
            id: row.id,
            slug: row.slug,
            title: row.title,
            summary: row.summary,
            tags: row.tags,
            status: row.status,
            comments_open: row.comments_open,
            author: Byline::new(row.author_id, row.author_username, row.author_display_name),
            published_at: row.published_at,
            created_at: row.created_at,
            updated_at: row.updated_at,
            deleted_at: None,
        },
        body: row.body,
        body_html: row.body_html,
    }))
}

/// What decides who may do what with the post, unless it was deleted.
pub async fn head(
    connection: &mut Connection,
    post: &PostRef,
    now: DateTime<Utc>,
) -> sqlx::Result<Option<PostHead>> {
    sqlx::query_as!(
        PostHead,
        r#"select id, author_id, comments_open,
             case when published_at is null then 'draft'
                  when published_at > $3 then 'scheduled' else 'published' end as "status!: PostStatus"
           from posts
           where id = coalesce($1, (select id from posts where slug = $2)) and deleted_at is null"#,
        post.id(),
        post.slug(),
        now
    )
    .fetch_optional(connection)
    .await
}

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

/// Changes a post; false if it is not there. A taken slug violates its unique index.
pub async fn update(
    connection: &mut Connection,
    id: Uuid,
    changes: &Changes<'_>,
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
         where id = $1 and deleted_at is null",
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
        at
    )
    .execute(connection)
    .await?;
    Ok(updated.rows_affected() > 0)
}

/// Deletes a post, which stays restorable; false if it is not there.
pub async fn delete(connection: &mut Connection, id: Uuid, now: DateTime<Utc>) -> sqlx::Result<bool> {
    let deleted = sqlx::query!(
        "update posts set deleted_at = $2, version = version + 1, updated_at = $2 where id = $1 and deleted_at is null",
        id,
        now
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
