//! What a user gets of everything that is kept about them. The document is written piece by piece, so
//! [`Export`] is its shape for readers and for OpenAPI; each part is from the store that keeps it.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use crate::audit::store::export::ExportedAction;
use crate::auth::store::export::ExportedSession;
use crate::comments::store::export::ExportedComment;
use crate::http::idempotency::store::export::ExportedIdempotencyKey;
use crate::jobs::store::export::ExportedJob;
use crate::media::store::export::{ExportedMedia, ExportedUpload};
use crate::moderation::store::export::{ExportedDecision, ExportedReport};
use crate::notifications::store::export::{ExportedNotification, ExportedNotificationSettings};
use crate::posts::store::export::{ExportedLike, ExportedPost, ExportedRevision};
use crate::tokens::store::export::ExportedApiToken;
use crate::users::store::export::{ExportedAccount, ExportedFollow, ExportedInvitation, ExportedToken};
use crate::webhooks::store::export::ExportedWebhook;

/// Everything that is kept about the caller, as of one moment.
#[derive(Debug, Serialize, ToSchema)]
pub struct Export {
    /// The moment.
    pub exported_at: DateTime<Utc>,
    /// The account, but for the password's hash.
    pub account: ExportedAccount,
    /// The devices that are signed in, or were until their token expired.
    pub sessions: Vec<ExportedSession>,
    /// The API tokens of the caller, until 30 days after their end.
    pub api_tokens: Vec<ExportedApiToken>,
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
    /// The posts of which the caller wants to be told nothing.
    pub muted_posts: Vec<ExportedLike>,
    /// What the caller was told in the last 90 days.
    pub notifications: Vec<ExportedNotification>,
    /// What the caller has chosen about mail, if anything.
    pub notification_settings: Vec<ExportedNotificationSettings>,
    /// The links that were mailed to the caller, until they expire.
    pub one_time_tokens: Vec<ExportedToken>,
    /// Whom the caller has invited, until that is accepted or expires.
    pub invitations: Vec<ExportedInvitation>,
    /// What the caller has uploaded.
    pub media: Vec<ExportedMedia>,
    /// The files that the caller has announced in the last day and not completed.
    pub media_uploads: Vec<ExportedUpload>,
    /// What is still to be done for the caller, or could not be done.
    pub jobs: Vec<ExportedJob>,
    /// The reports that the caller filed.
    pub reports: Vec<ExportedReport>,
    /// The reports that the caller decided as an editor; who filed them is not told.
    pub decided_reports: Vec<ExportedDecision>,
    /// The answers that are kept to be given again, to writes with an `Idempotency-Key`.
    pub idempotency_keys: Vec<ExportedIdempotencyKey>,
    /// The webhooks that the caller has made as an admin.
    pub webhooks: Vec<ExportedWebhook>,
    /// What the caller did according to the audit log.
    pub actions: Vec<ExportedAction>,
    /// What others did to the caller's account according to the audit log; who they are is not told.
    pub actions_on_account: Vec<ExportedAction>,
}
