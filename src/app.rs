//! The only place where things are wired together.

use axum::Router;

use crate::config::Config;
use crate::http::caching::Caching;
use crate::http::concurrency::AddressLimits;
use crate::http::middleware::{self, Limits};
use crate::http::rate_limit::RateLimits;
use crate::router;
use crate::state::AppState;

/// The whole service: every route, inside the middleware stack.
pub fn build(config: &Config, state: AppState) -> Router {
    let lifecycle = state.lifecycle.clone();
    let rates = RateLimits::new(
        config.rate_limit_address,
        config.rate_limit_account,
        config.rate_limit_account_kib,
        state.trusted_proxy_hops,
        &state.clock,
    );
    let addresses = AddressLimits::new(
        config.address_concurrency.map(|max| max.get() as usize),
        state.trusted_proxy_hops,
    );
    let limits = Limits { rates, addresses, ..Limits::default() };
    let caching = Caching { cache: state.cache.clone(), clock: state.clock.clone() };
    middleware::wrap(router::router(), &limits, lifecycle, &config.cors_allowed_origins, caching)
        .with_state(state)
}
