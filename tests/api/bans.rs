//! Bans: who bans whom, and what a banned user still does.

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::support::{PASSWORD, TestApp, TestUser, operations};

fn ban_path(user: &TestUser) -> String {
    format!("/v1/users/{}/ban", user.id)
}

async fn ban(app: &TestApp, by: &TestUser, user: &TestUser, days: i64) {
    let body = json!({"until": app.now() + TimeDelta::days(days), "reason": "Advertising."});
    app.call("PUT", &ban_path(user)).by(by).json(&body).expect(200).await;
}

fn time(value: &Value) -> DateTime<Utc> {
    value.as_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_ban_shows_to_its_user_and_to_those_who_manage_users_alone() {
    let app = TestApp::start().await;
    let (user, editor, admin) = (app.author().await, app.editor().await, app.admin().await);
    app.get(&ban_path(&user)).by(&editor).expect_problem(404, "not_found").await;
    let until = app.now() + TimeDelta::days(7);
    let body = json!({"until": until, "reason": " Advertising. "});
    let banned = app.call("PUT", &ban_path(&user)).by(&editor).json(&body).expect(200).await.json();
    assert_eq!(
        (time(&banned["until"]).timestamp_micros(), &banned["reason"]),
        (until.timestamp_micros(), &json!("Advertising."))
    );
    assert_eq!(app.get(&ban_path(&user)).by(&editor).expect(200).await.json(), banned);

    let account = app.get("/v1/users/me").by(&user).expect(200).await.json();
    assert_eq!((&account["banned_until"], &account["ban_reason"]), (&banned["until"], &banned["reason"]));
    let accounts = app.get(&format!("/v1/users?q={}", user.username)).by(&admin).expect(200).await.json();
    assert_eq!(accounts["items"][0], account);
    let profile = app.get(&format!("/v1/users/{}", user.id)).expect(200).await.json();
    assert!(profile.get("banned_until").is_none() && profile.get("ban_reason").is_none(), "{profile}");

    // Another ban takes its place.
    ban(&app, &admin, &user, 30).await;
    let changed = app.get(&ban_path(&user)).by(&editor).expect(200).await.json();
    assert!(time(&changed["until"]) > until);
}

#[tokio::test]
async fn a_ban_holds_in_sessions_that_are_in_use_says_why_and_ends_by_itself() {
    let app = TestApp::start().await;
    let (user, editor) = (app.author().await, app.editor().await);
    let post = app.post_by(&user).await;
    ban(&app, &editor, &user, 7).await;
    let write = || app.post(&format!("/v1/posts/{post}/comments")).by(&user).json(&json!({"body": "x"}));
    let refused = write().expect_problem(403, "banned").await.json();
    let detail = refused["detail"].as_str().unwrap();
    let date = (app.now() + TimeDelta::days(7)).format("%Y-%m-%d").to_string();
    assert!(detail.contains(&date) && detail.contains("Advertising."), "{detail}");
    assert_eq!(refused["errors"], json!([]));

    app.advance(TimeDelta::days(7) - TimeDelta::seconds(1));
    write().expect_problem(403, "banned").await;
    app.advance(TimeDelta::seconds(1));
    write().expect(201).await;
    app.get(&ban_path(&user)).by(&editor).expect_problem(404, "not_found").await;
}

#[tokio::test]
async fn a_lifted_ban_is_over_at_once() {
    let app = TestApp::start().await;
    let (user, editor) = (app.author().await, app.editor().await);
    ban(&app, &editor, &user, 7).await;
    for _ in 0..2 {
        app.delete(&ban_path(&user)).by(&editor).expect(204).await;
        app.post_by(&user).await;
    }
    let account = app.get("/v1/users/me").by(&user).expect(200).await.json();
    assert_eq!((&account["banned_until"], &account["ban_reason"]), (&Value::Null, &Value::Null));
}

#[tokio::test]
async fn editors_ban_those_below_them_and_admins_everyone_else() {
    let app = TestApp::start().await;
    let (reader, author) = (app.reader().await, app.author().await);
    let (editor, admin) = (app.editor().await, app.admin().await);
    let (other_editor, other_admin) = (app.editor().await, app.admin().await);
    let body = json!({"until": app.now() + TimeDelta::days(1), "reason": "x"});
    for (by, user, allowed) in [
        (&editor, &reader, true),
        (&editor, &author, true),
        (&editor, &editor, false),
        (&editor, &other_editor, false),
        (&editor, &admin, false),
        (&admin, &reader, true),
        (&admin, &other_editor, true),
        (&admin, &other_admin, true),
        (&admin, &admin, false),
        (&author, &reader, false),
        (&reader, &author, false),
    ] {
        // Whoever an earlier row has banned.
        for banned in [&reader, &author] {
            app.delete(&ban_path(banned)).by(&admin).expect(204).await;
        }
        let (put, delete) = (app.call("PUT", &ban_path(user)), app.delete(&ban_path(user)));
        let (put, delete) = (put.by(by).json(&body), delete.by(by));
        if allowed {
            put.expect(200).await;
            delete.expect(204).await;
        } else {
            put.expect_problem(403, "forbidden").await;
            delete.expect_problem(403, "forbidden").await;
        }
    }
}

#[tokio::test]
async fn what_is_no_ban_is_refused_by_field() {
    let app = TestApp::start().await;
    let (user, editor) = (app.author().await, app.editor().await);
    // The service's time has no more digits.
    let now = app.now().trunc_subsecs(6);
    let later = now + TimeDelta::days(1);
    for (body, field, code) in [
        (json!({"until": now, "reason": "x"}), "until", "in_past"),
        (json!({"until": "soon", "reason": "x"}), "until", "wrong_type"),
        (json!({"reason": "x"}), "until", "required"),
        (json!({"until": later}), "reason", "required"),
        (json!({"until": later, "reason": " "}), "reason", "blank"),
        (json!({"until": later, "reason": "x".repeat(501)}), "reason", "too_long"),
    ] {
        let call = app.call("PUT", &ban_path(&user)).by(&editor).json(&body);
        call.expect_fields(422, &[(field, code)]).await;
    }
    let nobody = "/v1/users/00000000-0000-7000-8000-000000000000/ban";
    let body = json!({"until": later, "reason": "x"});
    app.call("PUT", nobody).by(&editor).json(&body).expect_problem(404, "not_found").await;
    app.delete(nobody).by(&editor).expect_problem(404, "not_found").await;
    app.post_by(&user).await;
}

/// What is written without a look at a ban: what is the user's own, and signing out.
const OPEN_TO_BANNED: [(&str, &str); 8] = [
    ("POST", "/v1/email-verifications"),
    ("POST", "/v1/notifications/read"),
    ("PUT", "/v1/posts/{post}/mute"),
    ("DELETE", "/v1/posts/{post}/mute"),
    ("PATCH", "/v1/users/me/notifications"),
    ("DELETE", "/v1/sessions/current"),
    ("DELETE", "/v1/sessions/{id}"),
    ("DELETE", "/v1/tokens/{id}"),
];

#[tokio::test]
async fn a_banned_user_writes_nothing_whatever_their_role() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let mut refused = 0;
    for role_of in [app.reader().await, app.author().await, app.editor().await, app.admin().await] {
        ban(&app, &admin, &role_of, 1).await;
        let writes = operations().into_iter().filter(|(method, path, operation)| {
            let schemes = operation["security"].as_array().unwrap();
            let needs_token = !schemes.is_empty() && schemes.iter().all(|scheme| scheme["token"].is_array());
            needs_token && method != "GET" && !OPEN_TO_BANNED.contains(&(method.as_str(), path))
        });
        for (method, path, _) in writes {
            let path = path
                .replace("{id}", "00000000-0000-7000-8000-000000000000")
                .replace("{post}", "no-such-post")
                .replace("{number}", "1");
            let call = app.call(&method, &path).by(&role_of).json(&json!({}));
            call.expect_problem(403, "banned").await;
            refused += 1;
        }
    }
    assert!(refused >= 4 * 15, "{refused}");
}

#[tokio::test]
async fn a_banned_user_reads_and_rules_over_what_others_do_not_see() {
    let app = TestApp::start().await;
    let (user, admin) = (app.author().await, app.admin().await);
    let (post, draft) = (app.post_by(&user).await, app.draft_by(&user).await);
    ban(&app, &admin, &user, 1).await;
    for path in [format!("/v1/posts/{post}"), format!("/v1/posts/{draft}"), "/v1/users/me".into()] {
        app.get(&path).by(&user).expect(200).await;
    }
    let me = format!("/v1/users/{}", user.id);
    for body in [
        json!({"username": "another"}),
        json!({"display_name": "Buy here"}),
        json!({"bio": null}),
        json!({"role": "author"}),
        json!({"email": "new@example.com", "bio": "Buy here"}),
    ] {
        app.patch(&me).by(&user).json(&body).expect_problem(403, "banned").await;
    }
    let body =
        json!({"email": "new@example.com", "password": "quite another one", "current_password": PASSWORD});
    app.patch(&me).by(&user).json(&body).expect(200).await;
    let credentials = json!({"email": user.email, "password": "quite another one"});
    let session = app.post("/v1/sessions").json(&credentials).expect(201).await;
    let token = session.json()["token"].as_str().unwrap().to_owned();
    app.delete(&format!("/v1/sessions/{}", session.id())).by(&user).expect(204).await;
    app.get("/v1/sessions").token(&token).expect_problem(401, "unauthenticated").await;
    app.delete(&me).by(&user).expect(204).await;
    app.get(&me).expect_problem(404, "not_found").await;
}

#[tokio::test]
async fn a_banned_admin_neither_manages_users_nor_lifts_the_ban() {
    let app = TestApp::start().await;
    let (banned, admin, user) = (app.admin().await, app.admin().await, app.author().await);
    ban(&app, &admin, &banned, 1).await;
    let path = format!("/v1/users/{}", user.id);
    app.patch(&path).by(&banned).json(&json!({"role": "admin"})).expect_problem(403, "banned").await;
    app.patch(&path)
        .by(&banned)
        .json(&json!({"password": "taken over now"}))
        .expect_problem(403, "banned")
        .await;
    app.delete(&path).by(&banned).expect_problem(403, "banned").await;
    app.delete(&ban_path(&banned)).by(&banned).expect_problem(403, "banned").await;
    for path in ["/v1/users", "/v1/comments", "/v1/reports", "/v1/audit"] {
        app.get(path).by(&banned).expect_problem(403, "banned").await;
    }
    app.get(&path).by(&user).expect(200).await;
}
