//! API tokens: what machines have, and what they may do with it.

use chrono::{SecondsFormat, TimeDelta};
use futures_util::future::join_all;
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;

use crate::support::{PASSWORD, Reply, TestApp, TestUser, operations};

async fn listed(app: &TestApp, user: &TestUser, query: &str) -> Reply {
    app.get(&format!("/v1/tokens{query}")).by(user).expect(200).await
}

#[tokio::test]
async fn a_token_is_shown_once_and_works_until_it_is_revoked() {
    let app = TestApp::start().await;
    let author = app.author().await;
    let body = json!({"name": "Rebuilds the site", "scopes": ["posts:read", "media:read"]});
    let created = app.post("/v1/tokens").by(&author).json(&body).expect(201).await.json();
    let token = created["token"].as_str().unwrap();
    assert!(token.starts_with("blogapi_") && token.len() == 51, "{created}");
    assert_eq!((&created["name"], &created["scopes"]), (&body["name"], &body["scopes"]));
    assert_eq!(created["user"]["username"], author.username);
    let in_90_days = (app.now() + TimeDelta::days(90)).to_rfc3339_opts(SecondsFormat::Micros, true);
    assert_eq!(created["expires_at"], in_90_days);

    let list = listed(&app, &author, "").await;
    assert_eq!(list.items("last_used_at"), [""]);
    assert!(!list.to_string().contains(token), "{list}");
    app.get("/v1/media").token(token).expect(200).await;
    app.get("/v1/posts?status=draft").header("authorization", &format!("BEARER {token}")).expect(200).await;
    assert_ne!(listed(&app, &author, "").await.items("last_used_at"), [""]);
    let stored = format!("api_tokens t where t::text like '%{token}%'");
    assert_eq!(app.count(&stored).await, 0);

    app.delete(&format!("/v1/tokens/{}", created["id"].as_str().unwrap())).by(&author).expect(204).await;
    app.get("/v1/media").token(token).expect_problem(401, "unauthenticated").await;
    assert!(listed(&app, &author, "").await.items("id").is_empty());
}

#[tokio::test]
async fn a_token_has_a_name_scopes_and_an_end() {
    let app = TestApp::start().await;
    let user = app.reader().await;
    let at = |time: TimeDelta| (app.now() + time).to_rfc3339();
    let create = |name: &str, scopes: &[&str], expires_at: Value| {
        let body = json!({"name": name, "scopes": scopes, "expires_at": expires_at});
        app.post("/v1/tokens").by(&user).json(&body)
    };
    let year = TimeDelta::days(366);
    for (name, scopes, expires_at, error) in [
        ("", &["posts:read"][..], Value::Null, ("name", "too_short")),
        ("two\nlines", &["posts:read"], Value::Null, ("name", "control_character")),
        ("a", &[], Value::Null, ("scopes", "too_few")),
        ("a", &["posts:read", "jobs", "posts:read"], Value::Null, ("scopes[2]", "duplicate")),
        ("a", &["jobs"], json!(at(TimeDelta::seconds(-1))), ("expires_at", "out_of_range")),
        ("a", &["jobs"], json!(at(year + TimeDelta::minutes(1))), ("expires_at", "out_of_range")),
    ] {
        create(name, scopes, expires_at).expect_fields(422, &[error]).await;
    }
    let unknown = create("a", &["everything"], Value::Null).send().await;
    assert!(unknown.status.is_client_error() && unknown.to_string().contains("scopes[0]"), "{unknown}");
    for name in ["Überträgt Beiträge", "ينشر المقالات", "เผยแพร่โพสต์", "发布文章"]
    {
        assert_eq!(
            create(name, &["jobs"], json!(at(year - TimeDelta::minutes(1)))).expect(201).await.json()["name"],
            name
        );
    }
}

#[tokio::test]
async fn a_token_ends_and_is_listed_a_while_longer() {
    let app = TestApp::start().await;
    let user = app.reader().await;
    let token = app.token_of(&user, &["users:read"]).await;
    app.advance(TimeDelta::days(29));
    let session = app.sign_in(&user).await;
    app.advance(TimeDelta::days(1));
    let session = app.sign_in(&session).await;
    app.advance(TimeDelta::days(29));
    let session = app.sign_in(&session).await;
    app.advance(TimeDelta::days(29));
    let session = app.sign_in(&session).await;
    app.get("/v1/users/me").by(&token).expect(200).await;
    app.advance(TimeDelta::days(2));
    app.get("/v1/users/me").by(&token).expect_problem(401, "unauthenticated").await;
    app.maintain().await;
    assert_eq!(listed(&app, &session, "").await.items("id").len(), 1);
    app.advance(TimeDelta::days(30));
    app.maintain().await;
    assert_eq!(app.count("api_tokens").await, 0);
}

#[tokio::test]
async fn a_token_does_what_its_user_may_now() {
    let app = TestApp::start().await;
    let (admin, editor) = (app.admin().await, app.editor().await);
    let token = app.token_of(&editor, &["comments:moderate", "posts:write"]).await;
    app.get("/v1/comments").by(&token).expect(200).await;
    let role = json!({"role": "author"});
    app.patch(&format!("/v1/users/{}", editor.id)).by(&admin).json(&role).expect(200).await;
    app.get("/v1/comments").by(&token).expect_problem(403, "forbidden").await;
    let post = json!({"title": "T", "body": "B"});
    app.post("/v1/posts").by(&token).json(&post).expect(201).await;
    let ban = json!({"until": "9999-01-01T00:00:00Z", "reason": "Advertising"});
    app.put(&format!("/v1/users/{}/ban", editor.id)).by(&admin).json(&ban).expect(200).await;
    app.post("/v1/posts").by(&token).json(&post).expect_problem(403, "banned").await;
    app.delete(&format!("/v1/users/{}", editor.id)).by(&admin).expect(204).await;
    app.post("/v1/posts").by(&token).json(&post).expect_problem(401, "unauthenticated").await;
}

/// Who is invited may sign in.
#[tokio::test]
async fn a_token_invites_nobody_who_may_more_than_authors() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let token = app.token_of(&admin, &["users:invite"]).await;
    for (role, status) in [("reader", 201), ("author", 201), ("editor", 403), ("admin", 403)] {
        let body = json!({"email": format!("{role}@example.com"), "role": role});
        app.post("/v1/invitations").by(&token).json(&body).expect(status).await;
    }
    assert_eq!(app.get("/v1/invitations").by(&token).expect(200).await.items("id").len(), 2);
}

/// RFC 6750 has it so.
#[tokio::test]
async fn who_is_refused_for_a_scope_is_told_which() {
    let app = TestApp::start().await;
    let editor = app.editor().await;
    let token = app.token_of(&editor, &["posts:read"]).await;
    let refused = app.get("/v1/comments").by(&token).expect_problem(403, "insufficient_scope").await;
    let challenge = "Bearer error=\"insufficient_scope\", scope=\"comments:moderate\"";
    assert_eq!(refused.header("www-authenticate"), challenge);
    assert!(refused.json()["detail"].as_str().unwrap().contains("`comments:moderate`"), "{refused}");
    let refused = app.get("/v1/tokens").by(&token).expect_problem(403, "insufficient_scope").await;
    assert_eq!(refused.header("www-authenticate"), "");
}

#[tokio::test]
async fn a_token_for_comments_writes_or_moderates() {
    let app = TestApp::start().await;
    let (author, editor) = (app.author().await, app.editor().await);
    let post = app.post_by(&author).await;
    let writes = app.token_of(&editor, &["comments:write"]).await;
    let moderates = app.token_of(&editor, &["comments:moderate"]).await;
    let own = format!("/v1/comments/{}", app.comment_by(&editor, &post, None).await);
    let another = format!("/v1/comments/{}", app.comment_by(&author, &post, None).await);
    let (text, status) = (json!({"body": "New."}), json!({"status": "spam"}));
    let both = json!({"body": "New.", "status": "spam"});
    for (path, body, token, allowed) in [
        (&own, &text, &writes, true),
        (&own, &text, &moderates, false),
        (&another, &status, &moderates, true),
        (&another, &status, &writes, false),
        (&own, &both, &writes, false),
        (&own, &both, &moderates, false),
    ] {
        let call = app.patch(path).by(token).json(body);
        if allowed {
            call.expect(200).await;
        } else {
            call.expect_problem(403, "insufficient_scope").await;
        }
    }
    for (path, refused, allowed) in [(&own, &moderates, &writes), (&another, &writes, &moderates)] {
        app.delete(path).by(refused).expect_problem(403, "insufficient_scope").await;
        app.delete(path).by(allowed).expect(204).await;
    }
}

#[tokio::test]
async fn a_new_password_revokes_every_token() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let new = "an unusual new password";
    for way in ["their own", "an admin's", "by a link"] {
        let user = app.reader().await;
        let token = app.token_of(&user, &["users:read"]).await;
        let path = format!("/v1/users/{}", user.id);
        match way {
            "their own" => {
                let body = json!({"password": new, "current_password": PASSWORD});
                app.patch(&path).by(&user).json(&body).expect(200).await;
                app.get("/v1/users/me").by(&user).expect(200).await;
            }
            "an admin's" => {
                app.patch(&path).by(&admin).json(&json!({"password": new})).expect(200).await;
            }
            _ => {
                let body = json!({"token": app.reset_token(&user).await, "password": new});
                app.post("/v1/password-resets/confirmation").json(&body).expect(204).await;
            }
        }
        app.get("/v1/users/me").by(&token).expect_problem(401, "unauthenticated").await;
    }
    assert_eq!(app.count("api_tokens").await, 0);
}

/// As a change of the password locks the account.
#[tokio::test]
async fn what_is_revoked_meanwhile_leaves_nothing_that_lasts() {
    let app = TestApp::start().await;
    let sql = |sql: String| sqlx::raw_sql(AssertSqlSafe(sql));
    let token = json!({"name": "Late", "scopes": ["jobs"]});
    let scheduled =
        json!({"title": "T", "body": "B", "status": "scheduled", "published_at": "9999-01-01T00:00:00Z"});
    for (path, body, by_session) in
        [("/v1/tokens", &token, true), ("/v1/posts", &scheduled, true), ("/v1/posts", &scheduled, false)]
    {
        let user = app.author().await;
        let who = if by_session { &user } else { &app.token_of(&user, &["posts:write"]).await };
        let (mut revoking, mut watch) = (app.db.acquire().await.unwrap(), app.db.acquire().await.unwrap());
        let id = user.id;
        let revoke = format!(
            "begin; select from users where id = '{id}' for update; delete from sessions where user_id = '{id}';
             delete from api_tokens where user_id = '{id}'"
        );
        sql(revoke).execute(&mut revoking).await.unwrap();
        let waits = "select exists (select from pg_stat_activity
                     where datname = current_database() and wait_event_type = 'Lock')";
        let revoked = async {
            while !sqlx::query_scalar::<_, bool>(waits).fetch_one(&mut watch).await.unwrap() {}
            sql("commit".to_owned()).execute(&mut revoking).await.unwrap();
        };
        let (refused, ()) = tokio::join!(app.post(path).by(who).json(body).send(), revoked);
        assert_eq!(refused.status, 401, "{refused}");
    }
    assert_eq!((app.count("api_tokens").await, app.count("posts").await), (0, 0));
}

#[tokio::test]
async fn a_user_has_a_hundred_tokens_and_no_more() {
    let app = TestApp::start().await;
    let user = app.reader().await;
    let insert = format!(
        "insert into api_tokens (id, user_id, name, token_hash, scopes, created_at, expires_at)
         select gen_random_uuid(), '{}', 'x', sha256(n::text::bytea), '{{jobs}}', now(), now() from generate_series(1, 97) n",
        user.id
    );
    sqlx::raw_sql(AssertSqlSafe(insert)).execute(&mut app.db.acquire().await.unwrap()).await.unwrap();
    let body = json!({"name": "One more", "scopes": ["jobs"]});
    let create = || app.post("/v1/tokens").by(&user).json(&body).send();
    let replies = join_all((0..6).map(|_| create())).await;
    assert_eq!(replies.iter().filter(|reply| reply.status == 201).count(), 3);
    for refused in replies.iter().filter(|reply| reply.status != 201) {
        assert_eq!((refused.status.as_u16(), refused.fields()), (409, vec![("name", "too_many")]));
    }
}

#[tokio::test]
async fn admins_see_and_revoke_the_tokens_of_others() {
    let app = TestApp::start().await;
    let (admin, user, other) = (app.admin().await, app.reader().await, app.editor().await);
    let token = app.token_of(&user, &["users:read"]).await;
    app.token_of(&admin, &["jobs"]).await;
    let of_user = format!("?user={}", user.id);
    let id = listed(&app, &user, "").await.items("id").remove(0);
    assert_eq!(listed(&app, &user, &of_user).await.items("id"), [id.as_str()]);
    assert_eq!(listed(&app, &admin, "").await.items("id").len(), 2);
    assert_eq!(listed(&app, &admin, &of_user).await.items("id"), [id.as_str()]);
    assert!(listed(&app, &other, "").await.items("id").is_empty());
    app.get(&format!("/v1/tokens{of_user}")).by(&other).expect_problem(403, "forbidden").await;
    let path = format!("/v1/tokens/{id}");
    app.delete(&path).by(&other).expect_problem(404, "not_found").await;
    app.get("/v1/users/me").by(&token).expect(200).await;
    app.delete(&path).by(&admin).expect(204).await;
    app.delete(&path).by(&admin).expect_problem(404, "not_found").await;
    app.get("/v1/users/me").by(&token).expect_problem(401, "unauthenticated").await;
    let log = app.get("/v1/audit").by(&admin).expect(200).await.json();
    let line = &log["items"][0];
    assert_eq!((&line["action"], &line["target_id"]), (&json!("user.token_revoked"), &json!(user.id)));
    assert_eq!((&line["details"], &line["token_id"]), (&json!({"token_id": id}), &Value::Null));
}

#[tokio::test]
async fn the_audit_log_says_which_token_acted_until_its_user_is_erased() {
    let app = TestApp::start().await;
    let (admin, editor, author) = (app.admin().await, app.editor().await, app.author().await);
    let token = app.token_of(&editor, &["posts:write", "site:write"]).await;
    let id = listed(&app, &editor, "").await.items("id").remove(0);
    let post = app.post_by(&author).await;
    app.patch(&format!("/v1/posts/{post}")).by(&token).json(&json!({"title": "x"})).expect(200).await;
    app.patch(&format!("/v1/posts/{post}")).by(&editor).json(&json!({"title": "y"})).expect(200).await;
    app.delete(&format!("/v1/tokens/{id}")).by(&editor).expect(204).await;
    let tokens = async || app.get("/v1/audit").by(&admin).expect(200).await.items("token_id");
    assert_eq!(tokens().await, ["", id.as_str()]);
    let export = app.get("/v1/users/me/export").by(&editor).expect(200).await.json();
    assert_eq!(export["actions"][1]["token_id"], id);
    app.delete(&format!("/v1/users/{}", editor.id)).by(&admin).expect(204).await;
    assert_eq!(tokens().await, [""; 3]);
}

/// What stands in the document is what is asked for: see the access matrix.
#[test]
fn every_scope_is_that_of_a_route() {
    let scopes = operations().into_iter().flat_map(|(.., operation)| {
        let schemes = operation["security"].as_array().cloned().unwrap_or_default();
        schemes.into_iter().flat_map(|scheme| scheme["token"].as_array().cloned().unwrap_or_default())
    });
    let mut scopes: Vec<String> = scopes.map(|scope| scope.as_str().unwrap().to_owned()).collect();
    scopes.sort();
    scopes.dedup();
    let mut known: Vec<_> = blog_api::auth::scope::Scope::ALL.iter().map(|scope| scope.as_str()).collect();
    known.sort_unstable();
    assert_eq!(scopes, known);
}
