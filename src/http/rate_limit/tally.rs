//! How a client stands with the limits that its request was counted against, and how the answer tells it:
//! <https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/>, revision 10.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use uuid::Uuid;

use super::limiter::Limiter;
use crate::error::ApiError;

/// What is allowed.
pub const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
/// What is left of it.
pub const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");

/// How a client stands with one limit.
#[derive(Clone, Copy, Debug)]
pub struct Standing {
    /// The limit's name.
    pub policy: &'static str,
    /// How many requests it allows in its window.
    pub quota: u32,
    /// The window, in seconds.
    pub window: u64,
    /// How many requests are left now.
    pub remaining: u32,
    /// In how many seconds there are more.
    pub more_in: u64,
    /// Whether this request is one too many.
    pub is_refused: bool,
}

/// Rounded up: who waits so long does not come too early.
#[must_use]
pub fn whole_seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}

/// What a request has been counted against so far, in the request's extensions: the middleware counts its
/// address, the extractor that reads the token its account, sign-in and sign-up themselves. Clones are the
/// same tally.
#[derive(Clone, Default)]
pub struct Tally {
    account: Option<Arc<Limiter<Uuid>>>,
    standings: Arc<Mutex<Vec<Standing>>>,
}

impl Tally {
    pub(super) fn new(account: Option<Arc<Limiter<Uuid>>>) -> Self {
        Self { account, standings: Arc::default() }
    }

    /// The tally of a request; without the middleware, one that nobody reads.
    pub fn of(parts: &Parts) -> Self {
        parts.extensions.get().cloned().unwrap_or_default()
    }

    /// Counts the request against the account of `user_id`.
    ///
    /// # Errors
    /// [`ApiError::RateLimited`] when its quota is spent.
    pub fn count_account(&self, user_id: Uuid) -> Result<(), ApiError> {
        self.account.as_ref().map_or(Ok(()), |limiter| self.add(limiter.count(&user_id)))
    }

    /// Notes how the client stands with a limit.
    ///
    /// # Errors
    /// [`ApiError::RateLimited`] when the request is one too many.
    pub fn add(&self, standing: Standing) -> Result<(), ApiError> {
        self.standings.lock().unwrap_or_else(PoisonError::into_inner).push(standing);
        if !standing.is_refused {
            return Ok(());
        }
        metrics::counter!("http_requests_rate_limited_total", "policy" => standing.policy).increment(1);
        Err(ApiError::RateLimited { policy: standing.policy, retry_after: standing.more_in })
    }

    /// Writes the headers of an answer, if there is anything to tell.
    pub(super) fn write(&self, headers: &mut HeaderMap) {
        let standings = self.standings.lock().unwrap_or_else(PoisonError::into_inner);
        let mut write = |name, item: fn(&Standing) -> String| {
            let list = standings.iter().map(item).collect::<Vec<_>>().join(", ");
            if let Some(value) = HeaderValue::try_from(list).ok().filter(|value| !value.is_empty()) {
                headers.insert(name, value);
            }
        };
        write(RATE_LIMIT_POLICY, |limit| {
            format!("\"{}\";q={};w={}", limit.policy, limit.quota, limit.window)
        });
        write(RATE_LIMIT, |limit| format!("\"{}\";r={};t={}", limit.policy, limit.remaining, limit.more_in));
    }
}
