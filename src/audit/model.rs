//! What the audit log knows: who did what to what.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::auth::User;
use crate::identity::UserRef;
use crate::text_enum::text_enum;

// The words are stored and never change: the kind of target, a dot, and what was done to it.
text_enum! {
    /// What was done.
    pub enum Action {
        /// An editor lets everybody read a comment.
        CommentApproved = "comment.approved",
        /// An editor makes a comment wait.
        CommentHeld = "comment.held",
        /// An editor calls a comment spam.
        CommentSpam = "comment.spam",
        /// An editor, or the post's author, deletes another's comment.
        CommentDeleted = "comment.deleted",
        /// An editor changes another's post.
        PostUpdated = "post.updated",
        /// An editor deletes another's post.
        PostDeleted = "post.deleted",
        /// An editor restores a post.
        PostRestored = "post.restored",
        /// An admin has a job that was given up tried anew.
        JobRetried = "job.retried",
        /// An editor describes another's picture.
        MediaUpdated = "media.updated",
        /// An editor deletes another's picture.
        MediaDeleted = "media.deleted",
        /// A reader's report is upheld or dismissed.
        ReportResolved = "report.resolved",
        /// A decision about a report is taken back.
        ReportReopened = "report.reopened",
        /// The site's settings change.
        SiteUpdated = "site.updated",
        /// An admin makes a webhook.
        WebhookCreated = "webhook.created",
        /// An admin changes a webhook.
        WebhookUpdated = "webhook.updated",
        /// An admin deletes a webhook.
        WebhookDeleted = "webhook.deleted",
        /// An admin gives a webhook another secret.
        WebhookSecretRotated = "webhook.secret_rotated",
        /// An admin has a message sent again.
        WebhookRetried = "webhook.retried",
        /// An admin has what has happened sent to a webhook again.
        WebhookReplayed = "webhook.replayed",
        /// A user is banned, or the ban changes.
        UserBanned = "user.banned",
        /// A ban is lifted.
        UserUnbanned = "user.unbanned",
        /// An account is made from the command line, or of an invitation by who invited.
        UserCreated = "user.created",
        /// An editor or an admin invites somebody.
        UserInvited = "user.invited",
        /// An invitation is taken back.
        UserUninvited = "user.uninvited",
        /// An account is deleted, by its user or by an admin.
        UserDeleted = "user.deleted",
        /// An admin revokes an API token of a user.
        UserTokenRevoked = "user.token_revoked",
        /// A user gets another role, from an admin or the command line.
        UserRoleChanged = "user.role_changed",
        /// A user chooses a new password by a link that was mailed to them.
        UserPasswordReset = "user.password_reset",
        /// A user has the address again that was changed, by a link that was mailed to it.
        UserEmailRestored = "user.email_restored",
        /// An admin changes another's account, or the command line a password.
        UserUpdated = "user.updated",
    }
}

impl Action {
    #[must_use]
    pub fn target_type(self) -> &'static str {
        self.as_str().split_once('.').map_or("", |(target_type, _)| target_type)
    }
}

#[derive(Clone, Debug)]
pub struct Entry {
    /// Who does it; nobody if it is done by a user who is gone after it, or from the command line.
    pub actor: Option<Uuid>,
    /// With which API token, if with one.
    pub token: Option<Uuid>,
    pub action: Action,
    /// To what; nothing if it is the site, or a user who is gone after it.
    pub target: Option<Uuid>,
    /// More about it, as an object. Never anything about a person but ids.
    pub details: Value,
}

impl Entry {
    /// What `user` does to `target`; none is the site, or a user who is gone after it.
    #[must_use]
    pub fn by(user: &User, action: Action, target: impl Into<Option<Uuid>>, details: Value) -> Self {
        Self { actor: Some(user.id), token: user.token_id(), action, target: target.into(), details }
    }

    /// What is done without signing in.
    #[must_use]
    pub fn unsigned(actor: Option<Uuid>, action: Action, target: Option<Uuid>, details: Value) -> Self {
        Self { actor, token: None, action, target, details }
    }
}

/// The names of those `fields` that a request gives.
#[must_use]
pub fn changed_fields(fields: &[(&'static str, bool)]) -> Vec<&'static str> {
    fields.iter().filter(|(_, given)| *given).map(|(name, _)| *name).collect()
}

/// A line of the audit log.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AuditEntry {
    /// The line's id.
    pub id: Uuid,
    /// Who did it.
    pub actor: UserRef,
    /// What was done. More actions may come.
    #[schema(example = "comment.spam")]
    pub action: String,
    /// What kind of thing it was done to: `user`, `post`, `comment`, `media`, `report`, `job`, `webhook` or `site`.
    #[schema(example = "comment")]
    pub target_type: String,
    /// The id of what it was done to, which may be gone; null if that is the site or a deleted user.
    #[schema(required)]
    pub target_id: Option<Uuid>,
    /// The API token it was done with, which may be gone; null if with none, or if its user is erased.
    #[schema(required)]
    pub token_id: Option<Uuid>,
    /// More about it; what, depends on the action.
    #[schema(value_type = Object, example = json!({"from": "approved"}))]
    pub details: Value,
    /// When it was done.
    pub created_at: DateTime<Utc>,
}
