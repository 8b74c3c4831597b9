//! Tasks that go and tasks that come, under load.

use std::time::{Duration, Instant};

use crate::Stack;
use crate::aws::{deregister, healthy_target, register};
use crate::docker::{TASKS, compose, container, docker, inspect};
use crate::load::{Load, WORKERS};

/// What AWS takes to spread the news that a task is deregistered, during which requests still come to it.
const DEREGISTRATION_LAG: Duration = Duration::from_secs(2);

/// Stops a task as ECS does: the signal and the deregistration go out at once, and the signal is first.
async fn stop(task: &'static str) {
    let stopped = tokio::spawn(async move { compose(&["stop", task]).await });
    tokio::time::sleep(DEREGISTRATION_LAG).await;
    deregister(task).await;
    stopped.await.unwrap();
    assert_eq!(inspect(&container(task), "{{.State.ExitCode}}").await, "0", "{task} did not finish in order");
}

pub(crate) async fn start(task: &str) {
    compose(&["up", "--wait", "--no-deps", "--no-build", "--force-recreate", task]).await;
    register(task).await;
}

pub(crate) async fn sigterm(stack: Stack) -> String {
    let load = Load::start(&stack.author).await;
    let began = Instant::now();
    stop("api").await;
    let drained = began.elapsed();
    let report = load.finish().await;
    start("api").await;
    report.lost_nothing();
    format!("{report}; exit code 0 after {} s", drained.as_secs())
}

pub(crate) async fn rolling_replacement(stack: Stack) -> String {
    let load = Load::start(&stack.author).await;
    for task in TASKS {
        let old = inspect(&container(task), "{{.Id}}").await;
        stop(task).await;
        start(task).await;
        assert_ne!(inspect(&container(task), "{{.Id}}").await, old);
    }
    let report = load.finish().await;
    report.lost_nothing();
    format!("{report}; both tasks replaced")
}

pub(crate) async fn kill(stack: Stack) -> String {
    let load = Load::start(&stack.author).await;
    docker(&["kill", "-s", "KILL", &container("api-2")]).await;
    let killed = Instant::now();
    tokio::time::sleep(Duration::from_secs(5)).await;
    let report = load.finish().await;
    compose(&["up", "--wait", "--no-deps", "--no-build", "api-2"]).await;
    healthy_target("api-2").await;
    let failures = &report.failures;
    assert!(failures.len() <= WORKERS, "more failed than were in flight: {failures:#?}");
    let late = failures.iter().filter(|failure| failure.at > killed + Duration::from_secs(1)).count();
    assert_eq!(late, 0, "requests after the death of the task failed: {failures:#?}");
    format!("{report}; {WORKERS} in flight at most")
}
