//! The stack around every route, in one place and one order.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{OriginalUri, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn, from_fn_with_state, map_response};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use tokio::sync::Semaphore;
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;

use super::PROBES;
use super::access_log::access_log;
use super::body_budget::{BodyBudget, budget_bodies};
use super::caching::{self, Caching, cache_control, cached};
use super::concurrency::{self, AddressLimits};
use super::conditional::{not_modified, tag_encoding};
use super::context::RequestContext;
use super::cors::cors;
use super::encoding::{choose_encoding, compress_aside, note_length};
use super::extract::Json;
use super::health;
use super::rate_limit::{self, RateLimits};
use super::retry::retry_contended;
use crate::error::ApiError;
use crate::lifecycle::Lifecycle;

/// How long a request may take, from its head to the head of its response.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(15);
const CONCURRENCY: usize = 1024;

#[derive(Clone)]
pub struct Limits {
    pub request_timeout: Duration,
    /// How many requests are served at once; more are shed.
    pub concurrency: usize,
    pub rates: RateLimits,
    pub bodies: BodyBudget,
    pub addresses: AddressLimits,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            request_timeout: REQUEST_TIMEOUT,
            concurrency: CONCURRENCY,
            rates: RateLimits::default(),
            bodies: BodyBudget::default(),
            addresses: AddressLimits::default(),
        }
    }
}

/// Wraps `routes`, from the outside in. Errors of the inner layers are rendered and logged by the outer.
pub fn wrap<S: Clone + Send + Sync + 'static>(
    routes: Router<S>,
    limits: &Limits,
    lifecycle: Lifecycle,
    cors_allowed_origins: &[HeaderValue],
    cache: Caching,
) -> Router<S> {
    let slots = Arc::new(Semaphore::new(limits.concurrency));
    let outer = ServiceBuilder::new()
        .layer(from_fn_with_state(lifecycle, access_log))
        .layer(from_fn(tag_encoding))
        .layer(from_fn(rename_options))
        .layer(cors(cors_allowed_origins))
        .layer(map_response(default_headers))
        .layer(from_fn_with_state(cache.clone(), cache_control))
        .layer(from_fn(not_modified))
        .layer(from_fn(render_errors))
        // Before the slots: who asks too often takes none from others, and is told so also by a busy task.
        .layer(from_fn_with_state(limits.rates.clone(), rate_limit::limit))
        // Outside the cache and the compression: it is what leaves that waits.
        .layer(from_fn_with_state(limits.addresses.clone(), concurrency::limit));
    let inner = ServiceBuilder::new()
        .layer(from_fn(choose_encoding))
        .layer(from_fn_with_state(cache.clone(), cached))
        // Inside the cache, which so keeps what was compressed once.
        .layer(from_fn(compress_aside))
        .layer(CompressionLayer::new())
        .layer(map_response(note_length))
        .layer(from_fn_with_state(slots, shed))
        .layer(from_fn_with_state(limits.request_timeout, time_out))
        .layer(from_fn_with_state(limits.bodies.clone(), budget_bodies))
        .layer(from_fn_with_state(cache, caching::invalidate))
        .layer(from_fn(retry_contended))
        .layer(CatchPanicLayer::custom(|_payload| ApiError::Panicked.into_response()));
    let routes = routes.fallback(not_found).method_not_allowed_fallback(method_not_allowed);
    // Two, since the compiler's time doubles with each layer of one.
    routes.layer(inner).layer(outer)
}

/// What is answered before there is a database: the process is alive, and everything else is to be asked again.
/// No connection is kept, so that none outlives the start.
pub fn starting() -> Router {
    let stack = ServiceBuilder::new()
        .layer(from_fn_with_state(Lifecycle::default(), access_log))
        .layer(map_response(default_headers))
        .layer(map_response(async |mut response: Response| {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            response
        }))
        .layer(from_fn(render_errors));
    Router::new()
        .route("/health", get(health::health))
        .route("/ready", get(health::starting))
        .fallback(async || ApiError::Overloaded)
        .layer(stack)
}

/// What every response carries, unless its handler knows better.
pub const DEFAULT_HEADERS: [(HeaderName, HeaderValue); 5] = [
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000")),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
];

async fn default_headers(mut response: Response) -> Response {
    for (name, value) in DEFAULT_HEADERS {
        response.headers_mut().entry(name).or_insert(value);
    }
    response
}

/// What `OPTIONS` is called between [`rename_options`] and the route.
const OPTIONS: &str = "OPTIONS*";

/// An `OPTIONS` that is no preflight reaches its route under another name: the CORS layer would answer it.
async fn rename_options(mut request: Request, next: Next) -> Response {
    let is_preflight = request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    if *request.method() == Method::OPTIONS
        && !is_preflight
        && let Ok(method) = Method::from_bytes(OPTIONS.as_bytes())
    {
        *request.method_mut() = method;
    }
    next.run(request).await
}

/// No route has a slash at its end: who writes one is sent to the address without it, the query and all.
async fn not_found(OriginalUri(uri): OriginalUri) -> Response {
    let path = uri.path().trim_end_matches('/');
    // What begins with two slashes would be another host.
    if path.len() == uri.path().len() || !path.starts_with('/') || path[1..].starts_with(['/', '\\']) {
        return ApiError::NotFound.into_response();
    }
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    Redirect::permanent(&format!("{path}{query}")).into_response()
}

/// The router adds `Allow`.
async fn method_not_allowed(method: Method) -> Response {
    if method.as_str() == OPTIONS {
        StatusCode::NO_CONTENT.into_response()
    } else {
        ApiError::MethodNotAllowed.into_response()
    }
}

async fn time_out(State(limit): State<Duration>, request: Request, next: Next) -> Response {
    match tokio::time::timeout(limit, next.run(request)).await {
        Ok(response) => response,
        Err(_elapsed) => ApiError::Timeout.into_response(),
    }
}

/// Refuses at once what would only wait. Health is exempt, so that a busy task is not taken for a dead one.
async fn shed(State(slots): State<Arc<Semaphore>>, request: Request, next: Next) -> Response {
    if PROBES.contains(&request.uri().path()) {
        return next.run(request).await;
    }
    match slots.try_acquire() {
        Ok(_slot) => next.run(request).await,
        Err(_full) => {
            metrics::counter!("http_requests_shed_total").increment(1);
            ApiError::Overloaded.into_response()
        }
    }
}

/// Writes the body of an error, since the request id is known only here, and logs the cause of a 5xx once.
async fn render_errors(request: Request, next: Next) -> Response {
    let request_id = request.extensions().get::<RequestContext>().map(|context| context.request_id.clone());
    let mut response = next.run(request).await;
    let Some(error) = response.extensions_mut().remove::<Arc<ApiError>>() else {
        return response;
    };
    match &*error {
        ApiError::Internal(cause) => tracing::error!(%cause, "request failed"),
        ApiError::Unacceptable(cause) => tracing::warn!(%cause, "the database refused a value"),
        ApiError::Contended(cause) => tracing::warn!(%cause, "request given up"),
        ApiError::Unavailable(cause) => tracing::warn!(%cause, "database unavailable"),
        ApiError::RateLimited { policy, .. } => {
            metrics::counter!("http_requests_rate_limited_total", "policy" => *policy).increment(1);
        }
        ApiError::Overloaded | ApiError::Timeout => tracing::warn!(reason = %error, "request given up"),
        _ => {}
    }
    let (mut parts, _empty) = response.into_parts();
    let body = Json(error.problem(request_id.as_deref().unwrap_or_default())).into_response().into_body();
    parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, body)
}
