//! How a client stands with the limits that its request was counted against, and how the answer tells it:
//! <https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/>, revision 10.

use std::num::NonZeroU32;
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

/// The limits of each account.
#[derive(Clone, Default)]
pub(super) struct AccountLimits {
    pub(super) requests: Option<Arc<Limiter<Uuid>>>,
    /// Of what requests send, in KiB.
    pub(super) kib: Option<Arc<Limiter<Uuid>>>,
}

/// What a request has been counted against so far, in the request's extensions: the middleware counts its
/// address, the extractor that reads the token its account, sign-in and sign-up themselves. Clones are the
/// same tally.
#[derive(Clone, Default)]
pub struct Tally {
    accounts: AccountLimits,
    standings: Arc<Mutex<Vec<Standing>>>,
}

impl Tally {
    pub(super) fn new(accounts: AccountLimits) -> Self {
        Self { accounts, standings: Arc::default() }
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
        let limiter = self.accounts.requests.as_ref();
        limiter.map_or(Ok(()), |limiter| self.add(limiter.count(&user_id, NonZeroU32::MIN)))
    }

    /// Counts what a request of `user_id` sends. Most send little: only who has sent too much is told.
    ///
    /// # Errors
    /// [`ApiError::RateLimited`] when the account has sent as much as it may.
    pub fn count_bytes(&self, user_id: Uuid, bytes: usize) -> Result<(), ApiError> {
        let kib = u32::try_from(bytes.div_ceil(1024)).unwrap_or(u32::MAX);
        match (self.accounts.kib.as_ref(), NonZeroU32::new(kib)) {
            (Some(limiter), Some(kib)) => {
                let standing = limiter.count(&user_id, kib);
                if standing.is_refused { self.add(standing) } else { Ok(()) }
            }
            _ => Ok(()),
        }
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
