//! A network path to the database that can be cut, or fall silent: what is sent is acknowledged, and never
//! answered.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use sqlx::postgres::PgConnectOptions;
use tokio::io::{AsyncRead, AsyncWrite, copy_bidirectional, sink};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::watch;

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// What becomes of the connections that there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Silence,
    End,
}

pub(crate) struct Proxy {
    pub(crate) port: u16,
    accepted: Arc<AtomicUsize>,
    answers: Arc<AtomicBool>,
    fate: watch::Sender<Option<Fate>>,
    accepting: tokio::task::JoinHandle<()>,
}

impl Proxy {
    /// To the server of `options`, from `address` and `port` (0: any).
    pub(crate) async fn start(options: &PgConnectOptions, address: &str, port: u16) -> Self {
        let listener = TcpListener::bind((address.parse::<IpAddr>().unwrap(), port)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (fate, _) = watch::channel(None);
        let (accepted, answers) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(true)));
        let accepting = tokio::spawn({
            let (options, fate) = (options.clone(), fate.clone());
            let (accepted, answers) = (accepted.clone(), answers.clone());
            async move {
                loop {
                    let (client, _) = listener.accept().await.unwrap();
                    accepted.fetch_add(1, Ordering::Relaxed);
                    let mut told = fate.subscribe();
                    told.mark_unchanged();
                    if answers.load(Ordering::Relaxed) {
                        tokio::spawn(forward(client, connect(&options).await, told));
                    } else {
                        tokio::spawn(swallow(client));
                    }
                }
            }
        });
        Self { port, accepted, answers, fate, accepting }
    }

    /// How many connections there have been.
    pub(crate) fn accepted(&self) -> usize {
        self.accepted.load(Ordering::Relaxed)
    }

    /// The connections that there are fall silent; new ones work.
    pub(crate) fn silence(&self) {
        self.fate.send_replace(Some(Fate::Silence));
    }

    /// Nothing is answered any more, on new connections either.
    pub(crate) fn go_silent(&self) {
        self.answers.store(false, Ordering::Relaxed);
        self.silence();
    }

    /// New connections are answered again; those that there were are not.
    pub(crate) fn answer(&self) {
        self.answers.store(true, Ordering::Relaxed);
    }

    /// The connections that there are end; new ones work.
    pub(crate) fn end(&self) {
        self.fate.send_replace(Some(Fate::End));
    }

    /// Ends every connection, and refuses new ones.
    pub(crate) async fn stop(mut self) {
        self.accepting.abort();
        (&mut self.accepting).await.ok();
        self.end();
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn connect(options: &PgConnectOptions) -> Box<dyn Stream> {
    let (host, port) = (options.get_host(), options.get_port());
    let folder = options.get_socket().map(|path| path.display().to_string());
    match folder.or_else(|| host.starts_with('/').then(|| host.to_owned())) {
        Some(folder) => Box::new(UnixStream::connect(format!("{folder}/.s.PGSQL.{port}")).await.unwrap()),
        None => Box::new(TcpStream::connect((host, port)).await.unwrap()),
    }
}

async fn forward(
    mut client: TcpStream,
    mut server: Box<dyn Stream>,
    mut told: watch::Receiver<Option<Fate>>,
) {
    tokio::select! {
        _ = copy_bidirectional(&mut client, &mut server) => {}
        _ = told.changed() => {
            if *told.borrow() == Some(Fate::Silence) {
                swallow(client).await;
            }
        }
    }
}

/// Takes everything and answers nothing, until the client has had enough.
async fn swallow(mut client: TcpStream) {
    let (mut from_client, _to_client) = client.split();
    tokio::io::copy(&mut from_client, &mut sink()).await.ok();
}
