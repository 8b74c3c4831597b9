//! What a user gets of everything that is kept about them. The document is written piece by piece, so
//! [`Export`] is its shape for readers and for OpenAPI.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::identity::Role;

/// Everything that is kept about the caller, as of one moment.
#[derive(Debug, Serialize, ToSchema)]
pub struct Export {
    /// The moment.
    pub exported_at: DateTime<Utc>,
    /// The account, but for the password's hash.
    pub account: ExportedAccount,
    /// The devices that are signed in, or were until their token expired.
    pub sessions: Vec<ExportedSession>,
    /// Every post that the caller wrote: published, scheduled, drafts, deleted ones.
    pub posts: Vec<ExportedPost>,
    /// The versions of posts that the caller saved, also of posts of others.
    pub revisions: Vec<ExportedRevision>,
    /// Every comment that the caller wrote; of a deleted one the text is gone.
    pub comments: Vec<ExportedComment>,
    /// The posts that the caller likes.
    pub likes: Vec<ExportedLike>,
    /// Whom the caller follows.
    pub following: Vec<ExportedFollow>,
    /// Who follows the caller.
    pub followers: Vec<ExportedFollow>,
    /// The reports that the caller filed.
    pub reports: Vec<ExportedReport>,
    /// The reports that the caller decided as an editor; who filed them is not told.
    pub decided_reports: Vec<ExportedDecision>,
    /// The answers that are kept to be given again, to writes with an `Idempotency-Key`.
    pub idempotency_keys: Vec<ExportedIdempotencyKey>,
    /// What the caller did according to the audit log.
    pub actions: Vec<ExportedAction>,
    /// What others did to the caller's account according to the audit log; who they are is not told.
    pub actions_on_account: Vec<ExportedAction>,
}

/// The account.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExportedAccount {
    /// The user's id.
    pub id: Uuid,
    /// The unique name.
    #[schema(example = "ada")]
    pub username: String,
    /// The unique e-mail address.
    #[schema(example = "ada@example.com")]
    pub email: String,
    /// What the user may do.
    pub role: Role,
    /// The name shown to readers.
    #[schema(required)]
    pub display_name: Option<String>,
    /// What the user says of themselves.
    #[schema(required)]
    pub bio: Option<String>,
    /// Until when the user may write nothing.
    #[schema(required)]
    pub banned_until: Option<DateTime<Utc>>,
    /// Why.
    #[schema(required)]
    pub ban_reason: Option<String>,
    /// When the account was made.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// A device, but for the token's hash.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExportedSession {
    /// The session's id.
    pub id: Uuid,
    /// What the device called itself.
    #[schema(required)]
    pub user_agent: Option<String>,
    /// Where the sign-in came from.
    #[schema(required)]
    pub ip_address: Option<String>,
    /// When the sign-in happened.
    pub created_at: DateTime<Utc>,
    /// When the token was last used, to within 5 minutes.
    pub last_used_at: DateTime<Utc>,
    /// When the token stops working.
    pub expires_at: DateTime<Utc>,
}

/// A post.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExportedPost {
    /// The post's id.
    pub id: Uuid,
    /// Its name in URLs.
    pub slug: String,
    /// The title.
    pub title: String,
    /// What it is about.
    #[schema(required)]
    pub summary: Option<String>,
    /// The text, in Markdown.
    pub body: String,
    /// The text as safe HTML.
    pub body_html: String,
    /// The language of its text search.
    pub language: String,
    /// What it is filed under.
    pub tags: Vec<String>,
    /// Whether it takes comments.
    pub comments_open: bool,
    /// Whether they wait for an editor; the site decides if null.
    #[schema(required)]
    pub comments_policy: Option<String>,
    /// When it appeared or will appear; null for a draft.
    #[schema(required)]
    pub published_at: Option<DateTime<Utc>>,
    /// When it was deleted.
    #[schema(required)]
    pub deleted_at: Option<DateTime<Utc>>,
    /// When it was written.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// A saved version of a post.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExportedRevision {
    /// The post.
    pub post_id: Uuid,
    /// Which version.
    pub number: i64,
    /// The title.
    pub title: String,
    /// What it is about.
    #[schema(required)]
    pub summary: Option<String>,
    /// The text, in Markdown.
    pub body: String,
    /// What it is filed under.
    pub tags: Vec<String>,
    /// When it was saved.
    pub created_at: DateTime<Utc>,
}

/// A comment.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExportedComment {
    /// The comment's id.
    pub id: Uuid,
    /// The post it is on.
    pub post_id: Uuid,
    /// The comment it replies to.
    #[schema(required)]
    pub parent_id: Option<Uuid>,
    /// The text, in Markdown.
    pub body: String,
    /// The text as safe HTML.
    pub body_html: String,
    /// What moderation has decided: `pending`, `approved` or `spam`.
    #[schema(example = "approved")]
    pub status: String,
    /// When it was deleted.
    #[schema(required)]
    pub deleted_at: Option<DateTime<Utc>>,
    /// When it was written.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// A like.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExportedLike {
    /// The post.
    pub post_id: Uuid,
    /// Since when.
    pub created_at: DateTime<Utc>,
}

/// Someone who follows or is followed.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExportedFollow {
    /// The other user.
    pub user_id: Uuid,
    /// Since when.
    pub created_at: DateTime<Utc>,
}

/// A report.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExportedReport {
    /// The report's id.
    pub id: Uuid,
    /// The post it is about.
    #[schema(required)]
    pub post_id: Option<Uuid>,
    /// The comment it is about.
    #[schema(required)]
    pub comment_id: Option<Uuid>,
    /// What is wrong.
    #[schema(example = "spam")]
    pub reason: String,
    /// In the reporter's words.
    #[schema(required)]
    pub note: Option<String>,
    /// What became of it: `open`, `upheld` or `dismissed`.
    #[schema(example = "open")]
    pub status: String,
    /// When it was decided.
    #[schema(required)]
    pub resolved_at: Option<DateTime<Utc>>,
    /// When it was filed.
    pub created_at: DateTime<Utc>,
}

/// A decision about a report.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExportedDecision {
    /// The report's id.
    pub id: Uuid,
    /// The post it is about.
    #[schema(required)]
    pub post_id: Option<Uuid>,
    /// The comment it is about.
    #[schema(required)]
    pub comment_id: Option<Uuid>,
    /// The decision: `upheld` or `dismissed`.
    #[schema(example = "upheld")]
    pub status: String,
    /// When it was made.
    #[schema(required)]
    pub resolved_at: Option<DateTime<Utc>>,
}

/// An answer that is kept for a day.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExportedIdempotencyKey {
    /// The answer's status.
    #[schema(example = 201)]
    pub status: i16,
    /// When it was given.
    pub created_at: DateTime<Utc>,
    /// Where the next batch goes on.
    #[serde(skip)]
    #[schema(ignore)]
    pub key_hash: Vec<u8>,
}

/// A line of the audit log.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExportedAction {
    /// The line's id.
    pub id: Uuid,
    /// What was done.
    #[schema(example = "user.ban")]
    pub action: String,
    /// To what kind of thing.
    #[schema(example = "user")]
    pub target_type: String,
    /// To which one.
    #[schema(required)]
    pub target_id: Option<Uuid>,
    /// What else there is to say.
    #[schema(value_type = Object)]
    pub details: Value,
    /// When.
    pub created_at: DateTime<Utc>,
}
