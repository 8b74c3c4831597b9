//! What scripts of other origins may send and read. A browser shows them no header, and lets them send none, that is
//! not named here: `tests/repo/headers.rs` finds every header in the source, and the client of `tests/api` every
//! one in an answer.

use std::time::Duration;

use axum::http::{HeaderName, HeaderValue, Method, header};
use tower_http::cors::{AllowOrigin, CorsLayer};

use super::context::{TRACEPARENT, X_AMZN_TRACE_ID, X_FORWARDED_FOR, X_REQUEST_ID};
use super::default_headers::CROSS_ORIGIN_RESOURCE_POLICY;
use super::health::X_BLOG_API_VERSION;
use super::idempotency::{IDEMPOTENCY_KEY, IDEMPOTENCY_REPLAYED};
use super::origin::X_FORWARDED_PROTO;
use super::rate_limit::{RATE_LIMIT, RATE_LIMIT_POLICY};

/// What the service reads of a request.
pub const READ: [HeaderName; 10] = [
    header::AUTHORIZATION,
    header::CONTENT_TYPE,
    header::IF_MATCH,
    header::IF_MODIFIED_SINCE,
    header::IF_NONE_MATCH,
    header::IF_UNMODIFIED_SINCE,
    IDEMPOTENCY_KEY,
    X_REQUEST_ID,
    TRACEPARENT,
    X_AMZN_TRACE_ID,
];

/// What it sends with a response.
pub const SENT: [HeaderName; 15] = [
    header::ALLOW,
    header::CONTENT_DISPOSITION,
    header::DATE,
    header::ETAG,
    header::LINK,
    header::LOCATION,
    header::RETRY_AFTER,
    header::WWW_AUTHENTICATE,
    IDEMPOTENCY_REPLAYED,
    RATE_LIMIT,
    RATE_LIMIT_POLICY,
    X_BLOG_API_VERSION,
    X_REQUEST_ID,
    TRACEPARENT,
    X_AMZN_TRACE_ID,
];

/// What browsers let scripts read or send unasked.
pub const SAFELISTED: [HeaderName; 6] = [
    header::ACCEPT,
    header::ACCEPT_LANGUAGE,
    header::CACHE_CONTROL,
    header::CONTENT_LENGTH,
    header::CONTENT_TYPE,
    header::LAST_MODIFIED,
];

/// What is between the browser, or a proxy, and the service.
pub const NOT_FOR_SCRIPTS: [HeaderName; 19] = [
    header::ACCEPT_ENCODING,
    header::ACCESS_CONTROL_REQUEST_METHOD,
    header::CONNECTION,
    header::CONTENT_ENCODING,
    header::CONTENT_SECURITY_POLICY,
    CROSS_ORIGIN_RESOURCE_POLICY,
    header::EXPECT,
    header::HOST,
    header::REFERRER_POLICY,
    header::STRICT_TRANSPORT_SECURITY,
    header::TRANSFER_ENCODING,
    header::USER_AGENT,
    header::VARY,
    header::X_CONTENT_TYPE_OPTIONS,
    X_FORWARDED_FOR,
    X_FORWARDED_PROTO,
    // What is sent to webhooks.
    HeaderName::from_static("webhook-id"),
    HeaderName::from_static("webhook-timestamp"),
    HeaderName::from_static("webhook-signature"),
];

/// `None` if no other origin is allowed.
#[must_use]
pub fn cors(origins: &[HeaderValue]) -> Option<CorsLayer> {
    if origins.is_empty() {
        return None;
    }
    let layer = CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins.iter().cloned()))
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
        .allow_headers(READ)
        .expose_headers(SENT)
        .max_age(Duration::from_hours(1));
    Some(layer)
}
