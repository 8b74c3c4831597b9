//! A task that starts while it cannot work yet.

use std::time::{Duration, Instant};

use crate::docker::{compose, docker, eventually, inspect, sql, try_docker};
use crate::http::Client;
use crate::stage::Stage;

/// As on ECS, a task that waits for another's migrations lives, and ends when it is told to.
pub(crate) async fn while_another_migrates(_: Stage) -> String {
    let lock = "select pg_advisory_lock(hashtext('blog-api migrations')), pg_sleep(30)";
    let holder = tokio::spawn(sql(lock));
    let held =
        async || sql("select count(*) from pg_locks where locktype = 'advisory' and granted").await != "0";
    eventually("the lock is held", Duration::from_secs(10), held).await;
    let name = "blog-api-abuse-waiting";
    let _unless_there = try_docker(&["rm", "-f", name]).await;
    compose(&[
        "run",
        "-d",
        "--no-deps",
        "--name",
        name,
        "-e",
        "MIGRATE_ON_START=true",
        "-p",
        "127.0.0.1::8000",
        "api",
    ])
    .await;
    let started = Instant::now();
    let client = Client::new(&docker(&["port", name, "8000"]).await, "192.0.2.99");
    let alive = async || client.get("/health").await.status == 200;
    let answered = eventually("/health while another migrates", Duration::from_secs(2), alive).await;
    let stopping = Instant::now();
    docker(&["stop", "-t", "10", name]).await;
    let stopped = stopping.elapsed();
    let code = inspect(name, "{{.State.ExitCode}}").await;
    docker(&["rm", "-f", name]).await;
    holder.abort();
    sql("select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory'").await;
    assert_eq!(code, "0", "the exit code after SIGTERM, {} ms later", stopped.as_millis());
    assert!(stopped < Duration::from_secs(3), "SIGTERM took {} ms", stopped.as_millis());
    format!("/health {} ms, end {} ms, {:?}", answered.as_millis(), stopped.as_millis(), started.elapsed())
}
