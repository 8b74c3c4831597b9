//! TLS with an authority of the tests' own.

use std::net::IpAddr;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{HandshakeKind, ServerConfig};

use super::*;

struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap().der().clone();
        Self { issuer: Issuer::new(params, key), certificate }
    }

    /// What a receiver of this name shows; `change` makes it another certificate than it should be.
    fn acceptor(&self, name: &str, change: impl Fn(&mut CertificateParams)) -> TlsAcceptor {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        change(&mut params);
        let certificate = params.signed_by(&key, &self.issuer).unwrap().der().clone();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_protocol_versions(&[&TLS12, &TLS13])
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        TlsAcceptor::from(Arc::new(config))
    }

    fn client(&self, addresses: &[SocketAddr], limits: Limits) -> Client {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone()).unwrap();
        let addresses = addresses.to_vec();
        let resolve = Box::new(move |_: String, _: u16| {
            let addresses = addresses.clone();
            Box::pin(async move { Ok(addresses) }) as _
        });
        Client::with(allow("127.0.0.0/8"), roots, resolve, limits)
    }
}

/// Answers by the name that the client has asked for: 200 for `receiver.example`, 201 without one.
async fn receiver(acceptor: TlsAcceptor) -> Receiver {
    Receiver::new(move |stream| {
        let acceptor = acceptor.clone();
        async move {
            let mut stream = acceptor.accept(stream).await?;
            let (_, session) = stream.get_ref();
            assert_eq!(session.alpn_protocol(), Some(&b"http/1.1"[..]));
            let answer = match session.server_name() {
                Some("receiver.example") => "HTTP/1.1 200 OK\r\n\r\n",
                None => "HTTP/1.1 201 Created\r\n\r\n",
                Some(_) => "HTTP/1.1 500 Another name\r\n\r\n",
            };
            request(&mut stream).await?;
            stream.write_all(answer.as_bytes()).await?;
            stream.shutdown().await
        }
    })
    .await
}

async fn called(client: &Client, host: &str, receiver: &Receiver) -> Result<u16, Failure> {
    let url = format!("https://{host}:{}/hook", receiver.address.port());
    post(client, &url).await.map(|answer| answer.status.as_u16())
}

#[tokio::test]
async fn the_certificate_is_for_the_name_of_the_url() {
    let authority = Authority::new();
    let receiver = receiver(authority.acceptor("receiver.example", |_| {})).await;
    let client = authority.client(&[receiver.address], LONG);
    assert_eq!(called(&client, "receiver.example", &receiver).await, Ok(200));
    assert_eq!(called(&client, "Receiver.EXAMPLE.", &receiver).await, Ok(200));
    for other in ["other.example", "a.receiver.example", "127.0.0.1"] {
        assert_eq!(called(&client, other, &receiver).await, Err(Failure::CertificateRefused), "{other}");
    }
}

#[tokio::test]
async fn an_address_has_a_certificate_of_its_own() {
    let authority = Authority::new();
    let receiver = receiver(authority.acceptor("127.0.0.1", |_| {})).await;
    let client = authority.client(&[receiver.address], LONG);
    assert_eq!(called(&client, "127.0.0.1", &receiver).await, Ok(201));
    assert_eq!(called(&client, "0x7f.1", &receiver).await, Ok(201));
    // The name leads there, but the certificate is that of the address.
    assert_eq!(called(&client, "receiver.example", &receiver).await, Err(Failure::CertificateRefused));
}

#[tokio::test]
async fn a_certificate_has_to_be_trusted_and_in_time() {
    let authority = Authority::new();
    let of_another = receiver(Authority::new().acceptor("receiver.example", |_| {})).await;
    let expired = authority.acceptor("receiver.example", |params| {
        params.not_after = rcgen::date_time_ymd(2020, 1, 1);
    });
    let early = authority.acceptor("receiver.example", |params| {
        params.not_before = rcgen::date_time_ymd(4000, 1, 1);
    });
    for receiver in [of_another, receiver(expired).await, receiver(early).await] {
        let client = authority.client(&[receiver.address], LONG);
        let answer = called(&client, "receiver.example", &receiver).await;
        assert_eq!(answer, Err(Failure::CertificateRefused));
    }
    // The public authorities know nothing of this one.
    let receiver = receiver(authority.acceptor("127.0.0.1", |_| {})).await;
    let public = Client::new(allow("127.0.0.0/8"));
    assert_eq!(called(&public, "127.0.0.1", &receiver).await, Err(Failure::CertificateRefused));
}

/// What is kept of a session would tell a receiver that two calls come from the same client.
#[tokio::test]
async fn no_session_is_resumed() {
    let authority = Authority::new();
    let acceptor = authority.acceptor("receiver.example", |_| {});
    let (seen, mut handshakes) = tokio::sync::mpsc::unbounded_channel();
    let receiver = Receiver::new(move |stream| {
        let (acceptor, seen) = (acceptor.clone(), seen.clone());
        async move {
            let mut stream = acceptor.accept(stream).await?;
            seen.send(stream.get_ref().1.handshake_kind()).unwrap();
            request(&mut stream).await?;
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
            stream.shutdown().await
        }
    })
    .await;
    let client = authority.client(&[receiver.address], LONG);
    for _ in 0..2 {
        assert_eq!(called(&client, "receiver.example", &receiver).await, Ok(200));
        assert_eq!(handshakes.recv().await, Some(Some(HandshakeKind::Full)));
    }
}

#[tokio::test]
async fn who_speaks_no_tls_gets_nothing() {
    let authority = Authority::new();
    let plain = Receiver::new(|mut stream| async move {
        let mut read = Vec::new();
        stream.read_buf(&mut read).await?;
        assert_eq!(read.first(), Some(&22), "a record of a handshake, and no request");
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await
    })
    .await;
    let closing = Receiver::new(|stream| async move { stream.set_zero_linger() }).await;
    for receiver in [&plain, &closing] {
        let client = authority.client(&[receiver.address], LONG);
        assert_eq!(called(&client, "receiver.example", receiver).await, Err(Failure::TlsFailed));
    }
    let silent = Receiver::new(|stream| async move {
        let _open = stream;
        std::future::pending().await
    })
    .await;
    let client = authority.client(&[silent.address], SHORT);
    assert_eq!(called(&client, "receiver.example", &silent).await, Err(Failure::Timeout));
}

#[tokio::test]
async fn an_address_of_ipv6_is_written_in_brackets() {
    let Ok(listener) = TcpListener::bind("[::1]:0").await else {
        return; // No IPv6 on this machine.
    };
    let acceptor = Authority::new();
    let tls = acceptor.acceptor("::1", |_| {});
    let address = listener.local_addr().unwrap();
    assert_eq!(address.ip(), "::1".parse::<IpAddr>().unwrap());
    tokio::spawn(async move {
        let mut stream = tls.accept(listener.accept().await?.0).await?;
        let request = request(&mut stream).await?;
        let host = format!("\r\nhost: [::1]:{}\r\n", address.port());
        assert!(request.contains(&host), "{request}");
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await
    });
    let mut roots = RootCertStore::empty();
    roots.add(acceptor.certificate.clone()).unwrap();
    let unused = Box::new(|_: String, _: u16| unreachable!("an address is not resolved"));
    let client = Client::with(allow("::1"), roots, unused, LONG);
    let answer = post(&client, &format!("https://[::1]:{}/", address.port())).await;
    assert_eq!(answer.unwrap().status, 200);
}
