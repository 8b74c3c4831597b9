//! What a comment is: the rule of its text, who may see and change it, and how it is shown.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::auth::{User, Viewer};
use crate::http::conditional::Versioned;
use crate::http::validation::text_type;
use crate::identity::Role;
use crate::identity::UserRef;
use crate::text_enum::text_enum;

text_type!(
    /// The text of a comment, in Markdown.
    CommentBody, block, BLOCK, 1..=10_000, "I *agree*.");

/// How many levels a thread may have; the schema's `comments_thread_check` holds it too.
pub const MAX_DEPTH: i32 = 8;

text_enum! {
    /// What moderation has decided.
    pub enum CommentStatus {
        /// Waits for an editor; only its author and editors read it.
        Pending = "pending",
        /// Everybody reads it.
        Approved = "approved",
        /// Only its author and editors read it.
        Spam = "spam",
    }
}

/// A comment. One that was deleted, or that the caller may not read, but that has replies, keeps its place
/// as a tombstone: without author and text.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Comment {
    /// The comment's id.
    pub id: Uuid,
    /// The post it is on.
    pub post_id: Uuid,
    /// The comment it replies to.
    #[schema(required)]
    pub parent_id: Option<Uuid>,
    /// Its level in the thread: 0 for a comment on the post itself.
    #[schema(minimum = 0, maximum = 7, example = 0)]
    pub depth: i32,
    /// Who wrote it; null for a tombstone.
    #[schema(required)]
    pub author: Option<UserRef>,
    /// The text, in Markdown; empty for a tombstone.
    #[schema(example = "I *agree*.")]
    pub body: String,
    /// The text as safe HTML; empty for a tombstone.
    #[schema(example = "<p>I <em>agree</em>.</p>\n")]
    pub body_html: String,
    /// What moderation has decided; always `approved` for a tombstone.
    pub status: CommentStatus,
    /// Whether it is a tombstone.
    pub removed: bool,
    /// Grows with each change; the `ETag` begins with it.
    #[schema(example = 1)]
    pub version: i64,
    /// When it was written.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl Versioned for Comment {
    fn version(&self) -> i64 {
        self.version
    }
}

impl Comment {
    #[must_use]
    pub fn is_visible_to(&self, viewer: &Viewer) -> bool {
        self.status == CommentStatus::Approved
            || viewer.is(Role::Editor)
            || viewer.0.is_some_and(|user| self.is_by(&user))
    }

    #[must_use]
    pub fn is_by(&self, user: &User) -> bool {
        self.author.as_ref().is_some_and(|author| author.id == Some(user.id))
    }

    #[must_use]
    pub fn seen_by(self, viewer: &Viewer) -> Self {
        if !self.removed && self.is_visible_to(viewer) {
            return self;
        }
        Self {
            author: None,
            body: String::new(),
            body_html: String::new(),
            // Whatever it was: it does not say why it is gone.
            status: CommentStatus::Approved,
            removed: true,
            ..self
        }
    }
}

/// The path of a comment.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct CommentPath {
    /// The comment's id
    pub id: Uuid,
}
