//! Addresses that are verified: by link or code, for the account and the address that they were mailed to.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::support::{Call, PASSWORD, TestApp, TestUser};

/// The newest mail: whom it is to, the token of its link, and its code if it has one.
async fn mailed(app: &TestApp) -> (String, String, Option<String>) {
    let token = app.mailed_token().await;
    let mail = app.mails().remove(0);
    let code = mail.text.split_once("signed in: ").map(|(_, rest)| rest[..6].to_owned());
    (mail.to, token, code)
}

async fn have_mailed(app: &TestApp, user: &TestUser) -> (String, String, String) {
    app.post("/v1/email-verifications").by(user).expect(202).await;
    let (to, token, code) = mailed(app).await;
    (to, token, code.unwrap())
}

#[expect(clippy::needless_pass_by_value, reason = "of `json!`, which makes one")]
fn confirm(app: &TestApp, body: Value) -> Call<'_> {
    app.post("/v1/email-verifications/confirmation").json(&body)
}

async fn account(app: &TestApp, user: &TestUser) -> Value {
    app.get("/v1/users/me").by(user).expect(200).await.json()
}

/// Asks for a new address, and gives the token and the code that are mailed there.
async fn change(app: &TestApp, user: &TestUser, email: &str) -> (String, String) {
    let body = json!({"email": email, "current_password": PASSWORD});
    let changed = app.patch(&format!("/v1/users/{}", user.id)).by(user).json(&body).expect(200).await.json();
    assert_eq!((&changed["email"], &changed["pending_email"]), (&json!(user.email), &json!(email)));
    let (to, token, code) = mailed(app).await;
    assert_eq!(to, email);
    (token, code.unwrap())
}

#[tokio::test]
async fn a_new_account_verifies_its_address_by_the_mailed_link() {
    let app = TestApp::start().await;
    let body = json!({"username": "ada", "email": "ada@example.com", "password": PASSWORD});
    let account = app.post("/v1/users").json(&body).expect(201).await.json();
    assert_eq!(account["email_verified_at"], Value::Null);
    let (to, token, _) = mailed(&app).await;
    assert_eq!(to, "ada@example.com");
    confirm(&app, json!({"token": token})).expect(204).await;
    let session =
        app.post("/v1/sessions").json(&json!({"email": to, "password": PASSWORD})).expect(201).await;
    let account = app.get("/v1/users/me").token(session.json()["token"].as_str().unwrap()).expect(200).await;
    assert!(account.json()["email_verified_at"].is_string(), "{account}");
    confirm(&app, json!({"token": token})).expect_fields(422, &[("token", "invalid")]).await;
}

#[tokio::test]
async fn who_is_signed_in_may_type_the_code() {
    let app = TestApp::start().await;
    let (user, other) = (app.author().await, app.author().await);
    let (_, _, code) = have_mailed(&app, &user).await;
    confirm(&app, json!({"code": code})).expect_problem(401, "unauthenticated").await;
    confirm(&app, json!({"code": code})).by(&other).expect_fields(422, &[("code", "invalid")]).await;
    confirm(&app, json!({"code": format!(" {code} ")})).by(&user).expect(204).await;
    assert!(account(&app, &user).await["email_verified_at"].is_string());
    app.post("/v1/email-verifications").by(&user).expect_fields(409, &[("email", "verified")]).await;
}

#[tokio::test]
async fn a_code_is_tried_five_times() {
    let app = TestApp::start().await;
    let user = app.author().await;
    let (_, token, code) = have_mailed(&app, &user).await;
    let wrong = if code == "000000" { "000001" } else { "000000" };
    for guess in [wrong, "", "ไม่ใช่", "\0", wrong] {
        confirm(&app, json!({"code": guess})).by(&user).expect_fields(422, &[("code", "invalid")]).await;
    }
    confirm(&app, json!({"code": code})).by(&user).expect_fields(422, &[("code", "invalid")]).await;
    // Guesses do not keep the owner from the link.
    confirm(&app, json!({"token": token})).expect(204).await;
}

#[tokio::test]
async fn a_new_address_counts_once_it_is_verified_and_the_old_one_can_undo_it() {
    let app = TestApp::start().await;
    let user = app.author().await;
    let (token, _) = change(&app, &user, "new@example.com").await;
    assert_eq!(account(&app, &user).await["email"], user.email);
    let sign_in = |email: &str| app.post("/v1/sessions").json(&json!({"email": email, "password": PASSWORD}));
    sign_in("new@example.com").expect(401).await;

    confirm(&app, json!({"token": token})).expect(204).await;
    let changed = account(&app, &user).await;
    assert_eq!((&changed["email"], &changed["pending_email"]), (&json!("new@example.com"), &Value::Null));
    assert!(changed["email_verified_at"].is_string());
    sign_in("new@example.com").expect(201).await;

    let (to, undo, _) = mailed(&app).await;
    assert_eq!(to, user.email);
    app.advance(TimeDelta::days(6));
    let back = || app.post("/v1/email-verifications/undo").json(&json!({"token": undo}));
    back().expect(204).await;
    let audit = app.get("/v1/audit?action=user.email_restored").by(&app.admin().await).expect(200).await;
    assert_eq!(audit.json()["items"][0]["target_id"], user.id.to_string());
    app.get("/v1/users/me").by(&user).expect_problem(401, "unauthenticated").await;
    sign_in("new@example.com").expect(401).await;
    // Who has changed it knew the password.
    sign_in(&user.email).expect(401).await;
    let body = json!({"token": app.reset_token(&user).await, "password": PASSWORD});
    app.post("/v1/password-resets/confirmation").json(&body).expect(204).await;
    sign_in(&user.email).expect(201).await;
    back().expect_fields(422, &[("token", "invalid")]).await;
}

/// Somebody has the session and the password of another, and wants the account for good.
#[tokio::test]
async fn a_thief_does_not_keep_the_old_address_from_being_had_again() {
    let app = TestApp::start().await;
    let user = app.author().await;
    let undo = app.undo_token(&user).await;
    // By another change, which the thief undoes.
    let now = TestUser { email: format!("new-{}", user.email), ..user.clone() };
    let of_thief = app.undo_token(&now).await;
    app.post("/v1/email-verifications/undo").json(&json!({"token": of_thief})).expect(204).await;
    // By an account with the address, or with one that is to become it.
    let body = json!({"username": "thief", "email": user.email.to_uppercase(), "password": PASSWORD});
    app.post("/v1/users").json(&body).expect_fields(409, &[("email", "taken")]).await;
    let thief = app.author().await;
    let body = json!({"email": user.email, "current_password": PASSWORD});
    let path = format!("/v1/users/{}", thief.id);
    app.patch(&path).by(&thief).json(&body).expect_fields(409, &[("email", "taken")]).await;

    app.post("/v1/email-verifications/undo").json(&json!({"token": undo})).expect(204).await;
    app.reset_token(&user).await;
    assert_eq!(app.mails().remove(0).to, user.email);
}

#[tokio::test]
async fn a_new_password_takes_back_a_change_of_address() {
    let app = TestApp::start().await;
    let (by_link, by_hand) = (app.author().await, app.author().await);
    let (token, _) = change(&app, &by_link, "thief@example.com").await;
    let body = json!({"token": app.reset_token(&by_link).await, "password": "another password for tests"});
    app.post("/v1/password-resets/confirmation").json(&body).expect(204).await;
    confirm(&app, json!({"token": token})).expect_fields(422, &[("token", "invalid")]).await;

    app.run_jobs().await;
    let (token, _) = change(&app, &by_hand, "thief@example.com").await;
    let body = json!({"password": "another password for tests", "current_password": PASSWORD});
    app.patch(&format!("/v1/users/{}", by_hand.id)).by(&by_hand).json(&body).expect(200).await;
    confirm(&app, json!({"token": token})).expect_fields(422, &[("token", "invalid")]).await;
}

#[tokio::test]
async fn a_change_is_taken_back_by_naming_the_present_address() {
    let app = TestApp::start().await;
    let user = app.author().await;
    let (token, code) = change(&app, &user, "new@example.com").await;
    let body = json!({"email": user.email});
    let path = format!("/v1/users/{}", user.id);
    let kept = app.patch(&path).by(&user).json(&body).expect(200).await.json();
    assert_eq!((&kept["email"], &kept["pending_email"]), (&json!(user.email), &Value::Null));
    confirm(&app, json!({"token": token})).expect_fields(422, &[("token", "invalid")]).await;
    confirm(&app, json!({"code": code})).by(&user).expect_fields(422, &[("code", "invalid")]).await;
}

#[tokio::test]
async fn of_two_addresses_the_last_one_counts() {
    let app = TestApp::start().await;
    let user = app.author().await;
    let (first, _) = change(&app, &user, "first@example.com").await;
    let (second, _) = change(&app, &user, "second@example.com").await;
    confirm(&app, json!({"token": first})).expect_fields(422, &[("token", "invalid")]).await;
    confirm(&app, json!({"token": second})).expect(204).await;
    assert_eq!(account(&app, &user).await["email"], "second@example.com");
}

#[tokio::test]
async fn who_comes_second_to_an_address_is_told() {
    let app = TestApp::start().await;
    let (user, other) = (app.author().await, app.author().await);
    let (of_user, _) = change(&app, &user, "wanted@example.com").await;
    let (of_other, _) = change(&app, &other, "WANTED@example.com").await;
    confirm(&app, json!({"token": of_user})).expect(204).await;
    confirm(&app, json!({"token": of_other})).expect_fields(409, &[("email", "taken")]).await;
    // So is who wants an old one back that an admin has given to somebody else.
    let (_, undo, _) = mailed(&app).await;
    let body = json!({"email": user.email});
    let path = format!("/v1/users/{}", app.author().await.id);
    app.patch(&path).by(&app.admin().await).json(&body).expect(200).await;
    let back = app.post("/v1/email-verifications/undo").json(&json!({"token": undo}));
    back.expect_fields(409, &[("email", "taken")]).await;
}

#[tokio::test]
async fn links_end_and_are_for_one_thing() {
    let app = TestApp::start().await;
    let user = app.author().await;
    let (_, token, code) = have_mailed(&app, &user).await;
    let reset = json!({"token": token, "password": "another password for tests"});
    app.post("/v1/password-resets/confirmation")
        .json(&reset)
        .expect_fields(422, &[("token", "invalid")])
        .await;
    app.post("/v1/email-verifications/undo").json(&json!({"token": token})).expect(422).await;
    let of_reset = app.reset_token(&user).await;
    confirm(&app, json!({"token": of_reset})).expect_fields(422, &[("token", "invalid")]).await;
    app.advance(TimeDelta::days(1));
    confirm(&app, json!({"token": token})).expect_fields(422, &[("token", "invalid")]).await;
    confirm(&app, json!({"code": code})).by(&user).expect_fields(422, &[("code", "invalid")]).await;
    confirm(&app, json!({})).expect_fields(422, &[("token", "required")]).await;
    confirm(&app, json!({"token": token, "code": code})).expect_fields(422, &[("code", "one_of")]).await;
}

#[tokio::test]
async fn an_admin_sets_the_address_of_another_at_once() {
    let app = TestApp::start().await;
    let (admin, user) = (app.admin().await, app.author().await);
    let (_, token, _) = have_mailed(&app, &user).await;
    confirm(&app, json!({"token": token})).expect(204).await;
    let path = format!("/v1/users/{}", user.id);
    let body = json!({"email": "set@example.com"});
    let changed = app.patch(&path).by(&admin).json(&body).expect(200).await.json();
    assert_eq!((&changed["email"], &changed["email_verified_at"]), (&json!("set@example.com"), &Value::Null));
}

#[tokio::test]
async fn guesses_at_a_code_are_limited_wherever_they_come_from() {
    let variables = [("ATTEMPT_LIMITS", "on"), ("TRUSTED_PROXY_HOPS", "1")];
    let app = TestApp::start_with(&variables).await;
    let user = app.author().await;
    let guess = |number: u8| {
        let address = format!("203.0.113.{number}");
        confirm(&app, json!({"code": "123456"})).by(&user).header("x-forwarded-for", &address)
    };
    for number in 0..20 {
        guess(number).expect_fields(422, &[("code", "invalid")]).await;
    }
    guess(20).expect_problem(429, "rate_limited").await;
}

#[tokio::test]
async fn mails_about_it_are_limited() {
    let app = TestApp::start_with(&[("ATTEMPT_LIMITS", "on")]).await;
    let user = app.author().await;
    for _ in 0..5 {
        app.post("/v1/email-verifications").by(&user).expect(202).await;
    }
    app.post("/v1/email-verifications").by(&user).expect_problem(429, "rate_limited").await;
}

#[tokio::test]
async fn nobody_is_mailed_the_words_of_strangers_or_many_of_their_mails() {
    let app = TestApp::start().await;
    for number in 0..8 {
        let user = app.author().await;
        let body = json!({
            "email": "Victim@example.com", "current_password": PASSWORD,
            "display_name": "Your account is locked: https://evil.example",
        });
        app.patch(&format!("/v1/users/{}", user.id)).by(&user).json(&body).expect(200).await;
        app.run_jobs().await;
        assert_eq!(app.mails().len(), usize::min(number + 1, 5));
    }
    assert!(app.mails().iter().all(|mail| !mail.text.contains("evil") && !mail.html.contains("evil")));
}

#[tokio::test]
async fn without_mail_an_address_changes_at_once() {
    let app = TestApp::start_with(&[("MAIL_URL", "off")]).await;
    let user = app.author().await;
    let body = json!({"email": "new@example.com", "current_password": PASSWORD});
    let changed = app.patch(&format!("/v1/users/{}", user.id)).by(&user).json(&body).expect(200).await.json();
    assert_eq!((&changed["email"], &changed["pending_email"]), (&json!("new@example.com"), &Value::Null));
    app.post("/v1/email-verifications").by(&user).expect_problem(501, "mail_off").await;
}
