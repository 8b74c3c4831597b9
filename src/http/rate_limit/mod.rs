//! How many requests a client may make of this task: each address, and each account across its tokens.
//! What may be tried only a few times, whichever task is asked, is counted by [`crate::auth::login_throttle`].

mod limiter;
mod request_limits;

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::Request;

use super::context::{TrustedProxyHops, client_network};
use super::proxy_hint::ProxyHint;
use crate::clock::Clock;
use crate::error::ApiError;
use limiter::Limiter;
pub use limiter::{LimitStatus, whole_seconds};
use request_limits::AccountLimits;
pub use request_limits::{RATE_LIMIT, RATE_LIMIT_POLICY, RequestLimits};

const MINUTE: Duration = Duration::from_mins(1);

/// The limits of this task; by default there are none. Cheap to clone.
#[derive(Clone, Default)]
pub struct RateLimits {
    address: Option<Arc<Limiter<IpAddr>>>,
    accounts: AccountLimits,
    hops: TrustedProxyHops,
    hint: ProxyHint,
}

impl RateLimits {
    /// Requests a minute, all of which may come at once, and the KiB an hour that an account may send.
    #[must_use]
    pub fn new(
        address: Option<NonZeroU32>,
        account: Option<NonZeroU32>,
        account_kib: Option<NonZeroU32>,
        hops: TrustedProxyHops,
        clock: &Clock,
    ) -> Self {
        let hour = 60 * MINUTE;
        Self {
            address: address.map(|quota| Arc::new(Limiter::new("address", quota, MINUTE, clock.clone()))),
            accounts: AccountLimits {
                requests: account
                    .map(|quota| Arc::new(Limiter::new("account", quota, MINUTE, clock.clone()))),
                kib: account_kib
                    .map(|quota| Arc::new(Limiter::new("account-kib", quota, hour, clock.clone()))),
            },
            hops,
            hint: ProxyHint::default(),
        }
    }
}

impl RateLimits {
    /// Counts a request against its client's address, and lets the extractors count it against more. What is returned
    /// tells in the response's headers how the client stands with all of that.
    pub(super) fn count(&self, request: &mut Request) -> (RequestLimits, Result<(), ApiError>) {
        self.hint.look(request.headers(), self.hops);
        let limits = RequestLimits::new(self.accounts.clone());
        request.extensions_mut().insert(limits.clone());
        let counted = self.address.as_ref().map_or(Ok(()), |limiter| {
            let client = client_network(request.headers(), request.extensions(), self.hops);
            limits.add(limiter.count(&client, NonZeroU32::MIN))
        });
        (limits, counted)
    }
}
