//! Lists of posts, by filter and order.

use chrono::{DateTime, Utc};
use serde::Serialize;
use uuid::Uuid;

use super::row::{PostRow, posts};
use super::{listed, unlisted};
use crate::db::Connection;
use crate::language::Language;
use crate::posts::model::{CommentsPolicy, PostStatus};

/// What is searched for, in the words of who asks.
#[derive(Clone, Copy, Debug)]
pub struct Search<'a> {
    pub words: &'a str,
    /// By whose rules the words are read.
    pub language: Language,
}

#[derive(Debug)]
pub struct Filter<'a> {
    /// Those with this status; `None` is those that were deleted.
    pub status: Option<PostStatus>,
    pub author: Option<Uuid>,
    pub tag: Option<&'a str>,
    pub language: Option<Language>,
    /// Those published at this time or later.
    pub published_after: Option<DateTime<Utc>>,
    /// Those published before this time.
    pub published_before: Option<DateTime<Utc>>,
    /// Those that this finds, in [`search`](super::search()); [`list`] knows nothing of it.
    pub search: Option<Search<'a>>,
    pub rows: i64,
}

impl Filter<'_> {
    pub(super) fn is_everybodys(&self) -> bool {
        let Self { status, author, tag, language, published_after, published_before, search, .. } = self;
        *status == Some(PostStatus::Published)
            && author.is_none()
            && tag.is_none()
            && language.is_none()
            && published_after.is_none()
            && published_before.is_none()
            && search.is_none()
    }
}

/// The last row that was seen: what the list is ordered by, and the id, which decides between equals.
type After<K> = Option<(K, Uuid)>;

/// The order of a list, and where in it the page begins.
#[derive(Debug)]
pub enum Order {
    /// By publication, a draft by its creation; newest first.
    Newest(After<DateTime<Utc>>),
    Oldest(After<DateTime<Utc>>),
    /// Most likes first.
    Likes(After<i32>),
    /// Most comments first.
    Comments(After<i32>),
    /// By title, whatever its case and accents.
    Title(After<String>),
    /// Best match of a search first. The key is the rank's bits: a number that JSON gives back exactly.
    Relevance(After<u32>),
}

/// A row's place in a list, for its cursor.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Key {
    Time(DateTime<Utc>, Uuid),
    Count(i32, Uuid),
    Title(String, Uuid),
    Rank(u32, Uuid),
}

impl Order {
    /// Whether any page of it is read in order from one index: all published posts, by time.
    #[must_use]
    pub fn is_plain(&self, filter: &Filter<'_>) -> bool {
        matches!(self, Self::Newest(_)) && filter.is_everybodys()
    }

    #[must_use]
    pub fn key(&self, row: &PostRow) -> Key {
        match self {
            Self::Newest(_) | Self::Oldest(_) => {
                let (at, id) = row.by_time();
                Key::Time(at, id)
            }
            Self::Likes(_) => Key::Count(row.likes, row.id),
            Self::Comments(_) => Key::Count(row.comments, row.id),
            Self::Title(_) => Key::Title(row.title_key.clone(), row.id),
            Self::Relevance(_) => Key::Rank(row.rank.unwrap_or_default().to_bits(), row.id),
        }
    }
}

/// The list that is asked for most: everybody's newest posts. It has one plan for all values: by the inner limit, the
/// most that a page has, the planner sees that planning for each `rows` gains nothing, which would take twice as
/// long as the execution.
async fn newest(
    connection: &mut Connection,
    after: After<DateTime<Utc>>,
    rows: i64,
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<PostRow>> {
    let (at, id) = after.unwrap_or((now, Uuid::max()));
    posts!(
        summaries[r#"
             null::real as rank, null::text as headline
           from (
             select * from posts
             where deleted_at is null and published_at <= $1
               and (published_at, id) < ($2, $3)
             order by published_at desc, id desc limit 101
           ) p join post_stats s on s.post_id = p.id left join users u on u.id = p.author_id
           order by p.published_at desc, p.id desc limit $4"#],
        now,
        at,
        id,
        rows
    )
    .fetch_all(connection)
    .await
}

pub async fn list(
    connection: &mut Connection,
    filter: &Filter<'_>,
    order: &Order,
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<PostRow>> {
    match (filter.status, filter.tag, order) {
        (_, _, Order::Newest(after)) if filter.is_everybodys() => {
            newest(connection, *after, filter.rows, now).await
        }
        (Some(PostStatus::Published | PostStatus::Scheduled), Some(tag), _) => {
            listed::list_tagged(connection, tag, filter, order, now).await
        }
        (Some(PostStatus::Published | PostStatus::Scheduled), None, _) => {
            listed::list(connection, filter, order, now).await
        }
        (Some(PostStatus::Draft) | None, _, _) => unlisted::list(connection, filter, order, now).await,
    }
}
