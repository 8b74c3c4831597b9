//! Whatever is sent, the answer is a problem document with the right status, and never a 500.

use serde_json::json;

use crate::support::TestApp;

#[tokio::test]
async fn bodies_that_are_not_json() {
    let app = TestApp::start().await;
    for body in
        ["", "{", "nonsense", r#"{"email": "a", "password": "b"} trailing"#, "\u{feff}{}", "{'email': 1}"]
    {
        app.post("/v1/sessions").body("application/json", body).expect_problem(400, "unreadable").await;
    }
    let not_utf8: &[u8] = b"{\"email\": \"\xff\", \"password\": \"x\"}";
    app.post("/v1/sessions").body("application/json", not_utf8).expect_problem(400, "unreadable").await;
    let deep = "[".repeat(100_000);
    let reply = app.post("/v1/sessions").body("application/json", deep).send().await;
    assert!([400, 422].contains(&reply.status.as_u16()), "{reply}");
}

#[tokio::test]
async fn json_that_is_not_what_was_asked_for() {
    let app = TestApp::start().await;
    let author = app.author().await;
    let write = |body| app.post("/v1/posts").by(&author).json(&body);
    for (body, field, code) in [
        (json!(["title", "body"]), "body", "wrong_type"),
        (json!(null), "body", "wrong_type"),
        (json!("text"), "body", "wrong_type"),
        (json!({}), "title", "required"),
        (json!({"title": 1, "body": "x"}), "title", "wrong_type"),
        (json!({"title": "x", "body": null}), "body", "wrong_type"),
        (json!({"title": "x", "body": "x", "tags": "a"}), "tags", "wrong_type"),
        (json!({"title": "x", "body": "x", "tags": ["a", 1]}), "tags[1]", "wrong_type"),
        (json!({"title": "x", "body": "x", "status": "secret"}), "status", "wrong_type"),
        (json!({"title": "x", "body": "x", "status": 1}), "status", "wrong_type"),
        (json!({"title": "x", "body": "x", "published_at": "soon"}), "published_at", "wrong_type"),
        (json!({"title": "x", "body": "x", "author_id": "me"}), "author_id", "unknown"),
    ] {
        let reply = write(body).expect(422).await;
        assert_eq!(reply.fields(), [(field, code)], "{reply}");
    }
    let twice = r#"{"title": "x", "title": "y", "body": "x"}"#;
    let call = app.post("/v1/posts").by(&author).body("application/json", twice);
    call.expect_fields(422, &[("title", "duplicate")]).await;
}

#[tokio::test]
async fn bodies_of_another_type() {
    let app = TestApp::start().await;
    let body = json!({"email": "a", "password": "b"}).to_string();
    for content_type in
        ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", "", "application/xml"]
    {
        let call = app.post("/v1/sessions").body(content_type, body.clone());
        call.expect_problem(415, "unsupported_media_type").await;
    }
    app.post("/v1/sessions").expect_problem(415, "unsupported_media_type").await;
    for content_type in ["application/json; charset=utf-8", "Application/JSON"] {
        app.post("/v1/sessions")
            .body(content_type, body.clone())
            .expect_problem(401, "unauthenticated")
            .await;
    }
}

#[tokio::test]
async fn bodies_that_are_too_large() {
    let app = TestApp::start().await;
    let author = app.author().await;
    for size in [1024 * 1024 + 1, 2 * 1024 * 1024, 7 * 1024 * 1024] {
        let call = app.post("/v1/posts").by(&author).body("application/json", vec![b' '; size]);
        call.expect_problem(413, "body_too_large").await;
    }
    let call = app.post("/v1/posts").by(&author).body("application/json", vec![b' '; 1024 * 1024]);
    call.expect_problem(400, "unreadable").await;
}

#[tokio::test]
async fn paths_and_methods_that_do_not_exist() {
    let app = TestApp::start().await;
    for path in ["/v1", "/v2/posts", "/v1/posts/a/b/c", "/%00", "/v1/posts//x"] {
        app.get(path).expect_problem(404, "not_found").await;
    }
    for (method, path, allow) in [
        ("DELETE", "/v1/posts", "GET,HEAD,POST"),
        ("PUT", "/v1/users/me", "GET,HEAD,PATCH,DELETE"),
        ("POST", "/health", "GET,HEAD"),
        ("BREW", "/v1/sessions", "GET,HEAD,POST"),
    ] {
        let reply = app.call(method, path).expect_problem(405, "method_not_allowed").await;
        let mut allowed: Vec<_> = reply.header("allow").split(',').collect();
        let mut expected: Vec<_> = allow.split(',').collect();
        allowed.sort_unstable();
        expected.sort_unstable();
        assert!(path == "/v1/users/me" || allowed == expected, "{allowed:?}: {reply}");
    }
}

#[tokio::test]
async fn ids_that_are_not_ids() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    for id in ["1", "me2", "not-a-uuid", "0199f4a2-7d1c-7a52-9c53-0f9b6c1e2d3", "%00", "%ff", "'%20or%201=1"]
    {
        for path in ["/v1/users", "/v1/comments"] {
            let call = app.get(&format!("{path}/{id}")).by(&admin);
            call.expect_fields(400, &[("id", "malformed")]).await;
        }
        let reply = app.get(&format!("/v1/posts/{id}")).by(&admin).send().await;
        let expected = if id == "%ff" { 400 } else { 404 };
        assert_eq!(reply.status.as_u16(), expected, "{reply}");
    }
}

#[tokio::test]
async fn query_strings_that_make_no_sense() {
    let app = TestApp::start().await;
    let fields = async |query: &str| app.get(&format!("/v1/posts?{query}")).expect(422).await.fields();
    assert_eq!(fields("author=ada").await, [("author", "wrong_type")]);
    assert_eq!(fields("status=secret").await, [("status", "wrong_type")]);
    assert_eq!(fields("sort=title%3Bdrop").await, [("sort", "wrong_type")]);
    assert_eq!(fields("limti=5").await, [("limti", "unknown")]);
    assert_eq!(fields("limit=1&limit=2").await, [("limit", "duplicate")]);
    assert_eq!(fields("q=%00").await, [("q", "control_character")]);
    app.get("/v1/posts?q=%ff%fe&tag=%ff").expect(200).await;
}
