//! The OpenAPI document: complete, committed, served, shown.

use std::collections::BTreeSet;

use crate::support::{TestApp, operations};

#[tokio::test]
async fn the_document_is_served_and_shown_without_a_foreign_host() {
    let app = TestApp::start().await;
    let document = app.get("/openapi.json").expect(200).await;
    assert_eq!(document.body, blog_api::router::document());
    assert_eq!(document.json()["openapi"], "3.1.0");
    assert_eq!(app.get("/docs").send().await.header("location"), "/docs/");
    assert_eq!(app.get("/docs/?page=1").expect(200).await.body, app.get("/docs/").expect(200).await.body);
    let page = app.get("/docs/").send().await;
    assert!(page.header("content-security-policy").starts_with("default-src 'self'"));
    let html = String::from_utf8(page.body.to_vec()).unwrap();
    assert!(html.contains("swagger-ui") && !html.contains("http://") && !html.contains("https://"), "{html}");
}

#[test]
fn the_committed_document_is_the_generated_one() {
    let committed = std::fs::read_to_string("openapi.json").unwrap();
    assert!(committed == blog_api::router::document(), "openapi.json is stale: run `make openapi`");
}

#[test]
fn every_operation_says_everything() {
    for (method, path, operation) in operations() {
        let what = format!("{method} {path}");
        assert!(operation["summary"].is_string(), "{what} has no summary");
        assert!(operation["operationId"].is_string() && operation["tags"][0].is_string(), "{what}");
        let responses = operation["responses"].as_object().unwrap();
        assert!(
            responses.keys().any(|status| status.starts_with('2') || status == "303"),
            "{what} never succeeds"
        );
        let documents = |status: &str| responses.contains_key(status);
        if path.starts_with("/v1") {
            assert!(documents("500") && documents("503"), "{what}");
        }
        let reads_token = !operation["security"].as_array().unwrap().is_empty();
        assert_eq!(documents("401"), reads_token || path == "/v1/sessions", "{what}");
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            assert!(parameter["description"].is_string(), "{what}: {parameter}");
        }
    }
    let mut ids: Vec<_> =
        operations().into_iter().map(|(.., operation)| operation["operationId"].to_string()).collect();
    let count = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), count, "operation ids repeat");
}

#[test]
fn a_body_is_json_or_a_picture() {
    let pictures =
        BTreeSet::from(["image/gif", "image/jpeg", "image/png", "image/webp", "multipart/form-data"]);
    for (method, path, operation) in operations() {
        let Some(content) = operation["requestBody"]["content"].as_object() else { continue };
        let types: BTreeSet<_> = content.keys().map(String::as_str).collect();
        let is_upload = (method.as_str(), path) == ("POST", "/v1/media");
        let expected = if is_upload { pictures.clone() } else { BTreeSet::from(["application/json"]) };
        assert_eq!(types, expected, "{method} {path}");
    }
}

#[test]
fn every_property_says_what_it_is() {
    let document: serde_json::Value = serde_json::from_str(blog_api::router::document()).unwrap();
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        let parts = std::iter::once(schema).chain(schema["allOf"].as_array().into_iter().flatten());
        for (property, of) in parts.filter_map(|part| part["properties"].as_object()).flatten() {
            let refers = of.to_string().contains("$ref");
            assert!(of["description"].is_string() || refers, "{name}.{property} has no description");
        }
    }
}
