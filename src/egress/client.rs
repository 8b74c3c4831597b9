//! The client: names, addresses, TLS and time-outs.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::header::{CONNECTION, HOST};
use axum::http::{HeaderMap, HeaderValue, Method, Request};
use futures_util::future::BoxFuture;
use http_body_util::Full;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::client::Resumption;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::{self, ClientConfig, RootCertStore};

use super::address::is_reachable;
use super::answer::Answer;
use super::connection::{connect, exchange};
use super::destination::{Destination, Refusal};
use super::failure::Failure;
use crate::config::egress::Allow;

/// How long each may take: the name, the connection, TLS, and the answer's body.
const STEP_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a call may take until the head of the answer.
const CALL_TIMEOUT: Duration = Duration::from_secs(15);

/// Finds the addresses of a host and a port.
pub(super) type Resolve =
    dyn Fn(String, u16) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> + Send + Sync;

/// Makes calls to addresses that users named. Clones share what is in it.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    allow: Allow,
    resolve: Box<Resolve>,
    tls: TlsConnector,
    limits: Limits,
}

#[derive(Clone, Copy)]
pub(super) struct Limits {
    pub(super) step: Duration,
    pub(super) call: Duration,
}

impl Client {
    /// Certificates have to come from the public authorities.
    #[must_use]
    pub fn new(allow: Allow) -> Self {
        let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        let resolve = |host: String, port| -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> {
            Box::pin(async move { Ok(lookup_host((host, port)).await?.collect()) })
        };
        Self::with(allow, roots, Box::new(resolve), Limits { step: STEP_TIMEOUT, call: CALL_TIMEOUT })
    }

    pub(super) fn with(allow: Allow, roots: RootCertStore, resolve: Box<Resolve>, limits: Limits) -> Self {
        let tls = TlsConnector::from(Arc::new(tls(roots)));
        Self(Arc::new(Inner { allow, resolve, tls, limits }))
    }

    /// Everything that can be said of a URL without resolving its name.
    pub fn check(&self, url: &str) -> Result<Destination, Refusal> {
        Destination::new(url, &self.0.allow)
    }

    /// One `POST`, and no second attempt. `headers` need no `Host` and no `Content-Length`. Every status is an
    /// answer, that of a redirect too.
    pub async fn post(&self, to: &Destination, headers: HeaderMap, body: Bytes) -> Result<Answer, Failure> {
        let Inner { tls, limits, .. } = &*self.0;
        let end = Instant::now() + limits.call;
        let addresses = self.step(end, self.addresses(to)).await??;
        let stream = self.step(end, connect(&addresses, limits.step)).await??;
        let request = request(to, headers, body);
        if !to.is_encrypted() {
            return exchange(stream, request, end, limits.step).await;
        }
        let stream = self.step(end, encrypt(tls, to, stream)).await??;
        exchange(stream, request, end, limits.step).await
    }

    async fn step<T>(&self, end: Instant, step: impl Future<Output = T>) -> Result<T, Failure> {
        let end = end.min(Instant::now() + self.0.limits.step);
        timeout_at(end, step).await.map_err(|_elapsed| Failure::Timeout)
    }

    /// The addresses of the name, asked for once, if each of them may be reached. What is allowed may have changed
    /// since the URL was checked, so that of an address is looked at again.
    async fn addresses(&self, to: &Destination) -> Result<Vec<SocketAddr>, Failure> {
        let addresses = match to.literal() {
            Some(address) => vec![SocketAddr::new(address, to.port())],
            None => (self.0.resolve)(to.name(), to.port()).await.map_err(|_| Failure::NameUnresolved)?,
        };
        if addresses.is_empty() {
            return Err(Failure::NameUnresolved);
        }
        // If one of several is refused, so is the name: whoever mixes them hopes for one of the others.
        let may_reach = |address: &SocketAddr| is_reachable(address.ip(), to.is_encrypted(), &self.0.allow);
        if addresses.iter().all(may_reach) { Ok(addresses) } else { Err(Failure::AddressRefused) }
    }
}

/// TLS 1.2 or 1.3 with HTTP/1.1. Nothing is kept from one connection to another.
fn tls(roots: RootCertStore) -> ClientConfig {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    #[expect(
        clippy::expect_used,
        reason = "the provider is in the binary, so it holds at every start or at none"
    )]
    let builder = builder.expect("the provider has cipher suites of both versions");
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config.resumption = Resumption::disabled();
    config
}

async fn encrypt(
    tls: &TlsConnector,
    to: &Destination,
    stream: TcpStream,
) -> Result<tokio_rustls::client::TlsStream<TcpStream>, Failure> {
    tls.connect(to.server.clone(), stream).await.map_err(|error| {
        let cause = error.get_ref().and_then(|cause| cause.downcast_ref());
        match cause {
            Some(rustls::Error::InvalidCertificate(_)) => Failure::CertificateRefused,
            _ => Failure::TlsFailed,
        }
    })
}

fn request(to: &Destination, headers: HeaderMap, body: Bytes) -> Request<Full<Bytes>> {
    let mut request = Request::new(Full::new(body));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = to.target.clone();
    *request.headers_mut() = headers;
    request.headers_mut().insert(HOST, to.authority.clone());
    request.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    request
}
