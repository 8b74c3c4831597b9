//! The access matrix: every route, asked by everyone. A route that is missing here fails the test.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use blog_api::auth::scope::Scope;

use crate::support::{PICTURE, TestApp, TestUser, announcement, operations};

/// Who asks, in the order of the columns.
const ACTORS: [&str; 5] = ["anonymous", "other user", "owner", "editor", "admin"];

/// What the rows are about: everything here belongs to `owner`, the comment is on a post of somebody else.
struct World {
    other: TestUser,
    owner: TestUser,
    editor: TestUser,
    admin: TestUser,
    session: String,
    token: String,
    post: String,
    draft: String,
    deleted: String,
    comment: String,
    report: String,
    /// By somebody else.
    invitation: String,
    /// That nothing shows.
    media: String,
    /// That is not completed.
    file: String,
    webhook: String,
    delivery: String,
}

impl World {
    async fn new(app: &TestApp) -> Self {
        let (host, other, owner) = (app.author().await, app.author().await, app.author().await);
        let sessions = app.get("/v1/sessions").by(&owner).expect(200).await;
        let deleted = app.post_by(&owner).await;
        app.delete(&format!("/v1/posts/{deleted}")).by(&owner).expect(204).await;
        let of_host = app.post_by(&host).await;
        let report = json!({"post_id": of_host, "reason": "spam"});
        let invitation = json!({"email": format!("{}@invited.example", host.username), "role": "reader"});
        let (inviter, maker) = (app.editor().await, app.admin().await);
        let webhook = app.webhook_by(&maker).await;
        Self {
            delivery: app.delivery_by(&maker, &webhook).await,
            webhook,
            invitation: app.post("/v1/invitations").by(&inviter).json(&invitation).expect(201).await.id(),
            editor: app.editor().await,
            admin: app.admin().await,
            session: sessions.items("id").remove(0),
            token: app.post("/v1/tokens").by(&owner).json(&token()).expect(201).await.id(),
            post: app.post_by(&owner).await,
            draft: app.draft_by(&owner).await,
            deleted,
            comment: app.comment_by(&owner, &of_host, None).await,
            report: app.post("/v1/reports").by(&owner).json(&report).expect(201).await.id(),
            media: app.upload_by(&owner).await,
            file: app.file_by(&owner).await,
            other,
            owner,
        }
    }

    fn actor(&self, name: &str) -> Option<&TestUser> {
        match name {
            "other user" => Some(&self.other),
            "owner" => Some(&self.owner),
            "editor" => Some(&self.editor),
            "admin" => Some(&self.admin),
            _ => None,
        }
    }

    /// A path or a body, with the ids of this world.
    fn fill(&self, text: &str) -> String {
        text.replace("{user}", &self.owner.id.to_string())
            .replace("{session}", &self.session)
            .replace("{token}", &self.token)
            .replace("{post}", &self.post)
            .replace("{draft}", &self.draft)
            .replace("{deleted}", &self.deleted)
            .replace("{comment}", &self.comment)
            .replace("{report}", &self.report)
            .replace("{invitation}", &self.invitation)
            .replace("{media}", &self.media)
            .replace("{file}", &self.file)
            .replace("{webhook}", &self.webhook)
            .replace("{delivery}", &self.delivery)
    }
}

fn token() -> Value {
    json!({"name": "A machine", "scopes": ["jobs"]})
}

type Row = (&'static str, &'static str, &'static str, Value, [u16; 5]);

/// Route as documented, request path, method, body, and the status for each actor.
#[expect(clippy::too_many_lines, reason = "a table")]
fn matrix() -> Vec<Row> {
    let none = || Value::Null;
    let new_post = || json!({"title": "T", "body": "B"});
    vec![
        ("GET", "/health", "/health", none(), [200; 5]),
        ("GET", "/ready", "/ready", none(), [200; 5]),
        ("GET", "/openapi.json", "/openapi.json", none(), [200; 5]),
        ("GET", "/feed.xml", "/feed.xml", none(), [200; 5]),
        ("GET", "/feed.json", "/feed.json?author={user}", none(), [200; 5]),
        ("GET", "/sitemap.xml", "/sitemap.xml", none(), [200; 5]),
        // A body without fields: who may sign up gets as far as validation.
        ("POST", "/v1/users", "/v1/users", json!({}), [422; 5]),
        ("GET", "/v1/users", "/v1/users", none(), [401, 403, 403, 403, 200]),
        ("GET", "/v1/users/me", "/v1/users/me", none(), [401, 200, 200, 200, 200]),
        ("GET", "/v1/users/me/export", "/v1/users/me/export", none(), [401, 200, 200, 200, 200]),
        (
            "GET",
            "/v1/users/me/notifications",
            "/v1/users/me/notifications",
            none(),
            [401, 200, 200, 200, 200],
        ),
        (
            "PATCH",
            "/v1/users/me/notifications",
            "/v1/users/me/notifications",
            json!({"reply": "never"}),
            [401, 200, 200, 200, 200],
        ),
        ("GET", "/v1/notifications", "/v1/notifications", none(), [401, 200, 200, 200, 200]),
        (
            "POST",
            "/v1/notifications/read",
            "/v1/notifications/read",
            json!({"up_to": "{user}"}),
            [401, 204, 204, 204, 204],
        ),
        ("GET", "/v1/unsubscriptions", "/v1/unsubscriptions?token=bm8.reply", none(), [303; 5]),
        ("POST", "/v1/unsubscriptions", "/v1/unsubscriptions?token=bm8.reply", none(), [422; 5]),
        ("PUT", "/v1/posts/{post}/mute", "/v1/posts/{post}/mute", none(), [401, 204, 204, 204, 204]),
        ("PUT", "/v1/posts/{post}/mute", "/v1/posts/{draft}/mute", none(), [401, 404, 204, 204, 204]),
        ("DELETE", "/v1/posts/{post}/mute", "/v1/posts/{post}/mute", none(), [401, 204, 204, 204, 204]),
        ("DELETE", "/v1/posts/{post}/mute", "/v1/posts/{draft}/mute", none(), [401, 404, 204, 204, 204]),
        ("GET", "/v1/users/{id}", "/v1/users/{user}", none(), [200; 5]),
        ("PATCH", "/v1/users/{id}", "/v1/users/{user}", json!({"bio": "x"}), [401, 403, 200, 403, 200]),
        ("PATCH", "/v1/users/{id}", "/v1/users/{user}", json!({"role": "editor"}), [401, 403, 403, 403, 200]),
        (
            "PATCH",
            "/v1/users/{id}",
            "/v1/users/{user}",
            json!({"avatar": "{media}"}),
            [401, 403, 200, 403, 200],
        ),
        ("DELETE", "/v1/users/{id}", "/v1/users/{user}", none(), [401, 403, 204, 403, 204]),
        ("PUT", "/v1/users/{id}/follow", "/v1/users/{user}/follow", none(), [401, 204, 409, 204, 204]),
        ("DELETE", "/v1/users/{id}/follow", "/v1/users/{user}/follow", none(), [401, 204, 204, 204, 204]),
        ("GET", "/v1/users/{id}/following", "/v1/users/{user}/following", none(), [200; 5]),
        ("GET", "/v1/users/{id}/followers", "/v1/users/{user}/followers", none(), [200; 5]),
        ("POST", "/v1/email-verifications", "/v1/email-verifications", none(), [401, 202, 202, 202, 202]),
        (
            "POST",
            "/v1/email-verifications/confirmation",
            "/v1/email-verifications/confirmation",
            json!({}),
            [422; 5],
        ),
        (
            "POST",
            "/v1/email-verifications/undo",
            "/v1/email-verifications/undo",
            json!({"token": "nonsense"}),
            [422; 5],
        ),
        ("POST", "/v1/password-resets", "/v1/password-resets", json!({"email": "a@b"}), [202; 5]),
        ("POST", "/v1/password-resets/confirmation", "/v1/password-resets/confirmation", json!({}), [422; 5]),
        // For who delivers the mail alone.
        (
            "POST",
            "/v1/mail-events",
            "/v1/mail-events",
            json!({"detail": {"eventType": "Delivery"}}),
            [401; 5],
        ),
        ("POST", "/v1/sign-ups/confirmation", "/v1/sign-ups/confirmation", json!({}), [422; 5]),
        ("GET", "/v1/invitations", "/v1/invitations", none(), [401, 403, 403, 200, 200]),
        (
            "POST",
            "/v1/invitations",
            "/v1/invitations",
            json!({"email": "a@b", "role": "editor"}),
            [401, 403, 403, 201, 201],
        ),
        (
            "POST",
            "/v1/invitations",
            "/v1/invitations",
            json!({"email": "a@b", "role": "admin"}),
            [401, 403, 403, 403, 201],
        ),
        ("DELETE", "/v1/invitations/{id}", "/v1/invitations/{invitation}", none(), [401, 403, 403, 404, 204]),
        ("POST", "/v1/invitations/acceptance", "/v1/invitations/acceptance", json!({}), [422; 5]),
        ("POST", "/v1/sessions", "/v1/sessions", json!({}), [422; 5]),
        ("GET", "/v1/sessions", "/v1/sessions", none(), [401, 200, 200, 200, 200]),
        ("DELETE", "/v1/sessions/current", "/v1/sessions/current", none(), [401, 204, 204, 204, 204]),
        ("DELETE", "/v1/sessions/{id}", "/v1/sessions/{session}", none(), [401, 404, 204, 404, 404]),
        ("GET", "/v1/tokens", "/v1/tokens", none(), [401, 200, 200, 200, 200]),
        ("GET", "/v1/tokens", "/v1/tokens?user={user}", none(), [401, 403, 200, 403, 200]),
        ("POST", "/v1/tokens", "/v1/tokens", token(), [401, 201, 201, 201, 201]),
        ("DELETE", "/v1/tokens/{id}", "/v1/tokens/{token}", none(), [401, 404, 204, 404, 204]),
        ("GET", "/v1/posts", "/v1/posts", none(), [200; 5]),
        ("GET", "/v1/posts", "/v1/posts?status=draft", none(), [401, 200, 200, 200, 200]),
        ("GET", "/v1/posts", "/v1/posts?status=draft&author={user}", none(), [401, 403, 200, 200, 200]),
        ("GET", "/v1/posts", "/v1/posts?status=scheduled&author={user}", none(), [401, 403, 200, 200, 200]),
        ("GET", "/v1/posts", "/v1/posts?status=deleted", none(), [401, 403, 403, 200, 200]),
        ("POST", "/v1/posts", "/v1/posts", new_post(), [401, 201, 201, 201, 201]),
        (
            "POST",
            "/v1/posts",
            "/v1/posts",
            json!({"title": "T", "body": "B", "cover": {"media": "{media}"}}),
            [401, 422, 201, 201, 201],
        ),
        ("GET", "/v1/posts/{post}", "/v1/posts/{post}", none(), [200; 5]),
        ("GET", "/v1/posts/{post}", "/v1/posts/{draft}", none(), [404, 404, 200, 200, 200]),
        ("GET", "/v1/posts/{post}", "/v1/posts/{deleted}", none(), [404; 5]),
        ("PATCH", "/v1/posts/{post}", "/v1/posts/{post}", json!({"title": "x"}), [401, 403, 200, 200, 200]),
        ("PATCH", "/v1/posts/{post}", "/v1/posts/{draft}", json!({"title": "x"}), [401, 404, 200, 200, 200]),
        ("DELETE", "/v1/posts/{post}", "/v1/posts/{post}", none(), [401, 403, 204, 204, 204]),
        ("DELETE", "/v1/posts/{post}", "/v1/posts/{draft}", none(), [401, 404, 204, 204, 204]),
        (
            "POST",
            "/v1/posts/{post}/restore",
            "/v1/posts/{deleted}/restore",
            none(),
            [401, 403, 403, 200, 200],
        ),
        (
            "GET",
            "/v1/posts/{post}/revisions",
            "/v1/posts/{post}/revisions",
            none(),
            [401, 403, 200, 200, 200],
        ),
        (
            "GET",
            "/v1/posts/{post}/revisions",
            "/v1/posts/{draft}/revisions",
            none(),
            [401, 404, 200, 200, 200],
        ),
        (
            "GET",
            "/v1/posts/{post}/revisions",
            "/v1/posts/{deleted}/revisions",
            none(),
            [401, 404, 404, 404, 404],
        ),
        (
            "GET",
            "/v1/posts/{post}/revisions/{number}",
            "/v1/posts/{post}/revisions/1",
            none(),
            [401, 403, 200, 200, 200],
        ),
        (
            "GET",
            "/v1/posts/{post}/revisions/{number}",
            "/v1/posts/{draft}/revisions/1",
            none(),
            [401, 404, 200, 200, 200],
        ),
        (
            "POST",
            "/v1/posts/{post}/revisions/{number}/restore",
            "/v1/posts/{post}/revisions/1/restore",
            none(),
            [401, 403, 200, 200, 200],
        ),
        (
            "POST",
            "/v1/posts/{post}/revisions/{number}/restore",
            "/v1/posts/{draft}/revisions/1/restore",
            none(),
            [401, 404, 200, 200, 200],
        ),
        ("PUT", "/v1/posts/{post}/like", "/v1/posts/{post}/like", none(), [401, 204, 204, 204, 204]),
        ("PUT", "/v1/posts/{post}/like", "/v1/posts/{draft}/like", none(), [401, 404, 409, 409, 409]),
        ("PUT", "/v1/posts/{post}/like", "/v1/posts/{deleted}/like", none(), [401, 404, 404, 404, 404]),
        ("DELETE", "/v1/posts/{post}/like", "/v1/posts/{post}/like", none(), [401, 204, 204, 204, 204]),
        ("DELETE", "/v1/posts/{post}/like", "/v1/posts/{draft}/like", none(), [401, 404, 204, 204, 204]),
        ("GET", "/v1/tags", "/v1/tags", none(), [200; 5]),
        ("GET", "/v1/feed", "/v1/feed", none(), [401, 200, 200, 200, 200]),
        ("GET", "/v1/posts/{post}/comments", "/v1/posts/{post}/comments", none(), [200; 5]),
        ("GET", "/v1/posts/{post}/comments", "/v1/posts/{draft}/comments", none(), [404, 404, 200, 200, 200]),
        (
            "POST",
            "/v1/posts/{post}/comments",
            "/v1/posts/{post}/comments",
            json!({"body": "x"}),
            [401, 201, 201, 201, 201],
        ),
        (
            "POST",
            "/v1/posts/{post}/comments",
            "/v1/posts/{draft}/comments",
            json!({"body": "x"}),
            [401, 404, 409, 409, 409],
        ),
        ("GET", "/v1/comments", "/v1/comments", none(), [401, 403, 403, 200, 200]),
        ("GET", "/v1/comments/{id}", "/v1/comments/{comment}", none(), [200; 5]),
        (
            "PATCH",
            "/v1/comments/{id}",
            "/v1/comments/{comment}",
            json!({"body": "x"}),
            [401, 403, 200, 403, 403],
        ),
        (
            "PATCH",
            "/v1/comments/{id}",
            "/v1/comments/{comment}",
            json!({"status": "spam"}),
            [401, 403, 403, 200, 200],
        ),
        ("PATCH", "/v1/comments/{id}", "/v1/comments/{comment}", json!({}), [401, 403, 200, 200, 200]),
        ("DELETE", "/v1/comments/{id}", "/v1/comments/{comment}", none(), [401, 403, 204, 204, 204]),
        (
            "POST",
            "/v1/comments/moderation",
            "/v1/comments/moderation",
            json!({"ids": ["{comment}"], "action": "spam"}),
            [401, 403, 403, 200, 200],
        ),
        ("GET", "/v1/users/{id}/ban", "/v1/users/{user}/ban", none(), [401, 403, 403, 404, 404]),
        (
            "PUT",
            "/v1/users/{id}/ban",
            "/v1/users/{user}/ban",
            json!({"until": "9999-01-01T00:00:00Z", "reason": "x"}),
            [401, 403, 403, 200, 200],
        ),
        ("DELETE", "/v1/users/{id}/ban", "/v1/users/{user}/ban", none(), [401, 403, 403, 204, 204]),
        ("GET", "/v1/reports", "/v1/reports", none(), [401, 403, 403, 200, 200]),
        (
            "POST",
            "/v1/reports",
            "/v1/reports",
            json!({"post_id": "{post}", "reason": "spam"}),
            [401, 201, 201, 201, 201],
        ),
        (
            "POST",
            "/v1/reports",
            "/v1/reports",
            json!({"post_id": "{draft}", "reason": "spam"}),
            [401, 422, 201, 201, 201],
        ),
        ("GET", "/v1/reports/{id}", "/v1/reports/{report}", none(), [401, 404, 200, 200, 200]),
        (
            "PATCH",
            "/v1/reports/{id}",
            "/v1/reports/{report}",
            json!({"status": "upheld"}),
            [401, 403, 403, 200, 200],
        ),
        ("GET", "/v1/audit", "/v1/audit", none(), [401, 403, 403, 403, 200]),
        ("GET", "/v1/jobs", "/v1/jobs", none(), [401, 403, 403, 403, 200]),
        ("POST", "/v1/jobs/{id}/retry", "/v1/jobs/{user}/retry", none(), [401, 403, 403, 403, 404]),
        ("GET", "/v1/webhooks", "/v1/webhooks", none(), [401, 403, 403, 403, 200]),
        (
            "POST",
            "/v1/webhooks",
            "/v1/webhooks",
            json!({"url": "https://receiver.example/", "events": ["post.published"], "enabled": false}),
            [401, 403, 403, 403, 201],
        ),
        ("GET", "/v1/webhooks/{id}", "/v1/webhooks/{webhook}", none(), [401, 403, 403, 403, 200]),
        (
            "PATCH",
            "/v1/webhooks/{id}",
            "/v1/webhooks/{webhook}",
            json!({"enabled": false}),
            [401, 403, 403, 403, 200],
        ),
        ("DELETE", "/v1/webhooks/{id}", "/v1/webhooks/{webhook}", none(), [401, 403, 403, 403, 204]),
        (
            "POST",
            "/v1/webhooks/{id}/secret",
            "/v1/webhooks/{webhook}/secret",
            none(),
            [401, 403, 403, 403, 200],
        ),
        ("POST", "/v1/webhooks/{id}/test", "/v1/webhooks/{webhook}/test", none(), [401, 403, 403, 403, 202]),
        (
            "GET",
            "/v1/webhooks/{id}/deliveries",
            "/v1/webhooks/{webhook}/deliveries",
            none(),
            [401, 403, 403, 403, 200],
        ),
        (
            "POST",
            "/v1/webhooks/{id}/deliveries/{delivery}/retry",
            "/v1/webhooks/{webhook}/deliveries/{delivery}/retry",
            none(),
            [401, 403, 403, 403, 200],
        ),
        (
            "POST",
            "/v1/webhooks/{id}/replay",
            "/v1/webhooks/{webhook}/replay",
            json!({"since": "2026-01-01T00:00:00Z"}),
            [401, 403, 403, 403, 202],
        ),
        ("GET", "/v1/media", "/v1/media", none(), [401, 200, 200, 200, 200]),
        ("GET", "/v1/media", "/v1/media?owner={user}", none(), [401, 403, 200, 200, 200]),
        ("POST", "/v1/media", "/v1/media", json!(PICTURE), [401, 201, 201, 201, 201]),
        ("GET", "/v1/media/{id}", "/v1/media/{media}", none(), [401, 404, 200, 200, 200]),
        ("PATCH", "/v1/media/{id}", "/v1/media/{media}", json!({"alt": "x"}), [401, 404, 200, 200, 200]),
        ("DELETE", "/v1/media/{id}", "/v1/media/{media}", none(), [401, 404, 204, 204, 204]),
        ("POST", "/v1/media/uploads", "/v1/media/uploads", announcement(), [401, 201, 201, 201, 201]),
        (
            "POST",
            "/v1/media/uploads/{id}/completion",
            "/v1/media/uploads/{file}/completion",
            none(),
            [401, 404, 201, 404, 404],
        ),
        ("GET", "/v1/site", "/v1/site", none(), [200; 5]),
        ("PATCH", "/v1/site", "/v1/site", json!({"title": "x"}), [401, 403, 403, 403, 200]),
    ]
}

#[tokio::test]
async fn everyone_may_do_what_they_should_and_nothing_else() {
    let app = TestApp::start().await;
    let mut wrong = Vec::new();
    for (method, _, path, body, expected) in matrix() {
        for (actor, expected) in ACTORS.into_iter().zip(expected) {
            // As many as there may be are soon there.
            app.delete_webhooks().await;
            let world = World::new(&app).await;
            let mut call = app.call(method, &world.fill(path));
            if let Some(user) = world.actor(actor) {
                call = call.by(user);
            }
            let body = world.fill(&body.to_string()).parse().unwrap();
            let reply = call.content(&body).send().await;
            if reply.status.as_u16() != expected {
                wrong.push(format!("{actor}, {body}: expected {expected}, {reply}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Of what only who is signed in does, whatever scopes an API token has.
const SESSION: [&str; 11] = [
    "PATCH /v1/users/{id}",
    "DELETE /v1/users/{id}",
    "GET /v1/users/me/export",
    "POST /v1/email-verifications",
    "POST /v1/email-verifications/confirmation",
    "GET /v1/sessions",
    "DELETE /v1/sessions/{id}",
    "DELETE /v1/sessions/current",
    "GET /v1/tokens",
    "POST /v1/tokens",
    "DELETE /v1/tokens/{id}",
];

/// The scopes of which an API token needs one by the document; `None` if the route asks for no token of a user.
fn scopes(operation: &Value) -> Option<Vec<&str>> {
    let schemes = operation["security"].as_array().unwrap();
    let of_users: Vec<_> = schemes.iter().filter_map(|scheme| scheme["token"].as_array()).collect();
    let words = of_users.iter().flat_map(|words| words.iter().map(|word| word.as_str().unwrap())).collect();
    (!of_users.is_empty()).then_some(words)
}

#[tokio::test]
async fn an_api_token_does_what_its_user_may_with_the_scope_and_nothing_without() {
    let app = TestApp::start().await;
    let documented = operations();
    let mut wrong = Vec::new();
    for (method, route, path, body, expected) in matrix() {
        app.delete_webhooks().await;
        let operation = documented.iter().find(|(m, r, _)| (m.as_str(), *r) == (method, route)).unwrap().2;
        let Some(needed) = scopes(operation) else {
            // Who does not read it cannot know that there is no such token.
            let world = World::new(&app).await;
            let body = world.fill(&body.to_string()).parse().unwrap();
            let unknown = app.call(method, &world.fill(path)).token("blogapi_unknown").content(&body);
            let status = unknown.send().await.status.as_u16();
            assert_eq!(status, expected[0], "{method} {route} reads a token and names no scope");
            continue;
        };
        // An API token gives no role above `author`.
        let gives_more = body["role"] == "editor" || body["role"] == "admin";
        let is_for_sessions = SESSION.contains(&format!("{method} {route}").as_str());
        assert_eq!(needed.is_empty(), is_for_sessions, "{method} {route} names no scope");
        let world = World::new(&app).await;
        let (user, expected) =
            if expected[2] < 300 { (&world.owner, expected[2]) } else { (&world.admin, expected[4]) };
        let expected = if gives_more { 403 } else { expected };
        let body = world.fill(&body.to_string()).parse().unwrap();
        let others: Vec<_> =
            Scope::ALL.iter().map(|scope| scope.as_str()).filter(|scope| !needed.contains(scope)).collect();
        let with = async |scopes: &[&str]| {
            let token = app.token_of(user, scopes).await;
            app.call(method, &world.fill(path)).by(&token).content(&body).send().await
        };
        let refused = with(&others).await;
        if refused.status != 403 || refused.json()["code"] != "insufficient_scope" {
            wrong.push(format!("{others:?}: {refused}"));
        }
        let mut answers = Vec::new();
        for scope in &needed {
            answers.push(with(&[scope]).await.status.as_u16());
        }
        // Of several scopes, what is done says which it needs.
        if !needed.is_empty() && !answers.contains(&expected) {
            wrong.push(format!("{needed:?}: {method} {path}: expected {expected}, {answers:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_route_is_missing_from_the_matrix() {
    let documented: BTreeSet<_> = operations().into_iter().map(|(method, path, _)| (method, path)).collect();
    let tested: BTreeSet<_> =
        matrix().into_iter().map(|(method, route, ..)| (method.to_owned(), route)).collect();
    assert_eq!(documented, tested);
}

#[tokio::test]
async fn readers_comment_but_neither_write_posts_nor_upload() {
    let app = TestApp::start().await;
    let (reader, author) = (app.reader().await, app.author().await);
    let post = app.post_by(&author).await;
    app.comment_by(&reader, &post, None).await;
    let body = json!({"title": "T", "body": "B"});
    app.post("/v1/posts").by(&reader).json(&body).expect_problem(403, "forbidden").await;
    app.post("/v1/media").by(&reader).content(&json!(PICTURE)).expect_problem(403, "forbidden").await;
    app.post("/v1/media/uploads").by(&reader).json(&announcement()).expect_problem(403, "forbidden").await;
    let completion = format!("/v1/media/uploads/{}/completion", app.file_by(&author).await);
    app.post(&completion).by(&reader).expect_problem(403, "forbidden").await;
    assert!(app.get("/v1/media").by(&reader).expect(200).await.items("id").is_empty());
}

#[tokio::test]
async fn the_author_of_a_post_deletes_comments_on_it() {
    let app = TestApp::start().await;
    let (author, commenter, other) = (app.author().await, app.reader().await, app.author().await);
    let post = app.post_by(&author).await;
    let comment = app.comment_by(&commenter, &post, None).await;
    app.post_by(&other).await;
    app.delete(&format!("/v1/comments/{comment}")).by(&other).expect_problem(403, "forbidden").await;
    app.delete(&format!("/v1/comments/{comment}")).by(&author).expect(204).await;
}
