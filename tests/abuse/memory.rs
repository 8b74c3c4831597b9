//! What takes memory for its work: each hash of a password needs 19 MiB.

use axum::http::Method;
use futures_util::future::join_all;
use serde_json::json;

use crate::flood::at_once;
use crate::http::{Call, Client};
use crate::stage::{Stage, new_session, new_user};

/// Parallel reads, after which every thread has its buffers.
async fn warm_up(stage: &Stage) {
    let reader = stage.at("203.0.113.9");
    join_all((0..40).map(|n| reader.send(Call::get(format!("/v1/posts?limit={}", n + 1))))).await;
}

/// `call` a hundred times at once, each from the address that `client` gives it.
async fn hundred(stage: &Stage, client: impl Fn(usize) -> Client, call: impl Fn(usize) -> Call) -> String {
    warm_up(stage).await;
    at_once((0..100).map(|n| (client(n), call(n))).collect()).await.no_faults().at_most(64 << 10).to_string()
}

pub(crate) async fn sign_ins_from_one_address(stage: Stage) -> String {
    let client = stage.at("203.0.113.10");
    hundred(&stage, |_| client.clone(), |n| Call::post("/v1/sessions", &new_session(&format!("no{n}")))).await
}

pub(crate) async fn sign_ins_from_many_addresses(stage: Stage) -> String {
    let call = |n| Call::post("/v1/sessions", &new_session(&format!("nobody{n}")));
    hundred(&stage, |n| stage.at(&format!("203.0.114.{n}")), call).await
}

pub(crate) async fn sign_ups(stage: Stage) -> String {
    let call = |n| Call::post("/v1/users", &new_user(&format!("new{n}")));
    hundred(&stage, |n| stage.at(&format!("203.0.115.{n}")), call).await
}

pub(crate) async fn password_changes(stage: Stage) -> String {
    let me = stage.attacker.get("/v1/users/me").await.json;
    let path = format!("/v1/users/{}", me["id"].as_str().unwrap());
    let change = json!({"password": "another long password", "current_password": "not this one"});
    hundred(&stage, |_| stage.attacker.clone(), |_| Call::of(Method::PATCH, &path, &change)).await
}
