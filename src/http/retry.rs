//! A write that loses against others is tried again. PostgreSQL ends a deadlock by giving up one of the
//! transactions in it: nothing of that was written, so the client need not know.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::response::Response;
use futures_util::stream::{self, TryStreamExt};
use metrics::counter;
use tokio::time::sleep;

use crate::error::ApiError;

const ATTEMPTS: u32 = 3;

/// Before another attempt: half of it to all of it, so that requests that collided do not collide again.
const PAUSE: Duration = Duration::from_millis(40);

/// Serves a write again whose transaction was given up by the database.
pub(super) async fn retry_contended<F: Future<Output = Response>>(
    request: Request,
    respond: impl Fn(Request) -> F,
) -> Response {
    let (parts, body) = request.into_parts();
    let read = Chunks::default();
    let seen = read.clone();
    let body = Body::from_stream(body.into_data_stream().inspect_ok(move |chunk| seen.push(chunk.clone())));
    let mut response = respond(Request::from_parts(parts.clone(), body)).await;
    for _ in 1..ATTEMPTS {
        if !is_contended(&response) {
            break;
        }
        counter!("http_requests_retried_total").increment(1);
        sleep(PAUSE.mul_f64(0.5 + 0.5 * rand::random::<f64>())).await;
        response = respond(Request::from_parts(parts.clone(), read.body())).await;
    }
    response
}

fn is_contended(response: &Response) -> bool {
    let error = response.extensions().get::<Arc<ApiError>>();
    error.is_some_and(|error| matches!(**error, ApiError::Contended(_)))
}

/// What a handler has read of a request's body. One that got as far as the database has read all it wants.
#[derive(Clone, Default)]
struct Chunks(Arc<Mutex<Vec<Bytes>>>);

impl Chunks {
    fn push(&self, chunk: Bytes) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(chunk);
    }

    fn body(&self) -> Body {
        let chunks = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Body::from_stream(stream::iter(chunks.into_iter().map(Ok::<_, axum::Error>)))
    }
}
