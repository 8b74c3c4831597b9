//! The password changes while the tasks work.

use std::time::{Duration, Instant};

use axum::http::StatusCode;

use crate::aws::{current, rotate};
use crate::docker::{TASKS, address, eventually, sql};
use crate::http::Client;
use crate::load::{Load, WORKERS};
use crate::{Stack, ms};

pub(crate) async fn under_load(stack: Stack) -> String {
    let load = Load::start(&stack.author).await;
    for _ in 0..3 {
        rotate().await;
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    let report = load.finish().await;
    report.lost_nothing();
    format!("{report}; password changed three times")
}

/// After a rotation every connection of the tasks breaks: the new ones need the new password.
pub(crate) async fn with_lost_connections(stack: Stack) -> String {
    let load = Load::start(&stack.author).await;
    rotate().await;
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
