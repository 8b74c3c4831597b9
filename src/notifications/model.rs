//! What users are told of, and how each of them wants to be.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::http::conditional::Versioned;
use crate::identity::UserRef;
use crate::text_enum::text_enum;

// The words are stored: one that has been released stays.
text_enum! {
    /// What a notification is about.
    pub enum NotificationKind {
        /// Somebody has replied to a comment of the user.
        Reply = "reply",
        /// Somebody has commented on a post of the user.
        Comment = "comment",
        /// A comment waits for an editor.
        HeldComment = "held_comment",
        /// Somebody has reported something to the editors.
        Report = "report",
        /// Someone whom the user follows has published a post.
        Post = "post",
    }
}

text_enum! {
    /// When notifications are mailed.
    pub enum Delivery {
        /// The first of a post at once, and more of the same post an hour later, together.
        AtOnce = "at_once",
        /// Together, a day after the first.
        Digest = "digest",
        /// They are not mailed.
        Never = "never",
    }
}

/// How the user is notified by mail.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct NotificationSettings {
    /// Of a reply to a comment of theirs.
    pub reply: Delivery,
    /// Of a comment on a post of theirs.
    pub comment: Delivery,
    /// Of a comment that waits for an editor, if they are one.
    pub held_comment: Delivery,
    /// Of a report, if they are an editor.
    pub report: Delivery,
    /// Of a post of someone whom they follow.
    pub post: Delivery,
    /// Grows with each change; the `ETag` begins with it.
    #[schema(example = 1)]
    pub version: i64,
}

impl Versioned for NotificationSettings {
    fn version(&self) -> i64 {
        self.version
    }
}

/// The post that a notification is about.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct NotificationPost {
    /// The post's id.
    pub id: Uuid,
    /// The name in its URL.
    #[schema(example = "hello-world")]
    pub slug: String,
    /// The title.
    #[schema(example = "Hello, world")]
    pub title: String,
}

/// Something that a user is told.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Notification {
    /// The notification's id.
    pub id: Uuid,
    /// What it is about. More kinds may come.
    pub kind: NotificationKind,
    /// Who did it.
    pub actor: UserRef,
    /// The post that it is about, or that the comment is on; null of a report.
    #[schema(required)]
    pub post: Option<NotificationPost>,
    /// The comment that it is about.
    #[schema(required)]
    pub comment_id: Option<Uuid>,
    /// The report that it is about.
    #[schema(required)]
    pub report_id: Option<Uuid>,
    /// When the user was told.
    pub created_at: DateTime<Utc>,
    /// When the user has read it.
    #[schema(required)]
    pub read_at: Option<DateTime<Utc>>,
}

/// What was done, and by whom: the payload of a job, written with the act.
#[derive(Debug, Serialize, Deserialize)]
pub struct Act {
    #[serde(flatten)]
    pub event: Event,
    /// Nobody is told what they did themselves. An earlier version did not say who it was.
    pub actor: Option<Uuid>,
}

/// What somebody may have to be told of.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// Comments were written, or are approved or held by now.
    Comments { ids: Vec<Uuid> },
    /// A post is published, or was to be, at a time.
    Post { id: Uuid, at: DateTime<Utc> },
    /// Something was reported, or a report was decided.
    Report { id: Uuid },
}

/// The mails that a link ends: a user's about one thing, or all.
#[derive(Debug)]
pub struct Subscription {
    /// The user's, which nobody guesses.
    pub key: Vec<u8>,
    pub kind: Option<NotificationKind>,
}

impl Subscription {
    /// What stands in the link: the key, and after a dot the kind if there is one.
    #[must_use]
    pub fn token(&self) -> SecretString {
        let kind = self.kind.map(|kind| format!(".{}", kind.as_str())).unwrap_or_default();
        format!("{}{kind}", URL_SAFE_NO_PAD.encode(&self.key)).into()
    }

    #[must_use]
    pub fn of(token: &str) -> Option<Self> {
        let (key, kind) = token.split_once('.').map_or((token, None), |(key, kind)| (key, Some(kind)));
        let kind = kind.map(|word| serde_json::from_value(word.into()).ok());
        let key = URL_SAFE_NO_PAD.decode(key).ok()?;
        match kind {
            None => Some(Self { key, kind: None }),
            Some(kind) => Some(Self { key, kind: Some(kind?) }),
        }
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn a_job_of_an_earlier_version_is_read_without_an_actor() {
        let report = serde_json::json!({"event": "report", "id": Uuid::max()});
        let act: Act = serde_json::from_value(report).unwrap();
        assert!(matches!(act, Act { event: Event::Report { id }, actor: None } if id == Uuid::max()));
        let act = Act { event: Event::Comments { ids: vec![Uuid::nil()] }, actor: Some(Uuid::max()) };
        let written = serde_json::json!({"event": "comments", "ids": [Uuid::nil()], "actor": Uuid::max()});
        assert_eq!(serde_json::json!(act), written);
    }

    #[test]
    fn a_subscription_is_read_from_its_token_alone() {
        for kind in [None, Some(NotificationKind::HeldComment)] {
            let token = Subscription { key: vec![7; 32], kind }.token();
            let read = Subscription::of(token.expose_secret()).unwrap();
            assert_eq!((read.key, read.kind), (vec![7; 32], kind));
        }
        for nonsense in ["*", "BwcH.", "BwcH.everything", "BwcH.reply.reply", "BwcH.Reply"] {
            assert!(Subscription::of(nonsense).is_none(), "{nonsense}");
        }
    }
}
