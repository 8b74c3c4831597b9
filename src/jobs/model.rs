//! What a job is: its kinds, how its failures are treated, and how admins see it.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::mail::SendError;
use crate::text_enum::text_enum;

// The words are stored: one that has been released stays.
text_enum! {
    /// What is to be done.
    pub enum Kind {
        /// A mail to a user.
        Mail = "mail",
        /// Finds the account for which a new password is asked.
        PasswordReset = "password_reset",
        /// Tells users what concerns them.
        Notification = "notification",
        /// Tells followers of a post.
        PostNotification = "post_notification",
        /// A mail with what a user was just told.
        NotificationMail = "notification_mail",
        /// A mail with what a user was told in a day.
        NotificationDigest = "notification_digest",
        /// A mail to the address of somebody who signs up or is invited.
        SignUp = "sign_up",
        /// Forgets what has expired.
        Expiry = "expiry",
        /// Shows a picture with its new description.
        MediaDescription = "media_description",
        /// Deletes pictures that nothing refers to.
        MediaSweep = "media_sweep",
        /// Renders anew what an earlier version rendered.
        Rendering = "rendering",
        /// Tells webhooks of a post whose time has come.
        WebhookPublication = "webhook_publication",
        /// Finds out which webhooks are told of what has happened.
        WebhookEvent = "webhook_event",
        /// Sends a webhook what it is told.
        WebhookDelivery = "webhook_delivery",
        /// Has a webhook told again what has happened.
        WebhookReplay = "webhook_replay",
    }
}

impl Kind {
    pub const ALL: [Self; 15] = [
        Self::Mail,
        Self::PasswordReset,
        Self::SignUp,
        Self::Notification,
        Self::PostNotification,
        Self::NotificationMail,
        Self::NotificationDigest,
        Self::Expiry,
        Self::Rendering,
        Self::MediaDescription,
        Self::MediaSweep,
        Self::WebhookPublication,
        Self::WebhookEvent,
        Self::WebhookDelivery,
        Self::WebhookReplay,
    ];

    /// How many of this kind a task works on at once. The places are the kind's own, so that one kind whose jobs hang
    /// keeps no other waiting.
    #[must_use]
    pub fn places(self) -> usize {
        match self {
            // Each webhook has one job, and so none waits for another.
            Self::WebhookDelivery => 20,
            Self::Mail => 8,
            Self::NotificationMail | Self::SignUp | Self::WebhookEvent => 4,
            Self::PasswordReset
            | Self::Notification
            | Self::NotificationDigest
            | Self::WebhookPublication => 2,
            Self::PostNotification
            | Self::Expiry
            | Self::Rendering
            | Self::MediaDescription
            | Self::MediaSweep
            | Self::WebhookReplay => 1,
        }
    }

    /// How long one may take before it counts as failed.
    #[must_use]
    pub fn timeout(self) -> Duration {
        match self {
            // Longer than a mail server may take.
            Self::Mail | Self::SignUp | Self::NotificationMail | Self::NotificationDigest => {
                Duration::from_mins(6)
            }
            Self::PasswordReset | Self::WebhookPublication | Self::WebhookEvent => Duration::from_mins(1),
            // Of a post, as many users as follow its author.
            // Of a picture, as many posts as show it.
            // Of a webhook, as many messages as are due.
            Self::Notification
            | Self::PostNotification
            | Self::Expiry
            | Self::Rendering
            | Self::MediaDescription
            | Self::MediaSweep
            | Self::WebhookDelivery
            | Self::WebhookReplay => Duration::from_hours(1),
        }
    }

    /// How long after its end it is done again, if it is done from time to time.
    #[must_use]
    pub fn period(self) -> Option<TimeDelta> {
        match self {
            Self::Mail
            | Self::PasswordReset
            | Self::SignUp
            | Self::Notification
            | Self::PostNotification
            | Self::NotificationMail
            | Self::NotificationDigest
            | Self::MediaDescription
            | Self::WebhookPublication
            | Self::WebhookEvent
            | Self::WebhookDelivery
            | Self::WebhookReplay => None,
            Self::Expiry | Self::Rendering => Some(TimeDelta::minutes(10)),
            Self::MediaSweep => Some(TimeDelta::hours(1)),
        }
    }
}

/// How often a job is tried: with the delays of [`retry_delay`] for about two days.
pub const MAX_ATTEMPTS: i32 = 60;
const FIRST_DELAY: TimeDelta = TimeDelta::seconds(15);
const MAX_DELAY: TimeDelta = TimeDelta::hours(1);

/// How long a job that has failed `attempts` times waits: 15 seconds, twice as long each time, an hour at most.
/// `jitter`, from 0 to 1, takes up to half of it away, so that what failed together is not tried again together.
#[must_use]
pub fn retry_delay(attempts: i32, jitter: f64) -> TimeDelta {
    let doublings = u32::try_from(attempts - 1).unwrap_or_default().min(16);
    let delay = (FIRST_DELAY * 2_i32.pow(doublings)).min(MAX_DELAY).to_std().unwrap_or_default();
    TimeDelta::from_std(delay.mul_f64(1.0 - jitter / 2.0)).unwrap_or(MAX_DELAY)
}

/// A job that this process has claimed.
#[derive(Clone, Debug)]
pub struct Claim {
    /// The same each time it is tried, for its effect to be known by.
    pub id: Uuid,
    pub kind: Kind,
    pub payload: Value,
    /// Whom it is about.
    pub user_id: Option<Uuid>,
    /// By which process, this one.
    pub holder: Uuid,
    /// How often it was tried, this time included.
    pub attempts: i32,
}

impl Claim {
    /// A later version may have written one that this does not know, and will be back.
    pub fn payload<T: for<'de> Deserialize<'de>>(&self) -> Result<T, Failure> {
        T::deserialize(&self.payload).map_err(|error| Failure::Passing(error.into()))
    }
}

/// Why a job was not done.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// May pass: it is tried again.
    #[error(transparent)]
    Passing(Box<dyn std::error::Error + Send + Sync>),
    /// Will not pass by itself.
    #[error(transparent)]
    Lasting(Box<dyn std::error::Error + Send + Sync>),
}

impl From<SendError> for Failure {
    fn from(error: SendError) -> Self {
        match error {
            SendError::Unsure(_) | SendError::Unsent(_) => Self::Passing(error.into()),
            SendError::Lasting(_) | SendError::NoMailbox(_) => Self::Lasting(error.into()),
        }
    }
}

text_enum! {
    /// How a job stands.
    pub enum JobStatus {
        /// It is due, or will be.
        Waiting = "waiting",
        /// A task works on it.
        Running = "running",
        /// It was given up.
        Failed = "failed",
    }
}

/// A job that is not done. One that is done is gone.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Job {
    /// The job's id.
    pub id: Uuid,
    /// What is to be done. More kinds may come.
    #[schema(example = "mail")]
    pub kind: String,
    /// How it stands.
    pub status: JobStatus,
    /// Whom it is about.
    #[schema(required)]
    pub user_id: Option<Uuid>,
    /// How often it was tried.
    #[schema(example = 3)]
    pub attempts: i32,
    /// When it is tried next; while it runs, when another task may take it over.
    pub run_at: DateTime<Utc>,
    /// Why it failed the last time.
    #[schema(required, example = "connection refused")]
    pub error: Option<String>,
    /// When it was given up.
    #[schema(required)]
    pub failed_at: Option<DateTime<Utc>>,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
}

/// The path of a job.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct JobPath {
    /// The job's id
    pub id: Uuid,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_up_to_an_hour_and_keep_at_least_half() {
        assert_eq!(retry_delay(1, 0.0), TimeDelta::seconds(15));
        assert_eq!(retry_delay(2, 0.0), TimeDelta::seconds(30));
        assert_eq!(retry_delay(4, 1.0), TimeDelta::seconds(60));
        for attempts in [9, 10, 60, i32::MAX] {
            assert_eq!(retry_delay(attempts, 0.0), TimeDelta::hours(1));
            assert_eq!(retry_delay(attempts, 1.0), TimeDelta::minutes(30));
        }
    }

    #[test]
    fn a_job_is_tried_for_about_two_days() {
        let most: TimeDelta = (1..MAX_ATTEMPTS).map(|attempts| retry_delay(attempts, 0.0)).sum();
        let least: TimeDelta = (1..MAX_ATTEMPTS).map(|attempts| retry_delay(attempts, 1.0)).sum();
        assert!(most < TimeDelta::hours(60) && least > TimeDelta::hours(24), "{least} to {most}");
    }
}
