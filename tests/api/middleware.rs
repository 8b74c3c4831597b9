//! The stack around every route, also where it has to step in: panics, timeouts, overload.

use std::future::pending;
use std::time::Duration;

use axum::Router;
use axum::http::{HeaderValue, StatusCode};
use axum::routing::{get, post};
use blog_api::http::body_budget::BodyBudget;
use blog_api::http::extract::Json;
use blog_api::http::middleware::{Limits, Stack};
use blog_api::http::validation::{Validate, Violations};
use blog_api::lifecycle::Lifecycle;
use serde::Deserialize;
use serde_json::Value;

use crate::support::{TestApp, logs, no_cache};

#[derive(Deserialize)]
struct Anything {}

impl Validate for Anything {
    fn validate(&self, _: &mut Violations) {}
}

/// The service with a stack of its own around routes that misbehave.
async fn misbehaving(limits: Limits) -> TestApp {
    #[expect(clippy::unreachable, reason = "this is the panic under test")]
    let routes = Router::new()
        .route("/panic", get(async || -> StatusCode { unreachable!("on purpose") }))
        .route("/forever", get(async || pending::<StatusCode>().await))
        .route("/read", post(async |_: Json<Anything>| StatusCode::OK))
        .route("/health", get(async || ([("content-type", "application/json")], "{}")));
    TestApp::start_wrapped(&[], |_| Stack::new(limits, Lifecycle::default(), no_cache()).wrap(routes)).await
}

#[tokio::test]
async fn a_panic_is_a_problem_like_any_other() {
    let app = misbehaving(Limits::default()).await;
    let reply = app.get("/panic").header("x-request-id", "abc-123").expect_problem(500, "internal").await;
    assert_eq!(reply.header("x-request-id"), "abc-123");
    assert!(!reply.to_string().contains("on purpose"), "{reply}");
    app.get("/health").expect(200).await;
}

#[tokio::test]
async fn a_request_that_takes_too_long_is_given_up() {
    let app = misbehaving(Limits { request_timeout: Duration::from_millis(10), ..Limits::default() }).await;
    let reply = app.get("/forever").expect_problem(503, "timeout").await;
    assert_eq!(reply.header("retry-after"), "1");
}

#[tokio::test]
async fn the_bodies_of_requests_have_a_budget() {
    let app = misbehaving(Limits { bodies: BodyBudget::of(64 * 1024), ..Limits::default() }).await;
    let send = |kib: usize| app.post("/read").body("application/json", vec![b' '; kib * 1024]);
    send(70).expect_problem(400, "unreadable").await;
    send(200).expect_problem(503, "overloaded").await;
    send(70).expect_problem(400, "unreadable").await;
}

#[tokio::test]
async fn a_busy_task_sheds_at_once_and_stays_healthy() {
    let app = misbehaving(Limits { concurrency: 1, ..Limits::default() }).await;
    let mut occupied = Box::pin(app.get("/forever").send());
    let shed = async {
        // The slot is taken once the first request has arrived.
        loop {
            let reply = app.get("/nothing").send().await;
            if reply.status == 503 {
                break reply;
            }
        }
    };
    let reply = tokio::select! {
        reply = &mut occupied => panic!("{reply}"),
        reply = shed => reply,
    };
    assert_eq!(reply.json()["code"], "overloaded", "{reply}");
    assert_eq!(reply.header("retry-after"), "1");
    app.get("/health").expect(200).await;
}

#[tokio::test]
async fn the_request_id_is_the_clients_if_it_is_sensible() {
    let app = TestApp::start().await;
    let id = |value: &'static str| app.get("/health").header("x-request-id", value);
    assert_eq!(id("trace-42:a/b=").expect(200).await.header("x-request-id"), "trace-42:a/b=");
    for forged in ["", "with space", "quote\"", &*"x".repeat(129).leak()] {
        let given = id(forged).expect(200).await;
        assert_eq!(given.header("x-request-id").len(), 36, "{forged}");
    }
}

#[tokio::test]
async fn traces_are_logged_and_returned() {
    let app = TestApp::start().await;
    let w3c = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let amzn = "Root=1-67891233-abcdef012345678912345678";
    for (headers, trace_id) in [
        (vec![("traceparent", w3c), ("x-amzn-trace-id", amzn)], "4bf92f3577b34da6a3ce929d0e0e4736"),
        (vec![("x-amzn-trace-id", amzn)], "1-67891233-abcdef012345678912345678"),
    ] {
        let call = headers.iter().fold(app.get("/health"), |call, (name, value)| call.header(name, value));
        let reply = call.expect(200).await;
        for (name, value) in headers {
            assert_eq!(reply.header(name), value);
        }
        let lines = logs::of_request(reply.header("x-request-id"));
        assert_eq!(lines.last().unwrap()["span"]["trace_id"], trace_id, "{lines:?}");
    }
    let reply = app.get("/health").expect(200).await;
    assert!(reply.headers.get("traceparent").is_none());
}

#[tokio::test]
async fn answers_carry_security_headers_and_are_compressed_on_request() {
    let app = TestApp::start().await;
    let reply = app.get("/v1/posts").expect(200).await;
    assert_eq!(reply.header("x-content-type-options"), "nosniff");
    assert!(reply.header("content-security-policy").starts_with("default-src 'none'"));
    for encoding in ["gzip", "br", "zstd"] {
        let reply = app.get("/docs/").header("accept-encoding", encoding).send().await;
        assert_eq!((reply.status.as_u16(), reply.header("content-encoding")), (200, encoding));
    }
}

#[tokio::test]
async fn only_configured_origins_are_allowed() {
    let app =
        TestApp::start_with(&[("CORS_ALLOWED_ORIGINS", "https://blog.example, http://localhost:3000")]).await;
    let allowed = async |origin: &str| {
        let reply = app.get("/v1/posts").header("origin", origin).expect(200).await;
        reply.headers.get("access-control-allow-origin").cloned()
    };
    assert_eq!(allowed("https://blog.example").await, Some(HeaderValue::from_static("https://blog.example")));
    assert_eq!(
        allowed("http://localhost:3000").await,
        Some(HeaderValue::from_static("http://localhost:3000"))
    );
    assert_eq!(allowed("https://evil.example").await, None);
    let preflight = app
        .call("OPTIONS", "/v1/posts")
        .header("origin", "https://blog.example")
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "authorization,content-type")
        .expect(200)
        .await;
    assert!(preflight.header("access-control-allow-methods").contains("POST"), "{:?}", preflight.headers);
}

/// One line for each request, whatever became of it.
#[tokio::test]
async fn every_request_has_one_line_in_the_access_log() {
    let app = TestApp::start().await;
    let user = app.author().await;
    let id = |what: &str| format!("{what}-{}", user.id);
    let path = format!("/v1/users/{}", user.id);
    let reply = app.get(&path).by(&user).header("x-request-id", &id("answered")).expect(200).await;
    app.get("/v1/nothing?password=hunter2").header("x-request-id", &id("unmatched")).expect(404).await;
    let broken =
        misbehaving(Limits { request_timeout: Duration::from_millis(10), ..Limits::default() }).await;
    broken.get("/panic").header("x-request-id", &id("panicked")).expect(500).await;
    broken.get("/forever").header("x-request-id", &id("timed-out")).expect(503).await;
    let busy = misbehaving(Limits { concurrency: 0, ..Limits::default() }).await;
    busy.get("/forever").header("x-request-id", &id("shed")).expect(503).await;

    for (what, status, route) in [
        ("answered", 200, "/v1/users/{id}"),
        ("unmatched", 404, "unmatched"),
        ("panicked", 500, "/panic"),
        ("timed-out", 503, "/forever"),
        ("shed", 503, "/forever"),
    ] {
        let lines = logs::of_request(&id(what));
        let access: Vec<_> = lines.iter().filter(|line| line["target"] == "blog_api::access").collect();
        assert_eq!(access.len(), 1, "{what}: {lines:?}");
        let line = access[0];
        assert_eq!((&line["status"], &line["route"]), (&Value::from(status), &Value::from(route)), "{line}");
        assert_eq!(line["method"], "GET");
        assert!(line["latency_ms"].is_f64(), "{line}");
        if what == "answered" {
            assert_eq!(line["bytes"], reply.body.len());
            assert_eq!(line["user_id"], user.id.to_string());
        }
    }
    for secret in ["hunter2", user.token.as_str(), user.email.as_str()] {
        assert!(!logs::contain(secret), "{secret} is in the log");
    }
}

/// One line of JSON, in production's format, that leads from the request to the place in the source.
#[tokio::test]
async fn a_panic_is_logged_once_under_the_request_id() {
    let app = misbehaving(Limits::default()).await;
    let reply = app.get("/panic").expect_problem(500, "internal").await;
    let request_id = reply.header("x-request-id");
    assert_eq!(reply.json()["request_id"], request_id);
    let lines = logs::of_request(request_id);
    let panics: Vec<_> = lines.iter().filter(|line| line["level"] == "ERROR").collect();
    assert_eq!(panics.len(), 1, "{lines:?}");
    let panic = panics[0];
    assert_eq!(panic["message"], "panic");
    assert!(panic["cause"].as_str().unwrap().contains("on purpose"), "{panic}");
    assert!(panic["location"].as_str().unwrap().starts_with(file!()), "{panic}");
}

/// What a server's own fault is, is logged once, under the request id that the client was given.
#[tokio::test]
async fn the_cause_of_a_failure_is_logged_once_and_not_told() {
    let app = TestApp::start().await;
    sqlx::raw_sql("alter table posts rename to elsewhere")
        .execute(&mut app.db.acquire().await.unwrap())
        .await
        .unwrap();
    let reply = app.get("/v1/posts").expect_problem(500, "internal").await;
    assert!(!reply.to_string().contains("relation"), "{reply}");
    let lines = logs::of_request(reply.header("x-request-id"));
    let causes: Vec<_> = lines.iter().filter(|line| line["level"] == "ERROR").collect();
    assert_eq!(causes.len(), 1, "{lines:?}");
    assert!(causes[0]["cause"].as_str().unwrap().contains("relation \"posts\" does not exist"), "{causes:?}");
}
