//! Holds every answer that any test gets against the OpenAPI document: its status and content type must be
//! documented, and every error must be a whole problem document.

use std::sync::LazyLock;

use blog_api::http::cors::{NOT_FOR_SCRIPTS, SAFELISTED, SENT};
use serde_json::Value;

use super::client::Reply;

static DOCUMENT: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(blog_api::router::document()).expect("the document is JSON"));

/// Every operation of the document: method, path, description.
pub(crate) fn operations() -> Vec<(String, &'static str, &'static Value)> {
    let paths = DOCUMENT["paths"].as_object().unwrap();
    let of_path = |(path, item): (&'static String, &'static Value)| {
        let methods = item.as_object().unwrap();
        methods.iter().map(move |(method, operation)| (method.to_uppercase(), path.as_str(), operation))
    };
    paths.iter().flat_map(of_path).collect()
}

pub(crate) fn check(reply: &Reply) {
    assert!(!reply.header("x-request-id").is_empty(), "no request id: {reply}");
    check_headers(reply);
    if reply.status.as_u16() >= 400
        && !(reply.operation == "GET /ready" || reply.operation.starts_with("HEAD"))
    {
        check_problem(reply);
    }
    let (method, target) = reply.operation.split_once(' ').unwrap();
    let path = target.split('?').next().unwrap();
    let Some((_, _, operation)) = operations()
        .into_iter()
        .filter(|(m, p, _)| m == method && matches(p, path))
        .min_by_key(|(_, p, _)| p.matches('{').count())
    else {
        return;
    };
    let mut response = &operation["responses"][reply.status.as_str()];
    if let Some(name) = response["$ref"].as_str() {
        response = DOCUMENT.pointer(name.trim_start_matches('#')).unwrap();
    }
    assert!(!response.is_null(), "the document does not say that this can be: {reply}");
    if let Some(content) = response["content"].as_object() {
        assert!(
            content.contains_key(reply.content_type()),
            "{} is not documented: {reply}",
            reply.content_type()
        );
    }
}

/// A page of another origin reads every header that is meant for it.
fn check_headers(reply: &Reply) {
    for name in reply.headers.keys().filter(|name| !name.as_str().starts_with("access-control-")) {
        let is_known = SENT.contains(name) || SAFELISTED.contains(name) || NOT_FOR_SCRIPTS.contains(name);
        assert!(is_known, "http::cors does not know {name}: {reply}");
    }
}

fn check_problem(reply: &Reply) {
    assert_eq!(reply.content_type(), "application/problem+json", "{reply}");
    let problem = reply.json();
    assert_eq!(problem["status"], reply.status.as_u16(), "{reply}");
    assert_eq!(problem["request_id"], reply.header("x-request-id"), "{reply}");
    for key in ["type", "title", "detail", "code"] {
        assert!(problem[key].as_str().is_some_and(|text| !text.is_empty()), "no {key}: {reply}");
    }
    assert!(problem["errors"].is_array(), "{reply}");
}

fn matches(template: &str, path: &str) -> bool {
    let (template, path) = (template.split('/'), path.split('/'));
    template.clone().count() == path.clone().count()
        && template
            .zip(path)
            .all(|(expected, actual)| (expected.starts_with('{') && !actual.is_empty()) || expected == actual)
}
