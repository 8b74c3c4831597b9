//! Writes that are sent again.

use chrono::TimeDelta;
use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::support::{PICTURE, Reply, TestApp, TestUser, announcement, bounce, operations, picture};

/// They answer with a token of which only a hash is stored.
const SHOWS_TOKEN: [&str; 2] = ["/v1/sessions", "/v1/tokens"];
const KEY: &str = "8e03978e-40d5-43dd-bc93-6894a57f9324";

#[tokio::test]
async fn a_write_that_is_sent_again_is_answered_again_and_done_once() {
    let app = TestApp::start().await;
    let (author, editor) = (app.author().await, app.editor().await);
    let post = app.post_by(&author).await;
    let sign_up = json!({"username": "ada", "email": "ada@example.com", "password": "an unusual password"});
    for (path, body) in [
        ("/v1/posts".to_owned(), json!({"title": "Once", "body": "x", "status": "published"})),
        ("/v1/media".to_owned(), json!(PICTURE)),
        ("/v1/media/uploads".to_owned(), announcement()),
        (format!("/v1/media/uploads/{}/completion", app.file_by(&editor).await), Value::Null),
        (format!("/v1/posts/{post}/comments"), json!({"body": "Once."})),
        (format!("/v1/posts/{post}/restore"), Value::Null),
        ("/v1/users".to_owned(), sign_up),
    ] {
        let send = async || {
            let mut call = app.post(&path).header("idempotency-key", &format!("key-{path}"));
            if path != "/v1/users" {
                call = call.by(&editor);
            }
            call.content(&body).send().await
        };
        let first = send().await;
        assert!(first.status.is_success(), "{first}");
        assert_eq!(first.header("idempotency-replayed"), "");
        for _ in 0..2 {
            let again = send().await;
            assert_eq!((again.status, &again.body), (first.status, &first.body), "{again}");
            for header in ["location", "etag", "content-type"] {
                assert_eq!(again.header(header), first.header(header), "{again}");
            }
            assert_eq!(again.header("idempotency-replayed"), "true");
        }
    }
    assert_eq!(app.get("/v1/posts").expect(200).await.items("id").len(), 2);
    assert_eq!(app.get(&format!("/v1/posts/{post}/comments")).expect(200).await.items("id").len(), 1);
    assert_eq!((app.count("media").await, app.count("media_uploads").await), (2, 1));
}

/// A form with a picture, as browsers write it: with another boundary each time.
fn form(boundary: &str, alt: &str) -> Vec<u8> {
    let disposition = "Content-Disposition: form-data; name=";
    let alt = format!("--{boundary}\r\n{disposition}\"alt\"\r\n\r\n{alt}\r\n");
    let file = format!(
        "--{boundary}\r\n{disposition}\"file\"; filename=\"a.png\"\r\nContent-Type: image/png\r\n\r\n"
    );
    [alt.as_bytes(), file.as_bytes(), &picture(), format!("\r\n--{boundary}--\r\n").as_bytes()].concat()
}

#[tokio::test]
async fn an_upload_is_the_same_whatever_the_boundary_of_its_form() {
    let app = TestApp::start().await;
    let author = app.author().await;
    let send = |boundary: &str, alt: &str| {
        let content_type = format!("multipart/form-data; boundary={boundary}");
        let call = app.post("/v1/media").by(&author).header("idempotency-key", KEY);
        call.body(&content_type, form(boundary, alt))
    };
    let first = send("one", "A bridge in fog").expect(201).await;
    let again = send("another", "A bridge in fog").expect(201).await;
    assert_eq!((again.header("idempotency-replayed"), &again.body), ("true", &first.body));
    send("one", "Another bridge").expect_fields(422, &[("Idempotency-Key", "reused")]).await;
    let without_alt = app.post("/v1/media").by(&author).header("idempotency-key", KEY);
    without_alt.content(&json!(PICTURE)).expect_fields(422, &[("Idempotency-Key", "reused")]).await;
    assert_eq!(app.count("media").await, 1);
}

#[tokio::test]
async fn every_post_but_what_makes_tokens_takes_a_key() {
    for (method, path, operation) in operations() {
        let parameters = operation["parameters"].as_array();
        let takes = parameters.into_iter().flatten().any(|parameter| parameter["name"] == "Idempotency-Key");
        assert_eq!(takes, method == "POST" && !SHOWS_TOKEN.contains(&path), "{method} {path}");
    }
}

#[tokio::test]
async fn a_key_is_for_one_request_of_one_user() {
    let app = TestApp::start().await;
    let (ada, grace) = (app.author().await, app.author().await);
    let post = app.post_by(&ada).await;
    let body = json!({"body": "Mine."});
    let comments = format!("/v1/posts/{post}/comments");
    let send =
        |path: &str, user, body: &Value| app.post(path).by(user).header("idempotency-key", KEY).json(body);
    let first = send(&comments, &ada, &body).expect(201).await;
    // The draft of the standard quotes it.
    let quoted = app.post(&comments).by(&ada).header("idempotency-key", &format!("\"{KEY}\"")).json(&body);
    assert_eq!(quoted.expect(201).await.id(), first.id());
    let reused = [("Idempotency-Key", "reused")];
    send(&comments, &ada, &json!({"body": "Other."})).expect_fields(422, &reused).await;
    send("/v1/posts", &ada, &json!({"title": "T", "body": "B"})).expect_fields(422, &reused).await;
    let of_grace = send(&comments, &grace, &body).expect(201).await;
    assert_ne!(of_grace.id(), first.id());
    for nonsense in ["", "\"\"", "with space", "é", &"x".repeat(256)] {
        let call = app.post(&comments).by(&ada).header("idempotency-key", nonsense).json(&body);
        call.expect_fields(400, &[("Idempotency-Key", "malformed")]).await;
    }
}

#[tokio::test]
async fn what_was_refused_may_be_sent_again() {
    let app = TestApp::start().await;
    let author = app.author().await;
    let id = app.draft_by(&author).await;
    let path = format!("/v1/posts/{id}/comments");
    let send = || app.post(&path).by(&author).header("idempotency-key", KEY).json(&json!({"body": "Now?"}));
    send().expect_fields(409, &[("post", "not_published")]).await;
    let publish = json!({"status": "published"});
    app.patch(&format!("/v1/posts/{id}")).by(&author).json(&publish).expect(200).await;
    let taken = send().expect(201).await;
    assert_eq!(send().expect(201).await.id(), taken.id());
}

#[tokio::test]
async fn of_parallel_requests_one_writes_and_no_other_answer_is_given() {
    let app = TestApp::start().await;
    let author = app.author().await;
    let body = json!({"title": "Once", "body": "x", "status": "published"});
    for round in 0..5 {
        let send =
            || app.post("/v1/posts").by(&author).header("idempotency-key", &format!("{round}")).json(&body);
        let replies: Vec<Reply> = join_all((0..8).map(|_| send().send())).await;
        let ids: Vec<_> = replies.iter().filter(|reply| reply.status == 201).map(Reply::id).collect();
        assert!(!ids.is_empty() && ids.iter().all(|id| *id == ids[0]), "{ids:?}");
        for refused in replies.iter().filter(|reply| reply.status != 201) {
            assert_eq!(refused.status, 409, "{refused}");
            assert_eq!(refused.fields(), [("Idempotency-Key", "in_use")]);
        }
        assert_eq!(send().expect(201).await.id(), ids[0]);
    }
    assert_eq!(app.get("/v1/posts").expect(200).await.items("id").len(), 5);
}

#[tokio::test]
async fn a_key_that_is_being_served_is_409() {
    let app = TestApp::start().await;
    let author = app.author().await;
    let (post, body) = (app.post_by(&author).await, json!({"body": "Slow."}));
    let path = format!("/v1/posts/{post}/comments");
    let send = || app.post(&path).by(&author).header("idempotency-key", KEY).json(&body);
    // The write waits for the post, which is locked against it.
    let mut lock = app.db.begin().await.unwrap();
    execute(&mut lock, &format!("select from posts where id = '{post}' for update")).await;
    let mut slow = Box::pin(send().send());
    let refused = async {
        while !holds_a_key(&mut lock).await {}
        send().expect_fields(409, &[("Idempotency-Key", "in_use")]).await
    };
    tokio::select! {
        reply = &mut slow => panic!("{reply}"),
        _ = refused => {}
    }
    drop(lock);
    let first = slow.await;
    assert_eq!(first.status, 201, "{first}");
    assert_eq!(send().expect(201).await.id(), first.id());
    assert_eq!(app.get(&path).expect(200).await.items("id").len(), 1);
}

#[tokio::test]
async fn a_client_that_hangs_up_in_the_middle_may_send_again() {
    let app = TestApp::start().await;
    let author = app.author().await;
    let body = json!({"title": "Once", "body": "x", "status": "published"}).to_string();
    for key in 0..20 {
        let head = format!(
            "POST /v1/posts HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nIdempotency-Key: {key}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            author.token,
            body.len()
        );
        let mut stream = TcpStream::connect(app.address).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        // Each time a little later: before, during and after the write.
        for _ in 0..key * 20 {
            tokio::task::yield_now().await;
        }
        drop(stream);
        let id = loop {
            let call = app.post("/v1/posts").by(&author).header("idempotency-key", &key.to_string());
            let reply = call.body("application/json", body.clone()).send().await;
            if reply.status == 201 {
                break reply.id();
            }
            assert_eq!(reply.fields(), [("Idempotency-Key", "in_use")]);
        };
        let posts = app.get("/v1/posts?limit=100").expect(200).await.items("id");
        assert_eq!((posts.len(), &posts[0]), (key + 1, &id));
        app.advance(TimeDelta::seconds(1));
    }
}

/// A request that accepts an invitation.
async fn acceptance(app: &TestApp, editor: &TestUser) -> Value {
    let invite = json!({"email": "grace@example.com", "role": "reader"});
    app.post("/v1/invitations").by(editor).json(&invite).expect(201).await;
    json!({"token": app.mailed_token().await, "username": "grace", "password": "an unusual password"})
}

/// A request of each route that makes something, with the path that it is sent to.
async fn requests(app: &TestApp, editor: &TestUser) -> Vec<(&'static str, String, Value)> {
    let author = app.author().await;
    let (post, deleted) = (app.post_by(&author).await, app.post_by(&author).await);
    let (of_post, reported) = (format!("/v1/posts/{post}"), app.post_by(&author).await);
    let comment = app.comment_by(editor, &reported, None).await;
    app.patch(&of_post).by(&author).json(&json!({"title": "Another"})).expect(200).await;
    app.delete(&format!("/v1/posts/{deleted}")).by(&author).expect(204).await;
    let soon = app.now() + TimeDelta::minutes(1);
    let sign_up = json!({"username": "ada", "email": "ada@example.com", "password": "an unusual password"});
    app.post("/v1/email-verifications").by(&app.author().await).expect(202).await;
    let verification = app.mailed_token().await;
    let forgetful = app.author().await;
    let unsubscribe = app.unsubscribe_token(&forgetful).await;
    let confirmation = json!({"token": app.reset_token(&forgetful).await, "password": "an unusual password"});
    let acceptance = acceptance(app, editor).await;
    let invite = json!({"email": "barbara@example.com", "role": "reader"});
    let file = app.file_by(editor).await;
    let webhook = app.webhook_by(editor).await;
    let delivery = app.delivery_by(editor, &webhook).await;
    let of_webhook = |rest: &str| format!("/v1/webhooks/{webhook}/{rest}");
    vec![
        (
            "/v1/webhooks",
            "/v1/webhooks".to_owned(),
            json!({"url": "https://receiver.example/", "events": ["post.published"], "enabled": false}),
        ),
        ("/v1/webhooks/{id}/secret", of_webhook("secret"), Value::Null),
        ("/v1/webhooks/{id}/test", of_webhook("test"), Value::Null),
        (
            "/v1/webhooks/{id}/deliveries/{delivery}/retry",
            of_webhook(&format!("deliveries/{delivery}/retry")),
            Value::Null,
        ),
        ("/v1/webhooks/{id}/replay", of_webhook("replay"), json!({"since": "2026-01-01T00:00:00Z"})),
        (
            "/v1/posts",
            "/v1/posts".to_owned(),
            json!({"title": "Soon", "body": "x", "status": "scheduled", "published_at": soon}),
        ),
        ("/v1/posts", "/v1/posts".to_owned(), json!({"title": "Named", "body": "x", "slug": "named"})),
        ("/v1/posts/{post}/comments", format!("{of_post}/comments"), json!({"body": "Once."})),
        ("/v1/posts/{post}/restore", format!("/v1/posts/{deleted}/restore"), Value::Null),
        (
            "/v1/posts/{post}/revisions/{number}/restore",
            format!("{of_post}/revisions/1/restore"),
            Value::Null,
        ),
        ("/v1/reports", "/v1/reports".to_owned(), json!({"post_id": reported, "reason": "spam"})),
        (
            "/v1/comments/moderation",
            "/v1/comments/moderation".to_owned(),
            json!({"ids": [comment], "action": "spam"}),
        ),
        ("/v1/email-verifications", "/v1/email-verifications".to_owned(), Value::Null),
        (
            "/v1/email-verifications/confirmation",
            "/v1/email-verifications/confirmation".to_owned(),
            json!({"token": verification}),
        ),
        (
            "/v1/email-verifications/undo",
            "/v1/email-verifications/undo".to_owned(),
            json!({"token": app.undo_token(&app.author().await).await}),
        ),
        ("/v1/jobs/{id}/retry", format!("/v1/jobs/{}/retry", app.failed_job().await), Value::Null),
        ("/v1/mail-events", "/v1/mail-events".to_owned(), bounce("nobody@example.com")),
        ("/v1/media", "/v1/media".to_owned(), json!(PICTURE)),
        ("/v1/media/uploads", "/v1/media/uploads".to_owned(), announcement()),
        ("/v1/media/uploads/{id}/completion", format!("/v1/media/uploads/{file}/completion"), Value::Null),
        ("/v1/notifications/read", "/v1/notifications/read".to_owned(), json!({"up_to": comment})),
        ("/v1/unsubscriptions", format!("/v1/unsubscriptions?token={unsubscribe}"), Value::Null),
        ("/v1/password-resets", "/v1/password-resets".to_owned(), json!({"email": forgetful.email})),
        ("/v1/password-resets/confirmation", "/v1/password-resets/confirmation".to_owned(), confirmation),
        ("/v1/invitations", "/v1/invitations".to_owned(), invite),
        ("/v1/invitations/acceptance", "/v1/invitations/acceptance".to_owned(), acceptance),
        (
            "/v1/sign-ups/confirmation",
            "/v1/sign-ups/confirmation".to_owned(),
            json!({"token": app.sign_up_token("hedy").await, "password": "an unusual password"}),
        ),
        ("/v1/users", "/v1/users".to_owned(), sign_up),
    ]
}

/// What may have happened between a request and its repetition would refuse it as a new one.
#[tokio::test]
async fn a_repetition_is_answered_whatever_has_happened_since() {
    let app = TestApp::start_with(&[("ATTEMPT_LIMITS", "on")]).await;
    let editor = app.admin().await;
    let requests = Box::pin(requests(&app, &editor)).await;
    let mut tried: Vec<_> = requests.iter().map(|(route, ..)| *route).collect();
    tried.dedup();
    tried.sort_unstable();
    let posts =
        operations().into_iter().filter(|(method, path, _)| method == "POST" && !SHOWS_TOKEN.contains(path));
    assert_eq!(
        tried,
        posts
            .map(|(_, path, _)| path)
            .collect::<std::collections::BTreeSet<_>>()
            .into_iter()
            .collect::<Vec<_>>()
    );

    let send = async |n: usize| {
        let (_, path, body) = &requests[n];
        let mut call = app.post(path).header("idempotency-key", &format!("key-{n}"));
        match path.as_str() {
            "/v1/users" => {}
            "/v1/mail-events" => call = call.by(&TestApp::mail_provider()),
            _ => call = call.by(&editor),
        }
        call.content(body).send().await
    };
    let mut first = Vec::new();
    for n in 0..requests.len() {
        let reply = send(n).await;
        assert!(reply.status.is_success(), "{reply}");
        first.push(reply);
    }
    app.advance(TimeDelta::hours(1));
    for post in app.get("/v1/posts").expect(200).await.items("id") {
        app.delete(&format!("/v1/posts/{post}")).by(&editor).expect(204).await;
    }
    let closed = json!({"comments_policy": "closed"});
    app.patch("/v1/site").by(&app.admin().await).json(&closed).expect(200).await;
    // More often than anybody may sign up.
    for _ in 0..25 {
        send(requests.len() - 1).await;
    }
    for (n, first) in first.iter().enumerate() {
        let again = send(n).await;
        assert_eq!((again.status, &again.body), (first.status, &first.body), "{again}");
        assert_eq!(again.header("idempotency-replayed"), "true");
    }
}

#[tokio::test]
async fn a_repetition_is_answered_only_to_who_still_may_ask() {
    let app = TestApp::start().await;
    let (admin, editor) = (app.admin().await, app.editor().await);
    let draft = app.draft_by(&admin).await;
    let (post, comments) = (app.post_by(&admin).await, json!({"body": "Once."}));
    let send = async |path: &str, body: &Value| {
        app.post(path).by(&editor).header("idempotency-key", path).content(body).send().await
    };
    let requests = [
        ("/v1/posts".to_owned(), json!({"title": "T", "body": "B"}), 403),
        ("/v1/media".to_owned(), json!(PICTURE), 403),
        ("/v1/media/uploads".to_owned(), announcement(), 403),
        (format!("/v1/posts/{draft}/restore"), json!({}), 403),
        (format!("/v1/posts/{draft}/revisions/1/restore"), json!({}), 404),
        (format!("/v1/posts/{post}/comments"), comments, 201),
    ];
    for (path, body, _) in &requests {
        let reply = send(path, body).await;
        assert!(reply.status.is_success(), "{reply}");
    }
    let account = format!("/v1/users/{}", editor.id);
    app.patch(&account).by(&admin).json(&json!({"role": "reader"})).expect(200).await;
    for (path, body, expected) in &requests {
        assert_eq!(send(path, body).await.status.as_u16(), *expected, "{path}");
    }
    let ban = json!({"until": "2100-01-01T00:00:00Z", "reason": "x"});
    app.put(&format!("{account}/ban")).by(&admin).json(&ban).expect(200).await;
    for (path, body, _) in &requests {
        assert_eq!(send(path, body).await.json()["code"], "banned", "{path}");
    }
    app.delete("/v1/sessions/current").by(&editor).expect(204).await;
    for (path, body, _) in &requests {
        assert_eq!(send(path, body).await.status, 401, "{path}");
    }
}

#[tokio::test]
async fn an_answer_is_kept_for_a_day_and_then_forgotten() {
    let app = TestApp::start().await;
    let author = app.author().await;
    let body = json!({"title": "Daily", "body": "x"});
    let send = || app.post("/v1/posts").by(&author).header("idempotency-key", KEY).json(&body);
    let first = send().expect(201).await.id();
    app.advance(TimeDelta::hours(24) - TimeDelta::seconds(1));
    assert_eq!(send().expect(201).await.id(), first);
    app.maintain().await;
    assert_eq!(stored(&app).await, 1);
    app.advance(TimeDelta::seconds(1));
    let second = send().expect(201).await.id();
    assert_ne!(second, first);
    assert_eq!(send().expect(201).await.id(), second);
    app.advance(TimeDelta::hours(24));
    app.maintain().await;
    assert_eq!(stored(&app).await, 0);
}

async fn stored(app: &TestApp) -> i64 {
    let mut connection = app.db.acquire().await.unwrap();
    sqlx::query_scalar("select count(*) from idempotency_keys").fetch_one(&mut connection).await.unwrap()
}

#[tokio::test]
async fn neither_keys_nor_passwords_are_stored() {
    let app = TestApp::start().await;
    let body = json!({"username": "ada", "email": "ada@example.com", "password": "an unusual password"});
    app.post("/v1/users").header("idempotency-key", KEY).json(&body).expect(201).await;
    let mut connection = app.db.acquire().await.unwrap();
    let row: String = sqlx::query_scalar("select idempotency_keys::text from idempotency_keys")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    let hex = |text: &str| text.bytes().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
    for secret in [KEY, "an unusual password"] {
        assert!(!row.contains(secret) && !row.contains(&hex(secret)), "{row}");
    }
}

async fn holds_a_key(connection: &mut blog_api::db::Connection) -> bool {
    sqlx::query_scalar(
        "select exists (select from pg_locks l join pg_database d on d.oid = l.database
                        where d.datname = current_database() and l.locktype = 'advisory' and l.granted)",
    )
    .fetch_one(connection)
    .await
    .unwrap()
}

async fn execute(connection: &mut blog_api::db::Connection, sql: &str) {
    sqlx::query(sqlx::AssertSqlSafe(sql.to_owned())).execute(connection).await.unwrap();
}
