//! What lists of posts are asked for: which posts, in which order, from where.

use chrono::{DateTime, Utc};
use serde::Serialize;
use uuid::Uuid;

use super::row::PostRow;
use crate::language::Language;
use crate::posts::model::PostStatus;

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
pub(super) type After<K> = Option<(K, Uuid)>;

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
