//! A user with something in every table: all of it is in the export, and nothing of the person is anywhere in
//! the database after the erasure.

use std::collections::BTreeMap;

use blog_api::users::store as users;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{REFERENCES, execute, export, values};
use crate::support::{PASSWORD, TestApp, TestUser};

const ADDRESS: &str = "203.0.113.77";
const USER_AGENT: &str = "Ada's Analytical Engine/1.0";
const DISPLAY_NAME: &str = "Augusta Ada King";
const BIO: &str = "Countess of Lovelace, at home in Marylebone.";
const UNUSED_ALT: &str = "The door of the house in Marylebone";

/// Signs up and in over HTTP, with all that is personal.
async fn sign_up(app: &TestApp) -> TestUser {
    let (username, email) = ("ada-byron", "ada@ockham.example");
    let account = json!({"username": username, "email": email, "password": PASSWORD,
                         "display_name": DISPLAY_NAME, "bio": BIO});
    // The answer to this is kept, with the address in it.
    let call = app.post("/v1/users").header("x-forwarded-for", ADDRESS).header("idempotency-key", "sign-up");
    let id = call.json(&account).expect(201).await.id();
    let call = app.post("/v1/sessions").header("x-forwarded-for", ADDRESS).header("user-agent", USER_AGENT);
    let session = call.json(&json!({"email": email, "password": PASSWORD})).expect(201).await.json();
    TestUser {
        id: id.parse().unwrap(),
        username: username.into(),
        email: email.into(),
        token: session["token"].as_str().unwrap().into(),
    }
}

/// At least one row of `user` for each of [`REFERENCES`]: the export's list, and what it must have there.
async fn fill(app: &TestApp, user: &TestUser) -> BTreeMap<&'static str, (&'static str, Vec<String>)> {
    let (friend, admin) = (app.author().await, app.admin().await);
    let (theirs, published, draft, deleted) = (
        app.post_by(&friend).await,
        app.post_by(user).await,
        app.draft_by(user).await,
        app.post_by(user).await,
    );
    app.delete(&format!("/v1/posts/{deleted}")).by(user).expect(204).await;
    let pictures = pictures(app, user, &published).await;
    let (comment, gone) =
        (app.comment_by(user, &theirs, None).await, app.comment_by(user, &theirs, None).await);
    // With a reply below it, it leaves a tombstone.
    app.comment_by(&friend, &theirs, Some(&gone)).await;
    app.delete(&format!("/v1/comments/{gone}")).by(user).expect(204).await;
    let [report, decided, action, on_account, job, notification, invitation, sign_up, webhook] =
        [(); 9].map(|()| Uuid::now_v7().to_string());
    let (id, friend, admin) = (user.id, friend.id, admin.id);
    execute(
        app,
        &format!(
            r#"insert into post_revisions values ('{theirs}', 77, '{id}', 'T', null, 'B', '{{}}', now());
               insert into post_likes values ('{theirs}', '{id}', now());
               insert into follows values ('{id}', '{friend}', now()), ('{admin}', '{id}', now());
               insert into reports (id, reporter_id, post_id, reason, note, created_at)
                 values ('{report}', '{id}', '{theirs}', 'spam', 'So says {name}.', now());
               insert into reports (id, reporter_id, comment_id, reason, status, resolver_id, resolved_at, created_at)
                 values ('{decided}', '{friend}', '{comment}', 'abuse', 'upheld', '{id}', now(), now());
               insert into muted_posts values ('{id}', '{theirs}', now());
               insert into notification_settings (user_id) values ('{id}');
               insert into notifications (id, user_id, kind, post_id, thread, created_at)
                 values ('{notification}', '{id}', 'post', '{theirs}', '{theirs}', now());
               insert into jobs (id, kind, user_id, error, due_at, run_at, created_at)
                 values ('{job}', 'mail', '{id}', '{email} is refused', now(), now(), now());
               insert into jobs (id, kind, payload, due_at, run_at, created_at)
                 values (gen_random_uuid(), 'password_reset', '{{"email": "{email}"}}', now(), now(), now());
               insert into one_time_tokens (hash, purpose, user_id, email_key, version, expires_at, email)
                 values ('\x03', 'password_reset', '{id}', '{email}', 1, now(), '{email}');
               insert into sign_ups (id, email, email_key, role, inviter_id, language, created_at, expires_at)
                 values ('{invitation}', 'a@b', 'a@b', 'reader', '{id}', 'en', now(), now());
               insert into sign_ups (id, email, email_key, role, username, language, created_at, expires_at)
                 values ('{sign_up}', '{email}', '{email}', 'reader', 'x', 'en', now(), now());
               insert into webhooks (id, place, created_by, url, events, secret, enabled, created_at, updated_at)
                 values ('{webhook}', 1, '{id}', 'https://receiver.example/', '{{post.published}}',
                   decode(repeat('00', 32), 'hex'), false, now(), now());
               insert into idempotency_keys (key_hash, fingerprint, user_id, status, headers, body, created_at)
                 values ('\x01', '\x02', '{id}', 207, '{{}}', convert_to('{{"email": "{email}"}}', 'UTF8'), now());
               insert into audit_log values
                 ('{action}', '{id}', 'report.uphold', 'report', '{decided}', '{{}}', now()),
                 ('{on_account}', '{admin}', 'user.ban', 'user', '{id}', '{{"reason": "{name} was rude"}}', now());"#,
            name = user.username,
            email = user.email,
        ),
    )
    .await;
    let machine = json!({"name": "A machine", "scopes": ["jobs"]});
    let machine = app.post("/v1/tokens").by(user).json(&machine).expect(201).await.id();
    let sessions = app.get("/v1/sessions").by(user).expect(200).await.items("id");
    BTreeMap::from([
        ("actions", ("id", vec![action])),
        ("actions_on_account", ("id", vec![on_account])),
        ("api_tokens", ("id", vec![machine])),
        ("comments", ("id", vec![comment, gone])),
        ("decided_reports", ("id", vec![decided])),
        ("followers", ("user_id", vec![admin.to_string()])),
        ("following", ("user_id", vec![friend.to_string()])),
        ("idempotency_keys", ("status", vec!["207".into()])),
        ("invitations", ("id", vec![invitation])),
        ("jobs", ("id", vec![job])),
        ("likes", ("post_id", vec![theirs.clone()])),
        ("media", ("id", pictures)),
        ("media_uploads", ("id", vec![app.file_by(user).await])),
        ("muted_posts", ("post_id", vec![theirs.clone()])),
        ("notification_settings", ("user_id", vec![user.id.to_string()])),
        ("notifications", ("id", vec![notification])),
        ("one_time_tokens", ("purpose", vec!["password_reset".into()])),
        ("posts", ("id", vec![published, draft, deleted])),
        ("reports", ("id", vec![report])),
        ("revisions", ("post_id", vec![theirs])),
        ("sessions", ("id", sessions)),
        ("webhooks", ("id", vec![webhook])),
    ])
}

/// Pictures of `user`: in the text of `post`, its cover, their avatar, and one that nothing shows.
async fn pictures(app: &TestApp, user: &TestUser, post: &str) -> Vec<String> {
    let mut pictures = Vec::new();
    for _ in 0..4 {
        pictures.push(app.upload_by(user).await);
    }
    let of = |picture: &str| format!("/v1/media/{picture}");
    let shown = app.get(&of(&pictures[0])).by(user).expect(200).await.json();
    let body = format!("![]({})", shown["url"].as_str().unwrap());
    for (path, change) in [
        (
            format!("/v1/posts/{post}"),
            json!({"body": body, "cover": {"media": pictures[1], "alt": "A loom"}}),
        ),
        (format!("/v1/users/{}", user.id), json!({"avatar": pictures[2]})),
        (of(&pictures[3]), json!({"alt": UNUSED_ALT})),
    ] {
        app.patch(&path).by(user).json(&change).expect(200).await;
    }
    pictures
}

/// The tables with a row in which `needle` is written, as text or in bytes, whatever the column and the case.
async fn tables_with(app: &TestApp, needle: &str) -> Vec<String> {
    let mut connection = app.db.acquire().await.unwrap();
    let tables = "select quote_ident(table_name) from information_schema.tables
                  where table_schema = 'public' and table_type = 'BASE TABLE'";
    let tables: Vec<String> = sqlx::query_scalar(tables).fetch_all(&mut connection).await.unwrap();
    let mut found = Vec::new();
    for table in tables {
        let sql = format!(
            "select exists (select from {table} t where strpos(lower(t::text), lower($1)) > 0
               or strpos(t::text, encode(convert_to($1, 'UTF8'), 'hex')) > 0
               or strpos(t::text, replace($1, '-', '')) > 0)"
        );
        let query = sqlx::query_scalar::<_, bool>(sqlx::AssertSqlSafe(sql)).bind(needle);
        if query.fetch_one(&mut connection).await.unwrap() {
            found.push(table);
        }
    }
    found
}

#[tokio::test]
async fn everything_is_exported_and_then_nothing_is_left() {
    let app = TestApp::start_with(&[("TRUSTED_PROXY_HOPS", "1"), ("ATTEMPT_LIMITS", "on")]).await;
    let user = sign_up(&app).await;
    let expected = fill(&app, &user).await;

    let export = export(&app, &user).await;
    for (key, value) in [("email", &*user.email), ("display_name", DISPLAY_NAME), ("bio", BIO)] {
        assert_eq!(export["account"][key], value);
    }
    assert_eq!(export["sessions"][0]["ip_address"], ADDRESS);
    assert_eq!(export["sessions"][0]["user_agent"], USER_AGENT);
    for (list, (key, ids)) in &expected {
        let found = values(&export, list, key);
        assert!(ids.iter().all(|id| found.contains(id)), "{list}: {found:?} lacks some of {ids:?}");
    }
    for (reference, list, _) in REFERENCES {
        assert!(expected.contains_key(list), "nothing was made for {reference}");
    }
    // Who else was there is not told.
    assert!(!values(&export, "actions_on_account", "actor_id").contains(&user.id.to_string()));

    let id = user.id.to_string();
    let needles =
        [&*id, &user.username, &user.email, DISPLAY_NAME, BIO, UNUSED_ALT, ADDRESS, "Analytical Engine"];
    for needle in needles {
        assert!(!tables_with(&app, needle).await.is_empty(), "the scan does not find {needle}");
    }
    for (reference, ..) in REFERENCES {
        let table = reference.split('.').next().unwrap().to_owned();
        assert!(tables_with(&app, &id).await.contains(&table), "the scan does not see {reference}");
    }
    // What was done is told of.
    app.run_jobs().await;
    app.delete(&format!("/v1/users/{id}")).by(&user).expect(204).await;
    for needle in needles {
        assert_eq!(tables_with(&app, needle).await, Vec::<String>::new(), "{needle}");
    }
    app.get("/v1/users/me/export").by(&user).expect_problem(401, "unauthenticated").await;

    stays(&app, &expected).await;
}

/// Half an erasure would be worse than none.
#[tokio::test]
async fn an_erasure_that_is_refused_changes_nothing() {
    let app = TestApp::start().await;
    let user = app.author().await;
    let deleted = app.post_by(&user).await;
    app.delete(&format!("/v1/posts/{deleted}")).by(&user).expect(204).await;
    let path = format!("/v1/users/{}", user.id);
    app.delete(&path).by(&user).header("if-match", "\"99\"").expect(412).await;
    assert_eq!(values(&export(&app, &user).await, "posts", "id"), [deleted.as_str()]);
    app.run_jobs().await;
    app.delete(&path).by(&user).expect(204).await;
    assert_eq!(tables_with(&app, &deleted).await, Vec::<String>::new());
}

/// What others need is still there, without the person.
async fn stays(app: &TestApp, made: &BTreeMap<&'static str, (&'static str, Vec<String>)>) {
    let [posts, comments] = ["posts", "comments"].map(|list| &made[list].1);
    let post = app.get(&format!("/v1/posts/{}", posts[0])).expect(200).await.json();
    assert_eq!((&post["author"]["id"], &post["author"]["username"]), (&Value::Null, &json!("deleted user")));
    // The one that was deleted is gone.
    assert_eq!(tables_with(app, &posts[2]).await, Vec::<String>::new());
    let comment = app.get(&format!("/v1/comments/{}", comments[0])).expect(200).await.json();
    assert_eq!(comment["author"]["username"], "deleted user");
    let count = |table: &'static str| async move {
        let sql = sqlx::AssertSqlSafe(format!("select count(*) from {table}"));
        sqlx::query_scalar::<_, i64>(sql).fetch_one(&mut app.db.acquire().await.unwrap()).await.unwrap()
    };
    // What a post shows that stays, and nothing else.
    let media = &made["media"].1;
    assert_eq!(post["cover"]["id"], media[1]);
    for url in [&post["cover"]["url"], &post["open_graph"]["og:image"]] {
        let (_, name) = url.as_str().unwrap().split_once("/media/").unwrap();
        assert_eq!(app.get(&format!("/media/{name}")).expect(200).await.content_type(), "image/png");
    }
    let shown = format!("media where owner_id is null and id in ('{}', '{}')", media[0], media[1]);
    assert_eq!((app.count(&shown).await, count("media").await, count("media_usage").await), (2, 2, 0));
    assert_eq!((count("reports").await, count("audit_log where action <> 'user.deleted'").await), (2, 2));
    let likes = sqlx::query_scalar::<_, i64>("select sum(likes) from post_stats");
    assert_eq!(likes.fetch_one(&mut app.db.acquire().await.unwrap()).await.unwrap(), 0);
}

async fn count(app: &TestApp, rows: &str) -> i64 {
    let sql = sqlx::AssertSqlSafe(format!("select count(*) from {rows}"));
    sqlx::query_scalar(sql).fetch_one(&mut app.db.acquire().await.unwrap()).await.unwrap()
}

#[tokio::test]
async fn who_has_more_than_one_statement_takes_is_erased_too() {
    let app = TestApp::start().await;
    let (user, other) = (app.author().await, app.author().await);
    let post = app.post_by(&other).await;
    let id = user.id;
    execute(
        &app,
        &format!(
            "insert into posts (id, author_id, slug, title, body, body_html, tags, published_at, created_at, updated_at)
               select gen_random_uuid(), '{id}', 'bulk-' || i, 'T', 'B', 'H', '{{bulk}}',
                 case when i % 2 > 0 then timestamptz '2026-01-01' end, '2026-01-01', '2026-01-01'
               from generate_series(1, 500) i;
             insert into comments (id, post_id, author_id, thread, body, body_html, status, created_at, updated_at)
               select id, '{post}', '{id}', uuid_send(id), 'B', 'H', 'approved', now(), now()
               from (select gen_random_uuid() as id from generate_series(1, 1100)) ids;
             insert into post_likes select id, '{id}', now() from posts;
             insert into media_objects (name, announced_at) values (repeat('a', 64) || '.png', now());
             insert into media (id, owner_id, object, content_type, bytes, width, height, color, stored_bytes,
                 created_at, updated_at)
               select gen_random_uuid(), '{id}', repeat('a', 64) || '.png', 'image/png', 1, 1, 1, '#000000', 1,
                 now(), now() from generate_series(1, 500);
             insert into audit_log select gen_random_uuid(), '{id}', 'a', 'post', null, '{{}}', now()
               from generate_series(1, 1100);"
        ),
    )
    .await;
    let path = format!("/v1/users/{id}");
    app.delete(&path).by(&user).header("if-match", "\"9\"").expect(412).await;
    assert_eq!(count(&app, &format!("posts where author_id = '{id}'")).await, 500, "refused, yet begun");

    app.delete(&path).by(&user).expect(204).await;
    for (table, column) in [
        ("posts", "author_id"),
        ("post_stats", "author_id"),
        ("post_tags", "author_id"),
        ("comments", "author_id"),
        ("post_likes", "user_id"),
        ("media", "owner_id"),
        ("audit_log", "actor_id"),
    ] {
        assert_eq!(count(&app, &format!("{table} where {column} = '{id}'")).await, 0, "{table}");
    }
    for (rows, left) in [
        ("posts where slug like 'bulk-%'", 250),
        ("post_tags where tag = 'bulk'", 250),
        ("comments where author_id is null", 1100),
        ("media", 0),
        ("post_stats where likes <> 0", 0),
    ] {
        assert_eq!(count(&app, rows).await, left, "{rows}");
    }
}

/// Whom many follow, with posts that nobody reads any more.
#[tokio::test]
async fn what_many_were_told_is_let_go_in_parts() {
    let app = TestApp::start().await;
    let user = app.author().await;
    let post = app.post_by(&user).await;
    app.delete(&format!("/v1/posts/{post}")).by(&user).expect(204).await;
    let told = format!(
        "insert into users (id, username, email, password_hash, role, created_at, updated_at)
           select gen_random_uuid(), 'f' || i, i || '@f.example', 'x', 'reader', now(), now() from generate_series(1, 10500) i;
         insert into notifications (id, user_id, kind, post_id, thread, created_at)
           select gen_random_uuid(), id, 'post', '{post}', '{post}', now() from users where username like 'f%'"
    );
    execute(&app, &told).await;
    let mut connection = app.db.acquire().await.unwrap();
    let mut parts = Vec::new();
    for _ in 0..2 {
        parts.push(users::release(&mut connection, user.id, app.now()).await.unwrap());
    }
    assert_eq!(parts, [500, 0]);
    app.delete(&format!("/v1/users/{}", user.id)).by(&user).expect(204).await;
    assert_eq!(app.count("notifications").await, 0);
}
