//! The listener and its life: accept, serve, and stop in two stages when told to.

use std::net::{Ipv6Addr, SocketAddr, TcpListener};
use std::time::Duration;

use axum::Router;
use axum_server::Handle;
use axum_server::accept::NoDelayAcceptor;
use hyper_util::rt::TokioTimer;
use tokio::signal::unix::{SignalKind, signal};

use crate::lifecycle::Lifecycle;

/// How long a client may take over a request's head. It also runs on idle connections, and must be longer
/// than the load balancer's idle timeout of 60 s, or the balancer sends requests into closing connections.
const HEADER_READ_TIMEOUT: Duration = Duration::from_secs(75);

/// How the server stops.
#[derive(Clone, Copy, Debug)]
pub struct ShutdownPolicy {
    /// How long requests are still accepted, with `/ready` saying no.
    pub drain_delay: Duration,
    /// How long requests in flight may take after that.
    pub timeout: Duration,
}

/// Listens on every address of this machine, on both versions of IP where it has them.
///
/// # Errors
/// When the port is taken or not allowed.
pub fn listen(port: u16) -> std::io::Result<TcpListener> {
    let listener = TcpListener::bind((Ipv6Addr::UNSPECIFIED, port)).or_else(|error| {
        // No IPv6 here.
        if error.kind() == std::io::ErrorKind::AddrInUse {
            Err(error)
        } else {
            TcpListener::bind(("0.0.0.0", port))
        }
    })?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Serves `routes` until `stop` ends and then drains. True if every request was finished in time.
///
/// # Errors
/// When the listener fails.
pub async fn serve(
    listener: TcpListener,
    routes: Router,
    lifecycle: Lifecycle,
    policy: ShutdownPolicy,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<bool> {
    let handle = Handle::<SocketAddr>::new();
    let mut server = axum_server::from_tcp(listener)?.handle(handle.clone()).acceptor(NoDelayAcceptor::new());
    server.http_builder().http1().timer(TokioTimer::new()).header_read_timeout(HEADER_READ_TIMEOUT);
    let drained = tokio::spawn({
        let handle = handle.clone();
        async move {
            stop.await;
            tracing::info!(delay = ?policy.drain_delay, timeout = ?policy.timeout, "stopping");
            lifecycle.drain();
            tokio::time::sleep(policy.drain_delay).await;
            handle.graceful_shutdown(Some(policy.timeout));
        }
    });
    let result = server.serve(routes.into_make_service_with_connect_info::<SocketAddr>()).await;
    drained.abort();
    result.map(|()| handle.connection_count() == 0)
}

/// Ends when the process is told to stop: SIGTERM, or Ctrl-C at a terminal.
///
/// # Errors
/// When signals cannot be listened to.
pub fn stop_signal() -> std::io::Result<impl Future<Output = ()> + Send + 'static> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
