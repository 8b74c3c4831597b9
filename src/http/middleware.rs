//! The stack around every route, in one place and one order.

use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderValue, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{Route, get};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tower::layer::layer_fn;
use tower::{Layer, Service, service_fn};
use tower_http::cors::CorsLayer;
use tracing::Instrument;

use super::PROBES;
use super::access_log;
use super::body_budget::BodyBudget;
use super::caching::{CacheControl, Caching, Write, is_read, is_write};
use super::concurrency::AddressLimits;
use super::conditional::{Known, tag_encoding};
use super::context::RequestContext;
use super::default_headers::default_headers;
use super::encoding::{choose_encoding, compressed};
use super::extract::Json;
use super::fallbacks::{method_not_allowed, not_found, rename_options};
use super::health;
use super::preconditions::Unconditional;
use super::rate_limit::RateLimits;
use super::retry::retry_contended;
use crate::error::ApiError;
use crate::lifecycle::Lifecycle;

/// How long a request may take, from its head to the head of its response.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(15);
/// The same of an upload, which is longer on its way and waits for others.
const UPLOAD_TIMEOUT: Duration = Duration::from_mins(1);
const CONCURRENCY: usize = 1024;

#[derive(Clone)]
pub struct Limits {
    pub request_timeout: Duration,
    pub upload_timeout: Duration,
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
            upload_timeout: UPLOAD_TIMEOUT,
            concurrency: CONCURRENCY,
            rates: RateLimits::default(),
            bodies: BodyBudget::default(),
            addresses: AddressLimits::default(),
        }
    }
}

/// What surrounds every route: each of its methods is inside the one above it. One service rather than a layer for
/// each, since axum boxes and clones every layer for each request.
#[derive(Clone)]
pub struct Stack {
    pub limits: Limits,
    pub lifecycle: Lifecycle,
    pub cache: Caching,
    /// `None` if no other origin is allowed.
    pub cors: Option<CorsLayer>,
    pub unconditional: Unconditional,
    /// Applied to each request once it has its route.
    pub rewrite: fn(&mut Request),
    /// Whether the request's body is a large one, which its handler alone makes room for.
    pub is_upload: fn(&Request) -> bool,
    slots: Arc<Semaphore>,
}

impl Stack {
    /// A stack for routes of this origin alone, which look at preconditions themselves.
    #[must_use]
    pub fn new(limits: Limits, lifecycle: Lifecycle, cache: Caching) -> Self {
        let slots = Arc::new(Semaphore::new(limits.concurrency));
        Self {
            limits,
            lifecycle,
            cache,
            cors: None,
            unconditional: Unconditional::default(),
            rewrite: |_| {},
            is_upload: |_| false,
            slots,
        }
    }

    pub fn wrap<S: Clone + Send + Sync + 'static>(self, routes: Router<S>) -> Router<S> {
        let stack = Arc::new(self);
        let around = layer_fn(move |route| Around { stack: stack.clone(), route: Arc::new(route) });
        routes.fallback(not_found).method_not_allowed_fallback(method_not_allowed).layer(around)
    }

    async fn observe(&self, mut request: Request, route: Arc<Route>) -> Response {
        (self.rewrite)(&mut request);
        let entry = access_log::begin(&self.lifecycle, &mut request);
        let mut response = self.cross_origins(request, route).instrument(entry.span()).await;
        tag_encoding(&mut response);
        entry.end(response)
    }

    /// The CORS layer would answer every `OPTIONS`: one that is no preflight reaches its route under another name.
    async fn cross_origins(&self, mut request: Request, route: Arc<Route>) -> Response {
        let is_preflight = request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
        if !(is_preflight && self.cors.is_some()) {
            rename_options(request.method_mut());
        }
        // Boxed: a large future takes longer to move, layer by layer, than to allocate.
        let answer = |request| Box::pin(self.answer(request, route.clone()));
        let Some(cors) = &self.cors else { return answer(request).await };
        let answer = service_fn(|request| answer(request).map(Ok::<_, Infallible>));
        let Ok(response) = cors.layer(answer).call(request).await;
        response
    }

    async fn answer(&self, request: Request, route: Arc<Route>) -> Response {
        let request_id =
            request.extensions().get().map(|context: &RequestContext| context.request_id.clone());
        let (known, cache_control) = (Known::of(&request), CacheControl::of(&request));
        let mut response = self.limit(request, route).await;
        if let Some(error) = response.extensions_mut().remove::<Arc<ApiError>>() {
            response = render_error(&error, request_id.as_deref().unwrap_or_default(), response);
        }
        if let Some(known) = known {
            known.leave_out(&mut response);
        }
        cache_control.write(&mut response, &self.cache.clock);
        default_headers(&mut response);
        response
    }

    /// Before the slots: who asks too often takes none from others, and is told so also by a busy task. Health is
    /// exempt from limits and slots: who asks for it asks often, and a busy task is not to be taken for a dead one.
    async fn limit(&self, mut request: Request, route: Arc<Route>) -> Response {
        if PROBES.contains(&request.uri().path()) {
            return self.run(request, &route).await;
        }
        let (limits, counted) = self.limits.rates.count(&mut request);
        let mut response = match counted {
            Ok(()) => self.hold(request, route).await,
            Err(refusal) => refusal.into_response(),
        };
        limits.write(response.headers_mut());
        response
    }

    /// Outside the cache and the compression: it is what leaves that waits.
    async fn hold(&self, request: Request, route: Arc<Route>) -> Response {
        let addresses = &self.limits.addresses;
        let is_read = is_read(&request);
        let held = match addresses.enter(&request) {
            Ok(entered) => addresses.hold(entered, is_read, self.cache(request, route).await).await,
            Err(refusal) => Err(refusal),
        };
        held.unwrap_or_else(IntoResponse::into_response)
    }

    /// The cache keeps what was compressed once.
    async fn cache(&self, mut request: Request, route: Arc<Route>) -> Response {
        choose_encoding(request.headers_mut());
        let respond = |request| Box::pin(compressed(request, |request| self.shed(request, &route)));
        self.cache.cached(request, respond).await
    }

    /// Refuses at once what would only wait.
    async fn shed(&self, request: Request, route: &Route) -> Response {
        match self.slots.try_acquire() {
            Ok(_slot) => self.run(request, route).await,
            Err(_full) => {
                metrics::counter!("http_requests_shed_total").increment(1);
                ApiError::Overloaded.into_response()
            }
        }
    }

    async fn run(&self, request: Request, route: &Route) -> Response {
        let is_upload = (self.is_upload)(&request);
        let Limits { request_timeout, upload_timeout, .. } = self.limits;
        let answered = timeout(if is_upload { upload_timeout } else { request_timeout }, async {
            if is_write(&request) {
                self.write(request, route, is_upload).await
            } else {
                caught(request, route).await
            }
        });
        answered.await.unwrap_or_else(|_elapsed| ApiError::Timeout.into_response())
    }

    async fn write(&self, mut request: Request, route: &Route, is_upload: bool) -> Response {
        if let Err(refusal) = self.unconditional.check(&request) {
            return refusal.into_response();
        }
        let _reservation = self.limits.bodies.open(&mut request);
        let write = Write::begin(&self.cache.cache);
        let response = if is_upload {
            // To try it again would keep its body a second time.
            caught(request, route).await
        } else {
            retry_contended(request, |request| caught(request, route)).await
        };
        write.end(&response);
        response
    }
}

/// What the route answers; a panic is an error like any other.
async fn caught(request: Request, route: &Route) -> Response {
    match AssertUnwindSafe(route.clone().call(request)).catch_unwind().await {
        Ok(Ok(response)) => response,
        Err(_payload) => ApiError::Panicked.into_response(),
    }
}

/// A route with its [`Stack`]. Routes are cloned for each request, and what is not shared with them.
#[derive(Clone)]
struct Around {
    stack: Arc<Stack>,
    route: Arc<Route>,
}

impl Service<Request> for Around {
    type Response = Response;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response, Infallible>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        // A route is always ready.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let Self { stack, route } = self.clone();
        Box::pin(async move { Ok(stack.observe(request, route).await) })
    }
}

/// What is answered before there is a database: the process is alive, and everything else is to be asked again.
/// No connection is kept, so that none outlives the start.
pub fn starting() -> Router {
    let stack = from_fn(async |mut request: Request, next: Next| {
        let entry = access_log::begin(&Lifecycle::default(), &mut request);
        let request_id = entry.request_id();
        let mut response = next.run(request).instrument(entry.span()).await;
        if let Some(error) = response.extensions_mut().remove::<Arc<ApiError>>() {
            response = render_error(&error, &request_id, response);
        }
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        default_headers(&mut response);
        entry.end(response)
    });
    Router::new()
        .route("/health", get(health::health))
        .route("/ready", get(health::starting))
        .fallback(async || ApiError::Overloaded)
        .layer(stack)
}

/// Writes the body of an error, since the request id is known only here, and logs the cause of a 5xx once.
fn render_error(error: &ApiError, request_id: &str, response: Response) -> Response {
    match error {
        ApiError::Internal(cause) => tracing::error!(%cause, "request failed"),
        ApiError::Unacceptable(cause) => tracing::warn!(%cause, "the database refused a value"),
        ApiError::Contended(cause) => tracing::warn!(%cause, "request given up"),
        ApiError::Unavailable(cause) => tracing::warn!(%cause, "database unavailable"),
        ApiError::StorageUnavailable(cause) => tracing::warn!(%cause, "storage of media unavailable"),
        ApiError::RateLimited { policy, .. } => {
            metrics::counter!("http_requests_rate_limited_total", "policy" => *policy).increment(1);
        }
        ApiError::Overloaded | ApiError::Timeout => tracing::warn!(reason = %error, "request given up"),
        _ => {}
    }
    let (mut parts, _empty) = response.into_parts();
    let body = Json(error.problem(request_id)).into_response().into_body();
    parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, body)
}
