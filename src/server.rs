//! The listener and its life: accept, serve, and stop in two stages when told to.

use std::future::{Ready, ready};
use std::io;
use std::net::{Ipv6Addr, SocketAddr, TcpListener};
use std::time::Duration;

use axum::Router;
use axum_server::Handle;
use axum_server::accept::Accept;
use hyper_util::rt::TokioTimer;
use tokio::net::TcpStream;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};

use crate::lifecycle::Lifecycle;

/// How long a client may take over a request's head. It also runs on idle connections, and must be longer
/// than the load balancer's idle timeout of 60 s, or the balancer sends requests into closing connections.
pub const HEADER_READ_TIMEOUT: Duration = Duration::from_secs(75);

/// How long connections with no request in flight are waited for at the end: slow clients still fetch what
/// was sent to them. Those that never finish a request's head are not waited for any longer.
const LINGER: Duration = Duration::from_secs(2);

/// What a connection above the limit is told.
const REFUSAL: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

/// What the server allows, and how it stops.
#[derive(Clone, Copy, Debug)]
pub struct ServerPolicy {
    /// How many connections are open at once; more are refused.
    pub max_connections: usize,
    /// How long a client may take over a request's head, or leave its connection idle.
    pub header_read_timeout: Duration,
    /// How long requests are still accepted after the signal to stop, with `/ready` saying no.
    pub drain_delay: Duration,
    /// How long requests in flight may take after that.
    pub shutdown_timeout: Duration,
}

/// Listens on every address of this machine, on both versions of IP where it has them.
///
/// # Errors
/// When the port is taken or not allowed.
pub fn listen(port: u16) -> io::Result<TcpListener> {
    let listener = TcpListener::bind((Ipv6Addr::UNSPECIFIED, port)).or_else(|error| {
        // No IPv6 here.
        if error.kind() == io::ErrorKind::AddrInUse {
            Err(error)
        } else {
            TcpListener::bind(("0.0.0.0", port))
        }
    })?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Serves `routes` until it is told to stop, and then drains. True if every request was finished in time.
///
/// # Errors
/// When the listener fails.
pub async fn serve(
    listener: TcpListener,
    routes: Router,
    lifecycle: Lifecycle,
    policy: ServerPolicy,
    stop: Stop,
) -> io::Result<bool> {
    let handle = Handle::<SocketAddr>::new();
    let acceptor = Acceptor { handle: handle.clone(), max_connections: policy.max_connections };
    let mut server = axum_server::from_tcp(listener)?.handle(handle.clone()).acceptor(acceptor).http1_only();
    server.http_builder().http1().timer(TokioTimer::new()).header_read_timeout(policy.header_read_timeout);
    let serving = server.serve(routes.into_make_service_with_connect_info::<SocketAddr>());
    tokio::pin!(serving);
    tokio::select! {
        // It ends by itself when the last connection does.
        ended = &mut serving => ended.map(|()| lifecycle.in_flight() == 0),
        finished = stop_in_order(&handle, &lifecycle, policy, stop) => serving.await.map(|()| finished),
    }
}

/// Waits for the signal, drains, stops accepting, and waits for what is in flight. A second signal skips
/// the rest of the drain, a third one the wait.
async fn stop_in_order(
    handle: &Handle<SocketAddr>,
    lifecycle: &Lifecycle,
    policy: ServerPolicy,
    mut stop: Stop,
) -> bool {
    stop.told().await;
    let ServerPolicy { drain_delay, shutdown_timeout, .. } = policy;
    tracing::info!(?drain_delay, ?shutdown_timeout, in_flight = lifecycle.in_flight(), "stopping");
    lifecycle.drain();
    tokio::select! {
        () = sleep(drain_delay) => {}
        () = stop.told() => {}
    }
    handle.graceful_shutdown(None);
    let finished = tokio::select! {
        finished = all_finished(handle, lifecycle, shutdown_timeout) => finished,
        () = stop.told() => lifecycle.in_flight() == 0,
    };
    handle.shutdown();
    finished
}

/// Looks again and again, since there is nothing to do meanwhile. False if requests are still in flight
/// after `timeout`.
async fn all_finished(handle: &Handle<SocketAddr>, lifecycle: &Lifecycle, timeout: Duration) -> bool {
    let deadline = Instant::now() + timeout;
    let mut idle_since = None;
    while handle.connection_count() > 0 {
        let now = Instant::now();
        if lifecycle.in_flight() > 0 {
            idle_since = None;
        } else if now - *idle_since.get_or_insert(now) >= LINGER {
            return true;
        }
        if now >= deadline {
            return lifecycle.in_flight() == 0;
        }
        sleep(Duration::from_millis(10)).await;
    }
    true
}

/// Refuses connections above the limit, and lets small answers leave at once (`TCP_NODELAY`).
#[derive(Clone)]
struct Acceptor {
    handle: Handle<SocketAddr>,
    max_connections: usize,
}

impl<S> Accept<TcpStream, S> for Acceptor {
    type Stream = TcpStream;
    type Service = S;
    type Future = Ready<io::Result<(TcpStream, S)>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        // The count includes this one.
        if self.handle.connection_count() > self.max_connections {
            metrics::counter!("http_connections_refused_total").increment(1);
            stream.try_write(REFUSAL).ok();
            return ready(Err(io::Error::other("too many connections")));
        }
        ready(stream.set_nodelay(true).map(|()| (stream, service)))
    }
}

/// Tells the server to stop.
#[derive(Debug)]
pub struct Stop(mpsc::UnboundedReceiver<()>);

impl Stop {
    /// Each SIGTERM, and each Ctrl-C at a terminal.
    ///
    /// # Errors
    /// When signals cannot be listened to.
    pub fn on_signals() -> io::Result<Self> {
        let (tell, stop) = Self::by_hand();
        for kind in [SignalKind::terminate(), SignalKind::interrupt()] {
            let (mut signals, tell) = (signal(kind)?, tell.clone());
            tokio::spawn(async move { while signals.recv().await.is_some() && tell.send(()).is_ok() {} });
        }
        Ok(stop)
    }

    /// Each message, and the end of the sender.
    #[must_use]
    pub fn by_hand() -> (mpsc::UnboundedSender<()>, Self) {
        let (tell, told) = mpsc::unbounded_channel();
        (tell, Self(told))
    }

    async fn told(&mut self) {
        self.0.recv().await;
    }
}
