//! A connection whose client must take what it is sent: one that asks for much and reads nothing would hold
//! the memory of its responses for as long as it likes.

use std::future::Future as _;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

/// How much a client must take of what waits for it, in each window, in bytes.
const MIN_TAKEN: usize = 4 * 1024;

/// Fails a write of which too little was taken for a whole window. It keeps `guard` as long as itself.
pub(super) struct Progress<S, G> {
    stream: S,
    window: Duration,
    /// Runs while something waits to be written.
    deadline: Option<Pin<Box<Sleep>>>,
    /// How many bytes were taken since it runs.
    taken: usize,
    _guard: G,
}

impl<S, G> Progress<S, G> {
    pub(super) fn new(stream: S, window: Duration, guard: G) -> Self {
        Self { stream, window, deadline: None, taken: 0, _guard: guard }
    }

    fn check(&mut self, written: Poll<io::Result<usize>>, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(result) = written {
            self.taken += result.as_ref().map_or(0, |taken| *taken);
            return Poll::Ready(result);
        }
        let deadline = self.deadline.get_or_insert_with(|| {
            self.taken = 0;
            Box::pin(sleep(self.window))
        });
        loop {
            ready!(deadline.as_mut().poll(cx));
            if self.taken < MIN_TAKEN {
                metrics::counter!("http_connections_stalled_total").increment(1);
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
            self.taken = 0;
            deadline.as_mut().reset(Instant::now() + self.window);
        }
    }
}

impl<S: AsyncRead + Unpin, G: Unpin> AsyncRead for Progress<S, G> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin, G: Unpin> AsyncWrite for Progress<S, G> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.check(written, cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.check(written, cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// Called when all that waited is written.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.deadline = None;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::*;

    #[tokio::test]
    async fn who_takes_nothing_is_cut_off() {
        let (stream, _client) = duplex(1024);
        let mut progress = Progress::new(stream, Duration::from_millis(20), ());
        let error = progress.write_all(&[0; 2048]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn who_takes_too_little_is_cut_off_and_who_takes_enough_is_not() {
        for (taken, is_enough) in [(MIN_TAKEN, true), (MIN_TAKEN / 2, false)] {
            let (stream, mut client) = duplex(64);
            let mut progress = Progress::new(stream, Duration::from_millis(20), ());
            // So much is taken in the first window, and the rest waits for the second.
            let first = progress.check(Poll::Pending, &mut Context::from_waker(Waker::noop()));
            assert!(first.is_pending());
            progress.taken = taken;
            sleep(Duration::from_millis(40)).await;
            let again = progress.check(Poll::Pending, &mut Context::from_waker(Waker::noop()));
            assert_eq!(again.is_pending(), is_enough, "{taken} bytes");
            drop(progress);
            assert_eq!(client.read(&mut [0; 1]).await.unwrap(), 0);
        }
    }

    #[tokio::test]
    async fn an_idle_connection_is_not_late() {
        let (stream, mut client) = duplex(1024);
        let mut progress = Progress::new(stream, Duration::from_millis(1), ());
        for _ in 0..3 {
            progress.write_all(&[0; 1024]).await.unwrap();
            progress.flush().await.unwrap();
            sleep(Duration::from_millis(20)).await;
            client.read_exact(&mut [0; 1024]).await.unwrap();
        }
    }
}
