//! What admins decide about webhooks, and what nobody gets to see.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::receiver::Hook;
use crate::support::{TestApp, logs};

const URL: &str = "https://receiver.example/hook";

fn new(url: &str) -> Value {
    json!({"url": url, "events": ["post.published"]})
}

#[tokio::test]
async fn a_secret_is_shown_once() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let create = || app.post("/v1/webhooks").by(&admin).header("idempotency-key", "once").json(&new(URL));
    let made = create().expect(201).await;
    let secret = made.json()["secret"].as_str().unwrap().to_owned();
    assert!(secret.starts_with("whsec_") && secret.len() == 6 + 44, "{secret}");
    assert_eq!(create().expect(201).await.json()["secret"], secret);
    let path = made.header("location").to_owned();
    assert_eq!(path, format!("/v1/webhooks/{}", made.id()));
    let rotated = app.post(&format!("{path}/secret")).by(&admin).expect(200).await.json();
    assert_ne!(rotated["secret"], secret);
    for path in ["/v1/webhooks", &*path, "/v1/audit", "/v1/users/me/export"] {
        let shown = app.get(path).by(&admin).expect(200).await;
        let text = String::from_utf8(shown.body.to_vec()).unwrap();
        // The key of an answer that is kept is there to be given again.
        assert!(!text.contains("whsec_") || path.ends_with("export"), "{text}");
    }
    assert_eq!(app.count("webhooks").await, 1);
    for secret in [secret.as_str(), rotated["secret"].as_str().unwrap()] {
        assert!(!logs::contain(secret));
    }
}

#[tokio::test]
async fn without_a_way_to_receivers_there_are_none() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let made = app.post("/v1/webhooks").by(&admin).json(&new(URL)).expect(201).await;
    let closed = app.start_beside(&[("WEBHOOKS", "off")]);
    closed.post("/v1/webhooks").by(&admin).json(&new(URL)).expect_problem(501, "webhooks_off").await;
    let path = format!("/v1/webhooks/{}", made.id());
    closed.patch(&path).by(&admin).json(&json!({"enabled": true})).expect_problem(501, "webhooks_off").await;
    closed.patch(&path).by(&admin).json(&json!({"enabled": false})).expect(200).await;
    closed.delete(&path).by(&admin).expect(204).await;
}

#[tokio::test]
async fn it_is_changed_and_deleted_in_the_version_that_was_seen() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let made = app.post("/v1/webhooks").by(&admin).json(&new(URL)).expect(201).await;
    let path = format!("/v1/webhooks/{}", made.id());
    let change =
        json!({"description": "Rebuilds", "events": ["media.deleted", "post.updated"], "enabled": false});
    let tag = made.header("etag").to_owned();
    let changed = app.patch(&path).by(&admin).header("if-match", &tag).json(&change).expect(200).await;
    let json = changed.json();
    for (field, value) in change.as_object().unwrap() {
        assert_eq!(&json[field], value);
    }
    assert_eq!(
        (&json["version"], &json["url"], &json["created_by"]),
        (&json!(2), &json!(URL), &json!(admin.id))
    );
    app.patch(&path).by(&admin).header("if-match", &tag).json(&change).expect(412).await;
    app.delete(&path).by(&admin).header("if-match", &tag).expect(412).await;
    // The same is no change.
    let same = app.patch(&path).by(&admin).json(&change).expect(200).await;
    assert_eq!(same.header("etag"), changed.header("etag"));
    let none = app.patch(&path).by(&admin).json(&json!({"description": null})).expect(200).await;
    assert_eq!(none.json()["description"], Value::Null);
    app.delete(&path).by(&admin).header("if-match", none.header("etag")).expect(204).await;
    app.get(&path).by(&admin).expect(404).await;
    app.delete(&path).by(&admin).expect(404).await;
    let audit = app.get("/v1/audit").by(&admin).expect(200).await;
    assert_eq!(
        audit.items("action"),
        ["webhook.deleted", "webhook.updated", "webhook.updated", "webhook.created"]
    );
    assert_eq!(audit.json()["items"][2]["details"], json!({"fields": ["description", "events", "enabled"]}));
}

#[tokio::test]
async fn a_url_that_may_not_be_called_is_refused() {
    let app = TestApp::start_with(&[("WEBHOOK_ALLOW", "")]).await;
    let admin = app.admin().await;
    let made = app.post("/v1/webhooks").by(&admin).json(&new(URL)).expect(201).await.id();
    let long = format!("{URL}?{}", "x".repeat(2048));
    for url in [
        "http://receiver.example/hook",
        "https://127.0.0.1/",
        "https://10.0.0.1/",
        "https://[::1]/",
        "https://169.254.169.254/latest/meta-data",
        "https://user:password@receiver.example/",
        "ftp://receiver.example/",
        "receiver.example",
        "",
        &long,
    ] {
        let refused = &[("url", "not_allowed")];
        app.post("/v1/webhooks").by(&admin).json(&new(url)).expect_fields(422, refused).await;
        let path = format!("/v1/webhooks/{made}");
        app.patch(&path).by(&admin).json(&json!({"url": url})).expect_fields(422, refused).await;
    }
}

#[tokio::test]
async fn what_it_is_told_is_chosen_and_each_once() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    for (events, field, code) in [
        (json!([]), "events", "too_few"),
        (json!(["post.published", "post.published"]), "events[1]", "duplicate"),
    ] {
        let body = json!({"url": URL, "events": events});
        app.post("/v1/webhooks").by(&admin).json(&body).expect_fields(422, &[(field, code)]).await;
    }
    for events in [json!(["webhook.test"]), json!(["post.*"]), Value::Null, json!("post.published")] {
        let body = json!({"url": URL, "events": events});
        app.post("/v1/webhooks").by(&admin).json(&body).expect(422).await;
    }
}

#[tokio::test]
async fn there_are_so_many_and_no_more_however_many_ask_at_once() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let create =
        || async { app.post("/v1/webhooks").by(&admin).json(&new(URL)).send().await.status.as_u16() };
    let mut made = 0;
    while made < 20 {
        let answers = tokio::join!(create(), create(), create());
        made += [answers.0, answers.1, answers.2].iter().filter(|status| **status == 201).count();
    }
    assert_eq!(made, 20);
    app.post("/v1/webhooks").by(&admin).json(&new(URL)).expect_fields(409, &[("id", "too_many")]).await;
    assert_eq!(app.count("webhooks").await, 20);
    let page = app.get("/v1/webhooks?limit=15").by(&admin).expect(200).await;
    let cursor = page.json()["next_cursor"].as_str().unwrap().to_owned();
    let rest = app.get(&format!("/v1/webhooks?limit=15&cursor={cursor}")).by(&admin).expect(200).await;
    assert_eq!(page.items("id").len() + rest.items("id").len(), 20);
    // A place that is free again is taken again.
    app.delete(&format!("/v1/webhooks/{}", page.items("id")[7])).by(&admin).expect(204).await;
    app.post("/v1/webhooks").by(&admin).json(&new(URL)).expect(201).await;
}

#[tokio::test]
async fn what_is_on_its_way_goes_with_it() {
    let app = TestApp::start().await;
    let hook = Hook::new(&app).await;
    app.post(&hook.path("/test")).by(&hook.admin).expect(202).await;
    let replay = json!({"since": app.now() - TimeDelta::days(1)});
    app.post(&hook.path("/replay")).by(&hook.admin).json(&replay).expect(202).await;
    app.delete(&hook.path("")).by(&hook.admin).expect(204).await;
    assert_eq!(app.count("webhook_deliveries").await, 0);
    assert_eq!(app.count("jobs where kind in ('webhook_delivery', 'webhook_replay')").await, 0);
    app.run_jobs().await;
    assert!(hook.receiver.take_all().is_empty());
}

#[tokio::test]
async fn it_outlives_the_admin_who_has_made_it_and_is_in_their_export() {
    let app = TestApp::start().await;
    let (hook, other) = (Hook::new(&app).await, app.admin().await);
    let export = app.get("/v1/users/me/export").by(&hook.admin).expect(200).await.json();
    assert_eq!(
        (&export["webhooks"][0]["id"], &export["webhooks"][0]["url"]),
        (&json!(hook.id), &json!(hook.receiver.url))
    );
    app.delete(&format!("/v1/users/{}", hook.admin.id)).by(&hook.admin).expect(204).await;
    let shown = app.get(&hook.path("")).by(&other).expect(200).await.json();
    assert_eq!((&shown["created_by"], &shown["enabled"]), (&Value::Null, &json!(true)));
}

#[tokio::test]
async fn no_url_is_logged_or_audited() {
    let app = TestApp::start().await;
    let hook = Hook::new(&app).await;
    let url = format!("{}&secret=of-a-receiver", hook.receiver.url);
    app.patch(&hook.path("")).by(&hook.admin).json(&json!({"url": url})).expect(200).await;
    hook.receiver.behave(super::receiver::Manner::Answer(410, &[]));
    hook.test(&app).await;
    hook.told(&app).await;
    assert!(logs::contain("a webhook was turned off"));
    assert!(!logs::contain("of-a-receiver"));
    let audit = app.get("/v1/audit").by(&hook.admin).expect(200).await;
    assert!(!String::from_utf8_lossy(&audit.body).contains("of-a-receiver"));
}
