//! A post as every query reads it: one row, and the columns that it is made of.

use chrono::{DateTime, Utc};
use sqlx::types::Json;
use uuid::Uuid;

use crate::identity::UserRef;
use crate::language::Language;
use crate::markdown::Heading;
use crate::media::model::Image;
use crate::posts::model::{CommentsPolicy, Post, PostStatus, PostSummary, highlight};

#[derive(Debug)]
pub struct PostRow {
    pub(super) id: Uuid,
    pub(super) slug: String,
    pub(super) title: String,
    pub(super) title_key: String,
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
    pub(super) cover: Option<Json<Image>>,
    /// The text and what it becomes; not in a list.
    pub(super) body: Option<String>,
    pub(super) body_html: Option<String>,
    pub(super) toc: Option<Json<Vec<Heading>>>,
    /// Whether who asks likes it, where that is asked.
    pub(super) liked: Option<bool>,
    /// Whether they have muted it, likewise.
    pub(super) muted: Option<bool>,
    /// How well it matches the search, if there is one.
    pub(super) rank: Option<f32>,
    /// Where it matches the search, if there is one: see [`highlight`].
    pub(super) headline: Option<String>,
}

impl PostRow {
    /// The key of the lists by time.
    #[must_use]
    pub fn by_time(&self) -> (DateTime<Utc>, Uuid) {
        (self.published_at.unwrap_or(self.created_at), self.id)
    }
}

impl From<PostRow> for PostSummary {
    fn from(row: PostRow) -> Self {
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
            cover: row.cover.map(|cover| cover.0),
            highlight: row.headline.as_deref().map(highlight),
        }
    }
}

impl From<PostRow> for Post {
    fn from(mut row: PostRow) -> Self {
        let (liked, muted) = (row.liked, row.muted);
        let (body, body_html, toc) = (row.body.take(), row.body_html.take(), row.toc.take());
        let summary = PostSummary::from(row);
        Self {
            open_graph: (&summary).into(),
            pictures_without_alt: None,
            body: body.unwrap_or_default(),
            body_html: body_html.unwrap_or_default(),
            toc: toc.map(|toc| toc.0).unwrap_or_default(),
            liked,
            muted,
            summary,
        }
    }
}

/// The [`PostRow`]s of the posts `p`, with their stats `s` and their authors `u`, that the rest of the query
/// selects. `whole` ones have their texts, and the rest begins with the columns `liked` and `muted`; `summaries` have none, and it
/// begins with `rank` and `headline`. The first argument is the time.
macro_rules! posts {
    (whole [$($sql:tt)+], $($argument:expr),+ $(,)?) => {
        posts!(
            @[r#"p.body as "body?", p.body_html as "body_html?", p.toc as "toc?: _", null::real as rank,
                 null::text as headline, "# + $($sql)+],
            $($argument),+
        )
    };
    (summaries [$($sql:tt)+], $($argument:expr),+ $(,)?) => {
        posts!(
            @[r#"null::text as body, null::text as body_html, null::jsonb as "toc: _", null::boolean as liked, null::boolean as muted,
                 "# + $($sql)+],
            $($argument),+
        )
    };
    (@[$($sql:tt)+], $($argument:expr),+) => {
        sqlx::query_as!(
            PostRow,
            r#"select p.id, p.slug, p.title, coalesce(p.title_key, p.title) as "title_key!", p.summary, p.tags, p.excerpt, p.language as "language: Language",
                 p.reading_minutes, p.comments_open, p.comments_policy as "comments_policy: CommentsPolicy",
                 s.likes, s.comments, post_status(p.published_at, $1) as "status!: PostStatus",
                 p.author_id, u.username as "author_username?", u.display_name as author_display_name,
                 p.version, p.published_at, p.created_at, p.updated_at, p.deleted_at, p.cover as "cover: _", "# + $($sql)+,
            $($argument),+
        )
    };
}
pub(super) use posts;
