//! SIGTERM, in the middle of everything: what was begun is finished, nothing hangs, and the exit code tells.

use std::future::pending;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::{Duration, Instant};

use axum::Router;
use blog_api::lifecycle::Lifecycle;
use blog_api::server::{self, PROGRESS_WINDOW, ServerPolicy, ShutdownSignal};
use nix::sys::signal::Signal;
use sqlx::{ConnectOptions, PgConnection};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{Process, TestApp, TestDatabase, read_answer};

/// Far more than any of these tests takes, so that one that waits for it is noticed.
const TIMEOUT: &str = "60s";

fn start(database: &TestDatabase, variables: &[(&str, &str)]) -> Process {
    let mut command = Command::new(env!("CARGO_BIN_EXE_blog-api"));
    command.env_clear().envs([("DATABASE_URL", &*database.url()), ("PORT", "0"), ("METRICS_PORT", "0")]);
    command.env("SHUTDOWN_TIMEOUT", TIMEOUT).envs(variables.iter().copied());
    Process::start(&mut command)
}

/// Ends at once, and not after `TIMEOUT`.
fn assert_exits(mut process: Process, code: i32) {
    let started = Instant::now();
    assert_eq!(process.exit_code(), Some(code), "{}", process.log());
    assert!(started.elapsed() < Duration::from_secs(30), "it has waited for its deadline");
}

/// Waits until connections are refused.
fn wait_until_closed(process: &Process) {
    while TcpStream::connect(&process.address).is_ok() {
        std::thread::yield_now();
    }
}

/// A lock that makes lists of posts wait, until it is dropped.
async fn lock_posts(database: &TestDatabase) -> PgConnection {
    let mut admin = database.options.connect().await.unwrap();
    sqlx::raw_sql("begin; lock table posts").execute(&mut admin).await.unwrap();
    admin
}

/// A request for posts that waits for the lock, on a connection that is kept alive.
async fn begin_request(process: &Process, admin: &mut PgConnection) -> TcpStream {
    let mut stream = process.connect();
    stream.write_all(b"GET /v1/posts HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    // What pg_stat_activity says is the same until the transaction's end.
    let waits = "select count(*) from pg_locks join pg_database on pg_database.oid = database and datname = current_database() where not granted";
    while sqlx::query_scalar::<_, i64>(waits).fetch_one(&mut *admin).await.unwrap() == 0 {}
    stream
}

#[tokio::test]
async fn a_running_request_is_finished() {
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let database = TestDatabase::create().await;
        let process = start(&database, &[]);
        let mut admin = lock_posts(&database).await;
        let mut running = begin_request(&process, &mut admin).await;
        process.signal(signal);
        wait_until_closed(&process);
        drop(admin);
        let (status, body) = read_answer(&mut running);
        assert_eq!(status, 200, "{body}");
        assert_exits(process, 0);
    }
}

/// Longer than anything that is idle is waited for, and than the health checks need to condemn the task.
#[tokio::test]
async fn a_request_of_ten_seconds_is_finished() {
    let database = TestDatabase::create().await;
    let process = start(&database, &[("DB_STATEMENT_TIMEOUT", "15s")]);
    let mut admin = lock_posts(&database).await;
    let mut running = begin_request(&process, &mut admin).await;
    let began = Instant::now();
    process.signal(Signal::SIGTERM);
    wait_until_closed(&process);
    tokio::time::sleep(Duration::from_secs(10)).await; // the service has no clock for this but the system's
    drop(admin);
    let (status, body) = read_answer(&mut running);
    assert_eq!(status, 200, "{body}");
    assert!(began.elapsed() >= Duration::from_secs(10));
    assert_exits(process, 0);
}

#[tokio::test]
async fn a_request_that_outlasts_the_deadline_is_cut_off_and_the_exit_code_says_so() {
    let database = TestDatabase::create().await;
    let process = start(&database, &[("SHUTDOWN_TIMEOUT", "300ms")]);
    let mut admin = lock_posts(&database).await;
    let _running = begin_request(&process, &mut admin).await;
    process.signal(Signal::SIGTERM);
    assert_exits(process, 1);
}

#[tokio::test]
async fn a_second_and_a_third_signal_mean_now() {
    let database = TestDatabase::create().await;
    let process = start(&database, &[("DRAIN_DELAY", TIMEOUT)]);
    let mut admin = lock_posts(&database).await;
    let _running = begin_request(&process, &mut admin).await;
    process.signal(Signal::SIGTERM);
    while process.get("/ready").0 != 503 {}
    process.signal(Signal::SIGTERM);
    wait_until_closed(&process);
    process.signal(Signal::SIGTERM);
    assert_exits(process, 1);
}

#[tokio::test]
async fn idle_connections_and_half_a_request_head_hold_nothing_up() {
    let database = TestDatabase::create().await;
    let process = start(&database, &[]);
    let _silent = process.connect();
    let mut half = process.connect();
    half.write_all(b"GET /v1/posts HTTP/1.1\r\nHost: loc").unwrap();
    let mut idle = process.connect();
    idle.write_all(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut answer = [0; 12];
    idle.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200");
    process.signal(Signal::SIGTERM);
    assert_exits(process, 0);
}

/// A client that is slow to send its body, and one that is slow to finish its head.
#[tokio::test]
async fn slow_clients_get_their_answers() {
    let database = TestDatabase::create().await;
    let process = start(&database, &[]);
    let body = r#"{"email": "nobody@example.com", "password": "correct horse"}"#;
    let (first, rest) = body.split_at(20);
    // First, so that the service has read of it when it is told to stop.
    let mut slower = process.connect();
    slower.write_all(b"GET /v1/posts HTTP/1.1\r\nHost: loc").unwrap();
    let mut slow = process.connect();
    let head = "POST /v1/sessions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nExpect: 100-continue";
    write!(slow, "{head}\r\nContent-Length: {}\r\n\r\n", body.len()).unwrap();
    // The service asks for the body once it has begun with the request.
    let mut go_on = [0; 25];
    slow.read_exact(&mut go_on).unwrap();
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
    slow.write_all(first.as_bytes()).unwrap();
    process.signal(Signal::SIGTERM);
    wait_until_closed(&process);
    slower.write_all(b"alhost\r\n\r\n").unwrap();
    let (status, body) = read_answer(&mut slower);
    assert_eq!(status, 200, "{body}");
    slow.write_all(rest.as_bytes()).unwrap();
    let (status, body) = read_answer(&mut slow);
    assert_eq!(status, 401, "{body}");
    assert_exits(process, 0);
}

/// While the load balancer still sends requests, they are answered, and asked to go elsewhere.
#[tokio::test]
async fn a_draining_task_answers_and_closes_connections() {
    let database = TestDatabase::create().await;
    let process = start(&database, &[("DRAIN_DELAY", TIMEOUT)]);
    process.signal(Signal::SIGTERM);
    while process.get("/ready").0 != 503 {}
    let (status, body) = process.get("/ready");
    assert_eq!((status, body.contains("draining")), (503, true), "{body}");
    let mut kept = process.connect();
    kept.write_all(b"GET /v1/posts HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut answer = String::new();
    kept.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("\r\nconnection: close\r\n"), "{answer}");
    process.signal(Signal::SIGTERM);
    assert_exits(process, 0);
}

#[tokio::test]
async fn connections_above_the_limit_are_refused_in_words() {
    let app = TestApp::start().await;
    let mut open = Vec::new();
    let refusal = loop {
        let mut stream = tokio::net::TcpStream::connect(app.address).await.unwrap();
        // It is answered, or it is refused unasked.
        stream.write_all(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).await.unwrap();
        if &answer != b"HTTP/1.1 200" {
            break answer;
        }
        open.push(stream);
    };
    assert_eq!(&refusal, b"HTTP/1.1 503");
    assert_eq!(open.len(), 100, "the limit of tests");
    drop(open);
    app.get("/health").expect(200).await;
}

/// Nobody holds a connection for ever with half a request's head, or with none.
#[tokio::test]
async fn who_does_not_finish_a_request_head_is_hung_up_on() {
    let listener = server::listen(0).unwrap();
    let port = listener.local_addr().unwrap().port();
    let policy = ServerPolicy {
        max_connections: 10,
        max_connections_per_address: None,
        progress_window: PROGRESS_WINDOW,
        header_read_timeout: Duration::from_millis(200),
        drain_delay: Duration::ZERO,
        shutdown_timeout: Duration::ZERO,
    };
    let (_stop, shutdown) = ShutdownSignal::channel();
    tokio::spawn(server::serve(listener, Router::new(), Lifecycle::default(), policy, shutdown, pending()));
    for sent in ["", "GET / HTTP/1.1\r\nHost: loc", "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"] {
        let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        stream.write_all(sent.as_bytes()).await.unwrap();
        let mut answer = String::new();
        let hung_up = tokio::time::timeout(Duration::from_secs(5), stream.read_to_string(&mut answer));
        hung_up.await.expect("the connection ends").unwrap();
        let is_whole = sent.ends_with("\r\n\r\n");
        assert_eq!(answer.starts_with("HTTP/1.1 404"), is_whole, "{sent:?}: {answer:?}");
    }
}

/// Whatever it waits for, health is answered, and a signal ends it.
#[tokio::test]
async fn a_task_that_starts_answers_health_and_stops_at_once() {
    let database = TestDatabase::create().await;
    let mut other = database.options.connect().await.unwrap();
    sqlx::raw_sql("select pg_advisory_lock(hashtext('blog-api migrations'))")
        .execute(&mut other)
        .await
        .unwrap();
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = format!("postgres://nobody@{}/none", silent.local_addr().unwrap());
    for url in [database.url(), silent] {
        for signal in [Signal::SIGTERM, Signal::SIGINT] {
            let mut command = Command::new(env!("CARGO_BIN_EXE_blog-api"));
            command.env_clear().envs([("DATABASE_URL", &*url), ("PORT", "0"), ("METRICS_PORT", "0")]);
            let process = Process::start_until(&mut command, "starting on http://");
            let (status, body) = process.get("/health");
            assert_eq!((status, &*body), (200, r#"{"status":"ok"}"#));
            let (status, body) = process.get("/ready");
            assert_eq!((status, &*body), (503, r#"{"status":"unavailable","reason":"starting"}"#));
            let (status, body) = process.get("/v1/posts");
            assert_eq!((status, body.contains("overloaded")), (503, true), "{body}");
            process.signal(signal);
            assert_exits(process, 0);
        }
    }
}

/// It holds neither memory nor a place of its address for ever.
#[tokio::test]
async fn who_does_not_read_is_cut_off_and_its_place_is_free() {
    let listener = server::listen(0).unwrap();
    let port = listener.local_addr().unwrap().port();
    let policy = ServerPolicy {
        max_connections: 10,
        max_connections_per_address: Some(1),
        progress_window: Duration::from_millis(200),
        header_read_timeout: Duration::from_mins(1),
        drain_delay: Duration::ZERO,
        shutdown_timeout: Duration::ZERO,
    };
    let (_stop, shutdown) = ShutdownSignal::channel();
    let routes = Router::new().fallback(async || vec![0_u8; 64 * 1024 * 1024]);
    tokio::spawn(server::serve(listener, routes, Lifecycle::default(), policy, shutdown, pending()));
    let ask = async || {
        let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
        let mut status = [0; 12];
        stream.read_exact(&mut status).await.map(|_| (stream, String::from_utf8_lossy(&status).into_owned()))
    };
    let (_stalled, status) = ask().await.unwrap();
    assert_eq!(status, "HTTP/1.1 200");
    let again = async {
        while !ask().await.is_ok_and(|(_, status)| status == "HTTP/1.1 200") {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), again).await.expect("its place is free");
}
