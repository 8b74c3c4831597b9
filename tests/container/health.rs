//! What the health checks see: docker's own, the load balancer's `/health`, and `/ready`.

use std::time::Duration;

use axum::http::StatusCode;

use crate::aws::healthy_target;
use crate::docker::{IMAGE, TASKS, address, compose, container, docker, eventually, inspect};
use crate::http::Client;
use crate::{Stack, ms};

pub(crate) async fn check_turns(_: Stack) -> String {
    // The image's own check, only more often, on a process that needs nothing: the database may be away.
    let id = docker(&[
        "run",
        "-d",
        "--read-only",
        "--health-interval=1s",
        "--health-retries=2",
        "-e",
        "MIGRATE_ON_START=false",
        "-e",
        "DATABASE_URL=postgres://nobody@127.0.0.1:1/none",
        IMAGE,
    ])
    .await;
    let turns = async |status: &str| {
        let is_so = async || inspect(&id, "{{.State.Health.Status}}").await == status;
        eventually(&format!("the container is {status}"), Duration::from_secs(45), is_so).await
    };
    let healthy = turns("healthy").await;
    docker(&["kill", "-s", "STOP", &id]).await;
    let unhealthy = turns("unhealthy").await;
    docker(&["kill", "-s", "CONT", &id]).await;
    let again = turns("healthy").await;
    docker(&["rm", "-f", &id]).await;
    format!(
        "healthy after {}, stopped in its tracks unhealthy after {}, going on healthy after {}",
        ms(healthy),
        ms(unhealthy),
        ms(again)
    )
}

pub(crate) async fn outage_of_the_database(stack: Stack) -> String {
    let mut tasks = Vec::new();
    for task in TASKS {
        tasks.push(Client::new(&address(task, 8000).await));
    }
    compose(&["stop", "postgres"]).await;
    for task in &tasks {
        let ready = task.get("/ready").await.unwrap();
        assert_eq!(ready.status, StatusCode::SERVICE_UNAVAILABLE, "{ready:?}");
        assert_eq!(ready.json["reason"], "database_unreachable", "{ready:?}");
    }
    let refused = stack.author.get("/v1/posts").await.unwrap();
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE, "{refused:?}");
    // Longer than any of the checks needs to condemn a task.
    tokio::time::sleep(Duration::from_secs(12)).await;
    for (name, task) in TASKS.iter().zip(&tasks) {
        let health = task.get("/health").await.unwrap();
        assert_eq!((health.status, &health.json["status"]), (StatusCode::OK, &"ok".into()));
        assert_eq!(
            inspect(&container(name), "{{.State.Health.Status}} {{.RestartCount}}").await,
            "healthy 0"
        );
        healthy_target(name).await;
    }
    compose(&["start", "postgres"]).await;
    let all_ready = async || {
        for task in &tasks {
            if !task.get("/ready").await.is_ok_and(|answer| answer.status == StatusCode::OK) {
                return false;
            }
        }
        true
    };
    let recovered = eventually("/ready after the outage", Duration::from_secs(30), all_ready).await;
    assert_eq!(stack.author.get("/v1/posts").await.unwrap().status, StatusCode::OK);
    format!(
        "/health stays 200, /ready 503, no task condemned; ready {} after the start of the database",
        ms(recovered)
    )
}
