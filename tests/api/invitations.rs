//! Invitations: by editors and admins, to at most their own role, for as long as they may.

use chrono::TimeDelta;
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;

use crate::support::{Call, PASSWORD, Reply, TestApp, TestUser};

fn invite<'a>(app: &'a TestApp, by: &TestUser, email: &str, role: &str) -> Call<'a> {
    app.post("/v1/invitations").by(by).json(&json!({"email": email, "role": role}))
}

/// Invites, and gives the token that is mailed.
async fn token_of(app: &TestApp, by: &TestUser, email: &str, role: &str) -> String {
    invite(app, by, email, role).expect(201).await;
    let token = app.mailed_token().await;
    assert_eq!(app.mails()[0].to, email);
    token
}

fn accept<'a>(app: &'a TestApp, token: &str, username: &str) -> Call<'a> {
    let body = json!({"token": token, "username": username, "password": PASSWORD});
    app.post("/v1/invitations/acceptance").json(&body)
}

async fn expect_useless(app: &TestApp, token: &str) {
    accept(app, token, "nobody").expect_fields(422, &[("token", "invalid")]).await;
}

async fn list(app: &TestApp, by: &TestUser) -> Reply {
    app.get("/v1/invitations").by(by).expect(200).await
}

#[tokio::test]
async fn who_is_invited_has_an_account_with_that_role() {
    let app = TestApp::start_with(&[("SIGN_UP", "closed")]).await;
    let editor = app.editor().await;
    let invited = invite(&app, &editor, "Grace@example.com", "editor").expect(201).await.json();
    assert_eq!((&invited["email"], &invited["role"]), (&json!("Grace@example.com"), &json!("editor")));
    assert_eq!(invited["inviter"]["username"], editor.username);
    assert_eq!(list(&app, &editor).await.json()["items"], json!([invited]));
    let token = app.mailed_token().await;
    let mail = app.mails().remove(0);
    assert_eq!((&*mail.to, &*mail.subject), ("Grace@example.com", "An invitation to Blog"));
    assert!(mail.text.starts_with("Hello,\n") && mail.text.contains(&editor.username), "{}", mail.text);
    assert!(mail.text.contains("as an editor") && !mail.text.contains("your account at"), "{}", mail.text);
    assert!(mail.html.contains(&format!("href=\"http://localhost:8000/account/invitation#{token}\"")));

    app.advance(TimeDelta::days(6));
    let body = json!({"token": token, "username": "grace", "password": PASSWORD,
                      "display_name": "Grace ไทย 中文 العربية", "bio": "Compiles.", "language": "de"});
    let made = app.post("/v1/invitations/acceptance").json(&body).expect(201).await;
    let account = made.json();
    assert_eq!(made.header("location"), format!("/v1/users/{}", made.id()));
    assert!(account["email_verified_at"].is_string(), "{made}");
    for (field, value) in [
        ("username", "grace"),
        ("email", "Grace@example.com"),
        ("role", "editor"),
        ("display_name", "Grace ไทย 中文 العربية"),
        ("bio", "Compiles."),
        ("language", "de"),
    ] {
        assert_eq!(account[field], value, "{made}");
    }
    let sign_in = json!({"email": "grace@example.com", "password": PASSWORD});
    app.post("/v1/sessions").json(&sign_in).expect(201).await;
    expect_useless(&app, &token).await;
    assert_eq!(list(&app, &editor).await.items("id"), Vec::<String>::new());

    let admin = app.admin().await;
    let audit = async |action: &str| {
        let lines = app.get(&format!("/v1/audit?action={action}")).by(&admin).expect(200).await;
        assert!(!lines.to_string().to_lowercase().contains("grace@"), "{lines}");
        lines.json()["items"][0].clone()
    };
    let (invited, created) = (audit("user.invited").await, audit("user.created").await);
    for line in [&invited, &created] {
        assert_eq!(
            (&line["actor"]["username"], &line["details"]["role"]),
            (&json!(editor.username), &json!("editor"))
        );
    }
    assert_eq!(created["target_id"], made.id());
}

#[tokio::test]
async fn nobody_invites_to_more_than_they_may_themselves() {
    let app = TestApp::start().await;
    let (reader, author) = (app.reader().await, app.author().await);
    let (editor, admin) = (app.editor().await, app.admin().await);
    for by in [&reader, &author] {
        invite(&app, by, "grace@example.com", "reader").expect_problem(403, "forbidden").await;
    }
    invite(&app, &editor, "grace@example.com", "admin").expect_problem(403, "forbidden").await;
    for (by, role) in [(&editor, "reader"), (&editor, "editor"), (&admin, "admin")] {
        let email = format!("{role}@example.com");
        let token = token_of(&app, by, &email, role).await;
        assert_eq!(accept(&app, &token, role).expect(201).await.json()["role"], role);
    }
    invite(&app, &editor, "grace@example.com", "owner").expect_fields(422, &[("role", "wrong_type")]).await;
}

#[tokio::test]
async fn an_invitation_is_as_good_as_the_rights_of_who_made_it() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let path = |user: &TestUser| format!("/v1/users/{}", user.id);
    let set_role = async |user: &TestUser, role: &str| {
        app.patch(&path(user)).by(&admin).json(&json!({"role": role})).expect(200).await;
    };
    let demoted = app.editor().await;
    let of_demoted = token_of(&app, &demoted, "one@example.com", "reader").await;
    set_role(&demoted, "author").await;
    expect_useless(&app, &of_demoted).await;
    set_role(&demoted, "editor").await;
    accept(&app, &of_demoted, "one").expect(201).await;

    let lowered = app.admin().await;
    let of_lowered = token_of(&app, &lowered, "two@example.com", "admin").await;
    set_role(&lowered, "editor").await;
    expect_useless(&app, &of_lowered).await;

    let banned = app.editor().await;
    let of_banned = token_of(&app, &banned, "three@example.com", "reader").await;
    let ban = json!({"until": app.now() + TimeDelta::days(1), "reason": "Spam."});
    app.put(&format!("{}/ban", path(&banned))).by(&admin).json(&ban).expect(200).await;
    expect_useless(&app, &of_banned).await;
    app.advance(TimeDelta::days(1));
    accept(&app, &of_banned, "three").expect(201).await;

    let erased = app.editor().await;
    let of_erased = token_of(&app, &erased, "four@example.com", "reader").await;
    invite(&app, &erased, "five@example.com", "reader").expect(201).await;
    app.delete(&path(&erased)).by(&erased).expect(204).await;
    expect_useless(&app, &of_erased).await;
    let mails = app.mails().len();
    app.run_jobs().await;
    assert_eq!(app.mails().len(), mails, "their mails are not sent");
}

/// As a change of the role by an admin locks it.
#[tokio::test]
async fn a_demotion_that_is_not_committed_yet_is_waited_for() {
    let app = TestApp::start().await;
    let editor = app.editor().await;
    let token = token_of(&app, &editor, "grace@example.com", "reader").await;
    let (mut demoting, mut watch) = (app.db.acquire().await.unwrap(), app.db.acquire().await.unwrap());
    let sql = |sql: String| sqlx::raw_sql(AssertSqlSafe(sql));
    let id = editor.id;
    let demote = format!(
        "begin; select from users where id = '{id}' for update; update users set role = 'author' where id = '{id}'"
    );
    sql(demote).execute(&mut demoting).await.unwrap();
    let waits = "select exists (select from pg_stat_activity
                 where datname = current_database() and wait_event_type = 'Lock')";
    let demoted = async {
        while !sqlx::query_scalar::<_, bool>(waits).fetch_one(&mut watch).await.unwrap() {}
        sql("commit".to_owned()).execute(&mut demoting).await.unwrap();
    };
    let (accepted, ()) = tokio::join!(accept(&app, &token, "grace").send(), demoted);
    assert_eq!(accepted.fields(), [("token", "invalid")]);
}

#[tokio::test]
async fn who_is_invited_again_has_the_last_role_and_time() {
    let app = TestApp::start().await;
    let (editor, other) = (app.editor().await, app.editor().await);
    let first = token_of(&app, &editor, "grace@example.com", "editor").await;
    app.advance(TimeDelta::days(6));
    let second = token_of(&app, &editor, "GRACE@example.com", "reader").await;
    let of_other = token_of(&app, &other, "grace@example.com", "author").await;
    let listed = list(&app, &editor).await;
    assert_eq!(
        (listed.items("role"), listed.items("email")),
        (vec!["reader".to_owned()], vec!["GRACE@example.com".to_owned()])
    );
    app.advance(TimeDelta::days(6));
    assert_eq!(accept(&app, &first, "grace").expect(201).await.json()["role"], "reader");
    for token in [&first, &second, &of_other] {
        expect_useless(&app, token).await;
    }
    assert_eq!(list(&app, &app.admin().await).await.items("id"), Vec::<String>::new());
}

#[tokio::test]
async fn invitations_are_seen_and_taken_back_by_who_made_them_and_by_admins() {
    let app = TestApp::start().await;
    let (editor, other, admin) = (app.editor().await, app.editor().await, app.admin().await);
    let token = token_of(&app, &editor, "one@example.com", "reader").await;
    let one = list(&app, &editor).await.items("id").remove(0);
    let two = invite(&app, &other, "two@example.com", "reader").expect(201).await.id();
    assert_eq!(list(&app, &other).await.items("id"), [two.as_str()]);
    assert_eq!(list(&app, &admin).await.items("id"), [two.as_str(), one.as_str()]);
    let take_back = |id: &str, by: &TestUser| app.delete(&format!("/v1/invitations/{id}")).by(by);
    take_back(&one, &other).expect_problem(404, "not_found").await;
    take_back(&one, &editor).expect(204).await;
    take_back(&one, &editor).expect_problem(404, "not_found").await;
    expect_useless(&app, &token).await;
    take_back(&two, &admin).expect(204).await;
    let lines = app.get("/v1/audit?action=user.uninvited").by(&admin).expect(200).await.json();
    let who =
        |n: usize| (&lines["items"][n]["actor"]["username"], &lines["items"][n]["details"]["invitation_id"]);
    assert_eq!(who(0), (&json!(admin.username), &json!(two)));
    assert_eq!(who(1), (&json!(editor.username), &json!(one)));
    let mails = app.mails().len();
    app.run_jobs().await;
    assert_eq!(app.mails().len(), mails, "what was taken back is not mailed");
}

#[tokio::test]
async fn an_invitation_is_for_seven_days() {
    let app = TestApp::start().await;
    let editor = app.editor().await;
    let token = token_of(&app, &editor, "grace@example.com", "reader").await;
    let id = list(&app, &editor).await.items("id").remove(0);
    app.advance(TimeDelta::days(7));
    expect_useless(&app, &token).await;
    for by in [&editor, &app.admin().await] {
        assert_eq!(list(&app, by).await.items("id"), Vec::<String>::new());
    }
    app.delete(&format!("/v1/invitations/{id}")).by(&editor).expect(404).await;
    app.maintain().await;
    let left = sqlx::query_scalar::<_, i64>("select count(*) from sign_ups");
    assert_eq!(left.fetch_one(&mut app.db.acquire().await.unwrap()).await.unwrap(), 0);
}

#[tokio::test]
async fn taken_names_and_addresses_are_told_and_use_nothing_up() {
    let app = TestApp::start().await;
    let editor = app.editor().await;
    invite(&app, &editor, &editor.email.to_uppercase(), "reader")
        .expect_fields(409, &[("email", "taken")])
        .await;
    invite(&app, &editor, "nobody", "reader").expect_fields(422, &[("email", "invalid_email")]).await;
    invite(&app, &editor, "ø@example.com", "reader").expect_fields(422, &[("email", "unmailable")]).await;
    let token = token_of(&app, &editor, "grace@example.com", "reader").await;
    accept(&app, &token, &editor.username).expect_fields(409, &[("username", "taken")]).await;
    accept(&app, &token, "a b").expect_fields(422, &[("username", "invalid_character")]).await;
    for (password, code) in [
        ("short", "too_short"),
        ("password123", "too_common"),
        ("grace@example.com", "same_as_account"),
        ("gracehopper", "same_as_account"),
    ] {
        let body = json!({"token": token, "username": "gracehopper", "password": password});
        let call = app.post("/v1/invitations/acceptance").json(&body);
        call.expect_fields(422, &[("password", code)]).await;
    }
    for method in ["GET", "HEAD"] {
        app.call(method, "/account/invitation").expect(200).await;
        app.call(method, &format!("/account/invitation?{token}")).expect(200).await;
        app.call(method, "/v1/invitations/acceptance").expect(405).await;
    }
    // Signed up meanwhile.
    let body = json!({"username": "grace", "email": "Grace@Example.com", "password": PASSWORD});
    let id = app.post("/v1/users").json(&body).expect(201).await.id();
    expect_useless(&app, &token).await;
    assert_eq!(list(&app, &editor).await.items("id"), Vec::<String>::new());
    app.delete(&format!("/v1/users/{id}")).by(&app.admin().await).expect(204).await;
    expect_useless(&app, &token).await;
    // So it is if the address becomes an account's otherwise.
    let token = token_of(&app, &editor, "hopper@example.com", "reader").await;
    let moved = json!({"email": "HOPPER@example.com"});
    app.patch(&format!("/v1/users/{}", editor.id)).by(&app.admin().await).json(&moved).expect(200).await;
    expect_useless(&app, &token).await;
}

#[tokio::test]
async fn an_erased_user_is_in_no_kept_answer_to_who_invited_them() {
    let app = TestApp::start().await;
    let editor = app.editor().await;
    let ask = || invite(&app, &editor, "grace@example.com", "reader").header("idempotency-key", "once");
    ask().expect(201).await;
    let made = accept(&app, &app.mailed_token().await, "grace").expect(201).await;
    assert_eq!(ask().expect(201).await.header("idempotency-replayed"), "true");
    app.delete(&format!("/v1/users/{}", made.id())).by(&app.admin().await).expect(204).await;
    let again = ask().expect(201).await;
    assert!(!again.headers.contains_key("idempotency-replayed"), "{again}");
}

#[tokio::test]
async fn an_invitation_is_accepted_once() {
    let app = TestApp::start().await;
    let token = token_of(&app, &app.editor().await, "grace@example.com", "reader").await;
    let both = tokio::join!(accept(&app, &token, "one").send(), accept(&app, &token, "two").send());
    let mut statuses = [both.0.status.as_u16(), both.1.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 422]);
    for nonsense in ["", "blog_", "ไม่ใช่", "\0", &"x".repeat(10_000), &app.author().await.token]
    {
        expect_useless(&app, nonsense).await;
    }
}

#[tokio::test]
async fn a_mail_is_sent_again_and_both_links_work() {
    let app = TestApp::start().await;
    invite(&app, &app.editor().await, "grace@example.com", "reader").expect(201).await;
    let again = "insert into jobs (id, kind, payload, due_at, run_at, created_at)
                 select gen_random_uuid(), kind, payload, due_at, run_at, created_at from jobs where kind = 'sign_up'";
    sqlx::query(again).execute(&mut app.db.acquire().await.unwrap()).await.unwrap();
    let newest = app.mailed_token().await;
    let text = &app.mails()[1].text;
    let older = text.split_once('#').unwrap().1.split_whitespace().next().unwrap();
    assert_ne!(older, newest);
    accept(&app, older, "grace").expect(201).await;
    expect_useless(&app, &newest).await;
}

#[tokio::test]
async fn the_mail_is_in_the_language_that_is_asked_for() {
    let app = TestApp::start().await;
    let editor = app.editor().await;
    let ask = async |email: &str, accept: &str, language: Value| {
        let mut body = json!({"email": email, "role": "author"});
        if !language.is_null() {
            body["language"] = language;
        }
        app.post("/v1/invitations")
            .by(&editor)
            .header("accept-language", accept)
            .json(&body)
            .expect(201)
            .await;
        app.run_jobs().await;
        app.mails().remove(0)
    };
    let mail = ask("greta@bücher.example", "de", Value::Null).await;
    assert_eq!((&*mail.subject, &*mail.to), ("Einladung zu Blog", "greta@bücher.example"));
    assert!(mail.text.starts_with("Hallo,\n") && mail.text.contains("Autorin"), "{}", mail.text);
    let token = mail.text.split_once('#').unwrap().1.split_whitespace().next().unwrap();
    assert_eq!(accept(&app, token, "greta").expect(201).await.json()["language"], "de");
    assert_eq!(ask("grace@example.com", "de", json!("en")).await.subject, "An invitation to Blog");
    let page = app.get("/account/invitation").header("accept-language", "de").expect(200).await.to_string();
    assert!(page.contains("Einladung annehmen") && page.contains("name=\"username\""), "{page}");
}

#[tokio::test]
async fn an_admin_of_a_site_in_any_script_invites() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    app.patch("/v1/site").by(&admin).json(&json!({"title": "บล็อก 博客 <مدونة>"})).expect(200).await;
    token_of(&app, &admin, "grace@example.com", "reader").await;
    let mail = app.mails().remove(0);
    assert!(mail.text.contains("บล็อก 博客 <مدونة>") && !mail.html.contains("<مدونة>"), "{}", mail.html);
}

#[tokio::test]
async fn invitations_are_limited_by_account_and_address() {
    let app = TestApp::start_with(&[("ATTEMPT_LIMITS", "on")]).await;
    let (editor, other) = (app.editor().await, app.editor().await);
    for _ in 0..5 {
        invite(&app, &editor, "grace@example.com", "reader").expect(201).await;
    }
    let refused =
        invite(&app, &other, "GRACE@example.com", "reader").expect_problem(429, "rate_limited").await;
    assert!(refused.header("ratelimit").contains("invitation"), "{}", refused.header("ratelimit"));
    for number in 0..45 {
        invite(&app, &editor, &format!("{number}@example.com"), "reader").expect(201).await;
    }
    invite(&app, &editor, "one-more@example.com", "reader").expect_problem(429, "rate_limited").await;
    invite(&app, &other, "one-more@example.com", "reader").expect(201).await;
}

#[tokio::test]
async fn without_mail_nobody_is_invited() {
    let app = TestApp::start_with(&[("MAIL_URL", "off")]).await;
    invite(&app, &app.editor().await, "grace@example.com", "reader").expect_problem(501, "mail_off").await;
}
