//! Answers that are larger than their requests.

use axum::http::Method;
use serde_json::json;

use crate::flood::{Tally, at_once};
use crate::http::{Call, Client};
use crate::stage::{Stage, sign_up};

/// Of an error, whatever was sent.
const ERROR: usize = 64 << 10;
/// Just below the largest body that is read.
const BODY: usize = 1_000_000;

/// Bodies of a megabyte of which nothing is right.
fn bodies() -> Vec<String> {
    let keys: String = (0..80_000).map(|n| format!("\"k{n}\":1,")).collect();
    vec![
        json!({"title": "t", "body": "b", "tags": vec!["!"; 240_000]}).to_string(),
        json!({"title": "t", "body": "b", "x".repeat(BODY): 1}).to_string(),
        json!({"title": "t", "body": "b", "status": "x".repeat(BODY)}).to_string(),
        "[".repeat(BODY),
        r#"{"a":"#.repeat(BODY / 5),
        format!("[{}1]", "1,".repeat(BODY / 2 - 4)),
        format!("{{\"title\":\"{}\"}}", r"\u0000".repeat(BODY / 6 - 10)),
        format!("{{{keys}\"title\":\"t\"}}"),
        format!("{{{}\"title\":1}}", "\"title\":\"t\",".repeat(70_000)),
        "x".repeat(BODY),
    ]
}

/// Each sixteen times at once.
async fn sixteen_of_each(client: &Client, paths: &[&str]) -> String {
    let mut all = Tally::default();
    for body in bodies() {
        let body = axum::body::Bytes::from(body);
        let call = |n: usize| Call::raw(Method::POST, paths[n % paths.len()], body.clone());
        let tally = at_once((0..16).map(|n| (client.clone(), call(n))).collect()).await;
        all.merge(&tally.no_faults().at_most(ERROR));
    }
    assert_eq!(all.count(201), 0, "{all}");
    all.to_string()
}

pub(crate) async fn errors(stage: Stage) -> String {
    let author = sign_up(&stage.base, "muddler", "203.0.113.32", "author").await;
    sixteen_of_each(&author, &["/v1/posts"]).await
}

pub(crate) async fn anonymous_errors(stage: Stage) -> String {
    sixteen_of_each(&stage.at("203.0.113.30"), &["/v1/users", "/v1/sessions"]).await
}

pub(crate) async fn long_heads(stage: Stage) -> String {
    let long = "x".repeat(60_000);
    let tags = (0..10_000).map(|n| format!("\"{n}\"")).collect::<Vec<_>>().join(",");
    let mut many = Call::get("/v1/posts");
    many.headers = (0..1_000).map(|_| ("x-nothing", "1".to_owned())).collect();
    let calls = [
        Call::get(format!("/v1/posts?q={long}")),
        Call::get(format!("/v1/posts?{}", "tag=a&".repeat(10_000))),
        Call::get(format!("/v1/posts?cursor={long}")),
        Call::get(format!("/{long}")),
        Call::get(format!("/v1/posts/{long}")),
        Call::post("/v1/posts", &json!({})).header("idempotency-key", long.clone()),
        Call::get("/v1/posts").header("if-none-match", tags),
        Call::get("/v1/posts").header("accept-encoding", "gzip,".repeat(12_000)),
        Call::get("/v1/posts").header("x-forwarded-for", "1.2.3.4,".repeat(7_000)),
        many,
    ];
    let client = stage.at("203.0.113.31");
    let calls = calls.iter().flat_map(|call| (0..4).map(|_| (client.clone(), call.clone()))).collect();
    at_once(calls).await.no_faults().at_most(256 << 10).to_string()
}
