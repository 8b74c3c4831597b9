//! How many requests a client may make of this task: each address, and each account across its tokens.
//! What may be tried only a few times, whichever task is asked, is counted by [`crate::auth::attempts`].

mod limiter;
mod tally;

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use uuid::Uuid;

use super::context::{TrustedProxyHops, client_network};
use super::health;
use crate::clock::Clock;
use limiter::Limiter;
pub use tally::{RATE_LIMIT, RATE_LIMIT_POLICY, Standing, Tally, whole_seconds};

/// The limits of this task; by default there are none. Cheap to clone.
#[derive(Clone, Default)]
pub struct RateLimits {
    address: Option<Arc<Limiter<IpAddr>>>,
    account: Option<Arc<Limiter<Uuid>>>,
    hops: TrustedProxyHops,
}

impl RateLimits {
    /// Limits of so many requests a minute, all of which may come at once.
    #[must_use]
    pub fn new(
        address: Option<NonZeroU32>,
        account: Option<NonZeroU32>,
        hops: TrustedProxyHops,
        clock: &Clock,
    ) -> Self {
        Self {
            address: address.map(|quota| Arc::new(Limiter::new("address", quota, clock.clone()))),
            account: account.map(|quota| Arc::new(Limiter::new("account", quota, clock.clone()))),
            hops,
        }
    }
}

/// Counts the request against its client's address, and tells in the answer's headers how the client stands
/// with everything that the request was counted against. Health is exempt: who asks for it asks often.
pub async fn limit(State(limits): State<RateLimits>, mut request: Request, next: Next) -> Response {
    if health::PATHS.contains(&request.uri().path()) {
        return next.run(request).await;
    }
    let tally = Tally::new(limits.account);
    request.extensions_mut().insert(tally.clone());
    let counted = limits.address.map_or(Ok(()), |limiter| {
        tally.add(limiter.count(&client_network(request.headers(), request.extensions(), limits.hops)))
    });
    let mut response = match counted {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    };
    tally.write(response.headers_mut());
    response
}
