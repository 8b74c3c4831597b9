//! What AWS does to the tasks: rotates their secret, registers and deregisters them at the load balancer.

use std::time::Duration;

use axum::body::Bytes;
use axum::http::Method;
use serde_json::{Value, json};

use crate::docker::{address, compose, eventually, sql};
use crate::http::Client;

pub(crate) const SECRET: &str = "blog-api/database";
/// The emulator reads the service from the signature and does not check it.
const SIGNATURE: &str =
    "AWS4-HMAC-SHA256 Credential=test/20260101/ap-northeast-2/secretsmanager/aws4_request";

pub(crate) async fn secrets_manager(action: &str, parameters: Value) -> Value {
    let client = Client::new(&address("aws", 5000).await);
    let request = client
        .request(Method::POST, "/")
        .header("authorization", SIGNATURE)
        .header("content-type", "application/x-amz-json-1.1")
        .header("x-amz-target", format!("secretsmanager.{action}"));
    let answer = client.send(request, Bytes::from(parameters.to_string())).await.unwrap();
    assert!(answer.status.is_success(), "{action}: {answer:?}");
    answer.json
}

/// The current credentials.
pub(crate) async fn current() -> Value {
    let secret = secrets_manager("GetSecretValue", json!({"SecretId": SECRET})).await;
    serde_json::from_str(secret["SecretString"].as_str().unwrap()).unwrap()
}

/// The steps of a rotation by RDS, in its order: the new password is pending, is set in the database, and
/// only then is the current one. `between` runs while the secret is wrong.
pub(crate) async fn rotate(between: impl Future<Output = ()>) {
    let mut credentials = current().await;
    let password = uuid::Uuid::now_v7().simple().to_string();
    credentials["password"] = password.clone().into();
    put(&credentials, "AWSPENDING").await;
    sql(&format!("alter role {} password '{password}'", credentials["username"].as_str().unwrap())).await;
    between.await;
    // A new version, since the emulator goes on giving out the old one when only its label is moved.
    put(&credentials, "AWSCURRENT").await;
    assert_eq!(current().await, credentials);
}

async fn put(credentials: &Value, stage: &str) {
    let version = json!({
        "SecretId": SECRET,
        "ClientRequestToken": uuid::Uuid::now_v7().to_string(),
        "SecretString": credentials.to_string(),
        "VersionStages": [stage],
    });
    secrets_manager("PutSecretValue", version).await;
}

async fn load_balancer(command: &str) -> String {
    let script = format!("exec 3<>/dev/tcp/127.0.0.1/9999; echo '{command}' >&3; cat <&3");
    compose(&["exec", "-T", "alb", "bash", "-c", &script]).await
}

/// No new requests to this task; those in flight are finished.
pub(crate) async fn deregister(task: &str) {
    load_balancer(&format!("set server tasks/{task} state drain")).await;
}

/// Requests to this task, once it has passed the health checks.
pub(crate) async fn register(task: &str) {
    load_balancer(&format!("set server tasks/{task} health down; set server tasks/{task} state ready")).await;
    healthy_target(task).await;
}

/// Waits until the load balancer sends requests to this task.
pub(crate) async fn healthy_target(task: &str) {
    eventually(&format!("{task} is a healthy target"), Duration::from_mins(1), async || {
        // proxy, server, …, status in the 18th column.
        let stats = load_balancer("show stat").await;
        let row = stats.lines().find(|line| line.starts_with(&format!("tasks,{task},")));
        row.and_then(|row| row.split(',').nth(17)) == Some("UP")
    })
    .await;
}
