//! What a handler says about the caching of its response.

use std::time::Duration;

use axum::Extension;
use axum::http::HeaderValue;
use axum::response::{IntoResponse, IntoResponseParts, Response, ResponseParts};
use chrono::{DateTime, Utc};

use super::Scope;

/// How long an anonymous read stays fresh.
const MAX_AGE: Duration = Duration::from_secs(10);

/// What never changes everybody may keep for a year, in seconds: as long as HTTP knows.
pub const IMMUTABLE: &str = "public, max-age=31536000, immutable";
const PRIVATE: HeaderValue = HeaderValue::from_static("private, no-store");

/// Who may keep a response, and for how long. Without one a response shows [`Scope::Everything`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CachePolicy {
    Private,
    /// This task and whoever else caches, for 10 seconds; nobody if the request had a token.
    Public {
        scope: Scope,
        /// When it stops being right by itself, since something will appear then.
        until: Option<DateTime<Utc>>,
    },
    /// The same whoever asks, and for ever.
    Immutable,
    /// The same whoever asks, with a token or without: others keep it for `max_age`.
    Shared {
        max_age: Duration,
        until: Option<DateTime<Utc>>,
    },
}

impl Default for CachePolicy {
    fn default() -> Self {
        Self::showing(Scope::Everything)
    }
}

impl CachePolicy {
    /// That of a response which stays right until `scope` changes.
    #[must_use]
    pub const fn showing(scope: Scope) -> Self {
        Self::Public { scope, until: None }
    }

    /// That of a response which shows everything, and stops being right at `until`.
    #[must_use]
    pub const fn until(until: Option<DateTime<Utc>>) -> Self {
        Self::Public { scope: Scope::Everything, until }
    }

    /// What the response shows; `None` if nobody may keep it.
    pub(super) fn scope(self) -> Option<Scope> {
        match self {
            Self::Private => None,
            Self::Public { scope, .. } => Some(scope),
            Self::Shared { .. } | Self::Immutable => Some(Scope::Everything),
        }
    }

    /// Until when this task keeps a response that it has made at `now`.
    pub(super) fn expiry(self, now: DateTime<Utc>) -> DateTime<Utc> {
        match self {
            Self::Private => now,
            Self::Immutable => now + MAX_AGE,
            Self::Public { until, .. } | Self::Shared { until, .. } => {
                until.map_or(now + MAX_AGE, |until| until.min(now + MAX_AGE))
            }
        }
    }

    #[must_use]
    pub fn cache_control(self, now: DateTime<Utc>) -> HeaderValue {
        let (max_age, until) = match self {
            Self::Private => return PRIVATE,
            Self::Immutable => return HeaderValue::from_static(IMMUTABLE),
            Self::Public { until, .. } => (MAX_AGE, until),
            Self::Shared { max_age, until } => (max_age, until),
        };
        let left = until.map_or(Duration::MAX, |until| (until - now).to_std().unwrap_or_default());
        let seconds = left.min(max_age).as_secs();
        HeaderValue::try_from(format!("public, max-age={seconds}")).unwrap_or(PRIVATE)
    }
}

impl IntoResponseParts for CachePolicy {
    type Error = std::convert::Infallible;

    fn into_response_parts(self, parts: ResponseParts) -> Result<ResponseParts, Self::Error> {
        Extension(self).into_response_parts(parts)
    }
}

/// What a write has changed. A write that does not say so has changed everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Invalidates(pub Scope);

impl Invalidates {
    /// What a write has changed that may have found everything as it wants it.
    #[must_use]
    pub fn if_changed(changed: bool, scope: Scope) -> Self {
        Self(if changed { scope } else { Scope::Nothing })
    }
}

impl IntoResponseParts for Invalidates {
    type Error = std::convert::Infallible;

    fn into_response_parts(self, parts: ResponseParts) -> Result<ResponseParts, Self::Error> {
        Extension(self).into_response_parts(parts)
    }
}

/// The response of a write that has nothing to show.
impl IntoResponse for Invalidates {
    fn into_response(self) -> Response {
        (self, ()).into_response()
    }
}
