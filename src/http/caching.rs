//! What anybody may read is kept for a moment: by this task in its [`Cache`], and as `Cache-Control` says by
//! everyone else. What a signed-in user reads is kept by nobody.

use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use metrics::counter;

use super::PROBES;
use super::origin::X_FORWARDED_PROTO;
use crate::cache::{Answer, Cache, Scope};
use crate::clock::Clock;
use crate::error::ApiError;

/// How long a read by an anonymous client stays fresh.
const MAX_AGE: Duration = Duration::from_secs(10);

/// Put into a response's extensions: when it stops being right, since something will appear then.
#[derive(Clone, Copy, Debug)]
pub struct FreshUntil(pub DateTime<Utc>);

/// Put into a response's extensions: it is the same for everybody, with a token or without, and stays fresh for
/// so long.
#[derive(Clone, Copy, Debug)]
pub struct MaxAge(pub Duration);

/// The `Cache-Control` of a public answer that stays fresh for `max_age` from `now` on, but not beyond `until`.
fn public(max_age: Duration, until: Option<FreshUntil>, now: DateTime<Utc>) -> HeaderValue {
    let left = until.map_or(Duration::MAX, |FreshUntil(until)| (until - now).to_std().unwrap_or_default());
    let age = left.min(max_age).as_secs();
    HeaderValue::try_from(format!("public, max-age={age}")).unwrap_or(PRIVATE)
}

const PRIVATE: HeaderValue = HeaderValue::from_static("private, no-store");

/// Where answers are kept, and the time.
#[derive(Clone)]
pub struct Caching {
    /// The cache of this task.
    pub cache: Cache,
    /// The time.
    pub clock: Clock,
}

pub(super) fn is_read(request: &Request) -> bool {
    matches!(*request.method(), Method::GET | Method::HEAD)
}

pub(super) fn is_write(request: &Request) -> bool {
    matches!(*request.method(), Method::POST | Method::PUT | Method::PATCH | Method::DELETE)
}

fn is_anonymous(request: &Request) -> bool {
    !request.headers().contains_key(header::AUTHORIZATION)
}

/// Says how long a read may be kept, unless its handler has. Reads that need a token are never anonymous.
pub async fn cache_control(
    State(Caching { clock, .. }): State<Caching>,
    request: Request,
    next: Next,
) -> Response {
    let path = request.uri().path();
    let is_resource = is_read(&request) && (path.starts_with("/v1/") || path == "/openapi.json");
    let is_anonymous = is_anonymous(&request);
    let mut response = next.run(request).await;
    let until = response.extensions().get().copied();
    if let Some(MaxAge(max_age)) = response.extensions().get().copied() {
        response.headers_mut().insert(header::CACHE_CONTROL, public(max_age, until, clock.now()));
        return response;
    }
    if !is_resource {
        return response;
    }
    let is_success = matches!(response.status(), StatusCode::OK | StatusCode::NOT_MODIFIED);
    if is_success && !response.headers().contains_key(header::CACHE_CONTROL) {
        let value = if is_anonymous { public(MAX_AGE, until, clock.now()) } else { PRIVATE };
        response.headers_mut().insert(header::CACHE_CONTROL, value);
    }
    // An error too: what is refused to one caller is not to another.
    response.headers_mut().append(header::VARY, HeaderValue::from_static("authorization"));
    response
}

/// Answers anonymous reads from the cache.
pub async fn cached(
    State(Caching { cache, clock }): State<Caching>,
    request: Request,
    next: Next,
) -> Response {
    if !is_read(&request) || !is_anonymous(&request) || PROBES.contains(&request.uri().path()) {
        return next.run(request).await;
    }
    let key = key(&request);
    // The answer to HEAD has no body to keep.
    let is_get = *request.method() == Method::GET;
    let mut kept = cache.find(&key, clock.now());
    // After a change everybody asks for the same at once.
    let mut _turn = None;
    if kept.is_none() && is_get && cache.is_shared() {
        _turn = cache.turn(&key).await;
        kept = cache.find(&key, clock.now());
    }
    if let Some(answer) = kept {
        counter!("cache_requests_total", "result" => "hit").increment(1);
        return response(answer);
    }
    let before = cache.moment();
    let now = clock.now();
    let answer = next.run(request).await;
    if answer.status() != StatusCode::OK || !is_get {
        return answer;
    }
    let result = if before.is_some() { "miss" } else { "bypass" };
    counter!("cache_requests_total", "result" => result).increment(1);
    let Some(before) = before else { return answer };
    let (parts, body) = answer.into_parts();
    // It has a bound: it was whole before it was encoded.
    let body = match to_bytes(body, usize::MAX).await {
        Ok(body) => body,
        Err(error) => return ApiError::Internal(error.into()).into_response(),
    };
    let right_until = parts.extensions.get().map(|FreshUntil(until)| *until);
    let scope = parts.extensions.get().copied().unwrap_or(Scope::Everything);
    let expires = right_until.map_or(now + MAX_AGE, |until| until.min(now + MAX_AGE));
    let max_age = parts.extensions.get().map(|MaxAge(max_age)| *max_age);
    let answer = Answer { headers: parts.headers, body, right_until, max_age };
    cache.keep(key, answer.clone(), scope, expires, before);
    response(answer)
}

/// What the answer depends on beside the database: what is below `/v1` names no host, feeds name the one that
/// was asked.
fn key(request: &Request) -> String {
    const HEADERS: [HeaderName; 3] = [header::ACCEPT_ENCODING, header::HOST, X_FORWARDED_PROTO];
    let path = request.uri().path_and_query().map_or("", |path| path.as_str());
    let (mut key, headers) = if path.starts_with("/v1/") {
        (path.to_owned(), &HEADERS[..1])
    } else {
        (request.uri().to_string(), &HEADERS[..])
    };
    for name in headers {
        for value in request.headers().get_all(name) {
            key.push('\n');
            key.push_str(&String::from_utf8_lossy(value.as_bytes()));
        }
        key.push('\n');
    }
    key
}

fn response(Answer { headers, body, right_until, max_age }: Answer) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.headers_mut() = headers;
    if let Some(until) = right_until {
        response.extensions_mut().insert(FreshUntil(until));
    }
    if let Some(max_age) = max_age {
        response.extensions_mut().insert(MaxAge(max_age));
    }
    response
}

/// Tells the cache what a write has changed.
pub async fn note_changes(
    State(Caching { cache, .. }): State<Caching>,
    request: Request,
    next: Next,
) -> Response {
    if !is_write(&request) {
        return next.run(request).await;
    }
    let mut write = Write { cache, changed: Scope::Everything };
    let response = next.run(request).await;
    if response.status().is_client_error() {
        write.changed = Scope::Nothing;
    } else if let Some(scope) = response.extensions().get() {
        write.changed = *scope;
    }
    response
}

/// A request that may write. If it is given up half way, nobody knows what it has changed.
struct Write {
    cache: Cache,
    changed: Scope,
}

impl Drop for Write {
    fn drop(&mut self) {
        self.cache.changed(self.changed);
    }
}
