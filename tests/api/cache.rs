//! Answers to anonymous reads are kept, and never shown once they are wrong.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::support::{PASSWORD, PICTURE, TestApp, TestUser, announcement, bounce, operations};

/// An app whose cache is in use.
async fn caching() -> TestApp {
    let app = TestApp::start().await;
    shared(&app).await;
    app
}

async fn until(is_so: impl Fn() -> bool) {
    while !is_so() {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

async fn shared(app: &TestApp) {
    until(|| app.cache.is_connected()).await;
}

/// A change of which nobody is told.
async fn retitle_in_secret(app: &TestApp, post: &str, title: &str) {
    let query = sqlx::query("update posts set title = $2 where id::text = $1").bind(post).bind(title);
    query.execute(&mut app.db.acquire().await.unwrap()).await.unwrap();
}

async fn title(app: &TestApp, post: &str) -> String {
    let reply = app.get(&format!("/v1/posts/{post}")).expect(200).await;
    reply.json()["title"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn an_answer_is_kept_for_as_long_as_others_may_keep_it() {
    let app = caching().await;
    let author = app.author().await;
    let post = app.post_by(&author).await;
    let path = format!("/v1/posts/{post}");
    let first = app.get(&path).expect(200).await;
    retitle_in_secret(&app, &post, "Another title").await;

    let kept = app.get(&path).expect(200).await;
    assert_eq!(kept.body, first.body);
    for name in ["etag", "content-type", "cache-control", "vary"] {
        assert_eq!(kept.header(name), first.header(name), "{name}");
    }
    assert_ne!(kept.header("x-request-id"), first.header("x-request-id"));
    assert_eq!(app.call("HEAD", &path).expect(200).await.header("etag"), first.header("etag"));
    let spelled_otherwise =
        app.get(&path).header("host", "other.example").header("accept-encoding", "x, y;q=0.5");
    assert_eq!(spelled_otherwise.expect(200).await.body, first.body);
    app.get(&path).header("if-none-match", first.header("etag")).expect(304).await;

    // Who is signed in, and another question, are answered by the database.
    assert_eq!(app.get(&path).by(&author).expect(200).await.json()["title"], "Another title");
    assert_eq!(app.get("/v1/posts").expect(200).await.items("title"), ["Another title"]);

    app.advance(TimeDelta::seconds(9));
    assert_eq!(app.get(&path).expect(200).await.body, first.body);
    app.advance(TimeDelta::seconds(1));
    assert_eq!(title(&app, &post).await, "Another title");
}

#[tokio::test]
async fn what_was_compressed_is_kept_beside_what_was_not() {
    let app = caching().await;
    let post = app.post_by(&app.author().await).await;
    let get = |encoding: &str| app.get(&format!("/v1/posts/{post}")).header("accept-encoding", encoding);
    let plain = get("identity").send().await;
    let packed = get("gzip").send().await;
    retitle_in_secret(&app, &post, "Another title").await;

    let again = get("gzip").send().await;
    assert_eq!((again.header("content-encoding"), &again.body), ("gzip", &packed.body));
    assert_eq!(again.header("etag"), packed.header("etag"));
    assert!(again.header("vary").contains("accept-encoding"), "{}", again.header("vary"));
    let unpacked = get("identity").send().await;
    assert_eq!((unpacked.header("content-encoding"), &unpacked.body), ("", &plain.body));
    let known = get("gzip").header("if-none-match", packed.header("etag")).send().await;
    assert_eq!((known.status.as_u16(), known.header("content-encoding")), (304, ""));
    assert_eq!(known.header("etag"), packed.header("etag"));
}

#[tokio::test]
async fn a_refused_request_forgets_nothing_and_a_write_only_what_it_changed() {
    let app = caching().await;
    let author = app.author().await;
    let (post, other) = (app.post_by(&author).await, app.post_by(&author).await);
    app.get("/v1/posts").expect(200).await;
    for id in [&post, &other] {
        title(&app, id).await;
        retitle_in_secret(&app, id, "Another title").await;
    }
    let wrong = json!({"email": author.email, "password": "not this one"});
    app.post("/v1/sessions").json(&wrong).expect_problem(401, "unauthenticated").await;
    let right = json!({"email": author.email, "password": PASSWORD});
    app.post("/v1/sessions").json(&right).expect(201).await;
    app.delete(&format!("/v1/posts/{post}")).by(&app.reader().await).expect(403).await;
    app.call("OPTIONS", "/v1/posts").expect(204).await;
    let new = json!({"username": "new", "email": "new@example.com", "password": PASSWORD});
    app.post("/v1/users").json(&new).expect(201).await;
    assert_eq!(app.get("/v1/posts").expect(200).await.items("title"), ["A post", "A post"]);
    assert_eq!(title(&app, &post).await, "A post");

    app.put(&format!("/v1/posts/{post}/like")).by(&author).expect(204).await;
    assert_eq!(title(&app, &other).await, "A post");
    assert_eq!(title(&app, &post).await, "Another title");
    assert_eq!(app.get("/v1/posts").expect(200).await.items("title"), ["Another title", "Another title"]);
}

#[tokio::test]
async fn an_error_is_not_kept() {
    let app = caching().await;
    let author = app.author().await;
    let draft = app.draft_by(&author).await;
    app.get(&format!("/v1/posts/{draft}")).expect(404).await;
    let publish = "update posts set published_at = created_at where id::text = $1";
    let publish = sqlx::query(publish).bind(&draft);
    publish.execute(&mut app.db.acquire().await.unwrap()).await.unwrap();
    app.get(&format!("/v1/posts/{draft}")).expect(200).await;
}

#[tokio::test]
async fn a_list_is_kept_until_the_next_publication() {
    let app = caching().await;
    let at = app.now() + TimeDelta::seconds(4);
    let body = json!({"title": "Soon", "body": "x", "status": "scheduled", "published_at": at});
    app.post("/v1/posts").by(&app.author().await).json(&body).expect(201).await;
    for (wait, age, listed) in
        [(0, "public, max-age=4", 0), (3, "public, max-age=1", 0), (1, "public, max-age=10", 1)]
    {
        app.advance(TimeDelta::seconds(wait));
        let reply = app.get("/v1/posts").expect(200).await;
        assert_eq!((reply.header("cache-control"), reply.items("id").len()), (age, listed));
    }
}

#[tokio::test]
async fn the_next_publication_is_asked_for_again_when_one_was_moved_or_deleted() {
    // Nothing is kept but when the next post appears.
    let app = TestApp::start_with(&[("CACHE_MAX_BYTES", "0")]).await;
    shared(&app).await;
    let author = app.author().await;
    let start = app.now();
    let schedule = async |seconds| {
        let at = start + TimeDelta::seconds(seconds);
        let body = json!({"title": "Soon", "body": "x", "status": "scheduled", "published_at": at});
        app.post("/v1/posts").by(&author).json(&body).expect(201).await.id()
    };
    let holds = async |path: &str| {
        let reply = app.get(path).expect(200).await;
        (reply.header("cache-control").to_owned(), reply.items("id").len())
    };
    let (first, second) = (schedule(4).await, schedule(6).await);
    assert_eq!(holds("/v1/posts").await, ("public, max-age=4".to_owned(), 0));

    let later = json!({"status": "scheduled", "published_at": start + TimeDelta::seconds(8)});
    app.patch(&format!("/v1/posts/{first}")).by(&author).json(&later).expect(200).await;
    assert_eq!(holds("/v1/posts").await, ("public, max-age=6".to_owned(), 0));
    app.delete(&format!("/v1/posts/{second}")).by(&author).expect(204).await;
    for path in ["/v1/posts", "/v1/posts?sort=title", "/v1/posts?language=english"] {
        assert_eq!(holds(path).await, ("public, max-age=8".to_owned(), 0), "{path}");
    }
    schedule(2).await;
    assert_eq!(holds("/v1/posts").await, ("public, max-age=2".to_owned(), 0));
    app.advance(TimeDelta::seconds(2));
    assert_eq!(holds("/v1/posts").await, ("public, max-age=6".to_owned(), 1));
    // A clock that was set back finds the same.
    app.advance(TimeDelta::seconds(-1));
    assert_eq!(holds("/v1/posts").await, ("public, max-age=1".to_owned(), 0));
}

/// Things that can be written, and what anonymous clients see of them.
struct World {
    admin: TestUser,
    author: TestUser,
    guest: TestUser,
    /// Who will be erased.
    leaver: TestUser,
    /// By the author, with the comment, which is by the leaver.
    post: String,
    comment: String,
    /// By the leaver.
    other_post: String,
    report: String,
    /// Of the guest.
    session: String,
    machine: String,
    failed_job: String,
    /// Of others: for a new password, to verify an address, and to have it again.
    reset_token: String,
    verification_token: String,
    undo_token: String,
    unsubscribe_token: String,
    provider: TestUser,
    invited_token: String,
    sign_up_token: String,
    /// That nobody has accepted.
    invitation: String,
    /// Pictures of the author, and one of the leaver.
    media: String,
    file: String,
    cover: String,
    avatar: String,
    webhook: String,
    delivery: String,
}

impl World {
    async fn new(app: &TestApp) -> Self {
        let (author, guest, leaver) = (app.author().await, app.reader().await, app.author().await);
        let post = app.post_by(&author).await;
        let comment = app.comment_by(&leaver, &post, None).await;
        let report = json!({"comment_id": comment, "reason": "spam"});
        app.post("/v1/email-verifications").by(&app.reader().await).expect(202).await;
        let verification_token = app.mailed_token().await;
        let admin = app.admin().await;
        let invite = async |email: &str| {
            let body = json!({"email": email, "role": "reader"});
            app.post("/v1/invitations").by(&admin).json(&body).expect(201).await.id()
        };
        let machine = json!({"name": "A machine", "scopes": ["jobs"]});
        invite("invited@example.com").await;
        let webhook = app.webhook_by(&admin).await;
        Self {
            delivery: app.delivery_by(&admin, &webhook).await,
            webhook,
            invited_token: app.mailed_token().await,
            sign_up_token: app.sign_up_token("signed-up").await,
            invitation: invite("never@example.com").await,
            admin: admin.clone(),
            other_post: app.post_by(&leaver).await,
            report: app.post("/v1/reports").by(&author).json(&report).expect(201).await.id(),
            session: app.get("/v1/sessions").by(&guest).expect(200).await.items("id").remove(0),
            machine: app.post("/v1/tokens").by(&guest).json(&machine).expect(201).await.id(),
            failed_job: app.failed_job().await.to_string(),
            reset_token: app.reset_token(&app.reader().await).await,
            verification_token,
            undo_token: app.undo_token(&app.reader().await).await,
            unsubscribe_token: app.unsubscribe_token(&guest).await,
            media: app.upload_by(&author).await,
            file: app.file_by(&author).await,
            cover: app.upload_by(&author).await,
            avatar: app.upload_by(&leaver).await,
            provider: TestApp::mail_provider(),
            author,
            guest,
            leaver,
            post,
            comment,
        }
    }

    fn fill(&self, text: &str) -> String {
        text.replace("{post}", &self.post)
            .replace("{other_post}", &self.other_post)
            .replace("{comment}", &self.comment)
            .replace("{report}", &self.report)
            .replace("{session}", &self.session)
            .replace("{machine}", &self.machine)
            .replace("{job}", &self.failed_job)
            .replace("{token}", &self.reset_token)
            .replace("{verification}", &self.verification_token)
            .replace("{undo}", &self.undo_token)
            .replace("{unsubscribe}", &self.unsubscribe_token)
            .replace("{invited}", &self.invited_token)
            .replace("{signed_up}", &self.sign_up_token)
            .replace("{invitation}", &self.invitation)
            .replace("{media}", &self.media)
            .replace("{file}", &self.file)
            .replace("{cover}", &self.cover)
            .replace("{avatar}", &self.avatar)
            .replace("{webhook}", &self.webhook)
            .replace("{delivery}", &self.delivery)
            .replace("{guest}", &self.guest.id.to_string())
            .replace("{email}", &self.guest.email)
            .replace("{user}", &self.leaver.id.to_string())
    }

    /// Each write of the document, in an order in which all succeed: its operation, path, who does it, body.
    #[rustfmt::skip]
    fn writes(&self) -> Vec<(&'static str, &'static str, &TestUser, Value)> {
        let Self { admin, author, guest, leaver, provider, .. } = self;
        let none = || Value::Null;
        vec![
            ("POST /v1/posts", "/v1/posts", author, json!({"title": "New", "body": "x", "status": "published", "tags": ["new"]})),
            ("PATCH /v1/posts/{post}", "/v1/posts/{post}", author, json!({"body": "Changed", "slug": "changed", "tags": ["one"], "cover": {"media": "{cover}"}})),
            ("POST /v1/posts/{post}/revisions/{number}/restore", "/v1/posts/{post}/revisions/1/restore", author, none()),
            ("PUT /v1/posts/{post}/like", "/v1/posts/{post}/like", guest, none()),
            ("DELETE /v1/posts/{post}/like", "/v1/posts/{post}/like", guest, none()),
            ("PUT /v1/posts/{post}/mute", "/v1/posts/{post}/mute", guest, none()),
            ("DELETE /v1/posts/{post}/mute", "/v1/posts/{post}/mute", guest, none()),
            ("POST /v1/notifications/read", "/v1/notifications/read", guest, json!({"up_to": "{post}"})),
            ("PATCH /v1/users/me/notifications", "/v1/users/me/notifications", guest, json!({"reply": "digest"})),
            ("POST /v1/unsubscriptions", "/v1/unsubscriptions?token={unsubscribe}", guest, none()),
            ("POST /v1/mail-events", "/v1/mail-events", provider, bounce("{email}")),
            ("DELETE /v1/posts/{post}", "/v1/posts/{other_post}", admin, none()),
            ("POST /v1/posts/{post}/restore", "/v1/posts/{other_post}/restore", admin, none()),
            ("POST /v1/posts/{post}/comments", "/v1/posts/{post}/comments", guest, json!({"body": "Another comment"})),
            ("PATCH /v1/comments/{id}", "/v1/comments/{comment}", leaver, json!({"body": "Changed"})),
            ("POST /v1/comments/moderation", "/v1/comments/moderation", admin, json!({"ids": ["{comment}"], "action": "spam"})),
            ("POST /v1/comments/moderation", "/v1/comments/moderation", admin, json!({"ids": ["{comment}"], "action": "approve"})),
            ("POST /v1/reports", "/v1/reports", guest, json!({"post_id": "{post}", "reason": "spam"})),
            ("PATCH /v1/reports/{id}", "/v1/reports/{report}", admin, json!({"status": "upheld"})),
            ("DELETE /v1/comments/{id}", "/v1/comments/{comment}", leaver, none()),
            ("PUT /v1/users/{id}/ban", "/v1/users/{user}/ban", admin, json!({"until": "2100-01-01T00:00:00Z", "reason": "Enough"})),
            ("DELETE /v1/users/{id}/ban", "/v1/users/{user}/ban", admin, none()),
            ("PUT /v1/users/{id}/follow", "/v1/users/{user}/follow", guest, none()),
            ("DELETE /v1/users/{id}/follow", "/v1/users/{user}/follow", guest, none()),
            ("PATCH /v1/users/{id}", "/v1/users/{user}", leaver, json!({"display_name": "Somebody", "avatar": "{avatar}"})),
            ("DELETE /v1/users/{id}", "/v1/users/{user}", admin, none()),
            ("POST /v1/jobs/{id}/retry", "/v1/jobs/{job}/retry", admin, none()),
            ("POST /v1/email-verifications", "/v1/email-verifications", guest, none()),
            ("POST /v1/email-verifications/confirmation", "/v1/email-verifications/confirmation", guest, json!({"token": "{verification}"})),
            ("POST /v1/email-verifications/undo", "/v1/email-verifications/undo", guest, json!({"token": "{undo}"})),
            ("POST /v1/password-resets", "/v1/password-resets", admin, json!({"email": "{email}"})),
            ("POST /v1/password-resets/confirmation", "/v1/password-resets/confirmation", admin, json!({"token": "{token}", "password": "an unusual password"})),
            ("POST /v1/invitations", "/v1/invitations", admin, json!({"email": "new@invited.example", "role": "reader"})),
            ("POST /v1/invitations/acceptance", "/v1/invitations/acceptance", admin, json!({"token": "{invited}", "username": "invited", "password": PASSWORD})),
            ("DELETE /v1/invitations/{id}", "/v1/invitations/{invitation}", admin, none()),
            ("POST /v1/sign-ups/confirmation", "/v1/sign-ups/confirmation", admin, json!({"token": "{signed_up}", "password": PASSWORD})),
            ("POST /v1/webhooks", "/v1/webhooks", admin, json!({"url": "https://receiver.example/", "events": ["post.published"], "enabled": false})),
            ("POST /v1/webhooks/{id}/secret", "/v1/webhooks/{webhook}/secret", admin, none()),
            ("POST /v1/webhooks/{id}/test", "/v1/webhooks/{webhook}/test", admin, none()),
            ("POST /v1/webhooks/{id}/deliveries/{delivery}/retry", "/v1/webhooks/{webhook}/deliveries/{delivery}/retry", admin, none()),
            ("POST /v1/webhooks/{id}/replay", "/v1/webhooks/{webhook}/replay", admin, json!({"since": "2026-01-01T00:00:00Z"})),
            ("PATCH /v1/webhooks/{id}", "/v1/webhooks/{webhook}", admin, json!({"description": "Rebuilds"})),
            ("DELETE /v1/webhooks/{id}", "/v1/webhooks/{webhook}", admin, none()),
            ("PATCH /v1/site", "/v1/site", admin, json!({"title": "Another title"})),
            ("POST /v1/media", "/v1/media", author, json!(PICTURE)),
            ("POST /v1/media/uploads", "/v1/media/uploads", author, announcement()),
            ("POST /v1/media/uploads/{id}/completion", "/v1/media/uploads/{file}/completion", author, none()),
            ("PATCH /v1/media/{id}", "/v1/media/{media}", author, json!({"alt": "A bridge in fog"})),
            ("DELETE /v1/media/{id}", "/v1/media/{media}", author, none()),
            ("POST /v1/users", "/v1/users", admin, json!({"username": "new", "email": "new@example.com", "password": PASSWORD})),
            ("POST /v1/sessions", "/v1/sessions", guest, json!({"email": "{email}", "password": PASSWORD})),
            ("POST /v1/tokens", "/v1/tokens", guest, json!({"name": "A machine", "scopes": ["jobs"]})),
            ("DELETE /v1/tokens/{id}", "/v1/tokens/{machine}", guest, none()),
            ("DELETE /v1/sessions/{id}", "/v1/sessions/{session}", guest, none()),
            ("DELETE /v1/sessions/current", "/v1/sessions/current", admin, none()),
        ]
    }

    /// What everybody sees, through `app`, without what is of the request.
    async fn seen(&self, app: &TestApp) -> Vec<String> {
        let mut seen = Vec::new();
        for path in [
            "/v1/posts",
            "/v1/posts?sort=-likes",
            "/v1/posts?sort=-comments",
            "/v1/posts/{post}",
            "/v1/posts/{other_post}",
            "/v1/posts/a-post",
            "/v1/posts/changed",
            "/v1/posts/{post}/comments",
            "/v1/comments/{comment}",
            "/v1/tags",
            "/v1/site",
            "/v1/users/{user}",
            "/v1/users/{user}/followers",
            "/v1/users/{guest}/following",
            "/feed.xml",
            "/feed.json",
            "/sitemap.xml",
        ] {
            let reply = app.get(&self.fill(path)).header("host", "blog.example").send().await.to_string();
            seen.push(reply.split("request_id").next().unwrap().to_owned());
        }
        seen
    }
}

#[tokio::test]
async fn what_any_write_changes_is_seen_by_the_next_read() {
    let app = caching().await;
    let uncached = app.start_beside(&[("CACHE_MAX_BYTES", "0")]);
    let other_task = app.start_beside(&[]);
    shared(&other_task).await;
    let world = Box::pin(World::new(&app)).await;
    let documented = operations().into_iter().filter(|(method, ..)| method != "GET");
    let documented: BTreeSet<_> = documented.map(|(method, path, _)| format!("{method} {path}")).collect();
    let written: BTreeSet<_> = world.writes().iter().map(|(write, ..)| (*write).to_owned()).collect();
    assert_eq!(written, documented, "every write of the document has its place here");

    for (write, path, who, body) in world.writes() {
        // Now both tasks keep what was.
        world.seen(&app).await;
        world.seen(&other_task).await;
        let before = other_task.cache.generation();
        let call = app.call(write.split_once(' ').unwrap().0, &world.fill(path)).by(who);
        let body = world.fill(&body.to_string()).parse().unwrap();
        let reply = call.content(&body).send().await;
        assert!(reply.status.is_success(), "{reply}");

        let now = world.seen(&uncached).await;
        assert_eq!(world.seen(&app).await, now, "after {write}");
        let unseen = [
            "/v1/sessions",
            "/v1/tokens",
            "/v1/email-verifications",
            "/v1/password-resets",
            "/v1/sign-ups",
            "/v1/invitations",
            "/v1/jobs",
            "/v1/media",
            "POST /v1/users",
            "/mute",
            "/notifications",
            "/v1/unsubscriptions",
            "/v1/mail-events",
            "/v1/webhooks",
        ];
        if !unseen.iter().any(|unseen| write.contains(unseen)) {
            until(|| other_task.cache.generation() != before).await;
            assert_eq!(world.seen(&other_task).await, now, "after {write} by another task");
        }
    }
}

#[tokio::test]
async fn without_the_other_tasks_nothing_is_kept() {
    let app = caching().await;
    let post = app.post_by(&app.author().await).await;
    title(&app, &post).await;
    let kill = "select pg_terminate_backend(pid) from pg_stat_activity
                where datname = current_database() and application_name = 'blog-api-listener'";
    sqlx::query(kill).execute(&mut app.db.acquire().await.unwrap()).await.unwrap();
    until(|| !app.cache.is_connected()).await;
    for name in ["One", "Two"] {
        retitle_in_secret(&app, &post, name).await;
        assert_eq!(title(&app, &post).await, name);
    }
    // It comes back, and with nothing of before.
    shared(&app).await;
    assert_eq!(title(&app, &post).await, "Two");
    retitle_in_secret(&app, &post, "Three").await;
    assert_eq!(title(&app, &post).await, "Two");
}

/// As when the packets of the connection to the other tasks vanish.
#[tokio::test]
async fn a_connection_that_falls_silent_is_noticed() {
    let (app, proxy) = TestApp::start_behind_proxy(&[]).await;
    shared(&app).await;
    proxy.silence();
    let noticed = async {
        until(|| !app.cache.is_connected()).await;
        shared(&app).await;
    };
    tokio::time::timeout(Duration::from_secs(20), noticed).await.expect("it is made anew");
}
