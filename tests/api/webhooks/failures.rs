//! Receivers that fail, hang, redirect, put off or are gone, and tasks that die.

use blog_api::egress;
use blog_api::jobs::model::{Claim, Kind};
use blog_api::jobs::store as jobs;
use blog_api::webhooks;
use blog_api::webhooks::store::{self, Attempt};
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

fn time(value: &Value) -> DateTime<Utc> {
    value.as_str().unwrap_or_else(|| panic!("{value} is no time")).parse().unwrap()
}

#[tokio::test]
async fn a_message_that_fails_is_tried_by_the_schedule_of_the_specification() {
    let (app, hook) = start().await;
    hook.receiver.behave(Manner::Answer(500, &[]));
    hook.test(&app).await;
    let seconds = [5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400];
    for (n, seconds) in (1_usize..).zip(seconds) {
        assert_eq!(hook.told(&app).await.len(), 1);
        let delivery = hook.delivery(&app).await;
        assert_eq!(
            (delivery["attempts"].as_array().unwrap().len(), &delivery["status"]),
            (n, &json!("pending"))
        );
        let wait = (time(&delivery["next_attempt_at"]) - app.clock().now()).as_seconds_f64();
        let (least, most) = (f64::from(seconds), f64::from(seconds) * 1.1);
        assert!((least..=most).contains(&wait), "{wait} after {n}");
        app.advance(time(&delivery["next_attempt_at"]) - app.now() - TimeDelta::microseconds(1));
        assert_eq!(hook.told(&app).await, []);
        app.advance(TimeDelta::microseconds(1));
    }
    assert_eq!(hook.told(&app).await.len(), 1);
    let delivery = hook.delivery(&app).await;
    assert_eq!((&delivery["status"], &delivery["next_attempt_at"]), (&json!("failed"), &Value::Null));
    let last = &delivery["attempts"][9];
    assert_eq!(
        (&last["number"], &last["status"], &last["error"]),
        (&json!(10), &json!(500), &json!("status"))
    );
    // The job is gone with the last message.
    assert_eq!(app.count("jobs where kind = 'webhook_delivery'").await, 0);
    // The receiver works again, and what is asked for is tried as often as before.
    hook.receiver.behave(Manner::Answer(500, &[]));
    let id = delivery["id"].as_str().unwrap();
    app.post(&hook.path(&format!("/deliveries/{id}/retry"))).by(&hook.admin).expect(200).await;
    hook.told(&app).await;
    assert_eq!(hook.delivery(&app).await["status"], "pending");
}

#[tokio::test]
async fn a_receiver_puts_off_what_it_is_sent() {
    for (status, wait) in [(429, "600"), (503, "600"), (429, "999999999")] {
        let (app, hook) = start().await;
        let headers: &'static [(&str, &str)] = vec![("retry-after", wait)].leak();
        hook.receiver.behave(Manner::Answer(status, headers));
        hook.test(&app).await;
        hook.told(&app).await;
        let next = time(&hook.delivery(&app).await["next_attempt_at"]) - app.clock().now();
        assert_eq!(next, TimeDelta::seconds(wait.parse::<i64>().unwrap().min(86_400)));
    }
}

#[tokio::test]
async fn whatever_is_no_success_fails_and_no_redirect_is_followed() {
    let (app, hook) = start().await;
    let elsewhere = Hook::new(&app).await;
    elsewhere.told(&app).await;
    hook.told(&app).await;
    let location: &'static [(&str, &str)] =
        vec![("location", &*elsewhere.receiver.url.clone().leak())].leak();
    for status in [301, 302, 307, 308, 400, 404, 500] {
        hook.receiver.behave(Manner::Answer(status, location));
        hook.test(&app).await;
        hook.told(&app).await;
        let delivery = hook.deliveries(&app).await.remove(0);
        assert_eq!(delivery["status"], "pending", "{status}");
        assert_eq!(delivery["attempts"][0]["status"], status);
        assert_eq!(delivery["attempts"][0]["error"], "status");
    }
    assert!(elsewhere.receiver.take_all().is_empty());
}

#[tokio::test]
async fn why_there_was_no_answer_is_said_by_a_word() {
    let (app, hook) = start().await;
    // Nobody listens there.
    app.patch(&hook.path("")).by(&hook.admin).json(&json!({"url": "http://127.0.0.1:1/"})).expect(200).await;
    hook.test(&app).await;
    hook.told(&app).await;
    let attempt = &hook.delivery(&app).await["attempts"][0];
    assert_eq!((&attempt["status"], &attempt["error"]), (&Value::Null, &json!("connection_failed")));
    // What was allowed is not allowed any more.
    let strict = app.start_beside(&[("WEBHOOK_ALLOW", "")]);
    app.post(&hook.path("/test")).by(&hook.admin).expect(202).await;
    strict.run_jobs().await;
    let attempt = &hook.deliveries(&app).await[0]["attempts"][0];
    assert_eq!((&attempt["status"], &attempt["error"]), (&Value::Null, &json!("url_refused")));
}

#[tokio::test]
async fn who_is_gone_is_told_nothing_more_and_admins_get_a_mail() {
    let (app, hook) = start().await;
    app.verify(&hook.admin).await;
    // One who does not read their address, and one who is no admin.
    app.admin().await;
    let editor = app.editor().await;
    app.verify(&editor).await;
    hook.told(&app).await;
    hook.receiver.behave(Manner::Answer(410, &[]));
    hook.test(&app).await;
    assert_eq!(hook.told(&app).await.len(), 1);
    let shown = hook.shown(&app).await;
    assert_eq!((&shown["enabled"], &shown["disabled_reason"]), (&json!(false), &json!("gone")));
    assert_eq!(shown["version"], 2);
    assert_eq!(hook.deliveries(&app).await[0]["status"], "failed");
    let mails = app.mails();
    assert_eq!(mails.iter().map(|mail| mail.to.as_str()).collect::<Vec<_>>(), [hook.admin.email.as_str()]);
    assert!(mails[0].text.contains(&hook.id) && !mails[0].text.contains("hidden"), "{}", mails[0].text);
    app.patch("/v1/site").by(&hook.admin).json(&json!({"title": "Mine"})).expect(200).await;
    app.advance(TimeDelta::days(1));
    assert_eq!(hook.told(&app).await, []);
    // Turned on again, it has a clean slate.
    let on = json!({"enabled": true});
    let shown = app.patch(&hook.path("")).by(&hook.admin).json(&on).expect(200).await.json();
    assert_eq!((&shown["disabled_reason"], &shown["failing_since"]), (&Value::Null, &Value::Null));
}

#[tokio::test]
async fn who_fails_for_five_days_is_told_nothing_more() {
    let (app, hook) = start().await;
    app.verify(&hook.admin).await;
    hook.receiver.behave(Manner::Answer(500, &[]));
    hook.test(&app).await;
    hook.told(&app).await;
    let since = hook.shown(&app).await["failing_since"].clone();
    assert_eq!(time(&since), app.clock().now());
    app.advance(TimeDelta::days(5) - TimeDelta::seconds(1));
    hook.told(&app).await;
    let shown = hook.shown(&app).await;
    assert_eq!((&shown["enabled"], &shown["failing_since"]), (&json!(true), &since));
    // One success in between, and the days begin anew.
    hook.receiver.behave(Manner::Answer(200, &[]));
    hook.test(&app).await;
    hook.told(&app).await;
    assert_eq!(hook.shown(&app).await["failing_since"], Value::Null);
    hook.receiver.behave(Manner::Answer(500, &[]));
    hook.test(&app).await;
    hook.told(&app).await;
    app.advance(TimeDelta::days(5));
    hook.told(&app).await;
    let shown = hook.shown(&app).await;
    assert_eq!((&shown["enabled"], &shown["disabled_reason"]), (&json!(false), &json!("failing")));
    app.run_jobs().await;
    assert_eq!(app.mails().len(), 1);
}

#[tokio::test]
async fn who_hangs_keeps_no_other_waiting() {
    let (app, slow) = start().await;
    let quick = Hook::new(&app).await;
    quick.told(&app).await;
    slow.receiver.take_all();
    slow.receiver.behave(Manner::Hang);
    for _ in 0..100 {
        slow.test(&app).await;
    }
    let working = app.run_jobs();
    let others = async {
        slow.receiver.got().await;
        quick.test(&app).await;
        // Another task, since the first has claimed what was due.
        let beside = app.start_beside(&[]);
        tokio::select! { _ = beside.run_jobs() => {}, () = quick.receiver.got() => {} }
    };
    // It ends while the other one hangs.
    tokio::select! { _ = working => panic!("nobody hangs"), () = others => {} }
    // No more than a few at once.
    assert!(slow.receiver.take_all().len() <= 4);
}

/// A job of a webhook, as a task has claimed it that dies.
async fn claim(app: &TestApp, lease: TimeDelta) -> Claim {
    let mut connection = app.db.acquire().await.unwrap();
    let (now, places) = (app.now(), [(Kind::WebhookDelivery, 20)]);
    jobs::claim(&mut connection, Uuid::now_v7(), &[], &places, now, now + lease).await.unwrap().remove(0)
}

async fn deliver(app: &TestApp, job: &Claim) {
    let client = egress::Client::new("127.0.0.1, http".parse().unwrap());
    let mailer = blog_api::mail::Mailer::new(None).unwrap();
    webhooks::jobs::deliver(&app.db, &client, &mailer, &app.clock(), job).await.unwrap();
}

#[tokio::test]
async fn what_a_task_that_dies_had_is_sent_by_another() {
    let (app, hook) = start().await;
    hook.test(&app).await;
    let dead = claim(&app, TimeDelta::seconds(30)).await;
    assert_eq!(hook.told(&app).await, []);
    // What comes in the meantime is not forgotten either.
    app.patch("/v1/site").by(&hook.admin).json(&json!({"title": "Mine"})).expect(200).await;
    assert_eq!(hook.told(&app).await, []);
    app.advance(TimeDelta::seconds(30));
    assert_eq!(hook.told(&app).await.len(), 2);
    // It was not dead after all: it sends nothing more.
    hook.test(&app).await;
    deliver(&app, &dead).await;
    assert!(hook.receiver.take_all().is_empty());
    assert_eq!(hook.told(&app).await.len(), 1);
}

#[tokio::test]
async fn who_gave_a_job_back_sends_nothing_beside_who_took_it() {
    let (app, hook) = start().await;
    hook.test(&app).await;
    let before = claim(&app, TimeDelta::seconds(30)).await;
    let mut connection = app.db.acquire().await.unwrap();
    jobs::give_back(&mut connection, before.holder, app.now()).await.unwrap();
    let job = claim(&app, TimeDelta::seconds(30)).await;
    assert_eq!((before.id, before.attempts), (job.id, job.attempts));
    deliver(&app, &before).await;
    assert!(hook.receiver.take_all().is_empty());
    deliver(&app, &job).await;
    assert_eq!(hook.receiver.take_all().len(), 1);
}

#[tokio::test]
async fn a_retry_that_is_asked_for_during_the_last_attempt_follows_it() {
    let (app, hook) = start().await;
    hook.receiver.behave(Manner::Answer(500, &[]));
    hook.test(&app).await;
    hook.told(&app).await;
    app.advance(TimeDelta::minutes(1));
    let mut transaction = app.db.begin().await.unwrap();
    let (id, now) = (hook.id.parse().unwrap(), app.now());
    let due = store::due(&mut transaction, id, 1, now).await.unwrap().remove(0);
    app.post(&hook.path(&format!("/deliveries/{}/retry", due.id))).by(&hook.admin).expect(200).await;
    let attempt = Attempt { at: now, milliseconds: 1, status: Some(500), error: Some("status") };
    store::failed(&mut transaction, &due, attempt, None).await.unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(hook.told(&app).await.len(), 1);
    assert_eq!(hook.delivery(&app).await["attempts"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn what_comes_while_a_task_is_at_work_is_sent_after_that() {
    let (app, hook) = start().await;
    hook.test(&app).await;
    let job = claim(&app, TimeDelta::seconds(30)).await;
    // Another task finds out whom this is for, and cannot have the job.
    app.patch("/v1/site").by(&hook.admin).json(&json!({"title": "Mine"})).expect(200).await;
    assert_eq!(hook.told(&app).await, []);
    deliver(&app, &job).await;
    assert_eq!(hook.receiver.take_all().len(), 2);
    assert_eq!(app.count("jobs where kind like 'webhook%'").await, 0);
}

#[tokio::test]
async fn an_event_is_delivered_once_however_often_its_job_is_done() {
    let (app, hook) = start().await;
    app.patch("/v1/site").by(&hook.admin).json(&json!({"title": "Mine"})).expect(200).await;
    let mut connection = app.db.acquire().await.unwrap();
    let now = app.now();
    let places = [(Kind::WebhookEvent, 1)];
    let job = jobs::claim(&mut connection, Uuid::now_v7(), &[], &places, now, now).await.unwrap().remove(0);
    for _ in 0..2 {
        webhooks::jobs::fan_out(&app.db, &job, now).await.unwrap();
        assert_eq!(app.count("webhook_deliveries").await, 1);
    }
    assert_eq!(hook.told(&app).await.len(), 1);
}
