//! A row of every list of posts, and the columns that it is made of.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::identity::UserRef;
use crate::language::Language;
use crate::posts::model::{CommentsPolicy, PostStatus, PostSummary, highlight};

/// A row of a list.
#[derive(Debug)]
pub struct SummaryRow {
    pub(super) id: Uuid,
    pub(super) slug: String,
    pub(super) title: String,
    pub(super) summary: Option<String>,
    pub(super) tags: Vec<String>,
    pub(super) status: PostStatus,
    pub(super) excerpt: String,
    pub(super) language: Language,
    pub(super) reading_minutes: i32,
    pub(super) comments_open: bool,
    pub(super) comments_policy: Option<CommentsPolicy>,
    pub(super) likes: i32,
    pub(super) comments: i32,
    pub(super) author_id: Option<Uuid>,
    pub(super) author_username: Option<String>,
    pub(super) author_display_name: Option<String>,
    pub(super) version: i64,
    pub(super) published_at: Option<DateTime<Utc>>,
    pub(super) created_at: DateTime<Utc>,
    pub(super) updated_at: DateTime<Utc>,
    pub(super) deleted_at: Option<DateTime<Utc>>,
    /// How well it matches the search, if there is one.
    pub(super) rank: Option<f32>,
    /// Where it matches the search, if there is one: see [`highlight`].
    pub(super) headline: Option<String>,
}

impl SummaryRow {
    /// The key of the lists by time.
    #[must_use]
    pub fn by_time(&self) -> (DateTime<Utc>, Uuid) {
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
            author: UserRef::new(row.author_id, row.author_username, row.author_display_name),
            version: row.version,
            published_at: row.published_at,
            created_at: row.created_at,
            updated_at: row.updated_at,
            deleted_at: row.deleted_at,
            highlight: row.headline.as_deref().map(highlight),
        }
    }
}

/// The [`SummaryRow`]s of the posts `p`, with their stats `s` and their authors `u`, that the rest of the query
/// selects: `rank`, `headline` and what comes after them. The first argument is the time.
macro_rules! summaries {
    ([$($sql:tt)+], $($argument:expr),+ $(,)?) => {
        sqlx::query_as!(
            SummaryRow,
            r#"select p.id, p.slug, p.title, p.summary, p.tags, p.excerpt, p.language as "language: Language",
                 p.reading_minutes, p.comments_open, p.comments_policy as "comments_policy: CommentsPolicy",
                 s.likes, s.comments,
                 post_status(p.published_at, $1) as "status!: PostStatus",
                 p.author_id, u.username as "author_username?", u.display_name as author_display_name,
                 p.version, p.published_at, p.created_at, p.updated_at, p.deleted_at, "# + $($sql)+,
            $($argument),+
        )
    };
}
pub(super) use summaries;
