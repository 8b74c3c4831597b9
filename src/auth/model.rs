//! Sessions: one for each device that is signed in. Bans: what keeps a user from writing.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// How long a token works.
pub const LIFETIME: TimeDelta = TimeDelta::days(30);

/// `last_used_at` is exact to this, so that reading does not write.
pub const LAST_USED_PRECISION: TimeDelta = TimeDelta::minutes(5);

/// A device that is signed in.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Session {
    /// The session's id, for revoking it.
    pub id: Uuid,
    /// Whose session it is.
    pub user_id: Uuid,
    /// What the device called itself at sign-in.
    #[schema(required, example = "Mozilla/5.0 (X11; Linux x86_64)")]
    pub user_agent: Option<String>,
    /// Where the sign-in came from.
    #[schema(required, example = "203.0.113.7")]
    pub ip_address: Option<String>,
    /// When the sign-in happened.
    pub created_at: DateTime<Utc>,
    /// When the token was last used, to within 5 minutes.
    pub last_used_at: DateTime<Utc>,
    /// When the token stops working.
    pub expires_at: DateTime<Utc>,
    /// Whether this is the session that is asking.
    pub current: bool,
}

/// What keeps a user from writing.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Ban {
    /// When it ends, by itself.
    pub until: DateTime<Utc>,
    /// Why, in words that the user reads.
    #[schema(example = "Advertising under every post.")]
    pub reason: String,
}

/// The path of a session.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct SessionPath {
    /// The session's id
    pub id: Uuid,
}
