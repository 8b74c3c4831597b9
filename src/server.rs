//! The listener and its life: accept, serve, and stop in two stages when told to.

mod explained;
mod progress;

use std::future::{Ready, pending, ready};
use std::io;
use std::net::{Ipv6Addr, SocketAddr, TcpListener};
use std::time::Duration;

use axum::Router;
use axum_server::Handle;
use axum_server::accept::Accept;
use hyper_util::rt::TokioTimer;
use socket2::SockRef;
use tokio::net::TcpStream;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use crate::http::context::network;
use crate::http::shares::{Share, Shares};
use crate::lifecycle::Lifecycle;
use explained::Explained;
use progress::Progress;

/// How long a client may take over a request's head. It also runs on idle connections, and must be longer
/// than the load balancer's idle timeout of 60 s, or the balancer sends requests into closing connections.
pub const HEADER_READ_TIMEOUT: Duration = Duration::from_secs(75);

/// How long connections with no request in flight are waited for at the end: slow clients still fetch what
/// was sent to them. Those that never finish a request's head are not waited for any longer.
const LINGER: Duration = Duration::from_secs(2);

/// How long a client may take next to nothing of what it is sent: see [`ServerPolicy::progress_window`].
pub const PROGRESS_WINDOW: Duration = Duration::from_secs(30);

/// How much the kernel keeps of what a client has not taken yet, in bytes. Linux doubles it, for what it needs
/// itself, and reports room only when a third is free, which so is what a client must take in a window.
const SEND_BUFFER: usize = 128 * 1024;

/// How long connections are waited for that were accepted while the service started.
const STARTING_TIMEOUT: Duration = Duration::from_secs(1);

/// What a connection above the limit is told.
const REFUSAL: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

#[derive(Clone, Copy, Debug)]
pub struct ServerPolicy {
    /// How many connections are open at once; more are refused.
    pub max_connections: usize,
    pub max_connections_per_address: Option<usize>,
    /// How long a client may take next to nothing of what it is sent before its connection is cut, and how
    /// long the kernel tries to send the rest of a closed one.
    pub progress_window: Duration,
    /// How long a client may take over a request's head, or leave its connection idle.
    pub header_read_timeout: Duration,
    /// How long requests are still accepted after the signal to stop, with `/ready` saying no.
    pub drain_delay: Duration,
    /// How long requests in flight may take after that.
    pub shutdown_timeout: Duration,
}

/// Listens on every address of this machine, on both versions of IP where it has them.
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

/// Serves `routes` until `shutdown` or `failure`, and then drains. True if every request was finished in time.
pub async fn serve(
    listener: TcpListener,
    routes: Router,
    lifecycle: Lifecycle,
    policy: ServerPolicy,
    shutdown: ShutdownSignal,
    failure: impl Future<Output = ()>,
) -> io::Result<bool> {
    let handle = Handle::new();
    let stopped = stop_in_order(&handle, &lifecycle, policy, shutdown, failure);
    run(listener, routes, &lifecycle, policy, &handle, stopped).await
}

/// Answers while the service starts, until [`finish`](Self::finish).
#[derive(Debug)]
pub struct Starting {
    handle: Handle<SocketAddr>,
    serving: JoinHandle<io::Result<bool>>,
}

impl Starting {
    /// Serves `routes` on `listener`, which may be a clone of the one that serves later.
    #[must_use]
    pub fn serve(listener: TcpListener, routes: Router, policy: ServerPolicy) -> Self {
        let handle = Handle::new();
        let serving = tokio::spawn({
            let handle = handle.clone();
            async move { run(listener, routes, &Lifecycle::default(), policy, &handle, pending()).await }
        });
        Self { handle, serving }
    }

    /// Accepts nothing more: what has connected and is not accepted waits for who listens next.
    pub async fn finish(self) {
        self.handle.graceful_shutdown(Some(STARTING_TIMEOUT));
        if !matches!(self.serving.await, Ok(Ok(_))) {
            tracing::warn!("nothing was answered while starting");
        }
    }
}

/// Serves until `stopped`, which uses the handle, or until the last connection ends after that.
async fn run(
    listener: TcpListener,
    routes: Router,
    lifecycle: &Lifecycle,
    policy: ServerPolicy,
    handle: &Handle<SocketAddr>,
    stopped: impl Future<Output = bool>,
) -> io::Result<bool> {
    let acceptor = Acceptor {
        handle: handle.clone(),
        max_connections: policy.max_connections,
        addresses: policy.max_connections_per_address.map(Shares::new),
        progress_window: policy.progress_window,
    };
    let mut server = axum_server::from_tcp(listener)?.handle(handle.clone()).acceptor(acceptor).http1_only();
    server.http_builder().http1().timer(TokioTimer::new()).header_read_timeout(policy.header_read_timeout);
    let serving = server.serve(routes.into_make_service_with_connect_info::<SocketAddr>());
    tokio::pin!(serving);
    tokio::select! {
        // It ends by itself when the last connection does.
        ended = &mut serving => ended.map(|()| lifecycle.in_flight() == 0),
        finished = stopped => serving.await.map(|()| finished),
    }
}

/// Drains, stops accepting, waits for what is in flight. A second signal ends the drain, a third the wait.
async fn stop_in_order(
    handle: &Handle<SocketAddr>,
    lifecycle: &Lifecycle,
    policy: ServerPolicy,
    mut shutdown: ShutdownSignal,
    failure: impl Future<Output = ()>,
) -> bool {
    tokio::select! {
        () = shutdown.recv() => {}
        () = failure => {}
    }
    let ServerPolicy { drain_delay, shutdown_timeout, .. } = policy;
    tracing::info!(?drain_delay, ?shutdown_timeout, in_flight = lifecycle.in_flight(), "stopping");
    lifecycle.drain();
    tokio::select! {
        () = sleep(drain_delay) => {}
        () = shutdown.recv() => {}
    }
    handle.graceful_shutdown(None);
    let finished = tokio::select! {
        finished = all_finished(handle, lifecycle, shutdown_timeout) => finished,
        () = shutdown.recv() => lifecycle.in_flight() == 0,
    };
    handle.shutdown();
    finished
}

/// Polls, since there is nothing to do meanwhile. False if requests are in flight after `timeout`.
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

/// Refuses connections above the limits, and sets up the others.
#[derive(Clone)]
struct Acceptor {
    handle: Handle<SocketAddr>,
    max_connections: usize,
    addresses: Option<Shares>,
    progress_window: Duration,
}

impl Acceptor {
    fn admit(&self, stream: TcpStream) -> io::Result<Connection> {
        // The count includes this one.
        let has_room = self.handle.connection_count() <= self.max_connections;
        let peer = network(stream.peer_addr()?.ip().to_canonical());
        let entered = self.addresses.as_ref().map(|addresses| addresses.take(peer, 1));
        if !has_room || entered.as_ref().is_some_and(Option::is_none) {
            metrics::counter!("http_connections_refused_total").increment(1);
            stream.try_write(REFUSAL).ok();
            return Err(io::Error::other("too many connections"));
        }
        // Small responses leave at once.
        stream.set_nodelay(true)?;
        let socket = SockRef::from(&stream);
        socket.set_send_buffer_size(SEND_BUFFER)?;
        #[cfg(target_os = "linux")]
        socket.set_tcp_user_timeout(Some(self.progress_window))?;
        Ok(Explained::new(Progress::new(stream, self.progress_window, entered.flatten())))
    }
}

type Connection = Explained<Progress<TcpStream, Option<Share>>>;

impl<S> Accept<TcpStream, S> for Acceptor {
    type Stream = Connection;
    type Service = S;
    type Future = Ready<io::Result<(Connection, S)>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        ready(self.admit(stream).map(|stream| (stream, service)))
    }
}

#[derive(Debug)]
pub struct ShutdownSignal(Source);

#[derive(Debug)]
enum Source {
    Process { terminate: Signal, interrupt: Signal },
    Channel(mpsc::UnboundedReceiver<()>),
}

impl ShutdownSignal {
    /// Each SIGTERM, and each Ctrl-C at a terminal.
    pub fn of_process() -> io::Result<Self> {
        let (terminate, interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        Ok(Self(Source::Process { terminate, interrupt }))
    }

    /// Each message, and the end of the sender.
    #[must_use]
    pub fn channel() -> (mpsc::UnboundedSender<()>, Self) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (sender, Self(Source::Channel(receiver)))
    }

    pub async fn recv(&mut self) {
        match &mut self.0 {
            Source::Process { terminate, interrupt } => {
                tokio::select! {
                    _ = terminate.recv() => {}
                    _ = interrupt.recv() => {}
                }
            }
            Source::Channel(receiver) => {
                receiver.recv().await;
            }
        }
    }
}
