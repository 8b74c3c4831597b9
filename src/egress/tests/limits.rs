//! Time limits: of each step, of the call, and the share of each address.

use tokio::net::TcpSocket;
use tokio::time::timeout;

use super::*;

const LOCAL: &str = "127.0.0.0/8, http";
/// Long enough for what is done before.
const SOON: Duration = Duration::from_secs(1);
/// Only the limit of a step can end a call.
const STEP: Limits = Limits { step: SOON, ..LONG };
/// Only the limit of the call can.
const CALL: Limits = Limits { call: SOON, ..LONG };

/// Fails if another limit than the short one ends the call.
async fn called(client: &Client, url: &str) -> Result<Answer, Failure> {
    timeout(LONG.step / 2, Box::pin(post(client, url))).await.expect("the short limit ends it")
}

/// Takes connections, writes `answer` after a request without TLS, and keeps them open.
async fn stopping(answer: &'static str) -> Receiver {
    Receiver::new(move |mut stream| async move {
        if !answer.is_empty() {
            request(&mut stream).await?;
            stream.write_all(answer.as_bytes()).await?;
        }
        std::future::pending().await
    })
    .await
}

/// An address that leaves connections without an answer: the listener has one that it has not taken, and room for no
/// other.
async fn silent() -> (SocketAddr, impl Sized) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(0).unwrap();
    let address = listener.local_addr().unwrap();
    let waiting = TcpStream::connect(address).await.unwrap();
    (address, (listener, waiting))
}

/// At each step somebody is silent.
async fn all_end(limits: Limits) {
    let unresolved = Box::new(|_: String, _: u16| Box::pin(std::future::pending()) as _);
    let unresolved = Client::with(allow(LOCAL), RootCertStore::empty(), unresolved, limits);
    let (address, _open) = silent().await;
    let unconnected = client(LOCAL, &[address], limits);
    let without_tls = client(LOCAL, &[stopping("").await.address], limits);
    let without_body = stopping("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n").await;
    let without_body = client(LOCAL, &[without_body.address], limits);
    let (unresolved, unconnected, without_tls, without_body) = tokio::join!(
        called(&unresolved, "http://receiver.example/"),
        called(&unconnected, "http://receiver.example/"),
        called(&without_tls, "https://receiver.example/"),
        called(&without_body, "http://receiver.example/"),
    );
    for answer in [unresolved, unconnected, without_tls] {
        assert_eq!(answer.unwrap_err(), Failure::Timeout);
    }
    // The status is known, and the body is not waited for.
    assert_eq!(without_body.unwrap().status, 200);
}

#[tokio::test]
async fn each_step_has_a_limit() {
    all_end(STEP).await;
}

#[tokio::test]
async fn a_call_has_a_limit() {
    all_end(CALL).await;
    let without_head = client(LOCAL, &[stopping("HTTP/1.1 200 OK\r\n").await.address], CALL);
    assert_eq!(called(&without_head, "http://receiver.example/").await.unwrap_err(), Failure::Timeout);
}

/// A receiver does its work before it answers.
#[tokio::test]
async fn a_head_may_take_longer_than_a_step() {
    let slow = Receiver::new(|mut stream| async move {
        request(&mut stream).await?;
        tokio::time::sleep(SOON * 3 / 2).await;
        stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await
    })
    .await;
    assert_eq!(called(&client(LOCAL, &[slow.address], STEP), &slow.url()).await.unwrap().status, 204);
}

#[tokio::test]
async fn a_silent_address_leaves_time_for_the_next() {
    let receiver = Receiver::answering("HTTP/1.1 204 No Content\r\n\r\n").await;
    let (silent, _open) = silent().await;
    let both = client(LOCAL, &[silent, receiver.address], STEP);
    assert_eq!(called(&both, &receiver.url()).await.unwrap().status, 204);
    // The last address says what it was.
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    for (of_name, failure) in
        [([closed, silent], Failure::Timeout), ([silent, closed], Failure::ConnectionFailed)]
    {
        let client = client(LOCAL, &of_name, STEP);
        assert_eq!(called(&client, "http://receiver.example/").await.unwrap_err(), failure);
    }
}
