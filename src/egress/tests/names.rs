//! Names: resolved once, all of their addresses checked, and connected to those alone.

use super::*;

const OK: &str = "HTTP/1.1 204 No Content\r\n\r\n";
const LOCAL: &str = "127.0.0.0/8, http";

fn addresses(texts: &[&str]) -> Vec<SocketAddr> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

#[tokio::test]
async fn every_address_of_a_name_has_to_be_global() {
    for of_name in [
        &["10.0.0.1:443"][..],
        &["8.8.8.8:443", "10.0.0.1:443"],
        &["127.0.0.1:443", "8.8.8.8:443"],
        &["[2606:4700:4700::1111]:443", "[::1]:443"],
        &["[::ffff:8.8.8.8]:443"],
        &["169.254.170.2:443"],
    ] {
        let client = client("", &addresses(of_name), LONG);
        let answer = post(&client, "https://receiver.example/").await;
        assert_eq!(answer.unwrap_err(), Failure::AddressRefused, "{of_name:?}");
    }
}

#[tokio::test]
async fn nothing_is_connected_to_a_refused_address() {
    let receiver = Receiver::answering(OK).await;
    let port = receiver.address.port();
    let client = client("10.0.0.0/8, http", &[receiver.address], LONG);
    assert_eq!(post(&client, &receiver.url()).await.unwrap_err(), Failure::AddressRefused);
    let url = format!("https://receiver.example:{port}/");
    assert_eq!(post(&client, &url).await.unwrap_err(), Failure::AddressRefused);
    assert_eq!(receiver.connections(), 0);
}

#[tokio::test]
async fn http_goes_to_networks_that_are_allowed_alone() {
    let receiver = Receiver::answering(OK).await;
    let mixed = [receiver.address, "8.8.8.8:80".parse().unwrap()];
    let mixed = client(LOCAL, &mixed, LONG);
    assert_eq!(post(&mixed, &receiver.url()).await.unwrap_err(), Failure::AddressRefused);
    assert_eq!(receiver.connections(), 0);
    let allowed = client(LOCAL, &[receiver.address], LONG);
    assert_eq!(post(&allowed, &receiver.url()).await.unwrap().status, 204);
}

/// Who answers with another address the second time gets no second time.
#[tokio::test]
async fn a_name_is_resolved_once_for_each_call() {
    let (first, second) = (Receiver::answering(OK).await, Receiver::answering(OK).await);
    let of_name = [first.address, second.address];
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = asked.clone();
    let client = resolving(LOCAL, LONG, move || Ok(vec![of_name[counted.fetch_add(1, Ordering::SeqCst)]]));
    post(&client, &first.url()).await.unwrap();
    assert_eq!((asked.load(Ordering::SeqCst), first.connections(), second.connections()), (1, 1, 0));
    post(&client, &first.url()).await.unwrap();
    assert_eq!((asked.load(Ordering::SeqCst), first.connections(), second.connections()), (2, 1, 1));
}

#[tokio::test]
async fn a_name_is_checked_at_each_call() {
    let receiver = Receiver::answering(OK).await;
    let (calls, address) = (AtomicUsize::new(0), receiver.address);
    let client = resolving(LOCAL, LONG, move || match calls.fetch_add(1, Ordering::SeqCst) {
        0 => Ok(vec![address]),
        _ => Ok(vec!["169.254.170.2:80".parse().unwrap()]),
    });
    let to = client.check(&receiver.url()).unwrap();
    let post = || client.post(&to, HeaderMap::new(), Bytes::from_static(b"{}"));
    assert_eq!(post().await.unwrap().status, 204);
    assert_eq!(post().await.unwrap_err(), Failure::AddressRefused);
}

/// It was allowed when its URL was checked.
#[tokio::test]
async fn a_literal_address_is_checked_at_each_call() {
    let receiver = Receiver::answering(OK).await;
    let url = format!("http://{}/", receiver.address);
    let (before, after) = (client(LOCAL, &[], LONG), client("10.0.0.0/8, http", &[], LONG));
    let to = before.check(&url).unwrap();
    let answer = after.post(&to, HeaderMap::new(), Bytes::from_static(b"{}")).await;
    assert_eq!(answer.unwrap_err(), Failure::AddressRefused);
    assert_eq!(receiver.connections(), 0);
    assert_eq!(post(&before, &url).await.unwrap().status, 204);
}

#[tokio::test]
async fn the_next_address_is_tried_if_one_takes_no_connection() {
    let receiver = Receiver::answering(OK).await;
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let both = client(LOCAL, &[closed, receiver.address], LONG);
    assert_eq!(post(&both, &receiver.url()).await.unwrap().status, 204);
    let alone = client(LOCAL, &[closed], LONG);
    assert_eq!(post(&alone, &receiver.url()).await.unwrap_err(), Failure::ConnectionFailed);
    // Of many, the first four.
    let fourth = client(LOCAL, &[closed, closed, closed, receiver.address], LONG);
    assert_eq!(post(&fourth, &receiver.url()).await.unwrap().status, 204);
    let many = client(LOCAL, &[closed, closed, closed, closed, receiver.address], LONG);
    assert_eq!(post(&many, &receiver.url()).await.unwrap_err(), Failure::ConnectionFailed);
}

#[tokio::test]
async fn a_name_without_an_address_is_unresolved() {
    let none = client("", &[], LONG);
    assert_eq!(post(&none, "https://receiver.example/").await.unwrap_err(), Failure::NameUnresolved);
    let failing = resolving("", LONG, || Err(io::Error::other("NXDOMAIN")));
    assert_eq!(post(&failing, "https://receiver.example/").await.unwrap_err(), Failure::NameUnresolved);
}

#[tokio::test]
async fn a_resolver_that_is_silent_has_a_time_limit() {
    let silent = Box::new(|_: String, _: u16| Box::pin(std::future::pending()) as _);
    let client = Client::with(Allow::default(), RootCertStore::empty(), silent, SHORT);
    assert_eq!(post(&client, "https://receiver.example/").await.unwrap_err(), Failure::Timeout);
}

/// By the machine's own resolver.
#[tokio::test]
async fn localhost_is_refused_unless_it_is_allowed() {
    let receiver = Receiver::answering(OK).await;
    let url = |scheme| format!("{scheme}://localhost:{}/", receiver.address.port());
    let refusing = Client::new(Allow::default());
    assert_eq!(post(&refusing, &url("https")).await.unwrap_err(), Failure::AddressRefused);
    assert_eq!(receiver.connections(), 0);
    let allowing = Client::new(allow("127.0.0.0/8, ::1, http"));
    assert_eq!(post(&allowing, &url("http")).await.unwrap().status, 204);
}
