//! The client against real sockets on this machine, with names that tests resolve and short time-outs.

mod addresses;
// A full queue of connections, which nobody is told of, is Linux's.
#[cfg(target_os = "linux")]
mod limits;
mod names;
mod receivers;
mod tls;
mod urls;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::Bytes;
use axum::http::HeaderMap;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::rustls::RootCertStore;

use super::client::Limits;
use super::{Answer, Client, Failure};
use crate::config::egress::Allow;

/// For what succeeds: no test waits for it.
const LONG: Limits = Limits { step: Duration::from_mins(1), call: Duration::from_mins(1) };
/// For what ends by it.
const SHORT: Limits = Limits { step: Duration::from_millis(300), call: Duration::from_millis(900) };

fn allow(text: &str) -> Allow {
    text.parse().unwrap()
}

/// Every name leads to `addresses`.
fn client(allowed: &str, addresses: &[SocketAddr], limits: Limits) -> Client {
    let addresses = addresses.to_vec();
    resolving(allowed, limits, move || Ok(addresses.clone()))
}

fn resolving(
    allowed: &str,
    limits: Limits,
    resolve: impl Fn() -> io::Result<Vec<SocketAddr>> + Send + Sync + 'static,
) -> Client {
    let resolve = Box::new(move |_: String, _: u16| {
        let addresses = resolve();
        Box::pin(async move { addresses }) as _
    });
    Client::with(allow(allowed), RootCertStore::empty(), resolve, limits)
}

async fn post(client: &Client, url: &str) -> Result<Answer, Failure> {
    let to = client.check(url).unwrap();
    client.post(&to, HeaderMap::new(), Bytes::from_static(b"{}")).await
}

/// A receiver of TCP connections on this machine.
struct Receiver {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
}

impl Receiver {
    /// Does `serve` with every connection.
    async fn new<F: Future<Output = io::Result<()>> + Send + 'static>(
        serve: impl Fn(TcpStream) -> F + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let counted = connections.clone();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                counted.fetch_add(1, Ordering::SeqCst);
                // It ends when the client has closed the connection.
                tokio::spawn(serve(stream));
            }
        });
        Self { address, connections }
    }

    /// Answers every request with these bytes, and closes the connection.
    async fn answering(answer: &'static str) -> Self {
        Self::new(move |mut stream| async move {
            request(&mut stream).await?;
            stream.write_all(answer.as_bytes()).await
        })
        .await
    }

    fn url(&self) -> String {
        format!("http://receiver.example:{}/hook", self.address.port())
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

/// Reads a request whose body is `{}`.
async fn request(stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) -> io::Result<String> {
    let mut read = Vec::new();
    while !read.ends_with(b"\r\n\r\n{}") {
        if stream.read_buf(&mut read).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(String::from_utf8(read).unwrap())
}
