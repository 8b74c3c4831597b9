//! What an API token is, and the rules of each field.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::http::validation::text_type;
use crate::identity::UserRef;

/// How long a token works if nothing is said.
pub const DEFAULT_LIFETIME: TimeDelta = TimeDelta::days(90);

/// How long one works at most.
pub const MAX_LIFETIME: TimeDelta = TimeDelta::days(366);

/// How long an expired token is listed, so that its user sees why a machine is refused.
pub const EXPIRED_KEPT: TimeDelta = TimeDelta::days(30);

/// How many a user has at most, with those that are expired and listed.
pub const MAX_TOKENS: i64 = 100;

text_type!(
    /// What its user calls a token.
    TokenName, line, LINE, 1..=80, "Rebuilds the site");

/// An API token, but for the token itself.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ApiToken {
    /// Its id, for revoking it.
    pub id: Uuid,
    /// Whose it is, and what it may do at most.
    pub user: UserRef,
    /// What its user calls it.
    #[schema(example = "Rebuilds the site")]
    pub name: String,
    /// What it is for.
    #[schema(example = json!(["posts:read"]))]
    pub scopes: Vec<String>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last used, to within 5 minutes; null if never.
    #[schema(required)]
    pub last_used_at: Option<DateTime<Utc>>,
    /// When it stops working.
    pub expires_at: DateTime<Utc>,
}

/// The path of an API token.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct TokenPath {
    /// The token's id
    pub id: Uuid,
}
