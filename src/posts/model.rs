//! What a post is: the rules of each field, who may see and edit it, and how it is shown.

mod highlight;
mod open_graph;
mod revision;
mod slug;
mod transliteration;

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::auth::{User, Viewer};
use crate::http::conditional::Versioned;
use crate::http::validation::{RuleViolation, text_type};
use crate::identity::Role;
use crate::identity::UserRef;
use crate::language::Language;
use crate::markdown::{Heading, without_alt};
use crate::media::model::Image;
use crate::text;
use crate::text_enum::text_enum;
pub use highlight::highlight;
pub use open_graph::OpenGraph;
pub use revision::{Revision, RevisionContent, RevisionSummary, diff};
pub use slug::{PostPath, PostRef, Slug};

text_type!(
    /// The title of a post.
    Title, line, LINE, 1..=200, "Hello, world");

text_type!(
    /// What a post is about, in plain text.
    Summary, block, BLOCK, 1..=500, "The first post of this blog.");

text_type!(
    /// The text of a post, in Markdown.
    PostBody, block, BLOCK, 1..=200_000, "# Hello\n\nThis is *the first* post.");

text_type!(
    /// A tag; kept in lower case.
    Tag, folded, LINE, 1..=32, "rust");

pub const MAX_TAGS: usize = 10;

/// What a list by title is ordered by: short enough for an index.
#[must_use]
pub fn title_key(title: &str) -> String {
    text::sort_key(title).chars().take(200).collect()
}

/// The tags as they are stored: each once.
#[must_use]
pub fn stored_tags(tags: &[Tag]) -> Vec<String> {
    let mut stored = Vec::with_capacity(tags.len());
    for tag in tags {
        if !tag.as_str().trim().is_empty() && !stored.iter().any(|other| other == tag.as_str()) {
            stored.push(tag.as_str().to_owned());
        }
    }
    stored
}

text_enum! {
    /// Where a post is on its way to its readers.
    pub enum PostStatus {
        /// Only its author and editors see it.
        Draft = "draft",
        /// It will appear at `published_at`.
        Scheduled = "scheduled",
        /// Everybody sees it.
        Published = "published",
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Publication {
    /// Not at all: it is a draft.
    Never,
    /// Now, or when it was if it is published already.
    Now,
    /// At a time: in the future it is scheduled, in the past backdated.
    At(DateTime<Utc>),
}

impl Publication {
    #[must_use]
    pub fn is_scheduled(self, now: DateTime<Utc>) -> bool {
        matches!(self, Self::At(at) if at > now)
    }

    /// What a requested `status` and `published_at` mean, or why they do not go together.
    pub fn new(
        status: Option<PostStatus>,
        published_at: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Result<Option<Self>, RuleViolation> {
        match (status, published_at) {
            (None, None) => Ok(None),
            (None, Some(_)) => Err(("status_required", "needs a `status`: published or scheduled".into())),
            (Some(PostStatus::Draft), None) => Ok(Some(Self::Never)),
            (Some(PostStatus::Draft), Some(_)) => {
                Err(("not_for_drafts", "must be absent from a draft".into()))
            }
            (Some(PostStatus::Published), None) => Ok(Some(Self::Now)),
            (Some(PostStatus::Published), Some(at)) if at <= now => Ok(Some(Self::At(at))),
            (Some(PostStatus::Published), Some(_)) => {
                Err(("in_future", "must not be in the future: use the status scheduled".into()))
            }
            (Some(PostStatus::Scheduled), Some(at)) if at > now => Ok(Some(Self::At(at))),
            (Some(PostStatus::Scheduled), Some(_)) => Err(("in_past", "must be in the future".into())),
            (Some(PostStatus::Scheduled), None) => {
                Err(("required", "is required for a scheduled post".into()))
            }
        }
    }
}

text_enum! {
    /// Which new comments wait for an editor before others read them.
    pub enum CommentsPolicy {
        /// None.
        Open = "open",
        /// Those of a user of whom no comment is approved.
        FirstHeld = "first_held",
        /// All but editors' and the post's author's.
        AllHeld = "all_held",
    }
}

/// A post in a list.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PostSummary {
    /// The post's id.
    pub id: Uuid,
    /// The unique name for its URL.
    #[schema(example = "hello-world")]
    pub slug: String,
    /// The title.
    #[schema(example = "Hello, world")]
    pub title: String,
    /// What it is about.
    #[schema(required, example = "The first post of this blog.")]
    pub summary: Option<String>,
    /// Its tags, in lower case.
    #[schema(example = json!(["rust", "blog"]))]
    pub tags: Vec<String>,
    /// Where it is on its way to its readers.
    pub status: PostStatus,
    /// The beginning of its text, without markup: escape it where you show it as HTML.
    #[schema(example = "This is the first post.")]
    pub excerpt: String,
    /// The language whose words the search of its text knows.
    #[schema(example = "english")]
    pub language: Language,
    /// How long its text takes to read, in minutes.
    #[schema(minimum = 1, example = 1)]
    pub reading_minutes: i32,
    /// Whether it takes new comments.
    pub comments_open: bool,
    /// Which new comments wait for an editor; null is the site's policy.
    #[schema(required)]
    pub comments_policy: Option<CommentsPolicy>,
    /// How many users like it.
    #[schema(minimum = 0)]
    pub likes: i32,
    /// How many comments everybody reads.
    #[schema(minimum = 0)]
    pub comments: i32,
    /// The picture that stands for it.
    #[schema(required)]
    pub cover: Option<Image>,
    /// Who wrote it.
    pub author: UserRef,
    /// Grows with each change; the `ETag` begins with it.
    #[schema(example = 1)]
    pub version: i64,
    /// When it was or will be published; null for a draft.
    #[schema(required)]
    pub published_at: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
    /// When it was deleted; only editors see deleted posts, in the list with `status=deleted`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<DateTime<Utc>>,
    /// Where it matches the search, as safe HTML: text with `<mark>` around each match. Only in a list with `q`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "This is <mark>the first</mark> post.")]
    pub highlight: Option<String>,
}

/// A post.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Post {
    /// All that a list shows of it.
    #[serde(flatten)]
    pub summary: PostSummary,
    /// The text, in Markdown.
    #[schema(example = "# Hello\n\nThis is *the first* post.")]
    pub body: String,
    /// The text as safe HTML.
    #[schema(example = "<h1 id=\"h-hello\">Hello</h1>\n<p>This is <em>the first</em> post.</p>\n")]
    pub body_html: String,
    /// Its table of contents: the headings in the order of the text.
    pub toc: Vec<Heading>,
    /// What pages say of it to those who link to it (<https://ogp.me>): each a `<meta property>` and its `content`.
    pub open_graph: OpenGraph,
    /// How many pictures in its text have no alternative text; only for those who may change it, and only in the answer to `GET`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0)]
    pub pictures_without_alt: Option<usize>,
    /// Whether the caller likes it; only for signed-in ones, and only in the answer to `GET`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub liked: Option<bool>,
    /// Whether the caller has muted it, likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub muted: Option<bool>,
}

/// A tag and how often it is used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct TagCount {
    /// The tag, in lower case.
    #[schema(example = "rust")]
    pub name: String,
    /// How many published posts have it.
    #[schema(minimum = 1)]
    pub posts: i32,
}

/// What decides who may do what with a post.
#[derive(Clone, Copy, Debug)]
pub struct PostHead {
    pub id: Uuid,
    /// Who wrote it, unless they were deleted.
    pub author_id: Option<Uuid>,
    pub status: PostStatus,
    pub published_at: Option<DateTime<Utc>>,
    pub comments_open: bool,
}

impl PostHead {
    /// Whether `viewer` may know that it exists.
    #[must_use]
    pub fn is_visible_to(&self, viewer: &Viewer) -> bool {
        self.status == PostStatus::Published || viewer.0.is_some_and(|user| self.is_open_to(&user))
    }

    /// Whether `user` may read all of it, whatever its status: its author, whatever their role is now, and editors.
    #[must_use]
    pub fn is_open_to(&self, user: &User) -> bool {
        user.is(Role::Editor) || self.author_id == Some(user.id)
    }

    #[must_use]
    pub fn is_editable_by(&self, user: &User) -> bool {
        user.is(Role::Author) && self.is_open_to(user)
    }
}

impl Versioned for Post {
    fn version(&self) -> i64 {
        self.summary.version
    }
}

impl Post {
    /// As it is shown to those who may change it.
    #[must_use]
    pub fn for_editing(mut self) -> Self {
        self.pictures_without_alt = Some(without_alt(&self.body_html));
        self
    }

    #[must_use]
    pub fn head(&self) -> PostHead {
        let PostSummary { id, status, published_at, comments_open, ref author, .. } = self.summary;
        PostHead { id, author_id: author.id, status, published_at, comments_open }
    }
}

#[cfg(test)]
mod tests;
