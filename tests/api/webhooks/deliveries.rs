//! What is sent, how it is signed, and having it sent again.

use blog_api::VERSION;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

use super::receiver::{Hook, Manner};
use crate::support::TestApp;

async fn start() -> (TestApp, Hook) {
    let app = TestApp::start().await;
    let hook = Hook::new(&app).await;
    hook.told(&app).await;
    (app, hook)
}

async fn set_enabled(app: &TestApp, hook: &Hook, enabled: bool) {
    app.patch(&hook.path("")).by(&hook.admin).json(&json!({"enabled": enabled})).expect(200).await;
}

#[tokio::test]
async fn a_message_is_as_the_specification_has_it() {
    let (app, hook) = start().await;
    let asked = app.post(&hook.path("/test")).by(&hook.admin).expect(202).await.json();
    assert_eq!((&asked["type"], &asked["status"]), (&json!("webhook.test"), &json!("pending")));
    let message = hook.messages(&app).await.remove(0);
    let id = asked["id"].as_str().unwrap().replace('-', "");
    assert_eq!(message.header("webhook-id"), format!("msg_{id}"));
    assert_eq!(message.header("webhook-timestamp"), app.now().timestamp().to_string());
    assert_eq!(message.header("content-type"), "application/json");
    assert_eq!(message.header("user-agent"), format!("blog-api/{VERSION}"));
    assert_eq!(message.signatures(), 1);
    assert_eq!(message.json()["type"], "webhook.test");
    assert_eq!(message.json()["data"], json!({"webhook_id": hook.id}));
    let delivery = &hook.deliveries(&app).await[0];
    assert_eq!(delivery["id"], asked["id"]);
    assert_eq!(delivery["status"], "delivered");
    let attempt = &delivery["attempts"][0];
    assert_eq!(
        (&attempt["number"], &attempt["status"], &attempt["error"]),
        (&json!(1), &json!(204), &Value::Null)
    );
    assert!(attempt["milliseconds"].as_i64().unwrap() >= 0);
    assert!(delivery["delivered_at"].is_string() && delivery["next_attempt_at"].is_null());
}

#[tokio::test]
async fn for_a_day_both_secrets_sign() {
    let (app, mut hook) = start().await;
    let rotated = app.post(&hook.path("/secret")).by(&hook.admin).expect(200).await.json();
    let old = std::mem::replace(&mut hook.secret, rotated["secret"].as_str().unwrap().to_owned());
    let until: DateTime<Utc> = rotated["previous_secret_until"].as_str().unwrap().parse().unwrap();
    assert_eq!(until, app.clock().now() + TimeDelta::hours(24));
    for (after, signatures) in [(TimeDelta::hours(24) - TimeDelta::seconds(1), 2), (TimeDelta::seconds(1), 1)]
    {
        app.advance(after);
        hook.test(&app).await;
        let message = hook.messages(&app).await.remove(0);
        assert_eq!((message.signatures(), message.is_signed_with(&old)), (signatures, signatures == 2));
    }
    app.maintain().await;
    assert_eq!(app.count("webhooks where previous_secret is not null").await, 0);
    assert_eq!(hook.shown(&app).await["previous_secret_until"], Value::Null);
}

#[tokio::test]
async fn each_attempt_is_signed_anew() {
    let (app, hook) = start().await;
    hook.receiver.behave(Manner::Answer(500, &[]));
    hook.test(&app).await;
    let first = hook.messages(&app).await.remove(0);
    app.advance(TimeDelta::seconds(6));
    let second = hook.messages(&app).await.remove(0);
    assert_eq!((first.header("webhook-id"), &first.body), (second.header("webhook-id"), &second.body));
    let time = |at: &str| at.parse::<i64>().unwrap();
    assert_eq!(time(second.header("webhook-timestamp")) - time(first.header("webhook-timestamp")), 6);
    assert_ne!(first.header("webhook-signature"), second.header("webhook-signature"));
}

#[tokio::test]
async fn an_admin_has_a_message_sent_again_under_its_id() {
    let (app, hook) = start().await;
    hook.test(&app).await;
    let first = hook.messages(&app).await.remove(0);
    let id = hook.deliveries(&app).await[0]["id"].as_str().unwrap().to_owned();
    let path = hook.path(&format!("/deliveries/{id}/retry"));
    let retry = || app.post(&path).by(&hook.admin).header("idempotency-key", "once");
    assert_eq!(retry().expect(200).await.json()["status"], "pending");
    assert_eq!(retry().expect(200).await.header("idempotency-replayed"), "true");
    let second = hook.messages(&app).await.remove(0);
    assert_eq!(first.header("webhook-id"), second.header("webhook-id"));
    let delivery = &hook.deliveries(&app).await[0];
    assert_eq!(
        (&delivery["status"], delivery["attempts"].as_array().unwrap().len()),
        (&json!("delivered"), 2)
    );
    let audit = app.get("/v1/audit?action=webhook.retried").by(&hook.admin).expect(200).await.json();
    assert_eq!(audit["items"][0]["details"], json!({"delivery_id": id}));
    for unknown in [hook.path(&format!("/deliveries/{}/retry", Uuid::now_v7())), path.replace(&hook.id, &id)]
    {
        app.post(&unknown).by(&hook.admin).expect_problem(404, "not_found").await;
    }
}

#[tokio::test]
async fn of_many_attempts_the_last_are_kept() {
    let (app, hook) = start().await;
    hook.test(&app).await;
    hook.told(&app).await;
    let id = hook.deliveries(&app).await[0]["id"].as_str().unwrap().to_owned();
    for _ in 0..21 {
        app.post(&hook.path(&format!("/deliveries/{id}/retry"))).by(&hook.admin).expect(200).await;
        hook.told(&app).await;
    }
    let delivery = &hook.deliveries(&app).await[0];
    let numbers: Vec<_> = delivery["attempts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|attempt| attempt["number"].as_i64().unwrap())
        .collect();
    assert_eq!(numbers, (3..=22).collect::<Vec<_>>());
}

#[tokio::test]
async fn what_has_happened_is_sent_again_also_what_was_missed() {
    let (app, hook) = start().await;
    let author = app.author().await;
    hook.told(&app).await;
    // What has happened before is not sent again.
    app.advance(TimeDelta::seconds(1));
    let since = app.now();
    let seen = app.post_by(&author).await;
    let first = hook.messages(&app).await.remove(0);
    // Another webhook is turned on, so that this one has something to miss.
    let _other = Hook::new(&app).await;
    set_enabled(&app, &hook, false).await;
    let missed = app.post_by(&author).await;
    assert_eq!(hook.told(&app).await, []);
    let replay = || app.post(&hook.path("/replay")).by(&hook.admin).json(&json!({"since": since}));
    replay().expect_fields(409, &[("id", "disabled")]).await;
    set_enabled(&app, &hook, true).await;
    replay().expect(202).await;
    let again = hook.messages(&app).await;
    let mut told: Vec<_> = again.iter().map(|message| message.event().1["post_id"].clone()).collect();
    told.retain(|post| !post.is_null());
    told.sort_by_key(ToString::to_string);
    let mut expected = [json!(seen), json!(missed)];
    expected.sort_by_key(ToString::to_string);
    assert_eq!(told, expected);
    let same = again.iter().find(|message| message.event() == first.event()).unwrap();
    assert_eq!(same.header("webhook-id"), first.header("webhook-id"));
    let future = json!({"since": app.now() + TimeDelta::seconds(1)});
    app.post(&hook.path("/replay"))
        .by(&hook.admin)
        .json(&future)
        .expect_fields(422, &[("since", "in_future")])
        .await;
}

#[tokio::test]
async fn a_replay_is_of_all_that_has_happened_however_much_that_is() {
    let (app, hook) = start().await;
    let insert = "insert into webhook_events (id, type, data, occurred_at)
      select gen_random_uuid(), 'site.updated', jsonb_build_object('version', n), $1 from generate_series(1, 1203) n";
    let insert = sqlx::query(insert).bind(app.now());
    insert.execute(&mut app.db.acquire().await.unwrap()).await.unwrap();
    app.post(&hook.path("/replay")).by(&hook.admin).json(&json!({"since": app.now()})).expect(202).await;
    let mut versions: Vec<_> =
        hook.told(&app).await.iter().filter_map(|(_, data)| data["version"].as_i64()).collect();
    versions.sort_unstable();
    versions.dedup();
    assert_eq!(versions, (1..=1203).collect::<Vec<_>>());
}

#[tokio::test]
async fn messages_wait_for_a_webhook_that_is_turned_off() {
    let (app, hook) = start().await;
    app.patch("/v1/site").by(&hook.admin).json(&json!({"title": "Mine"})).expect(200).await;
    // Fanned out, and not sent yet.
    hook.receiver.behave(Manner::Answer(503, &[]));
    assert_eq!(hook.told(&app).await.len(), 1);
    set_enabled(&app, &hook, false).await;
    app.advance(TimeDelta::hours(1));
    assert_eq!(hook.told(&app).await, []);
    app.post(&hook.path("/test")).by(&hook.admin).expect_fields(409, &[("id", "disabled")]).await;
    hook.receiver.behave(Manner::Answer(200, &[]));
    set_enabled(&app, &hook, true).await;
    hook.is_told(&app, &[("site.updated", json!({"version": 2}))]).await;
}

#[tokio::test]
async fn what_has_happened_is_kept_for_a_month() {
    let (app, hook) = start().await;
    hook.test(&app).await;
    hook.told(&app).await;
    app.advance(TimeDelta::days(30) - TimeDelta::seconds(1));
    app.maintain().await;
    assert_eq!(hook.deliveries(&app).await.len(), 1);
    app.advance(TimeDelta::seconds(1));
    app.maintain().await;
    for table in ["webhook_events", "webhook_deliveries", "webhook_attempts"] {
        assert_eq!(app.count(table).await, 0, "{table}");
    }
}

#[tokio::test]
async fn deliveries_are_listed_by_page_and_status() {
    let (app, hook) = start().await;
    for _ in 0..3 {
        hook.test(&app).await;
        app.advance(TimeDelta::seconds(1));
    }
    hook.told(&app).await;
    hook.receiver.behave(Manner::Answer(410, &[]));
    hook.test(&app).await;
    hook.told(&app).await;
    let list = async |query: &str| {
        app.get(&hook.path(&format!("/deliveries{query}"))).by(&hook.admin).expect(200).await
    };
    let all: Vec<_> = hook.deliveries(&app).await.iter().map(|delivery| delivery["id"].clone()).collect();
    assert_eq!(all.len(), 4);
    let page = list("?limit=3").await.json();
    let rest = list(&format!("?limit=3&cursor={}", page["next_cursor"].as_str().unwrap())).await;
    let mut paged = page["items"].as_array().unwrap().clone();
    paged.extend(rest.json()["items"].as_array().unwrap().clone());
    assert_eq!(paged.iter().map(|delivery| delivery["id"].clone()).collect::<Vec<_>>(), all);
    assert_eq!(list("?status=failed").await.items("id"), [all[0].as_str().unwrap()]);
    assert_eq!(list("?status=delivered").await.items("id").len(), 3);
    assert!(list("?status=pending").await.items("id").is_empty());
    let body = list("").await;
    assert!(!String::from_utf8_lossy(&body.body).contains("a receiver's own body"));
    app.get(&format!("/v1/webhooks/{}/deliveries", Uuid::now_v7())).by(&hook.admin).expect(404).await;
}
