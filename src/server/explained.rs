//! What hyper refuses itself never reaches the middleware: a request that is not HTTP, a target or a head that is too
//! long. It answers with a bare status. Here that becomes a problem document with a request id, as every other
//! error has.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use uuid::Uuid;

use crate::error::ApiError;
use crate::http::access_log::log_refused;
use crate::http::context::X_REQUEST_ID;
use crate::http::default_headers::DEFAULT_HEADERS;

/// Writes an explanation in the place of what hyper wrote of its own accord.
pub(super) struct Explained<S> {
    stream: S,
    /// What is left to write of it.
    explanation: Bytes,
}

impl<S> Explained<S> {
    pub(super) fn new(stream: S) -> Self {
        Self { stream, explanation: Bytes::new() }
    }
}

impl<S: AsyncWrite + Unpin> Explained<S> {
    /// Writes the explanation for `written`, if it needs one; `None` if not.
    fn explain(&mut self, written: &[u8], cx: &mut Context<'_>) -> Option<Poll<io::Result<usize>>> {
        if self.explanation.is_empty() {
            self.explanation = explanation(written)?;
        }
        while !self.explanation.is_empty() {
            match Pin::new(&mut self.stream).poll_write(cx, &self.explanation) {
                Poll::Ready(Ok(0)) => return Some(Poll::Ready(Err(io::ErrorKind::WriteZero.into()))),
                Poll::Ready(Ok(taken)) => drop(self.explanation.split_to(taken)),
                not_taken => return Some(not_taken),
            }
        }
        Some(Poll::Ready(Ok(written.len())))
    }
}

/// What to send instead of `written`, if that is a whole response of hyper's own: no other has so few headers.
fn explanation(written: &[u8]) -> Option<Bytes> {
    if !written.starts_with(b"HTTP/1.1 4") {
        return None;
    }
    let mut lines = str::from_utf8(written).ok()?.strip_suffix("\r\n\r\n")?.split("\r\n");
    let error = match lines.next()?.split(' ').nth(1)? {
        "400" => ApiError::Unreadable("The request is not one of HTTP/1.1.".into()),
        "414" => ApiError::TargetTooLong,
        "431" => ApiError::HeadTooLarge,
        _ => return None,
    };
    let is_own =
        |line: &str| ["connection: close", "content-length: 0"].contains(&line) || line.starts_with("date: ");
    lines.all(is_own).then(|| document(&error))
}

fn document(error: &ApiError) -> Bytes {
    let request_id = Uuid::now_v7().to_string();
    let (status, _) = error.status_and_code();
    // What cannot be written as JSON is left out; everything here can.
    let body = serde_json::to_vec(&error.problem(&request_id)).unwrap_or_default();
    log_refused(&request_id, status, body.len());
    let mut response = format!(
        "HTTP/1.1 {status}\r\nconnection: close\r\ncontent-type: application/problem+json\r\ncontent-length: {}\r\n\
         {X_REQUEST_ID}: {request_id}\r\n",
        body.len()
    )
    .into_bytes();
    for (name, value) in DEFAULT_HEADERS {
        response.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
    }
    response.extend(b"\r\n");
    response.extend(body);
    response.into()
}

impl<S: AsyncRead + Unpin> AsyncRead for Explained<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Explained<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if let Some(written) = self.explain(bytes, cx) {
            return written;
        }
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        // Hyper's own response has no body, and is one slice.
        if let [bytes] = slices
            && let Some(written) = self.explain(bytes, cx)
        {
            return written;
        }
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::*;

    const BARE: &str = "HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\
                        date: Sat, 28 Nov 2026 10:00:00 GMT\r\n\r\n";

    async fn sent(written: &str, buffer: usize) -> String {
        let (stream, mut client) = duplex(buffer);
        let mut stream = Explained::new(stream);
        let read = async {
            let mut text = String::new();
            client.read_to_string(&mut text).await.unwrap();
            text
        };
        let write = async {
            stream.write_all(written.as_bytes()).await.unwrap();
            drop(stream);
        };
        tokio::join!(read, write).0
    }

    #[tokio::test]
    async fn a_bare_refusal_becomes_a_problem_document_however_slowly_it_is_taken() {
        for buffer in [1, 7, 64 * 1024] {
            let text = sent(BARE, buffer).await;
            let (head, body) = text.split_once("\r\n\r\n").unwrap();
            assert!(head.starts_with("HTTP/1.1 431 Request Header Fields Too Large\r\n"), "{head}");
            let problem: serde_json::Value = serde_json::from_str(body).unwrap();
            assert_eq!(problem["status"], 431);
            let request_id = problem["request_id"].as_str().unwrap();
            assert!(head.contains(&format!("\r\nx-request-id: {request_id}")), "{head}");
            assert!(head.contains(&format!("\r\ncontent-length: {}\r\n", body.len())), "{head}");
        }
    }

    #[tokio::test]
    async fn everything_else_passes_as_it_is() {
        for written in [
            "HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nx-request-id: 1\r\n\r\n",
            &BARE.replace("content-length: 0", "content-length: 1"),
            &format!("{BARE}x"),
            &BARE.replace("431", "200"),
            &BARE.replace("431", "404"),
        ] {
            assert_eq!(sent(written, 64).await, *written);
        }
    }
}
