//! Requests that are refused before they reach a route, by the parser of HTTP: they are told why as all others are.

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{TestApp, logs};

/// What is answered to `request`: head and body.
async fn answer(app: &TestApp, request: &str) -> (String, String) {
    let mut stream = TcpStream::connect(app.address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{answer:?}"));
    (head.to_ascii_lowercase(), body.to_owned())
}

fn header<'a>(head: &'a str, name: &str) -> &'a str {
    let line = head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    line.unwrap_or_else(|| panic!("no {name}: {head}"))
}

#[tokio::test]
async fn what_the_parser_refuses_is_a_problem_with_a_request_id() {
    let app = TestApp::start().await;
    let many = "a: b\r\n".repeat(150);
    for (request, status, code) in [
        (format!("GET /{} HTTP/1.1\r\nhost: a\r\n\r\n", "x".repeat(70_000)), 414, "target_too_long"),
        (
            format!("GET /v1/posts?q={} HTTP/1.1\r\nhost: a\r\n\r\n", "x".repeat(70_000)),
            414,
            "target_too_long",
        ),
        (format!("GET / HTTP/1.1\r\nhost: a\r\n{many}\r\n"), 431, "head_too_large"),
        (format!("POST /v1/posts HTTP/1.1\r\nhost: a\r\n{many}\r\n"), 431, "head_too_large"),
        ("GET / HTTP/1.1\r\nno header\r\n\r\n".into(), 400, "unreadable"),
        ("nonsense\r\n\r\n".into(), 400, "unreadable"),
    ] {
        let what = &request[..request.len().min(40)];
        let (head, body) = answer(&app, &request).await;
        assert!(head.starts_with(&format!("http/1.1 {status} ")), "{what}: {head}");
        assert_eq!(header(&head, "content-type"), "application/problem+json");
        assert_eq!(header(&head, "x-content-type-options"), "nosniff");
        assert_eq!(header(&head, "connection"), "close");
        let problem: Value = serde_json::from_str(&body).unwrap_or_else(|error| panic!("{error}: {body}"));
        assert_eq!((&problem["status"], &problem["code"]), (&status.into(), &code.into()), "{what}");
        let request_id = header(&head, "x-request-id");
        assert_eq!(problem["request_id"], request_id);
        let lines = logs::of_request(request_id);
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert_eq!((&lines[0]["target"], &lines[0]["status"]), (&"blog_api::access".into(), &status.into()));
    }
    app.get("/health").expect(200).await;
}

#[tokio::test]
async fn a_long_request_that_can_be_read_is_answered_by_its_route() {
    let app = TestApp::start().await;
    let path = format!("/{}", "x".repeat(60_000));
    app.get(&path).expect_problem(404, "not_found").await;
    app.get("/v1/posts").header("x-anything", &"x".repeat(100_000)).expect(200).await;
}
