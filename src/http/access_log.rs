//! One structured line and one count for each request, however it ends: answered, shed, timed out, panicked, or given
//! up by the client. It is written when the last byte of the response has been handed over, or when the
//! request is dropped.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use http_body::{Frame, SizeHint};
use tracing::Instrument;

use super::context::{RequestContext, TRACE_HEADERS, X_REQUEST_ID};
use crate::lifecycle::{InFlight, Lifecycle};

/// The status that is logged when the client hung up before there was a response (nginx's convention).
const CLIENT_CLOSED_REQUEST: u16 = 499;

const KNOWN_METHODS: [Method; 7] =
    [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS];

/// Gives the request its id and context, logs and counts its end, and closes the connection when draining.
pub async fn access_log(State(lifecycle): State<Lifecycle>, mut request: Request, next: Next) -> Response {
    let context = RequestContext::of(&request);
    let request_id = HeaderValue::try_from(&*context.request_id).ok();
    let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let span = tracing::info_span!(
        "request",
        request_id = %context.request_id,
        trace_id = context.trace_id.as_deref(),
    );
    let traces = TRACE_HEADERS.map(|name| request.headers().get(&name).cloned().map(|value| (name, value)));
    let entry = Entry {
        context: context.clone(),
        method: request.method().clone(),
        route,
        status: CLIENT_CLOSED_REQUEST,
        bytes: 0,
        started: Instant::now(),
        span: span.clone(),
        _in_flight: lifecycle.enter(),
    };
    request.extensions_mut().insert(context);

    let mut guard = entry;
    let mut response = next.run(request).instrument(span).await;
    guard.status = response.status().as_u16();
    if let Some(request_id) = request_id {
        response.headers_mut().insert(X_REQUEST_ID, request_id);
    }
    response.headers_mut().extend(traces.into_iter().flatten());
    if lifecycle.is_draining() {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response.map(|inner| Body::new(LoggedBody { inner, entry: guard }))
}

/// The same of a request that was refused before anything of it was known.
pub fn log_refused(request_id: &str, status: StatusCode, bytes: usize) {
    let span = tracing::info_span!("request", request_id = %request_id);
    let _in_span = span.enter();
    let (method, route, status) = ("other", "unmatched", status.as_u16());
    let labels = [("method", method.to_owned()), ("route", route.to_owned()), ("status", status.to_string())];
    metrics::counter!("http_requests_total", &labels).increment(1);
    tracing::info!(target: "blog_api::access", method, route, status, bytes, "request");
}

/// What the line will say; written on drop.
struct Entry {
    context: RequestContext,
    method: Method,
    route: Option<String>,
    status: u16,
    bytes: u64,
    started: Instant,
    span: tracing::Span,
    _in_flight: InFlight,
}

impl Entry {
    fn count(&self, route: &str, latency: Duration) {
        // Anyone may make up methods; each would be a series of its own.
        let method =
            if KNOWN_METHODS.contains(&self.method) { self.method.to_string() } else { "other".to_owned() };
        let labels = [("method", method), ("route", route.to_owned())];
        metrics::histogram!("http_request_duration_seconds", &labels).record(latency);
        let [method, route] = labels;
        let labels = [method, route, ("status", self.status.to_string())];
        metrics::counter!("http_requests_total", &labels).increment(1);
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let _in_span = self.span.enter();
        let route = self.route.as_deref().unwrap_or("unmatched");
        let latency = self.started.elapsed();
        self.count(route, latency);
        tracing::info!(
            target: "blog_api::access",
            method = %self.method,
            route,
            status = self.status,
            latency_ms = (latency.as_secs_f64() * 1e6).round() / 1e3,
            bytes = self.bytes,
            user_id = self.context.user_id.get().map(tracing::field::display),
            "request"
        );
    }
}

/// The response's body, counted as it leaves.
struct LoggedBody {
    inner: Body,
    entry: Entry,
}

impl http_body::Body for LoggedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = Pin::new(&mut self.inner).poll_frame(context);
        if let Poll::Ready(Some(Ok(frame))) = &frame {
            self.entry.bytes += frame.data_ref().map_or(0, |data| data.len() as u64);
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
