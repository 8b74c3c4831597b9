//! The password changes while the tasks work.

use std::time::{Duration, Instant};

use axum::http::StatusCode;

use crate::aws::{current, rotate};
use crate::deploy::start;
use crate::docker::{TASKS, address, container, eventually, logs, sql};
use crate::http::Client;
use crate::load::{Load, WORKERS};
use crate::{Stack, ms};

/// How many workers come in addition while the secret is wrong: more than both pools have connections.
const SURGE: usize = 32;
/// No comment can be written for a moment, while everybody goes on trying to.
const WRITERS_WAIT: &str = "begin; lock table comments in share mode; select pg_sleep(0.2); commit";

pub(crate) async fn under_load(stack: Stack) -> String {
    // In earlier scenarios its pool may have grown to all that it can have.
    start(TASKS[0]).await;
    let refused_before = refusals().await;
    let load = Load::start(&stack.author).await;
    let mut surge = None;
    // With the old password, which the database refuses, and the new one, which nobody can know yet.
    rotate(async {
        surge = Some(Load::of(SURGE, &stack.author).await);
        // Who waits keeps a connection: the pools must grow just now, however quick the machine is.
        sql(WRITERS_WAIT).await;
    })
    .await;
    let surge = surge.unwrap().finish().await;
    let report = load.finish().await;
    surge.lost_nothing();
    report.lost_nothing();
    let refused = refusals().await - refused_before;
    assert!(refused > 0, "no connection was opened with the old password: nothing was tried");
    format!("{report}; surge: {surge}; {refused} connections refused meanwhile")
}

/// How often the database has refused the password of the tasks.
async fn refusals() -> usize {
    let role = current().await["username"].as_str().unwrap().to_owned();
    let refusal = format!("password authentication failed for user \"{role}\"");
    logs(&container("postgres")).await.matches(&refusal).count()
}

/// After a rotation every connection of the tasks breaks: the new ones need the new password.
pub(crate) async fn with_lost_connections(stack: Stack) -> String {
    let load = Load::start(&stack.author).await;
    rotate(async {}).await;
    let role = current().await["username"].as_str().unwrap().to_owned();
    let terminate =
        format!("select count(pg_terminate_backend(pid)) from pg_stat_activity where usename = '{role}'");
    let broken = sql(&terminate).await;
    let began = Instant::now();
    for task in TASKS {
        let task = Client::new(&address(task, 8000).await);
        let ready = async || task.get("/ready").await.is_ok_and(|answer| answer.status == StatusCode::OK);
        eventually("/ready with the new password", Duration::from_secs(10), ready).await;
    }
    let recovered = began.elapsed();
    let report = load.finish().await;
    let failures = &report.failures;
    assert!(failures.len() <= WORKERS, "more failed than were in flight: {failures:#?}");
    assert_ne!(broken, "0");
    format!("{report}; {broken} connections broken, both tasks ready {} later", ms(recovered))
}
