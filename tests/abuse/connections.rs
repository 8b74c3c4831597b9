//! Connections that are never finished with.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use crate::docker::eventually;
use crate::stage::Stage;

/// A window of progress, and time to notice.
const CUT: Duration = Duration::from_secs(45);
/// Two windows: what fits into the sockets at first counts as taken.
const CUT_SLOW: Duration = Duration::from_secs(75);
/// What a client may take over the head of a request, and time to notice.
const ABANDONED: Duration = Duration::from_secs(85);

/// So many connections from one address that have sent `start`, as far as they are accepted. They take little by
/// themselves.
async fn open(stage: &Stage, count: usize, start: &str) -> Vec<TcpStream> {
    let address = stage.base.parse().unwrap();
    let connect = || async move {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        let mut stream =
            tokio::time::timeout(Duration::from_secs(5), socket.connect(address)).await.ok()?.ok()?;
        stream.write_all(start.as_bytes()).await.ok()?;
        Some(stream)
    };
    join_all((0..count).map(|_| connect())).await.into_iter().flatten().collect()
}

fn get(path: &str, address: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: x\r\nx-forwarded-for: {address}\r\n\r\n")
}

fn ports(streams: &[TcpStream]) -> BTreeSet<u16> {
    streams.iter().map(|stream| stream.local_addr().unwrap().port()).collect()
}

/// How many connections of `clients` the task's kernel has with bytes that nobody has taken.
fn waiting(stage: &Stage, clients: &BTreeSet<u16>) -> usize {
    let table = std::fs::read_to_string(format!("/proc/{}/net/tcp6", stage.pid)).unwrap_or_default();
    let is_waiting = |line: &&str| {
        let fields: Vec<_> = line.split_whitespace().collect();
        let port = fields[2].rsplit(':').next().and_then(|port| u16::from_str_radix(port, 16).ok());
        port.is_some_and(|port| clients.contains(&port)) && !fields[4].starts_with("00000000:")
    };
    table.lines().skip(1).filter(is_waiting).count()
}

/// Reads a byte a second until the connection ends.
async fn trickle(mut stream: TcpStream) {
    while matches!(stream.read(&mut [0]).await, Ok(1)) {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

pub(crate) async fn never_read(stage: Stage) -> String {
    let mut silent = Vec::new();
    for (count, path) in
        [(580, "/docs/swagger-ui-bundle.js"), (250, "/sitemap.xml"), (250, "/v1/posts?limit=100")]
    {
        silent.extend(open(&stage, count, &get(path, "203.0.113.40")).await);
    }
    let (count, clients) = (silent.len(), ports(&silent));
    let most = waiting(&stage, &clients);
    assert!(most > 0, "nothing waits to be read");
    let cut = eventually("all are cut", CUT, async || waiting(&stage, &clients) == 0).await;
    drop(silent);
    format!("{count} connections, {most} with answers, cut after {} s", cut.as_secs())
}

pub(crate) async fn read_slowly(stage: Stage) -> String {
    let slow = open(&stage, 90, &get("/docs/swagger-ui-bundle.js", "203.0.113.42")).await;
    let (count, clients) = (slow.len(), ports(&slow));
    let readers: Vec<_> = slow.into_iter().map(|stream| tokio::spawn(trickle(stream))).collect();
    let cut = eventually("all are cut", CUT_SLOW, async || waiting(&stage, &clients) == 0).await;
    readers.iter().for_each(tokio::task::JoinHandle::abort);
    format!("{count} connections that read a byte a second, cut after {} s", cut.as_secs())
}

pub(crate) async fn never_sent(stage: Stage) -> String {
    let address = "x-forwarded-for: 203.0.113.41";
    let mut streams = open(&stage, 200, &format!("GET / HTTP/1.1\r\nhost: x\r\n{address}")).await;
    let head = format!(
        "POST /v1/sessions HTTP/1.1\r\nhost: x\r\n{address}\r\ncontent-type: application/json\r\n\
         content-length: 1000\r\n\r\n{{"
    );
    streams.extend(open(&stage, 200, &head).await);
    let (count, start) = (streams.len(), Instant::now());
    let ends = streams
        .into_iter()
        .map(|mut stream| async move { while matches!(stream.read(&mut [0; 4096]).await, Ok(1..)) {} });
    let all = tokio::time::timeout(ABANDONED, join_all(ends)).await;
    assert!(all.is_ok(), "connections were still open after {ABANDONED:?}");
    format!("{count} connections, closed after {} s", start.elapsed().as_secs())
}

/// All at once, since most of it is waiting.
pub(crate) async fn unfinished(stage: Stage) -> String {
    let all = [
        tokio::spawn(never_read(stage.clone())),
        tokio::spawn(read_slowly(stage.clone())),
        tokio::spawn(never_sent(stage)),
    ];
    join_all(all).await.into_iter().map(Result::unwrap).collect::<Vec<_>>().join("; ")
}
