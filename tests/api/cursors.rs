//! Cursors that no list has given.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use crate::support::{TestApp, TestUser, operations};

/// Every list of the API in every order, each with more than a page of one item.
const LISTS: [(&str, &str); 29] = [
    ("/v1/users", "/v1/users"),
    ("/v1/users/{id}/following", "/v1/users/{user}/following"),
    ("/v1/users/{id}/followers", "/v1/users/{user}/followers"),
    ("/v1/sessions", "/v1/sessions"),
    ("/v1/tokens", "/v1/tokens"),
    ("/v1/posts", "/v1/posts"),
    ("/v1/posts", "/v1/posts?tag=t"),
    ("/v1/posts", "/v1/posts?sort=published_at"),
    ("/v1/posts", "/v1/posts?sort=-likes"),
    ("/v1/posts", "/v1/posts?sort=-comments"),
    ("/v1/posts", "/v1/posts?sort=title"),
    ("/v1/posts", "/v1/posts?q=text"),
    ("/v1/posts", "/v1/posts?status=draft"),
    ("/v1/posts/{post}/revisions", "/v1/posts/{post}/revisions"),
    ("/v1/tags", "/v1/tags"),
    ("/v1/tags", "/v1/tags?sort=-posts"),
    ("/v1/feed", "/v1/feed"),
    ("/v1/posts/{post}/comments", "/v1/posts/{post}/comments"),
    ("/v1/comments", "/v1/comments?status=approved"),
    ("/v1/reports", "/v1/reports"),
    ("/v1/audit", "/v1/audit"),
    ("/v1/jobs", "/v1/jobs"),
    ("/v1/notifications", "/v1/notifications"),
    ("/v1/invitations", "/v1/invitations"),
    ("/v1/media", "/v1/media"),
    ("/v1/media", "/v1/media?unused=true"),
    ("/v1/webhooks", "/v1/webhooks"),
    ("/v1/webhooks/{id}/deliveries", "/v1/webhooks/{webhook}/deliveries"),
    ("/v1/webhooks/{id}/deliveries", "/v1/webhooks/{webhook}/deliveries?status=pending"),
];

/// A user who may read every list, and the lists, with two items each.
async fn world(app: &TestApp) -> (TestUser, Vec<String>) {
    let (admin, other, third) = (app.admin().await, app.author().await, app.reader().await);
    let credentials = json!({"email": admin.email, "password": crate::support::PASSWORD});
    app.post("/v1/sessions").json(&credentials).expect(201).await;
    for (follower, followed) in [(&admin, &other), (&admin, &third), (&other, &admin), (&third, &admin)] {
        app.put(&format!("/v1/users/{}/follow", followed.id)).by(follower).expect(204).await;
    }
    let mut posts = Vec::new();
    for tag in ["a", "b"] {
        let body = json!({"title": tag, "body": "Some text.", "tags": ["t", tag], "status": "published"});
        let post = app.post("/v1/posts").by(&other).json(&body).expect(201).await.id();
        app.comment_by(&third, &post, None).await;
        app.draft_by(&admin).await;
        let report = json!({"post_id": post, "reason": "spam"});
        app.post("/v1/reports").by(&third).json(&report).expect(201).await;
        app.failed_job().await;
        app.token_of(&admin, &["jobs"]).await;
        let invitation = json!({"email": format!("{tag}@example.com"), "role": "reader"});
        app.post("/v1/invitations").by(&admin).json(&invitation).expect(201).await;
        app.upload_by(&admin).await;
        posts.push(post);
    }
    app.comment_by(&third, &posts[0], None).await;
    let change = json!({"title": "Another"});
    for post in &posts {
        app.patch(&format!("/v1/posts/{post}")).by(&admin).json(&change).expect(200).await;
    }
    app.run_jobs().await;
    app.webhook_by(&admin).await;
    let webhook = app.webhook_by(&admin).await;
    for _ in 0..2 {
        app.delivery_by(&admin, &webhook).await;
    }
    let fill = |path: &str| {
        let path = path.replace("{user}", &admin.id.to_string()).replace("{post}", &posts[0]);
        path.replace("{webhook}", &webhook)
    };
    let lists = LISTS.map(|(_, path)| fill(path)).to_vec();
    (admin, lists)
}

fn cursor(json: &Value) -> String {
    URL_SAFE_NO_PAD.encode(json.to_string())
}

fn with(list: &str, cursor: &str) -> String {
    format!("{list}{}limit=1&cursor={cursor}", if list.contains('?') { '&' } else { '?' })
}

/// What a cursor might hold: values at and beyond the edges of what PostgreSQL takes.
fn values() -> impl Strategy<Value = Value> {
    let texts = prop_oneof![
        any::<String>(),
        Just("\0".to_owned()),
        Just("a\0b".to_owned()),
        Just("\u{10ffff}\u{feff}".to_owned()),
        Just("x".repeat(4000)),
        Just("not-base64!".to_owned()),
        Just(URL_SAFE_NO_PAD.encode([255; 300])),
        Just(uuid::Uuid::max().to_string()),
        "[-+]?[0-9]{1,6}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{1,12})?(Z|[-+][0-9]{2}:[0-9]{2})",
        Just("+262142-12-31T23:59:59Z".to_owned()),
        Just("-262143-01-01T00:00:00Z".to_owned()),
        Just("9999-12-31T23:59:60Z".to_owned()),
        Just("0000-01-01T00:00:00Z".to_owned()),
    ];
    let numbers = prop_oneof![
        any::<i64>().prop_map(Value::from),
        any::<u32>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        Just(json!(i32::MIN)),
        Just(json!(i64::MIN)),
        Just(json!(f32::NAN.to_bits())),
        Just(json!(f32::INFINITY.to_bits())),
    ];
    prop_oneof![Just(Value::Null), any::<bool>().prop_map(Value::from), numbers, texts.prop_map(Value::from)]
}

/// The JSON of a real cursor with something else in the place of one of its values.
fn forged(real: &Value) -> Vec<BoxedStrategy<Value>> {
    let replaced = |at: usize| {
        let real = real.clone();
        values().prop_map(move |value| {
            let mut forged = real.clone();
            match &mut forged[1] {
                Value::Array(key) if at > 0 => key[at - 1] = value,
                key => *key = value,
            }
            forged
        })
    };
    let parts = real[1].as_array().map_or(0, Vec::len);
    (0..=parts).map(|at| replaced(at).boxed()).collect()
}

#[test]
fn every_list_is_tried() {
    let takes_cursor = |operation: &Value| {
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        parameters.into_iter().any(|parameter| parameter["name"] == "cursor")
    };
    let documented: BTreeSet<_> = operations()
        .into_iter()
        .filter(|(.., operation)| takes_cursor(operation))
        .map(|(_, path, _)| path)
        .collect();
    assert_eq!(documented, LISTS.map(|(path, _)| path).into_iter().collect());
}

#[tokio::test]
async fn a_forged_cursor_is_never_a_500() {
    let app = TestApp::start().await;
    let (admin, lists) = world(&app).await;
    let mut runner = TestRunner::deterministic();
    for list in &lists {
        let first = app.get(&with(list, "").replace("&cursor=", "")).by(&admin).expect(200).await;
        let real = first.json()["next_cursor"].as_str().unwrap_or_else(|| panic!("{first}")).to_owned();
        let real: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(real).unwrap()).unwrap();
        app.get(&with(list, &cursor(&real))).by(&admin).expect(200).await;
        for strategy in forged(&real) {
            for _ in 0..40 {
                let value = strategy.new_tree(&mut runner).unwrap().current();
                let reply = app.get(&with(list, &cursor(&value))).by(&admin).send().await;
                assert!([200, 400].contains(&reply.status.as_u16()), "{value}: {reply}");
            }
        }
    }
}

#[tokio::test]
async fn whatever_bytes_a_cursor_has_it_is_400() {
    let app = TestApp::start().await;
    let (admin, lists) = world(&app).await;
    let mut runner = TestRunner::deterministic();
    let bytes = proptest::collection::vec(any::<u8>(), 0..200);
    for list in &lists {
        for _ in 0..10 {
            let bytes = bytes.new_tree(&mut runner).unwrap().current();
            let call = app.get(&with(list, &URL_SAFE_NO_PAD.encode(bytes))).by(&admin);
            call.expect_fields(400, &[("cursor", "malformed")]).await;
        }
    }
}

#[tokio::test]
async fn what_no_row_can_have_is_refused() {
    let app = TestApp::start().await;
    let (admin, _) = world(&app).await;
    let id = uuid::Uuid::max();
    for (list, forged) in [
        ("/v1/posts", json!(["posts-newest", ["-100000-01-01T00:00:00Z", id]])),
        ("/v1/posts", json!(["posts-newest", ["+262000-01-01T00:00:00Z", id]])),
        ("/v1/posts?sort=-likes", json!(["posts-likes", [-1, id]])),
        ("/v1/posts?sort=title", json!(["posts-title", ["\0", id]])),
        ("/v1/posts?q=x", json!(["posts-relevance", [f32::NAN.to_bits(), id]])),
        ("/v1/tags", json!(["tags-name", "a\0"])),
        ("/v1/tags?sort=-posts", json!(["tags-posts", [i32::MIN, "a"]])),
        ("/v1/users", json!(["users", "\0"])),
    ] {
        let call = app.get(&with(list, &cursor(&forged))).by(&admin);
        call.expect_fields(400, &[("cursor", "malformed")]).await;
    }
}
