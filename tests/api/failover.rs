//! The database goes away, falls silent, is demoted, or is too busy; and comes back.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::json;
use sqlx::{AssertSqlSafe, ConnectOptions, PgConnection};
use tokio::time::timeout;

use crate::support::{Proxy, TestApp};

const POOL: &str = "4";
/// Answers from memory would hide what becomes of the connections.
const UNCACHED: (&str, &str) = ("CACHE_MAX_BYTES", "0");

async fn execute(connection: &mut PgConnection, sql: String) {
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(connection).await.unwrap();
}

/// Packets vanish, as when a primary's host dies: every connection that was open never answers again.
#[tokio::test]
async fn a_pool_whose_peers_fall_silent_becomes_whole_again() {
    let variables = [("DB_MAX_CONNECTIONS", POOL), ("DB_STATEMENT_TIMEOUT", "500ms"), UNCACHED];
    let (app, proxy) = TestApp::start_behind_proxy(&variables).await;
    // Fills the pool.
    drop(join_all((0..4).map(|_| async { app.db.acquire().await.unwrap() })).await);
    proxy.silence();

    let replies = join_all((0..4).map(|_| app.get("/v1/posts").send())).await;
    assert!(replies.iter().all(|reply| reply.status == 503), "nothing else was open to any of them");
    app.get("/health").expect(200).await;

    app.get("/v1/posts").expect(200).await;
    let whole = join_all((0..4).map(|_| async { app.db.acquire().await.unwrap() }));
    let connections = timeout(Duration::from_secs(5), whole).await.expect("every slot is there");
    drop(connections);
    app.get("/ready").expect(200).await;
}

/// The same at full load and with the default timeouts: the primary's host dies, and another one answers
/// under the same name, at once or after a while.
#[tokio::test]
async fn a_silent_failover_is_over_soon_after_the_new_primary_answers() {
    join_all([Duration::ZERO, Duration::from_secs(2)].map(silent_failover)).await;
}

async fn silent_failover(outage: Duration) {
    let (app, proxy) = TestApp::start_behind_proxy(&[UNCACHED]).await;
    drop(join_all((0..10).map(|_| async { app.db.acquire().await.unwrap() })).await);
    proxy.go_silent();
    let answered = async {
        tokio::time::sleep(outage).await;
        proxy.answer();
        Instant::now()
    };
    let recovery = async {
        let replies = async || join_all((0..10).map(|_| app.get("/v1/posts").send())).await;
        while !replies().await.iter().all(|reply| reply.status == 200) {}
        drop(join_all((0..10).map(|_| async { app.db.acquire().await.unwrap() })).await);
        Instant::now()
    };
    let (answered, whole) = futures_util::future::join(answered, recovery).await;
    let took = whole - answered;
    assert!(took < Duration::from_secs(5), "every slot is there {took:?} after the new primary answers");
}

/// Those that rested are asked before they are used, so nobody waits for a statement's whole deadline.
#[tokio::test]
async fn one_silent_connection_gives_away_all_of_its_age() {
    let (app, proxy) = TestApp::start_behind_proxy(&[("DB_MAX_CONNECTIONS", POOL), UNCACHED]).await;
    drop(join_all((0..4).map(|_| async { app.db.acquire().await.unwrap() })).await);
    proxy.silence();
    let first = app.get("/v1/posts");
    let opened = proxy.accepted();
    tokio::time::sleep(Duration::from_millis(1100)).await; // a rest is measured by the system's clock
    timeout(Duration::from_secs(3), first.expect(200)).await.expect("one question, unanswered for a second");
    join_all((0..4).map(|_| app.get("/v1/posts").expect(200))).await;
    assert!(proxy.accepted() > opened);
}

/// A demoted primary keeps its connections and still answers reads.
#[tokio::test]
async fn a_connection_to_a_demoted_primary_is_not_kept() {
    let app = TestApp::start_with(&[UNCACHED]).await;
    let author = app.author().await;
    let database = app.database_name();
    let mut admin = app.admin_options().connect().await.unwrap();
    execute(&mut admin, format!("alter database {database} set default_transaction_read_only = on")).await;
    let end = format!("select pg_terminate_backend(pid) from pg_stat_activity where datname = '{database}'");
    execute(&mut admin, end).await;

    // What was open has ended; each of these finds that out for one connection, or gets a new one.
    while app.get("/v1/posts").send().await.status != 200 {}
    assert_eq!(app.get("/ready").expect(503).await.json()["reason"], "database_read_only");
    let post = json!({"title": "Written", "body": "x"});
    app.post("/v1/posts").by(&author).json(&post).expect_problem(503, "unavailable").await;
    app.get("/v1/posts").expect(200).await;

    execute(&mut admin, format!("alter database {database} reset default_transaction_read_only")).await;
    // The pool still holds a connection of before; the first write gives it away.
    app.post("/v1/posts").by(&author).json(&post).expect_problem(503, "unavailable").await;
    app.post("/v1/posts").by(&author).json(&post).expect(201).await;
    app.get("/ready").expect(200).await;
}

#[tokio::test]
async fn an_exhausted_pool_is_503_in_time_and_never_a_hang() {
    let variables = [("DB_MAX_CONNECTIONS", "1"), ("DB_ACQUIRE_TIMEOUT", "100ms"), UNCACHED];
    let app = TestApp::start_with(&variables).await;
    let held = app.db.acquire().await.unwrap();
    let reply = app.get("/v1/posts").expect_problem(503, "unavailable").await;
    assert_eq!(reply.header("retry-after"), "1");
    drop(held);
    app.get("/v1/posts").expect(200).await;
}

/// The client hangs up while PostgreSQL still works: the answer of one request is never another's.
#[tokio::test]
async fn a_connection_whose_request_was_given_up_is_not_used_again() {
    let app = TestApp::start_with(&[("DB_MAX_CONNECTIONS", "1"), UNCACHED]).await;
    let mut admin = app.admin_options().database(app.database_name()).connect().await.unwrap();
    let pid = async || {
        let mut connection = app.db.acquire().await.unwrap();
        sqlx::query_scalar::<_, i32>("select pg_backend_pid()").fetch_one(&mut connection).await.unwrap()
    };
    let before = pid().await;
    execute(&mut admin, "begin; lock table posts".to_owned()).await;
    let request = app.get("/v1/posts").send();
    let waiting = async {
        // What pg_stat_activity says is the same until the transaction's end.
        let waits = "select count(*) from pg_locks join pg_database on pg_database.oid = database and datname = current_database() where not granted";
        while sqlx::query_scalar::<_, i64>(waits).fetch_one(&mut admin).await.unwrap() == 0 {}
    };
    tokio::select! {
        reply = request => panic!("{reply}"),
        () = waiting => {}
    }
    execute(&mut admin, "commit".to_owned()).await;
    assert_ne!(pid().await, before);
}

/// A transaction that is not committed holds no lock when its request is over.
#[tokio::test]
async fn an_abandoned_transaction_is_rolled_back_at_once() {
    let app = TestApp::start_with(&[("DB_MAX_CONNECTIONS", "1"), UNCACHED]).await;
    let mut transaction = app.db.begin().await.unwrap();
    sqlx::query("lock table posts").execute(&mut *transaction).await.unwrap();
    drop(transaction);
    let mut admin = app.admin_options().database(app.database_name()).connect().await.unwrap();
    timeout(Duration::from_secs(5), execute(&mut admin, "begin; lock table posts; commit".to_owned()))
        .await
        .expect("the lock is free");
    app.get("/v1/posts").expect(200).await;
}

#[tokio::test]
async fn anonymous_reads_go_to_the_reader_and_to_the_writer_while_it_is_down() {
    let (app, writer) = TestApp::start_behind_proxy(&[("DB_READER_HOST", "::1"), UNCACHED]).await;
    // On the writer's port, since only the host differs.
    let reader = Proxy::start(&app.admin_options(), "::1", writer.port).await;
    let author = app.author().await;
    let post = app.post_by(&author).await;
    let opened = writer.accepted();

    join_all((0..8).map(|_| app.get("/v1/posts").expect(200))).await;
    app.get(&format!("/v1/posts/{post}")).expect(200).await;
    app.get(&format!("/v1/posts/{post}/comments")).expect(200).await;
    app.get(&format!("/v1/users/{}", author.id)).expect(200).await;
    assert_eq!(writer.accepted(), opened, "anonymous reads have used the writer");
    let of_reader = reader.accepted();
    assert!((1..=8).contains(&of_reader), "{of_reader}");
    app.get("/v1/posts").by(&author).expect(200).await;
    assert_eq!(reader.accepted(), of_reader, "who is signed in reads from the writer");

    reader.stop().await;
    // A connection that ends in the middle of a request costs that request; after that it is the writer's turn.
    while app.get("/v1/posts").send().await.status != 200 {}
    join_all((0..8).map(|_| app.get("/v1/posts").expect(200))).await;
}
