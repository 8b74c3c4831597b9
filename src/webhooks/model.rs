//! What a webhook is, what it is told, and how its deliveries stand.

pub mod schedule;
pub mod signature;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::http::conditional::Versioned;
use crate::http::timestamp::Timestamp;
use crate::http::validation::text_type;
use crate::text_enum::text_enum;

/// How many webhooks there may be. Each has a place of its own where jobs are worked on.
pub const MAX_WEBHOOKS: usize = 20;

text_type!(
    /// What a webhook is for, in plain text.
    WebhookDescription, line, LINE, 1..=200, "Rebuilds the site");

// The words are stored and sent: one that has been released stays. The triggers write them.
text_enum! {
    /// What a webhook may be told of.
    pub enum WebhookEventType {
        /// Readers see a post from now on.
        PostPublished = "post.published",
        /// A post that readers see has changed.
        PostUpdated = "post.updated",
        /// Readers do not see a post any more: it is a draft or scheduled.
        PostUnpublished = "post.unpublished",
        /// A post that readers saw is deleted.
        PostDeleted = "post.deleted",
        /// A comment is written; `status` says whether it waits for an editor.
        CommentCreated = "comment.created",
        /// A comment that was not is approved.
        CommentApproved = "comment.approved",
        /// A comment is deleted.
        CommentDeleted = "comment.deleted",
        /// There is a new account.
        UserCreated = "user.created",
        /// An account is deleted.
        UserDeleted = "user.deleted",
        /// A reader has reported something.
        ReportCreated = "report.created",
        /// A picture or a file is uploaded.
        MediaCreated = "media.created",
        /// A picture or a file is deleted.
        MediaDeleted = "media.deleted",
        /// What is decided about the whole site has changed.
        SiteUpdated = "site.updated",
    }
}

impl WebhookEventType {
    pub const ALL: [Self; 13] = [
        Self::PostPublished,
        Self::PostUpdated,
        Self::PostUnpublished,
        Self::PostDeleted,
        Self::CommentCreated,
        Self::CommentApproved,
        Self::CommentDeleted,
        Self::UserCreated,
        Self::UserDeleted,
        Self::ReportCreated,
        Self::MediaCreated,
        Self::MediaDeleted,
        Self::SiteUpdated,
    ];
}

/// What is sent when somebody asks for it; no webhook chooses it.
pub const TEST: &str = "webhook.test";

text_enum! {
    /// Why a webhook was turned off.
    pub enum DisabledReason {
        /// The receiver has answered 410.
        Gone = "gone",
        /// Every attempt of five days has failed.
        Failing = "failing",
    }
}

/// Another program that is told what happens here.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Webhook {
    /// The webhook's id.
    pub id: Uuid,
    /// Where messages are posted.
    #[schema(example = "https://receiver.example/hook")]
    pub url: String,
    /// What it is for.
    #[schema(required, example = "Rebuilds the site")]
    pub description: Option<String>,
    /// What it is told of.
    #[schema(value_type = Vec<WebhookEventType>)]
    pub events: Vec<String>,
    /// Whether it is told anything.
    pub enabled: bool,
    /// Why the service has turned it off, if it has.
    #[schema(required)]
    pub disabled_reason: Option<DisabledReason>,
    /// Since when every attempt has failed; null while the last one has not.
    #[schema(required)]
    pub failing_since: Option<DateTime<Utc>>,
    /// Until when messages are also signed with the secret before the present one.
    #[schema(required)]
    pub previous_secret_until: Option<DateTime<Utc>>,
    /// The admin who has made it, unless they were deleted.
    #[schema(required)]
    pub created_by: Option<Uuid>,
    /// Grows with each change; the `ETag` begins with it.
    #[schema(example = 1)]
    pub version: i64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl Versioned for Webhook {
    fn version(&self) -> i64 {
        self.version
    }
}

text_enum! {
    /// How a delivery stands.
    pub enum DeliveryStatus {
        /// It is tried, or tried again, at `next_attempt_at`.
        Pending = "pending",
        /// The receiver has it.
        Delivered = "delivered",
        /// It was given up.
        Failed = "failed",
    }
}

/// One attempt to deliver a message. What the receiver said is not kept.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct DeliveryAttempt {
    /// Which it was.
    #[schema(example = 1, minimum = 1)]
    pub number: i32,
    /// When it began.
    pub at: Timestamp,
    /// How long it took.
    #[schema(example = 84, minimum = 0)]
    pub milliseconds: i32,
    /// The status of the answer, if there was one.
    #[schema(required, example = 503)]
    pub status: Option<i16>,
    /// What kind of failure it was, if it was one: `status` if the answer says so, or why there was none. More may come.
    #[schema(required, example = "status")]
    pub error: Option<String>,
}

/// A message on its way to a webhook.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct WebhookDelivery {
    /// The delivery's id; the message's is `msg_` and the same without hyphens.
    pub id: Uuid,
    /// What the message tells. More types may come.
    #[serde(rename = "type")]
    #[schema(example = "post.published")]
    pub event_type: String,
    /// When that happened.
    pub occurred_at: DateTime<Utc>,
    /// How it stands.
    pub status: DeliveryStatus,
    /// The last attempts, oldest first: 20 at most.
    pub attempts: Vec<DeliveryAttempt>,
    /// When it is tried next.
    #[schema(required)]
    pub next_attempt_at: Option<DateTime<Utc>>,
    /// When the receiver got it.
    #[schema(required)]
    pub delivered_at: Option<DateTime<Utc>>,
    /// When it was decided that the webhook is told.
    pub created_at: DateTime<Utc>,
}

/// What is sent: little more than ids, so that receivers ask for what they may know.
#[derive(Debug, Serialize)]
pub struct Envelope<'a> {
    #[serde(rename = "type")]
    pub event_type: &'a str,
    pub timestamp: DateTime<Utc>,
    pub data: &'a Value,
}

/// The id of a message: the same each time it is sent, so that receivers know what they have.
#[must_use]
pub fn message_id(delivery: Uuid) -> String {
    format!("msg_{}", delivery.simple())
}

/// The webhook that a job is about: the payload of the job.
#[derive(Debug, Serialize, Deserialize)]
pub struct About {
    pub webhook_id: Uuid,
}

/// What is to be sent again: the payload of a job.
#[derive(Debug, Deserialize)]
pub struct Replay {
    pub webhook_id: Uuid,
    pub since: Timestamp,
    /// What happens later is sent anyway.
    pub until: Timestamp,
}

/// The path of a webhook.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct WebhookPath {
    /// The webhook's id
    pub id: Uuid,
}

/// The path of a delivery.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct DeliveryPath {
    /// The webhook's id
    pub id: Uuid,
    /// The delivery's id
    pub delivery: Uuid,
}
