//! Pages of other origins: what they may send and read. `support::contract` holds every header of every answer
//! against what they may read, and `tests/repo/headers.rs` every header in the source.

use std::collections::BTreeSet;

use blog_api::http::cors::{READ, SAFELISTED, SENT};

use crate::support::{Reply, TestApp, operations};

const ORIGIN: &str = "https://blog.example";

async fn preflight(app: &TestApp, path: &str) -> Reply {
    let call =
        app.call("OPTIONS", path).header("origin", ORIGIN).header("access-control-request-method", "PATCH");
    call.header("access-control-request-headers", "if-match,x-anything").expect(200).await
}

fn names(reply: &Reply, header: &str) -> BTreeSet<String> {
    reply.header(header).split(',').map(|name| name.trim().to_ascii_lowercase()).collect()
}

#[tokio::test]
async fn a_page_may_send_and_read_every_header_of_the_service() {
    let app = TestApp::start_with(&[("CORS_ALLOWED_ORIGINS", ORIGIN)]).await;
    let allowed = names(&preflight(&app, "/v1/posts").await, "access-control-allow-headers");
    for name in ["traceparent", "if-modified-since", "idempotency-key", "if-match", "authorization"] {
        assert!(allowed.contains(name), "{name} is not in {allowed:?}");
    }
    let reply = app.get("/v1/posts").header("origin", ORIGIN).expect(200).await;
    let exposed = names(&reply, "access-control-expose-headers");
    for name in
        ["traceparent", "etag", "link", "ratelimit", "x-request-id", "www-authenticate", "allow", "date"]
    {
        assert!(exposed.contains(name), "{name} is not in {exposed:?}");
    }
    let of =
        |names: &[axum::http::HeaderName]| names.iter().map(ToString::to_string).collect::<BTreeSet<_>>();
    assert_eq!((allowed, exposed), (of(&READ), of(&SENT)));
}

#[test]
fn a_page_may_use_every_header_that_the_document_names() {
    let known = |list: &[axum::http::HeaderName], name: &str| {
        list.iter().any(|known| known.as_str().eq_ignore_ascii_case(name))
    };
    let mut probed = BTreeSet::new();
    for (_, path, operation) in operations() {
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            if parameter["in"] == "header" {
                let name = parameter["name"].as_str().unwrap();
                assert!(known(&READ, name), "{path} reads {name}");
                probed.insert(name.to_owned());
            }
        }
        for response in operation["responses"].as_object().unwrap().values() {
            for name in response["headers"].as_object().into_iter().flat_map(|headers| headers.keys()) {
                assert!(known(&SENT, name) || known(&SAFELISTED, name), "{path} sends {name}");
                probed.insert(name.clone());
            }
        }
    }
    assert!(probed.len() > 10, "{probed:?}");
}
