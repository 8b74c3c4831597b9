//! How many requests a client may make of this task: each address, and each account across its tokens.
//! What may be tried only a few times, whichever task is asked, is counted by [`crate::auth::login_throttle`].

mod limiter;
mod request_limits;

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::PROBES;
use super::context::{TrustedProxyHops, client_network};
use super::proxy_hint::ProxyHint;
use crate::clock::Clock;
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

/// Counts the request against its client's address, and tells in the response's headers how the client stands
/// with everything that the request was counted against. Health is exempt: who asks for it asks often.
pub async fn limit(State(limits): State<RateLimits>, mut request: Request, next: Next) -> Response {
    if PROBES.contains(&request.uri().path()) {
        return next.run(request).await;
    }
    limits.hint.look(request.headers(), limits.hops);
    let request_limits = RequestLimits::new(limits.accounts);
    request.extensions_mut().insert(request_limits.clone());
    let counted =
        limits.address.map_or(Ok(()), |limiter| {
            request_limits.add(limiter.count(
                &client_network(request.headers(), request.extensions(), limits.hops),
                NonZeroU32::MIN,
            ))
        });
    let mut response = match counted {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    };
    request_limits.write(response.headers_mut());
    response
}
