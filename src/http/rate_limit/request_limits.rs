//! How a client stands with the limits that its request was counted against, and how the response tells it:
//! <https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/>, revision 10.

use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};

use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use uuid::Uuid;

use super::limiter::{LimitStatus, Limiter};
use crate::error::ApiError;

pub const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
pub const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");

#[derive(Clone, Default)]
pub(super) struct AccountLimits {
    pub(super) requests: Option<Arc<Limiter<Uuid>>>,
    /// Of what requests send, in KiB.
    pub(super) kib: Option<Arc<Limiter<Uuid>>>,
}

/// What a request has been counted against so far, in the request's extensions: the middleware counts its
/// address, the extractor that reads the token its account, sign-in and sign-up themselves. Clones are the
/// same limits.
#[derive(Clone, Default)]
pub struct RequestLimits {
    accounts: AccountLimits,
    statuses: Arc<Mutex<Vec<LimitStatus>>>,
}

impl RequestLimits {
    pub(super) fn new(accounts: AccountLimits) -> Self {
        Self { accounts, statuses: Arc::default() }
    }

    /// The limits of a request; without the middleware, none.
    pub fn of(parts: &Parts) -> Self {
        parts.extensions.get().cloned().unwrap_or_default()
    }

    /// [`ApiError::RateLimited`] when the quota of the account is spent.
    pub fn count_account(&self, user_id: Uuid) -> Result<(), ApiError> {
        let limiter = self.accounts.requests.as_ref();
        limiter.map_or(Ok(()), |limiter| self.add(limiter.count(&user_id, NonZeroU32::MIN)))
    }

    /// Counts what a request of `user_id` sends. The response mentions this limit only when it is exceeded.
    pub fn count_bytes(&self, user_id: Uuid, bytes: usize) -> Result<(), ApiError> {
        let kib = u32::try_from(bytes.div_ceil(1024)).unwrap_or(u32::MAX);
        match (self.accounts.kib.as_ref(), NonZeroU32::new(kib)) {
            (Some(limiter), Some(kib)) => {
                let status = limiter.count(&user_id, kib);
                if status.is_refused { self.add(status) } else { Ok(()) }
            }
            _ => Ok(()),
        }
    }

    /// Notes how the client stands with a limit; [`ApiError::RateLimited`] when the request is one too many.
    pub fn add(&self, status: LimitStatus) -> Result<(), ApiError> {
        self.statuses.lock().unwrap_or_else(PoisonError::into_inner).push(status);
        if !status.is_refused {
            return Ok(());
        }
        Err(ApiError::RateLimited { policy: status.policy, retry_after: status.reset_after })
    }

    pub(in crate::http) fn write(&self, headers: &mut HeaderMap) {
        let statuses = self.statuses.lock().unwrap_or_else(PoisonError::into_inner);
        let mut write = |name, item: fn(&LimitStatus) -> String| {
            let list = statuses.iter().map(item).collect::<Vec<_>>().join(", ");
            if let Some(value) = HeaderValue::try_from(list).ok().filter(|value| !value.is_empty()) {
                headers.insert(name, value);
            }
        };
        write(RATE_LIMIT_POLICY, |limit| {
            format!("\"{}\";q={};w={}", limit.policy, limit.quota, limit.window)
        });
        write(RATE_LIMIT, |limit| {
            format!("\"{}\";r={};t={}", limit.policy, limit.remaining, limit.reset_after)
        });
    }
}
