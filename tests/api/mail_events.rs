//! What became of mails: bounces and complaints, said by whoever delivers them.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::support::{PASSWORD, TestApp, TestUser, bounce};

fn complaint(email: &str) -> Value {
    let complaint = json!({"complainedRecipients": [{"emailAddress": email}]});
    json!({"detail": {"eventType": "Complaint", "complaint": complaint}})
}

async fn say(app: &TestApp, event: &Value) {
    app.post("/v1/mail-events").by(&TestApp::mail_provider()).json(event).expect(204).await;
}

async fn undeliverable(app: &TestApp, user: &TestUser) -> Value {
    app.get("/v1/users/me").by(user).expect(200).await.json()["email_undeliverable"].clone()
}

#[tokio::test]
async fn a_bounce_and_a_complaint_mark_the_address_until_its_user_verifies_it() {
    let app = TestApp::start().await;
    let (user, other) = (app.author().await, app.author().await);
    app.verify(&user).await;
    for (event, why) in [
        (bounce(&user.email.to_uppercase()), "bounce"),
        (complaint(&format!("Ada <{}>", user.email)), "complaint"),
    ] {
        say(&app, &event).await;
        assert_eq!(undeliverable(&app, &user).await, why);
        app.post("/v1/email-verifications").by(&user).expect(202).await;
        let token = app.mailed_token().await;
        app.post("/v1/email-verifications/confirmation").json(&json!({"token": token})).expect(204).await;
        assert_eq!(undeliverable(&app, &user).await, Value::Null);
        app.advance(TimeDelta::minutes(1));
        app.patch(&format!("/v1/users/{}", user.id))
            .by(&app.admin().await)
            .json(&json!({"email": format!("{why}@example.com")}))
            .expect(200)
            .await;
        app.patch(&format!("/v1/users/{}", user.id))
            .by(&app.admin().await)
            .json(&json!({"email": user.email}))
            .expect(200)
            .await;
    }
    assert_eq!(undeliverable(&app, &other).await, Value::Null);
}

#[tokio::test]
async fn what_became_of_mail_before_the_address_was_verified_is_no_news() {
    let app = TestApp::start().await;
    let user = app.author().await;
    for why in ["bounce", "complaint"] {
        let mut event = if why == "bounce" { bounce(&user.email) } else { complaint(&user.email) };
        event["detail"][why]["timestamp"] = json!(app.now());
        say(&app, &event).await;
        assert_eq!(undeliverable(&app, &user).await, why);
        app.advance(TimeDelta::minutes(2));
        if why == "bounce" {
            app.post("/v1/email-verifications").by(&user).expect(202).await;
            let token = json!({"token": app.mailed_token().await});
            app.post("/v1/email-verifications/confirmation").json(&token).expect(204).await;
        } else {
            // Of an address that was verified before, too.
            let body = json!({"token": app.reset_token(&user).await, "password": PASSWORD});
            app.post("/v1/password-resets/confirmation").json(&body).expect(204).await;
        }
        say(&app, &event).await;
        let now = "users where email_undeliverable is not null";
        assert_eq!(app.count(now).await, 0, "{why}");
        app.advance(TimeDelta::minutes(2));
        event["detail"][why]["timestamp"] = json!(app.now());
        say(&app, &event).await;
        assert_eq!(app.count(now).await, 1, "{why}");
    }
}

#[tokio::test]
async fn another_address_is_not_marked_by_what_became_of_the_old_one() {
    let app = TestApp::start().await;
    let (user, admin) = (app.author().await, app.admin().await);
    say(&app, &bounce(&user.email)).await;
    let change = json!({"email": "ada@bücher.example"});
    app.patch(&format!("/v1/users/{}", user.id)).by(&admin).json(&change).expect(200).await;
    assert_eq!(undeliverable(&app, &user).await, Value::Null);
    // Mail is sent to the domain in ASCII.
    say(&app, &bounce("ada@xn--bcher-kva.example")).await;
    assert_eq!(undeliverable(&app, &user).await, "bounce");
}

#[tokio::test]
async fn an_address_that_an_earlier_version_changes_is_not_marked_by_what_became_of_the_old_one() {
    let app = TestApp::start().await;
    let user = app.author().await;
    say(&app, &bounce(&user.email)).await;
    let change = async |sql: &'static str| {
        sqlx::query(sql).execute(&mut app.db.acquire().await.unwrap()).await.unwrap();
        undeliverable(&app, &user).await
    };
    assert_eq!(change("update users set email = email, bio = 'x'").await, "bounce");
    assert_eq!(change("update users set email = 'new-' || email").await, Value::Null);
}

#[tokio::test]
async fn what_its_user_asks_for_is_mailed_to_an_undeliverable_address_too() {
    let app = TestApp::start().await;
    let user = app.author().await;
    say(&app, &bounce(&user.email)).await;
    let token = app.reset_token(&user).await;
    let body = json!({"token": token, "password": format!("{PASSWORD}, but another")});
    app.post("/v1/password-resets/confirmation").json(&body).expect(204).await;
    let sign_in = json!({"email": user.email, "password": format!("{PASSWORD}, but another")});
    let token = app.post("/v1/sessions").json(&sign_in).expect(201).await.json()["token"].clone();
    let user = TestUser { token: token.as_str().unwrap().into(), ..user };
    // Who has chosen a password by a mailed link reads the address.
    assert_eq!(undeliverable(&app, &user).await, Value::Null);
}

#[tokio::test]
async fn what_may_pass_and_what_is_not_of_mail_changes_nothing() {
    let app = TestApp::start().await;
    let user = app.author().await;
    let recipients = json!([{"emailAddress": user.email}]);
    for detail in [
        json!({"eventType": "Bounce", "bounce": {"bounceType": "Transient", "bouncedRecipients": recipients}}),
        json!({"eventType": "Bounce", "bounce": {"bounceType": "Undetermined", "bouncedRecipients": recipients}}),
        json!({"eventType": "Delivery", "complaint": {"complainedRecipients": recipients}}),
        json!({"eventType": "Complaint"}),
        json!({"eventType": "Complaint", "complaint": {"complaintFeedbackType": "not-spam", "complainedRecipients": recipients}}),
        json!({"eventType": "Bounce", "bounce": {"bounceType": "Permanent", "bouncedRecipients": []}}),
    ] {
        say(&app, &json!({"version": "0", "detail-type": "Email Bounced", "detail": detail})).await;
    }
    for nonsense in ["", "@", "nobody", "<>", "ada@", "ผู้ใช้@ตัวอย่าง.ไทย", "用户@例子.中国", "a\u{0}@b"]
    {
        say(&app, &bounce(nonsense)).await;
    }
    assert_eq!(undeliverable(&app, &user).await, Value::Null);
}

#[tokio::test]
async fn nobody_else_says_what_became_of_mails() {
    let app = TestApp::start().await;
    let user = app.admin().await;
    let wrong = TestUser { token: "mail-event".into(), ..user.clone() };
    for who in [&user, &wrong] {
        let call = app.post("/v1/mail-events").by(who).json(&bounce(&user.email));
        call.expect_problem(401, "unauthenticated").await;
    }
    app.post("/v1/mail-events").json(&bounce(&user.email)).expect_problem(401, "unauthenticated").await;
    assert_eq!(undeliverable(&app, &user).await, Value::Null);
    let without = TestApp::start_with(&[("MAIL_EVENTS_TOKEN_SHA256", "")]).await;
    let call = without.post("/v1/mail-events").by(&TestApp::mail_provider()).json(&bounce("a@b"));
    call.expect_problem(401, "unauthenticated").await;
}

#[tokio::test]
async fn an_event_that_is_none_is_refused_by_its_field() {
    let app = TestApp::start().await;
    let many: Vec<_> = (0..51).map(|n| json!({"emailAddress": format!("user{n}@example.com")})).collect();
    let bounce = |recipients: Value| json!({"eventType": "Bounce", "bounce": {"bounceType": "Permanent", "bouncedRecipients": recipients}});
    for (body, field, code) in [
        (json!({}), "detail", "required"),
        (json!({"detail": {}}), "detail.eventType", "required"),
        (
            json!({"detail": bounce(json!([{}]))}),
            "detail.bounce.bouncedRecipients[0].emailAddress",
            "required",
        ),
        (json!({"detail": bounce(json!(many))}), "detail", "too_many"),
        (
            json!({"detail": {"eventType": "Complaint", "complaint": {"complainedRecipients": [], "timestamp": "yesterday"}}}),
            "detail.complaint.timestamp",
            "wrong_type",
        ),
    ] {
        let call = app.post("/v1/mail-events").by(&TestApp::mail_provider()).json(&body);
        call.expect_fields(422, &[(field, code)]).await;
    }
}
