//! `SIGN_UP`: at once, once the address is verified, or not at all.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::support::{Call, PASSWORD, Reply, TestApp};

async fn verified() -> TestApp {
    TestApp::start_with(&[("SIGN_UP", "verified")]).await
}

fn sign_up<'a>(app: &'a TestApp, username: &str, email: &str) -> Call<'a> {
    app.post("/v1/users").json(&json!({"username": username, "email": email, "password": PASSWORD}))
}

/// Signs up, and gives the token of the mail about it.
async fn token_of(app: &TestApp, username: &str, email: &str) -> String {
    sign_up(app, username, email).expect(202).await;
    let token = app.mailed_token().await;
    assert_eq!(app.mails()[0].to, email);
    token
}

fn confirm<'a>(app: &'a TestApp, token: &str) -> Call<'a> {
    app.post("/v1/sign-ups/confirmation").json(&json!({"token": token, "password": PASSWORD}))
}

async fn expect_useless(app: &TestApp, token: &str) {
    confirm(app, token).expect_fields(422, &[("token", "invalid")]).await;
}

async fn count(app: &TestApp, table: &'static str) -> i64 {
    let sql = sqlx::AssertSqlSafe(format!("select count(*) from {table}"));
    sqlx::query_scalar(sql).fetch_one(&mut app.db.acquire().await.unwrap()).await.unwrap()
}

#[tokio::test]
async fn an_account_is_made_by_the_mailed_link() {
    let app = verified().await;
    let body = json!({"username": "ada", "email": "Ada@example.com", "password": "of whoever signs up",
                      "display_name": "Ada ไทย 中文 العربية", "bio": "Writes."});
    let reply = app.post("/v1/users").json(&body).expect(202).await;
    assert!(reply.body.is_empty(), "{reply}");
    let sign_in = |password: &str| {
        app.post("/v1/sessions").json(&json!({"email": "ada@example.com", "password": password}))
    };
    sign_in("of whoever signs up").expect(401).await;
    let token = app.mailed_token().await;
    let mail = app.mails().remove(0);
    assert_eq!((&*mail.to, &*mail.subject), ("Ada@example.com", "Your account at Blog"));
    assert!(mail.html.contains(&format!("href=\"http://localhost:8000/account/sign-up#{token}\"")));
    assert!(!mail.text.contains("ada") && !mail.text.contains("account at Blog.\n"), "{}", mail.text);

    app.advance(TimeDelta::hours(23));
    let made = confirm(&app, &token).expect(201).await;
    let account = made.json();
    assert_eq!(made.header("location"), format!("/v1/users/{}", made.id()));
    assert!(account["email_verified_at"].is_string(), "{made}");
    for (field, value) in [
        ("username", "ada"),
        ("email", "Ada@example.com"),
        ("role", "author"),
        ("display_name", "Ada ไทย 中文 العربية"),
        ("bio", "Writes."),
    ] {
        assert_eq!(account[field], value, "{made}");
    }
    // Whose account it is chooses the password: a stranger may have signed up.
    sign_in("of whoever signs up").expect(401).await;
    sign_in(PASSWORD).expect(201).await;
    expect_useless(&app, &token).await;
    assert_eq!((count(&app, "sign_ups").await, count(&app, "sign_up_tokens").await), (0, 0));
    app.run_jobs().await;
    assert_eq!(app.mails().len(), 1, "nothing is left to verify");
}

/// What differs between any two responses.
fn comparable(reply: &Reply) -> String {
    let mut headers: Vec<_> = reply.headers.iter().collect();
    headers.retain(|(name, _)| !["x-request-id", "date"].contains(&name.as_str()));
    format!("{} {headers:?} {:?}", reply.status, reply.body)
}

#[tokio::test]
async fn only_the_reader_of_an_address_learns_whether_it_has_an_account() {
    let app = verified().await;
    let (owner, mover) = (app.author().await, app.author().await);
    app.undo_token(&mover).await;
    let mails = app.mails().len();
    let unknown = comparable(&sign_up(&app, "new", "nobody@example.com").expect(202).await);
    for email in [&owner.email, &owner.email.to_uppercase(), &mover.email] {
        let reply = sign_up(&app, "stranger", email).expect(202).await;
        assert_eq!(comparable(&reply), unknown);
    }
    // A username is public, whoever's the address is.
    for email in ["nobody@example.com", &owner.email] {
        let taken = sign_up(&app, &owner.username.to_uppercase(), email);
        taken.expect_fields(409, &[("username", "taken")]).await;
    }
    while app.run_jobs().await > 0 {}
    let sent = app.mails();
    let mut told: Vec<_> =
        sent[..sent.len() - mails].iter().map(|mail| (&*mail.to, &*mail.subject)).collect();
    told.sort_unstable();
    let already = (&*owner.email, "You already have an account at Blog");
    let mut expected = [("nobody@example.com", "Your account at Blog"), already, already];
    expected.sort_unstable();
    assert_eq!(told, expected);
    let mail = sent.iter().find(|mail| mail.to == owner.email).unwrap();
    assert!(mail.text.contains(&owner.username) && !mail.text.contains("stranger"), "{}", mail.text);
    assert_eq!(count(&app, "sign_ups").await, 1, "what has no use is not kept");
}

#[tokio::test]
async fn who_comes_second_chooses_another_name_and_may_lose_the_address() {
    let app = verified().await;
    let token = token_of(&app, "ada", "ada@example.com").await;
    let first = token_of(&app, "ADA", "grace@example.com").await;
    confirm(&app, &first).expect(201).await;
    confirm(&app, &token).expect_fields(409, &[("username", "taken")]).await;
    let again = |username: &str| {
        let body = json!({"token": token, "username": username, "password": PASSWORD});
        app.post("/v1/sign-ups/confirmation").json(&body)
    };
    again("a b").expect_fields(422, &[("username", "invalid_character")]).await;
    again("ada").expect_fields(409, &[("username", "taken")]).await;
    for (password, code) in
        [("short", "too_short"), ("password123", "too_common"), ("ada@example.com", "same_as_account")]
    {
        let body = json!({"token": token, "password": password, "username": "countess"});
        let call = app.post("/v1/sign-ups/confirmation").json(&body);
        call.expect_fields(422, &[("password", code)]).await;
    }
    assert_eq!(again("countess").expect(201).await.json()["username"], "countess");

    let late = token_of(&app, "late", "late@example.com").await;
    let body = json!({"email": "late@example.com"});
    let path = format!("/v1/users/{}", app.author().await.id);
    app.patch(&path).by(&app.admin().await).json(&body).expect(200).await;
    expect_useless(&app, &late).await;
}

#[tokio::test]
async fn every_mailed_link_works_until_one_is_used() {
    let app = verified().await;
    let first = token_of(&app, "first", "ada@example.com").await;
    sign_up(&app, "second", "ada@example.com").expect(202).await;
    // As if the answer of the mail server had been lost.
    let again = "insert into jobs (id, kind, payload, due_at, run_at, created_at)
                 select gen_random_uuid(), kind, payload, due_at, run_at, created_at from jobs where kind = 'sign_up'";
    sqlx::query(again).execute(&mut app.db.acquire().await.unwrap()).await.unwrap();
    let newest = app.mailed_token().await;
    let tokens: Vec<_> = app.mails()[..2]
        .iter()
        .map(|mail| mail.text.split_once('#').unwrap().1.split_whitespace().next().unwrap().to_owned())
        .collect();
    assert_eq!(count(&app, "sign_up_tokens").await, 3);
    assert!(tokens[0] == newest && tokens[1] != newest);
    assert_eq!(confirm(&app, &tokens[1]).expect(201).await.json()["username"], "second");
    for token in [&first, &newest, &tokens[1]] {
        expect_useless(&app, token).await;
    }
}

#[tokio::test]
async fn of_two_who_confirm_at_once_one_comes_too_late() {
    let app = verified().await;
    let one = token_of(&app, "one", "ada@example.com").await;
    let two = token_of(&app, "two", "ada@example.com").await;
    let both = tokio::join!(confirm(&app, &one).send(), confirm(&app, &two).send());
    let mut statuses = [both.0.status.as_u16(), both.1.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 422]);
}

#[tokio::test]
async fn links_end_and_are_for_one_thing() {
    let app = verified().await;
    let token = token_of(&app, "ada", "ada@example.com").await;
    for method in ["GET", "HEAD"] {
        app.call(method, "/account/sign-up").expect(200).await;
        app.call(method, &format!("/account/sign-up?{token}")).expect(200).await;
        app.call(method, "/v1/sign-ups/confirmation").expect(405).await;
    }
    let invited = json!({"token": token, "username": "eve", "password": PASSWORD});
    app.post("/v1/invitations/acceptance").json(&invited).expect_fields(422, &[("token", "invalid")]).await;
    for nonsense in ["", "blog_", "ไม่ใช่", "\0", &"x".repeat(10_000), &app.author().await.token]
    {
        expect_useless(&app, nonsense).await;
    }
    let invited = json!({"email": "grace@example.com", "role": "reader"});
    app.post("/v1/invitations").by(&app.editor().await).json(&invited).expect(201).await;
    expect_useless(&app, &app.mailed_token().await).await;
    confirm(&app, &token).expect(201).await;

    let token = token_of(&app, "late", "late@example.com").await;
    app.advance(TimeDelta::days(1));
    expect_useless(&app, &token).await;
    app.advance(TimeDelta::days(6));
    app.maintain().await;
    assert_eq!((count(&app, "sign_ups").await, count(&app, "sign_up_tokens").await), (0, 0));
}

#[tokio::test]
async fn what_is_wrong_is_refused_at_once() {
    let app = verified().await;
    for (change, field, code) in [
        (json!({"password": "password123"}), "password", "too_common"),
        (json!({"password": "ada@example.com"}), "password", "same_as_account"),
        (json!({"email": "nobody"}), "email", "invalid_email"),
        (json!({"username": "ä"}), "username", "invalid_character"),
    ] {
        let mut body = json!({"username": "ada", "email": "ada@example.com", "password": PASSWORD});
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        app.post("/v1/users").json(&body).expect_fields(422, &[(field, code)]).await;
    }
    sign_up(&app, "somchai", "สมชาย@example.com").expect_fields(422, &[("email", "unmailable")]).await;
}

#[tokio::test]
async fn nobody_is_mailed_the_words_of_strangers_or_many_of_their_mails() {
    let app = verified().await;
    let owner = app.author().await;
    for (email, username) in [("victim@example.com", "a"), (&*owner.email, "b")] {
        let before = app.mails().len();
        for number in 0..8 {
            let body = json!({
                "username": format!("{username}{number}"), "email": email, "password": PASSWORD,
                "display_name": "Your account is locked: https://evil.example", "bio": "https://evil.example",
            });
            app.post("/v1/users").json(&body).expect(202).await;
            while app.run_jobs().await > 0 {}
            assert_eq!(app.mails().len() - before, usize::min(number + 1, 5));
        }
    }
    assert!(app.mails().iter().all(|mail| !mail.text.contains("evil") && !mail.html.contains("evil")));
    assert_eq!(count(&app, "sign_ups").await, 5);
}

/// A mail server that is away for a day takes nothing of the time that a link works.
#[tokio::test]
async fn a_link_works_for_a_day_from_its_mail_on() {
    let app = verified().await;
    sign_up(&app, "ada", "ada@example.com").expect(202).await;
    app.advance(TimeDelta::hours(47));
    let token = app.mailed_token().await;
    app.advance(TimeDelta::hours(23));
    app.maintain().await;
    confirm(&app, &token).expect(201).await;
}

#[tokio::test]
async fn a_mail_that_is_sent_again_is_not_counted_again() {
    let app = verified().await;
    for number in 0..5 {
        token_of(&app, &format!("ada{number}"), "ada@example.com").await;
    }
    // As if its task had been told to stop while it waited for the mail server.
    let again = "insert into jobs (id, kind, payload, due_at, run_at, created_at)
                 select gen_random_uuid(), 'sign_up', jsonb_build_object('sign_up_id', id), $1, $1, $1 from sign_ups";
    sqlx::query(again).bind(app.now()).execute(&mut app.db.acquire().await.unwrap()).await.unwrap();
    app.run_jobs().await;
    assert_eq!((app.mails().len(), count(&app, "sign_ups").await), (10, 5));
}

#[tokio::test]
async fn who_takes_no_mail_is_not_mailed_what_strangers_try() {
    let app = verified().await;
    let owner = app.author().await;
    let mark = "update users set email_undeliverable = 'complaint' where id = $1";
    sqlx::query(mark).bind(owner.id).execute(&mut app.db.acquire().await.unwrap()).await.unwrap();
    sign_up(&app, "stranger", &owner.email).expect(202).await;
    while app.run_jobs().await > 0 {}
    assert!(app.mails().is_empty());
}

#[tokio::test]
async fn mails_are_in_the_language_of_who_signs_up_or_has_the_account() {
    let app = verified().await;
    let ask = async |name: &str, email: &str| {
        sign_up(&app, name, email).header("accept-language", "de-AT").expect(202).await;
        while app.run_jobs().await > 0 {}
        app.mails().remove(0)
    };
    let mail = ask("greta", "greta@example.com").await;
    assert_eq!(mail.subject, "Ihr Konto bei Blog");
    let token = mail.text.split_once('#').unwrap().1.split_whitespace().next().unwrap().to_owned();
    assert_eq!(confirm(&app, &token).expect(201).await.json()["language"], "de");
    assert_eq!(ask("other", "greta@example.com").await.subject, "Sie haben schon ein Konto bei Blog");
    assert_eq!(
        ask("another", &app.author().await.email).await.subject,
        "You already have an account at Blog"
    );
    let page = app.get("/account/sign-up").header("accept-language", "de").expect(200).await.to_string();
    assert!(page.contains("Konto anlegen") && page.contains("../v1/sign-ups/confirmation"), "{page}");
}

#[tokio::test]
async fn an_erased_account_leaves_no_sign_up_with_its_address() {
    let app = verified().await;
    let user = app.author().await;
    sign_up(&app, "other", &user.email.to_uppercase()).expect(202).await;
    app.delete(&format!("/v1/users/{}", user.id)).by(&user).expect(204).await;
    assert_eq!(count(&app, "sign_ups").await, 0);
    app.run_jobs().await;
    assert!(app.mails().is_empty());
}

#[tokio::test]
async fn who_repeats_a_request_gets_the_same_answer() {
    let app = verified().await;
    let ask = || sign_up(&app, "ada", "ada@example.com").header("idempotency-key", "once");
    ask().expect(202).await;
    assert_eq!(ask().expect(202).await.header("idempotency-replayed"), "true");
    let token = app.mailed_token().await;
    assert_eq!(app.mails().len(), 1);
    let confirm = || confirm(&app, &token).header("idempotency-key", "once-more");
    let made = confirm().expect(201).await;
    assert_eq!(confirm().expect(201).await.id(), made.id());
}

#[tokio::test]
async fn confirmations_are_limited() {
    let app = TestApp::start_with(&[("SIGN_UP", "verified"), ("ATTEMPT_LIMITS", "on")]).await;
    for _ in 0..20 {
        expect_useless(&app, "nonsense").await;
    }
    confirm(&app, "nonsense").expect_problem(429, "rate_limited").await;
}

#[tokio::test]
async fn where_sign_up_is_closed_nobody_signs_up() {
    for mail in ["outbox", "off"] {
        let app = TestApp::start_with(&[("SIGN_UP", "closed"), ("MAIL_URL", mail)]).await;
        sign_up(&app, "ada", "ada@example.com").expect_problem(403, "sign_up_closed").await;
        // Nor who had begun before.
        let begun = app.sign_up_token("early").await;
        confirm(&app, &begun).expect_problem(403, "sign_up_closed").await;
        let user = app.author().await;
        sign_up(&app, "ada", &user.email).expect_problem(403, "sign_up_closed").await;
        app.post("/v1/sessions").json(&json!({"email": user.email, "password": PASSWORD})).expect(201).await;
    }
}

#[tokio::test]
async fn where_sign_up_is_open_a_taken_address_is_told() {
    let app = TestApp::start().await;
    let user = app.author().await;
    sign_up(&app, "ada", &user.email).expect_fields(409, &[("email", "taken")]).await;
    let account = sign_up(&app, "ada", "ada@example.com").expect(201).await.json();
    assert_eq!(account["email_verified_at"], Value::Null);
}
