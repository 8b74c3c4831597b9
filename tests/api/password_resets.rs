//! A new password by a mailed link: for its owner once, and for nobody else.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::support::{Call, PASSWORD, TestApp, TestUser, logs};

const NEW_PASSWORD: &str = "another password for tests";

async fn ask(app: &TestApp, email: &str) {
    let reply = app.post("/v1/password-resets").json(&json!({"email": email})).expect(202).await;
    assert!(reply.body.is_empty(), "{reply}");
    app.run_jobs().await;
}

fn confirm<'a>(app: &'a TestApp, token: &str, password: &str) -> Call<'a> {
    app.post("/v1/password-resets/confirmation").json(&json!({"token": token, "password": password}))
}

async fn expect_useless(app: &TestApp, token: &str) {
    confirm(app, token, NEW_PASSWORD).expect_fields(422, &[("token", "invalid")]).await;
}

async fn sign_in(app: &TestApp, user: &TestUser, password: &str, status: u16) {
    app.post("/v1/sessions").json(&json!({"email": user.email, "password": password})).expect(status).await;
}

#[tokio::test]
async fn a_forgotten_password_is_replaced_by_a_mailed_link() {
    let app = TestApp::start().await;
    let user = app.author().await;
    let token = app
        .reset_token(&TestUser { email: format!(" {} ", user.email.to_uppercase()), ..user.clone() })
        .await;
    let mail = app.mails().remove(0);
    assert_eq!((&*mail.to, &*mail.subject), (&*user.email, "Choose a new password for Blog"));
    assert!(mail.html.contains(&format!("href=\"http://localhost:8000/account/password-reset#{token}\"")));

    app.advance(TimeDelta::minutes(29));
    confirm(&app, &token, NEW_PASSWORD).expect(204).await;
    sign_in(&app, &user, PASSWORD, 401).await;
    sign_in(&app, &user, NEW_PASSWORD, 201).await;
    app.get("/v1/users/me").by(&user).expect_problem(401, "unauthenticated").await;
    app.run_jobs().await;
    let told = app.mails().remove(0);
    assert_eq!((&*told.to, &*told.subject), (&*user.email, "Your password for Blog was changed"));
    let audit = app.get("/v1/audit?action=user.password_reset").by(&app.admin().await).expect(200).await;
    assert_eq!(audit.items("target_id"), [user.id.to_string()]);
    expect_useless(&app, &token).await;
}

#[tokio::test]
async fn a_link_that_was_mailed_twice_works_once() {
    let app = TestApp::start().await;
    let user = app.author().await;
    let (first, second) = (app.reset_token(&user).await, app.reset_token(&user).await);
    assert_ne!(first, second);
    confirm(&app, &first, NEW_PASSWORD).expect(204).await;
    expect_useless(&app, &second).await;
}

#[tokio::test]
async fn a_link_is_for_half_an_hour_and_for_the_account_as_it_was() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let user = app.author().await;
    let old = app.reset_token(&user).await;
    app.advance(TimeDelta::minutes(30));
    expect_useless(&app, &old).await;
    for change in [json!({"email": "elsewhere@example.com"}), json!({"password": NEW_PASSWORD})] {
        let user = app.author().await;
        let token = app.reset_token(&user).await;
        app.patch(&format!("/v1/users/{}", user.id)).by(&admin).json(&change).expect(200).await;
        expect_useless(&app, &token).await;
    }
    // What is not of the credentials does not matter: who has a session cannot keep the owner from a new password.
    let token = app.reset_token(&user).await;
    app.patch(&format!("/v1/users/{}", user.id)).by(&user).json(&json!({"language": "de"})).expect(200).await;
    confirm(&app, &token, NEW_PASSWORD).expect(204).await;
    for nonsense in ["", "blog_", "ไม่ใช่", "\0", &"x".repeat(10_000)] {
        expect_useless(&app, nonsense).await;
    }
    // Another kind of token proves nothing here.
    expect_useless(&app, &app.author().await.token).await;
}

#[tokio::test]
async fn of_two_who_use_a_link_at_once_one_comes_too_late() {
    let app = TestApp::start().await;
    let user = app.author().await;
    let token = app.reset_token(&user).await;
    let both = tokio::join!(
        confirm(&app, &token, NEW_PASSWORD).send(),
        confirm(&app, &token, "yet another password").send()
    );
    let mut statuses = [both.0.status.as_u16(), both.1.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [204, 422]);
}

#[tokio::test]
async fn a_bad_password_uses_nothing_up() {
    let app = TestApp::start().await;
    let user = app.author().await;
    let token = app.reset_token(&user).await;
    for (password, code) in
        [("short", "too_short"), ("password123", "too_common"), (&*user.email, "same_as_account")]
    {
        confirm(&app, &token, password).expect_fields(422, &[("password", code)]).await;
    }
    confirm(&app, &token, NEW_PASSWORD).expect(204).await;
}

#[tokio::test]
async fn a_repeated_confirmation_gets_the_same_answer() {
    let app = TestApp::start().await;
    let user = app.author().await;
    let token = app.reset_token(&user).await;
    let confirm = || confirm(&app, &token, NEW_PASSWORD).header("idempotency-key", "once");
    confirm().expect(204).await;
    assert_eq!(confirm().expect(204).await.header("idempotency-replayed"), "true");
}

#[tokio::test]
async fn reading_a_link_uses_nothing_up() {
    let app = TestApp::start().await;
    let user = app.author().await;
    let token = app.reset_token(&user).await;
    for method in ["GET", "HEAD", "GET"] {
        app.call(method, "/account/password-reset").expect(200).await;
        // What stands behind the `#` is not sent, but a scanner may have its own idea.
        app.call(method, &format!("/account/password-reset?{token}")).expect(200).await;
        app.call(method, "/v1/password-resets/confirmation").expect(405).await;
    }
    confirm(&app, &token, NEW_PASSWORD).expect(204).await;
}

#[tokio::test]
async fn the_answer_does_not_tell_who_has_an_account() {
    let app = TestApp::start().await;
    let user = app.author().await;
    for email in ["nobody@example.com", "not an address", "", "with a \0 in it", &"é".repeat(5_000)] {
        ask(&app, email).await;
    }
    assert!(app.mails().is_empty());
    ask(&app, &user.email).await;
    assert_eq!(app.mails().len(), 1);
    app.post("/v1/password-resets").json(&json!({})).expect_fields(422, &[("email", "required")]).await;
}

#[tokio::test]
async fn an_account_gets_a_few_mails_an_hour_and_a_client_asks_some_times() {
    let app = TestApp::start_with(&[("ATTEMPT_LIMITS", "on")]).await;
    let user = app.author().await;
    for _ in 0..20 {
        ask(&app, &user.email).await;
    }
    assert_eq!(app.mails().len(), 5);
    let refused = app.post("/v1/password-resets").json(&json!({"email": user.email}));
    let refused = refused.expect_problem(429, "rate_limited").await;
    assert!(refused.header("ratelimit").contains("password-reset"), "{}", refused.header("ratelimit"));
    app.advance(TimeDelta::hours(1));
    ask(&app, &user.email).await;
    assert_eq!(app.mails().len(), 6);
}

#[tokio::test]
async fn mail_is_in_the_language_of_the_user() {
    let app = TestApp::start().await;
    let sign_up = async |name: &str, accept: &str, language: Value| {
        let mut body =
            json!({"username": name, "email": format!("{name}@example.com"), "password": PASSWORD});
        if !language.is_null() {
            body["language"] = language;
        }
        app.post("/v1/users").header("accept-language", accept).json(&body).expect(201).await.json()
    };
    let subject = async |name: &str| {
        ask(&app, &format!("{name}@example.com")).await;
        app.mails().remove(0).subject
    };
    assert_eq!(sign_up("greta", "de-AT, en;q=0.5", Value::Null).await["language"], "de");
    assert_eq!(subject("greta").await, "Neues Passwort für Blog");
    assert_eq!(sign_up("grace", "de", json!("en")).await["language"], "en");
    assert_eq!(subject("grace").await, "Choose a new password for Blog");
    assert_eq!(sign_up("zoé".trim_end_matches('é'), "fr", Value::Null).await["language"], "en");

    let user = app.author().await;
    let path = format!("/v1/users/{}", user.id);
    let changed = app.patch(&path).by(&user).json(&json!({"language": "de"})).expect(200).await;
    assert_eq!(changed.json()["language"], "de");
    ask(&app, &user.email).await;
    assert_eq!(app.mails().remove(0).subject, "Neues Passwort für Blog");
    app.patch(&path).by(&user).json(&json!({"language": "xx"})).expect(422).await;
}

#[tokio::test]
async fn names_in_every_script_arrive_unharmed() {
    let app = TestApp::start().await;
    for name in ["Grüße & <b>Söhne</b>", "فاطمة \u{2067}علي\u{2069}", "สมชาย ใจดี", "张伟 👩\u{200d}💻"]
    {
        let user = app.author().await;
        let path = format!("/v1/users/{}", user.id);
        app.patch(&path).by(&user).json(&json!({"display_name": name})).expect(200).await;
        ask(&app, &user.email).await;
        let mail = app.mails().remove(0);
        assert!(mail.text.contains(name), "{}", mail.text);
        assert!(!mail.html.contains("<b>"), "{}", mail.html);
    }
}

#[tokio::test]
async fn without_mail_nothing_is_promised() {
    let app = TestApp::start_with(&[("MAIL_URL", "off")]).await;
    let body = json!({"email": app.author().await.email});
    app.post("/v1/password-resets").json(&body).expect_problem(501, "mail_off").await;
    app.get("/outbox").expect_problem(404, "not_found").await;
}

#[tokio::test]
async fn who_was_erased_gets_no_mail() {
    let app = TestApp::start().await;
    let user = app.author().await;
    app.post("/v1/password-resets").json(&json!({"email": user.email})).expect(202).await;
    app.delete(&format!("/v1/users/{}", user.id)).by(&user).expect(204).await;
    app.run_jobs().await;
    assert!(app.mails().is_empty());
}

#[tokio::test]
async fn the_outbox_shows_what_would_have_been_sent() {
    let app = TestApp::start().await;
    let user = app.author().await;
    let empty = app.get("/outbox").expect(200).await.to_string();
    assert!(empty.contains("There is none yet."), "{empty}");
    ask(&app, &user.email).await;
    let mail = app.mails().remove(0);
    let list = app.get("/outbox").expect(200).await.to_string();
    assert!(list.contains(&user.email) && list.contains(&format!("/outbox/{}", mail.id)), "{list}");
    let html = app.get(&format!("/outbox/{}", mail.id)).expect(200).await;
    assert_eq!(html.body, mail.html);
    app.get("/outbox/00000000-0000-7000-8000-000000000000").expect_problem(404, "not_found").await;
    assert!(logs::contain(&user.email), "mails are in the log too");
}
