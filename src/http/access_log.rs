//! One structured line and one count for each request, however it ends: answered, shed, timed out, panicked, or given
//! up by the client. It is written when the last byte of the response has been handed over, or when the
//! request is dropped.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use http_body::{Frame, SizeHint};
use metrics::SharedString;

use super::context::{RequestContext, TRACE_HEADERS, X_REQUEST_ID};
use crate::lifecycle::{InFlight, Lifecycle};

/// The status that is logged when the client hung up before there was a response (nginx's convention).
const CLIENT_CLOSED_REQUEST: u16 = 499;

static KNOWN_METHODS: [Method; 7] =
    [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS];

/// Gives a request its id and context. What is returned logs and counts its end.
pub(super) fn begin(lifecycle: &Lifecycle, request: &mut Request) -> Entry {
    let context = RequestContext::of(request);
    let span = tracing::info_span!(
        "request",
        request_id = %context.request_id,
        trace_id = context.trace_id.as_deref(),
    );
    let headers = request.headers();
    let entry = Entry {
        context: context.clone(),
        method: request.method().clone(),
        route: request.extensions().get().cloned(),
        traces: TRACE_HEADERS.map(|name| headers.get(&name).cloned().map(|value| (name, value))),
        status: CLIENT_CLOSED_REQUEST,
        bytes: 0,
        started: Instant::now(),
        span,
        in_flight: lifecycle.enter(),
    };
    request.extensions_mut().insert(context);
    entry
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
pub(super) struct Entry {
    context: RequestContext,
    method: Method,
    route: Option<MatchedPath>,
    traces: [Option<(HeaderName, HeaderValue)>; 2],
    status: u16,
    bytes: u64,
    started: Instant,
    span: tracing::Span,
    in_flight: InFlight,
}

impl Entry {
    pub(super) fn span(&self) -> tracing::Span {
        self.span.clone()
    }

    pub(super) fn request_id(&self) -> Arc<str> {
        self.context.request_id.clone()
    }

    /// Names the request in its response, closes the connection when draining, and ends with the last byte.
    pub(super) fn end(mut self, mut response: Response) -> Response {
        self.status = response.status().as_u16();
        let headers = response.headers_mut();
        if let Ok(request_id) = HeaderValue::try_from(&*self.context.request_id) {
            headers.insert(X_REQUEST_ID, request_id);
        }
        headers.extend(self.traces.iter_mut().filter_map(Option::take));
        if self.in_flight.is_draining() {
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response.map(|inner| Body::new(LoggedBody { inner, entry: self }))
    }

    fn count(&self, route: &str, latency: Duration) {
        // Anyone may make up methods; each would be a series of its own.
        let known = KNOWN_METHODS.iter().find(|method| **method == self.method);
        let method = known.map_or("other", Method::as_str);
        let labels = [("method", SharedString::const_str(method)), ("route", route.to_owned().into())];
        metrics::histogram!("http_request_duration_seconds", &labels).record(latency);
        let [method, route] = labels;
        let labels = [method, route, ("status", self.status.to_string().into())];
        metrics::counter!("http_requests_total", &labels).increment(1);
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let _in_span = self.span.enter();
        let route = self.route.as_ref().map_or("unmatched", MatchedPath::as_str);
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
