//! The real image, in the stack of `docker-compose.yml`: what happens to it in production happens to it here.
//! `make test-container`, or `make test-container ARGS=rotation` for the scenarios with that in their name.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod aws;
mod boot;
mod deploy;
mod docker;
mod health;
mod http;
mod image;
mod load;
mod mail;
mod media;
mod rotation;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use futures_util::future::BoxFuture;
use serde_json::json;

use crate::docker::{address, compose, stderr, try_docker};
use crate::http::Client;

/// Its containers, network and volumes bear this name, so that a developer's stack is left alone.
const PROJECT: &str = "blog-api-test";
const OVERRIDE: &str = "tests/container/compose.yml";

/// The stack, up: its load balancer, and an author who has signed in through it.
#[derive(Clone)]
struct Stack {
    author: Client,
}

/// Panics when it fails; else a line of figures. Leaves the stack whole for the next.
type Scenario = fn(Stack) -> BoxFuture<'static, String>;

macro_rules! scenarios {
    ($($name:literal: $function:path,)*) => {
        [$(($name, (|stack| Box::pin($function(stack))) as Scenario)),*]
    };
}

#[tokio::main]
async fn main() -> ExitCode {
    let filter = std::env::args().nth(1).unwrap_or_default();
    let mut scenarios = scenarios! {
        "image": image::holds_the_binary_and_nothing_else,
        "name resolution": image::resolves_names,
        "hardening": image::runs_without_privileges,
        "boot from Secrets Manager": boot::takes_its_credentials_from_secrets_manager,
        "boot failures": boot::says_what_is_wrong,
        "boot time": boot::is_quick,
        "mail by SES": mail::is_handed_to_ses,
        "media in S3": media::is_kept_in_s3,
        "health check": health::check_turns,
        "database outage": health::outage_of_the_database,
        "SIGTERM under load": deploy::sigterm,
        "rolling replacement under load": deploy::rolling_replacement,
        "rotation under load": rotation::under_load,
        "rotation and lost connections": rotation::with_lost_connections,
        "kill -9 under load": deploy::kill,
    }
    .to_vec();
    scenarios.retain(|(name, _)| name.contains(&filter));
    if scenarios.is_empty() {
        eprintln!("no scenario has {filter:?} in its name");
        return ExitCode::FAILURE;
    }
    if let Err(missing) = prerequisites().await {
        eprintln!("{missing}");
        return ExitCode::FAILURE;
    }
    let mut failed = 0;
    match tokio::spawn(up()).await {
        Ok(stack) => {
            for (name, scenario) in scenarios {
                let start = Instant::now();
                // A task of its own, so that its panic is this scenario's failure.
                let result = tokio::spawn(scenario(stack.clone())).await;
                let took = start.elapsed().as_secs();
                match result {
                    Ok(figures) => println!("ok      {name}: {figures} ({took} s)"),
                    Err(error) => {
                        failed += 1;
                        // Again, because a backtrace may stand between this line and the message.
                        println!("FAILED  {name} ({took} s): {}", panic_message(error));
                    }
                }
            }
        }
        Err(_panic) => failed = 1,
    }
    if failed > 0 {
        eprintln!("--- the tasks' last words");
        eprintln!("{}", compose(&["logs", "--tail", "20", "migrate", "api", "api-2"]).await);
    }
    compose(&["down", "-v"]).await;
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Docker, and every image of the stack.
async fn prerequisites() -> Result<(), String> {
    for (args, mend) in [
        (
            &["version"][..],
            "install Docker Engine 20.10 or newer (docs.docker.com/engine/install) and start it",
        ),
        (
            &["compose", "version"],
            "install the Compose plugin, 2.24 or newer (docs.docker.com/compose/install)",
        ),
    ] {
        let output = try_docker(args).await;
        if !output.status.success() {
            return Err(format!("docker {}: {}\n{mend}", args.join(" "), stderr(&output)));
        }
    }
    for image in compose(&["config", "--images"]).await.lines() {
        if try_docker(&["image", "inspect", image]).await.status.success() {
            continue;
        }
        let mend = if image == docker::IMAGE { "make image" } else { "docker pull" };
        if image == docker::IMAGE || !try_docker(&["pull", "-q", image]).await.status.success() {
            return Err(format!("the image {image} is not here: {mend} {image}"));
        }
    }
    Ok(())
}

async fn up() -> Stack {
    compose(&["down", "-v"]).await;
    compose(&["up", "--wait", "--no-build"]).await;
    let client = Client::new(&address("alb", 8000).await);
    let user = json!({"username": "ada", "email": "ada@example.com", "password": "correct horse battery"});
    assert_eq!(client.post("/v1/users", &user).await.unwrap().status, StatusCode::CREATED);
    let session = json!({"email": user["email"], "password": user["password"]});
    let session = client.post("/v1/sessions", &session).await.unwrap();
    Stack { author: client.with_token(session.json["token"].as_str().unwrap()) }
}

fn panic_message(error: tokio::task::JoinError) -> String {
    let payload = error.into_panic();
    let text = payload.downcast_ref::<String>().cloned();
    text.or_else(|| payload.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
}

/// The figure of a duration in a summary.
fn ms(duration: Duration) -> String {
    format!("{} ms", duration.as_millis())
}
