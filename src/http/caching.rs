//! `Cache-Control` and `Vary`: what anybody may read may be kept for a moment by anyone, what a signed-in
//! user reads by nobody.

use std::time::Duration;

use axum::extract::Request;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use chrono::{DateTime, Utc};

/// How long a read by an anonymous client stays fresh.
const MAX_AGE: Duration = Duration::from_secs(10);

/// Put into a response's extensions: how long it stays right at most, since something will appear then.
#[derive(Clone, Copy, Debug)]
pub struct FreshFor(Duration);

impl FreshFor {
    /// As long as nothing is known to appear.
    pub const MAX: Self = Self(Duration::MAX);

    /// From `now` until `change`.
    #[must_use]
    pub fn until(change: DateTime<Utc>, now: DateTime<Utc>) -> Self {
        Self((change - now).to_std().unwrap_or_default())
    }

    /// The `Cache-Control` of a public answer that else stays fresh for `max_age`.
    #[must_use]
    pub fn cache_control(self, max_age: Duration) -> HeaderValue {
        let age = self.0.min(max_age).as_secs();
        HeaderValue::try_from(format!("public, max-age={age}")).unwrap_or(PRIVATE)
    }
}

const PRIVATE: HeaderValue = HeaderValue::from_static("private, no-store");

/// Says how long a read may be kept, unless its handler has. Reads that need a token are never anonymous.
pub async fn cache_control(request: Request, next: Next) -> Response {
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    let path = request.uri().path();
    let is_resource = is_read && (path.starts_with("/v1/") || path == "/openapi.json");
    let is_anonymous = !request.headers().contains_key(header::AUTHORIZATION);
    let mut response = next.run(request).await;
    if !is_resource {
        return response;
    }
    let is_success = matches!(response.status(), StatusCode::OK | StatusCode::NOT_MODIFIED);
    if is_success && !response.headers().contains_key(header::CACHE_CONTROL) {
        let fresh = response.extensions_mut().remove().unwrap_or(FreshFor(MAX_AGE));
        let value = if is_anonymous { fresh.cache_control(MAX_AGE) } else { PRIVATE };
        response.headers_mut().insert(header::CACHE_CONTROL, value);
    }
    // An error too: what is refused to one caller is not to another.
    response.headers_mut().append(header::VARY, HeaderValue::from_static("authorization"));
    response
}
