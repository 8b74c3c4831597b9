//! HTTP as this service speaks it: the middleware stack, typed extractors, validation, lists, conditional
//! requests, idempotency, health, addresses.

pub mod access_log;
pub mod body_budget;
pub mod caching;
pub mod concurrency;
pub mod conditional;
pub mod context;
pub mod cors;
pub mod cursor;
pub mod default_headers;
pub mod encoding;
pub mod extract;
mod fallbacks;
pub mod health;
pub mod idempotency;
pub mod middleware;
pub mod now;
pub mod origin;
pub mod pagination;
pub mod preconditions;
pub mod proxy_hint;
pub mod rate_limit;
pub mod retry;
pub mod shares;
pub mod timestamp;
pub mod validation;
pub mod weighed;

/// The paths that are answered however busy the task is.
pub const PROBES: [&str; 2] = ["/health", "/ready"];
