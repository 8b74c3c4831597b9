//! Lists of posts, by filter and order.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::db::Connection;
use crate::posts::model::{CommentsPolicy, PostStatus, PostSummary};
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
    excerpt: String,
    language: String,
    reading_minutes: i32,
    comments_open: bool,
    comments_policy: Option<CommentsPolicy>,
    likes: i32,
    comments: i32,
    author_id: Option<Uuid>,
    author_username: Option<String>,
    author_display_name: Option<String>,
    version: i64,
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
            excerpt: row.excerpt,
            language: row.language,
            reading_minutes: row.reading_minutes,
            comments_open: row.comments_open,
            comments_policy: row.comments_policy,
            likes: row.likes,
            comments: row.comments,
            author: Byline::new(row.author_id, row.author_username, row.author_display_name),
            version: row.version,
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
            r#"select p.id, p.slug, p.title, p.summary, p.tags, p.excerpt, p.language, p.reading_minutes,
                 p.comments_open, p.comments_policy as "comments_policy: CommentsPolicy", s.likes, s.comments,
                 case when p.published_at is null then 'draft'
                      when p.published_at > $1 then 'scheduled' else 'published' end as "status!: PostStatus",
                 p.author_id, u.username as "author_username?", u.display_name as author_display_name,
                 p.version, p.published_at, p.created_at, p.updated_at, p.deleted_at
               from posts p join post_stats s on s.post_id = p.id left join users u on u.id = p.author_id
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
