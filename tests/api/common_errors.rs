//! The errors that extractors and middleware answer for every route: whatever the document says that an
//! operation can answer of these, it is made to answer.

use axum::http::Method;
use blog_api::http::middleware::{Limits, Stack};
use blog_api::lifecycle::Lifecycle;
use serde_json::{Value, json};

use crate::support::{Call, TestApp, TestUser, bounce, no_cache, operations};

/// An operation of the document, to be called with nothing real in its path.
struct Operation {
    method: Method,
    path: String,
    description: &'static Value,
}

impl Operation {
    fn all() -> impl Iterator<Item = Self> {
        operations().into_iter().map(|(method, path, description)| Self {
            method: method.parse().unwrap(),
            path: path
                .replace("{id}", "00000000-0000-7000-8000-000000000000")
                .replace("{post}", "no-such-post")
                .replace("{number}", "1"),
            description,
        })
    }

    /// Those that say they can answer `status`.
    fn answering(status: &str) -> impl Iterator<Item = Self> {
        Self::all().filter(move |operation| !operation.description["responses"][status].is_null())
    }

    fn has_body(&self) -> bool {
        !self.description["requestBody"].is_null()
    }

    /// Whether its body is a file.
    fn is_upload(&self) -> bool {
        self.has_body() && self.description["requestBody"]["content"]["application/json"].is_null()
    }

    /// With a body that breaks off.
    fn broken<'a>(&self, call: Call<'a>) -> Call<'a> {
        let form = "multipart/form-data; boundary=x";
        call.body(if self.is_upload() { form } else { "application/json" }, "{")
    }

    /// With a body that is larger than what is taken.
    fn too_large<'a>(&self, call: Call<'a>) -> Call<'a> {
        if self.is_upload() {
            call.body("image/png", vec![b' '; 20 * 1024 * 1024 + 1])
        } else {
            call.body("application/json", vec![b' '; 2 * 1024 * 1024])
        }
    }

    /// Whose token it takes.
    fn caller(&self, admin: &TestUser) -> TestUser {
        if self.path == "/v1/mail-events" { TestApp::mail_provider() } else { admin.clone() }
    }

    fn has_parameter(&self, place: &str, name: &str) -> bool {
        let parameters = self.description["parameters"].as_array();
        parameters
            .into_iter()
            .flatten()
            .any(|parameter| parameter["in"] == place && parameter["name"] == name)
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_400() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let call = |operation: &Operation, path: &str| {
        app.call(operation.method.as_str(), path).by(&operation.caller(&admin))
    };
    for operation in Operation::answering("400") {
        let mut probes = 0;
        if operation.has_body() {
            let call = operation.broken(call(&operation, &operation.path));
            call.expect_problem(400, "unreadable").await;
            probes += 1;
        }
        for (name, valid, broken) in [
            ("id", "00000000-0000-7000-8000-000000000000", "not-an-id"),
            ("post", "no-such-post", "%ff"),
            ("number", "revisions/1", "revisions/one"),
        ] {
            if operation.has_parameter("path", name) {
                let call = call(&operation, &operation.path.replace(valid, broken));
                call.json(&json!({})).expect_fields(400, &[(name, "malformed")]).await;
                probes += 1;
            }
        }
        if operation.has_parameter("query", "cursor") && !operation.has_parameter("path", "post") {
            let call = call(&operation, &format!("{}?cursor=nonsense", operation.path));
            call.expect_fields(400, &[("cursor", "malformed")]).await;
            probes += 1;
        }
        if !["GET", "HEAD"].contains(&operation.method.as_str()) {
            let date = "Wed, 21 Oct 2015 07:28:00 GMT";
            let call = call(&operation, &operation.path).header("if-unmodified-since", date);
            call.json(&json!({})).expect_fields(400, &[("If-Unmodified-Since", "unsupported")]).await;
            probes += 1;
        }
        if operation.description["tags"][0] == "feeds" {
            let call = call(&operation, &operation.path).header("host", "not a host");
            call.expect_fields(400, &[("Host", "malformed")]).await;
            probes += 1;
        }
        assert!(probes > 0, "{} {}", operation.method, operation.path);
    }
}

#[tokio::test]
async fn a_bad_token_is_401_everywhere() {
    let app = TestApp::start().await;
    for operation in Operation::answering("401")
        .filter(|operation| operation.path != "/v1/sessions" || !operation.has_body())
    {
        let call =
            app.call(operation.method.as_str(), &operation.path).token("blog_nonsense").json(&json!({}));
        call.expect_problem(401, "unauthenticated").await;
    }
}

#[tokio::test]
async fn bodies_that_are_too_large_of_another_type_or_of_unknown_fields_are_413_415_and_422() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let mut probed = 0;
    for operation in Operation::all().filter(Operation::has_body) {
        let call = || app.call(operation.method.as_str(), &operation.path).by(&operation.caller(&admin));
        operation.too_large(call()).expect_problem(413, "body_too_large").await;
        call().body("text/plain", "{}").expect_problem(415, "unsupported_media_type").await;
        probed += 1;
        if operation.is_upload() {
            let path = format!("{}?nonsense=1", operation.path);
            let call = app.call(operation.method.as_str(), &path).by(&admin).body("image/png", "");
            call.expect_fields(422, &[("nonsense", "unknown")]).await;
            continue;
        }
        // What providers of mail send beside what is read is theirs.
        let refused = if operation.path == "/v1/mail-events" {
            ("detail", "required")
        } else {
            ("nonsense", "unknown")
        };
        call().json(&json!({"nonsense": 1})).expect_fields(422, &[refused]).await;
    }
    assert_eq!(probed, Operation::answering("413").count());
    assert_eq!(probed, Operation::answering("415").count());
}

#[tokio::test]
async fn unknown_and_unacceptable_parameters_are_422() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let lists: Vec<_> =
        Operation::answering("422").filter(|operation| operation.has_parameter("query", "limit")).collect();
    assert!(lists.len() >= 5);
    for operation in lists {
        let get = |query: &str| app.get(&format!("{}?{query}", operation.path)).by(&admin);
        get("nonsense=1").expect_fields(422, &[("nonsense", "unknown")]).await;
        if operation.has_parameter("query", "limit") {
            get("limit=0").expect_fields(422, &[("limit", "out_of_range")]).await;
            get("limit=101").expect_fields(422, &[("limit", "out_of_range")]).await;
        }
    }
}

#[tokio::test]
async fn a_busy_task_answers_503_for_everything_but_health() {
    let full = Limits { concurrency: 0, ..Limits::default() };
    let wrapped = |routes| Stack::new(full.clone(), Lifecycle::default(), no_cache()).wrap(routes);
    let app = TestApp::start_wrapped(&[], wrapped).await;
    for operation in Operation::all() {
        let call = app.call(operation.method.as_str(), &operation.path);
        if ["/health", "/ready"].contains(&operation.path.as_str()) {
            call.expect(200).await;
        } else {
            call.expect_problem(503, "overloaded").await;
        }
    }
}

#[tokio::test]
async fn a_client_that_asks_too_often_is_429_everywhere_but_for_health() {
    let app = TestApp::start_with(&[("RATE_LIMIT_ADDRESS", "1")]).await;
    app.get("/v1/posts").expect(200).await;
    let mut refused = 0;
    for operation in Operation::answering("429") {
        let call = app.call(operation.method.as_str(), &operation.path);
        let reply = call.expect_problem(429, "rate_limited").await;
        assert_eq!(reply.header("retry-after"), "60");
        assert_eq!(reply.header("ratelimit"), "\"address\";r=0;t=60");
        refused += 1;
    }
    assert_eq!(
        refused,
        Operation::all().filter(|operation| operation.description["tags"][0] != "health").count()
    );
}

#[tokio::test]
async fn a_database_that_is_away_is_503_for_everything_that_needs_it() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    app.db.close();
    // It only says where the page is.
    let needs_none =
        |operation: &Operation| operation.method == "GET" && operation.path == "/v1/unsubscriptions";
    for operation in Operation::all().filter(|it| it.path.starts_with("/v1") && !needs_none(it)) {
        let body = match operation.path.as_str() {
            "/v1/users" => {
                json!({"username": "ada", "email": "ada@example.com", "password": "correct horse"})
            }
            "/v1/sessions" => json!({"email": "ada@example.com", "password": "correct horse"}),
            "/v1/email-verifications/confirmation" | "/v1/email-verifications/undo" => json!({"token": ""}),
            "/v1/notifications/read" => json!({"up_to": "00000000-0000-0000-0000-000000000000"}),
            "/v1/mail-events" => bounce("ada@example.com"),
            "/v1/password-resets" => json!({"email": "ada@example.com"}),
            "/v1/password-resets/confirmation" | "/v1/sign-ups/confirmation" => {
                json!({"token": "", "password": "correct horse"})
            }
            "/v1/webhooks" => json!({"url": "https://receiver.example/", "events": ["post.published"]}),
            path if path.ends_with("/replay") => json!({"since": "2026-01-01T00:00:00Z"}),
            "/v1/invitations" => json!({"email": "ada@example.com", "role": "reader"}),
            "/v1/invitations/acceptance" => {
                json!({"token": "", "username": "ada", "password": "correct horse"})
            }
            _ => json!({}),
        };
        let path = operation.path.replace("unsubscriptions", "unsubscriptions?token=bm8");
        let call = app.call(operation.method.as_str(), &path).by(&operation.caller(&admin));
        call.json(&body).expect_problem(503, "unavailable").await;
    }
    app.get("/health").expect(200).await;
    app.get("/openapi.json").expect(200).await;
}
