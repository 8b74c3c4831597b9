//! The docker command line, and the stack of `docker-compose.yml` as a project of the tests' own.

use std::process::{Output, Stdio};
use std::time::Duration;

use tokio::process::Command;

use crate::{OVERRIDE, PROJECT};

pub(crate) const IMAGE: &str = "blog-api";
pub(crate) const TASKS: [&str; 2] = ["api", "api-2"];

/// Runs docker and gives its standard output; panics with what it said when it fails.
pub(crate) async fn docker(args: &[&str]) -> String {
    let output = try_docker(args).await;
    assert!(output.status.success(), "docker {}: {}", args.join(" "), stderr(&output));
    stdout(&output)
}

pub(crate) async fn try_docker(args: &[&str]) -> Output {
    let mut command = Command::new("docker");
    // A random free port, unless a developer has said otherwise for the tests as well.
    command.args(args).env("BLOG_API_PORT", "127.0.0.1:0").stdin(Stdio::null()).kill_on_drop(true);
    command.output().await.unwrap_or_else(|error| panic!("docker cannot be run: {error}"))
}

pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).trim().to_owned()
}

/// `docker compose` on the tests' stack.
pub(crate) async fn compose(args: &[&str]) -> String {
    docker(&with_project(args)).await
}

pub(crate) async fn try_compose(args: &[&str]) -> Output {
    try_docker(&with_project(args)).await
}

fn with_project<'a>(args: &[&'a str]) -> Vec<&'a str> {
    let files = ["-f", "docker-compose.yml", "-f", OVERRIDE];
    [&["compose", "--progress", "quiet", "-p", PROJECT], &files[..], args].concat()
}

/// The address on this machine that leads to a service's port.
pub(crate) async fn address(service: &str, port: u16) -> String {
    compose(&["port", service, &port.to_string()]).await
}

/// The name of a service's container.
pub(crate) fn container(service: &str) -> String {
    format!("{PROJECT}-{service}-1")
}

pub(crate) fn network() -> String {
    format!("{PROJECT}_default")
}

pub(crate) async fn inspect(container: &str, format: &str) -> String {
    docker(&["inspect", "-f", format, container]).await
}

pub(crate) async fn logs(container: &str) -> String {
    let output = try_docker(&["logs", container]).await;
    format!("{}\n{}", stdout(&output), stderr(&output))
}

/// A one-off task with the service's settings but for `changes`, each `NAME=value`; `NAME=` unsets.
pub(crate) async fn run_task(changes: &[&str]) -> Output {
    let mut args = vec!["run", "--rm", "--no-deps", "-T"];
    for change in changes {
        args.extend(["-e", change]);
    }
    args.push("api");
    try_compose(&args).await
}

/// Runs SQL as the superuser.
pub(crate) async fn sql(statement: &str) -> String {
    compose(&["exec", "-T", "postgres", "psql", "-U", "postgres", "-d", "blog", "-qAtc", statement]).await
}

/// Waits until `condition` holds, and fails when it does not within `limit`.
pub(crate) async fn eventually<F>(what: &str, limit: Duration, mut condition: impl FnMut() -> F) -> Duration
where
    F: Future<Output = bool>,
{
    let start = std::time::Instant::now();
    while !condition().await {
        assert!(start.elapsed() < limit, "{what}: not within {limit:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    start.elapsed()
}
