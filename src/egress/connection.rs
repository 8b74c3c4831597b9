//! One connection for one request: TCP to addresses that were checked, and HTTP/1.1 on it.

use std::net::SocketAddr;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::Request;
use axum::http::header::RETRY_AFTER;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};

use super::answer::Answer;
use super::failure::Failure;

/// Of the addresses of a name, those that are tried.
const MAX_TRIED: usize = 4;

/// Of the head of an answer.
const MAX_HEAD: usize = 16 * 1024;

/// Of the body of an answer.
const MAX_BODY: usize = 16 * 1024;

/// Connects to the first address that takes it. Each has the same share of `limit`, so that one that is silent does
/// not take the time of all.
pub(super) async fn connect(addresses: &[SocketAddr], limit: Duration) -> Result<TcpStream, Failure> {
    let tried = addresses.iter().take(MAX_TRIED);
    let share = limit / u32::try_from(tried.len()).unwrap_or(1).max(1);
    let mut failure = Failure::ConnectionFailed;
    for address in tried {
        failure = match timeout(share, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(_)) => Failure::ConnectionFailed,
            Err(_elapsed) => Failure::Timeout,
        };
    }
    Err(failure)
}

/// Sends the request, and reads the head of the answer until `end` and some of its body for at most `limit`.
pub(super) async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    request: Request<Full<Bytes>>,
    end: Instant,
    limit: Duration,
) -> Result<Answer, Failure> {
    let mut builder = http1::Builder::new();
    builder.max_buf_size(MAX_HEAD);
    let (mut sender, connection) =
        builder.handshake(TokioIo::new(stream)).await.map_err(|error| failure(&error))?;
    let answer = async {
        let response = timeout_at(end, sender.send_request(request)).await;
        let response = response.map_err(|_elapsed| Failure::Timeout)?.map_err(|error| failure(&error))?;
        let answer =
            Answer { status: response.status(), retry_after: response.headers().get(RETRY_AFTER).cloned() };
        // What the receiver has done is known from the status; how its body ends changes nothing.
        let _ = timeout_at(end.min(Instant::now() + limit), drain(response.into_body())).await;
        Ok(answer)
    };
    // In this future and in no task of its own: whoever gives up the call closes the connection.
    tokio::select! {
        answer = answer => answer,
        never = async {
            // Its error is that of the request.
            drop(connection.await);
            std::future::pending().await
        } => never,
    }
}

/// Reads some, so that a receiver which is still writing a short answer does not find the connection reset.
async fn drain(mut body: Incoming) {
    let mut read = 0;
    while let Some(Ok(frame)) = body.frame().await {
        read += frame.data_ref().map_or(0, Bytes::len);
        if read >= MAX_BODY {
            return;
        }
    }
}

fn failure(error: &hyper::Error) -> Failure {
    if error.is_parse() { Failure::MalformedResponse } else { Failure::ConnectionClosed }
}
