//! Anonymous reads are cached: by this task in its [`Cache`], and by everyone else as `Cache-Control` says. What
//! a signed-in user reads is cached by nobody.

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use metrics::counter;

use super::concurrency::Streamed;
use super::origin::X_FORWARDED_PROTO;
use crate::cache::{Cache, CachePolicy, CachedResponse, Invalidates, Lookup, Scope};
use crate::clock::Clock;
use crate::error::ApiError;

#[derive(Clone)]
pub struct Caching {
    pub cache: Cache,
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

/// Says how long a read may be cached, unless its handler has. Reads that need a token are never anonymous.
pub(super) struct CacheControl {
    is_resource: bool,
    is_anonymous: bool,
}

impl CacheControl {
    pub(super) fn of(request: &Request) -> Self {
        let path = request.uri().path();
        let is_resource = is_read(request) && (path.starts_with("/v1/") || path == "/openapi.json");
        Self { is_resource, is_anonymous: is_anonymous(request) }
    }

    pub(super) fn write(&self, response: &mut Response, clock: &Clock) {
        let policy: CachePolicy = response.extensions().get().copied().unwrap_or_default();
        let status = response.status();
        let headers = response.headers_mut();
        if matches!(policy, CachePolicy::Shared { .. } | CachePolicy::Immutable) {
            headers.insert(header::CACHE_CONTROL, policy.cache_control(clock.now()));
            return;
        }
        if !self.is_resource {
            return;
        }
        let is_success = matches!(status, StatusCode::OK | StatusCode::NOT_MODIFIED);
        if is_success && !headers.contains_key(header::CACHE_CONTROL) {
            let policy = if self.is_anonymous { policy } else { CachePolicy::Private };
            headers.insert(header::CACHE_CONTROL, policy.cache_control(clock.now()));
        }
        // An error too: what is refused to one caller is not to another.
        headers.append(header::VARY, HeaderValue::from_static("authorization"));
    }
}

impl Caching {
    /// The cached response to an anonymous read, or what `respond` makes, which is cached.
    pub(super) async fn cached<F: Future<Output = Response>>(
        &self,
        request: Request,
        respond: impl FnOnce(Request) -> F,
    ) -> Response {
        if !is_read(&request) || !is_anonymous(&request) {
            return respond(request).await;
        }
        let Self { cache, clock } = self;
        let (key, now) = (key(&request), clock.now());
        let lookup = if *request.method() == Method::GET {
            cache.lookup(key, now).await
        } else {
            // A response to HEAD has no body to insert.
            match cache.get(&key, now) {
                Some(response) => Lookup::Hit(response),
                None => return respond(request).await,
            }
        };
        let load = match lookup {
            Lookup::Hit(response) => {
                counter!("cache_requests_total", "result" => "hit").increment(1);
                return response.into_response();
            }
            Lookup::Miss(load) => Some(load),
            Lookup::Bypass => None,
        };
        let now = clock.now();
        let response = respond(request).await;
        // What is streamed may be larger than all that is cached.
        if response.status() != StatusCode::OK || response.extensions().get::<Streamed>().is_some() {
            return response;
        }
        let result = if load.is_some() { "miss" } else { "bypass" };
        counter!("cache_requests_total", "result" => result).increment(1);
        let Some(load) = load else { return response };
        let (parts, body) = response.into_parts();
        // It has a bound: it was whole before it was encoded.
        let body = match to_bytes(body, usize::MAX).await {
            Ok(body) => body,
            Err(error) => return ApiError::Internal(error.into()).into_response(),
        };
        let policy = parts.extensions.get().copied().unwrap_or_default();
        let response = CachedResponse { headers: parts.headers, body, policy };
        load.insert(response.clone(), now);
        response.into_response()
    }
}

/// What the response depends on beside the database. Below `/v1` no response names the host; feeds do.
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

impl IntoResponse for CachedResponse {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.body));
        *response.headers_mut() = self.headers;
        response.extensions_mut().insert(self.policy);
        response
    }
}

/// A request that may write. If it is given up half way, nobody knows what it has changed.
pub(super) struct Write {
    cache: Cache,
    changed: Scope,
}

impl Write {
    pub(super) fn begin(cache: &Cache) -> Self {
        Self { cache: cache.clone(), changed: Scope::Everything }
    }

    /// Invalidates what `response` says that was changed.
    pub(super) fn end(mut self, response: &Response) {
        if response.status().is_client_error() {
            self.changed = Scope::Nothing;
        } else if let Some(Invalidates(scope)) = response.extensions().get() {
            self.changed = *scope;
        }
    }
}

impl Drop for Write {
    fn drop(&mut self) {
        self.cache.invalidate(self.changed);
    }
}
