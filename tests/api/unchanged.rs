//! A change that changes nothing: no version, no time, no revision, no line of the audit log, no invalidation.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::support::{TestApp, TestUser, operations};

const SETTINGS: &str = "/v1/users/me/notifications";

/// Each `PATCH` and `PUT`: its route, its path, and what is there already.
struct World {
    app: TestApp,
    admin: TestUser,
    changes: Vec<(&'static str, &'static str, String, Vec<Value>)>,
}

impl World {
    async fn new() -> Self {
        let app = TestApp::start().await;
        while !app.cache.is_connected() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        let (admin, author) = (app.admin().await, app.author().await);
        let media = app.upload_by(&author).await;
        let full = json!({
            "title": "Title", "body": "Body", "summary": "Summary", "tags": ["one", "two"], "slug": "slug",
            "cover": {"media": media, "alt": "Alt"}, "language": "german", "comments_open": true,
            "comments_policy": "open", "status": "published", "published_at": "2020-01-01T00:00:00Z",
        });
        let post = app.post("/v1/posts").by(&author).json(&full).expect(201).await.id();
        let comment = app.comment_by(&admin, &post, None).await;
        let report = json!({"post_id": post, "reason": "spam"});
        let report = app.post("/v1/reports").by(&author).json(&report).expect(201).await.id();
        let upheld = json!({"status": "upheld"});
        app.patch(&format!("/v1/reports/{report}")).by(&admin).json(&upheld).expect(200).await;
        let user = format!("/v1/users/{}", author.id);
        let ban = json!({"until": "2100-01-01T00:00:00Z", "reason": "x"});
        app.put(&format!("{user}/ban")).by(&admin).json(&ban).expect(200).await;
        app.put(&format!("{user}/follow")).by(&admin).expect(204).await;
        app.put(&format!("/v1/posts/{post}/like")).by(&admin).expect(204).await;
        app.put(&format!("/v1/posts/{post}/mute")).by(&admin).expect(204).await;
        app.patch(SETTINGS).by(&admin).json(&json!({"reply": "never"})).expect(200).await;
        app.patch(&user).by(&admin).json(&json!({"avatar": media})).expect(200).await;
        let account = json!({
            "username": author.username, "email": author.email, "display_name": null, "bio": null, "avatar": media,
            "role": "author",
        });
        let single = |whole: &Value| {
            let fields = whole.as_object().unwrap().iter();
            let mut all: Vec<Value> = fields.map(|(name, value)| json!({ name: value })).collect();
            all.extend([whole.clone(), json!({})]);
            all
        };
        let mut of_post = single(&full);
        // A time goes with a status.
        of_post.retain(|change| change["published_at"].is_null() || !change["status"].is_null());
        of_post.extend([json!({"tags": ["ONE", "Two", "one"]}), json!({"title": " Title "})]);
        let webhook = app.webhook_by(&admin).await;
        let hook = json!({
            "url": "http://127.0.0.1:1/hook",
            "description": null,
            "events": ["post.published"],
            "enabled": true,
        });
        let site = json!({"title": "Blog", "description": null, "comments_policy": "open"});
        let changes = vec![
            ("PATCH", "/v1/posts/{post}", format!("/v1/posts/{post}"), of_post),
            ("PATCH", "/v1/users/{id}", user.clone(), single(&account)),
            (
                "PATCH",
                "/v1/comments/{id}",
                format!("/v1/comments/{comment}"),
                single(&json!({"body": "A comment.", "status": "approved"})),
            ),
            ("PATCH", "/v1/reports/{id}", format!("/v1/reports/{report}"), single(&upheld)),
            ("PATCH", "/v1/site", "/v1/site".into(), single(&site)),
            ("PATCH", "/v1/media/{id}", format!("/v1/media/{media}"), single(&json!({"alt": null}))),
            ("PATCH", "/v1/webhooks/{id}", format!("/v1/webhooks/{webhook}"), single(&hook)),
            ("PATCH", SETTINGS, SETTINGS.into(), single(&json!({"reply": "never", "post": "digest"}))),
            ("PUT", "/v1/users/{id}/ban", format!("{user}/ban"), vec![ban]),
            ("PUT", "/v1/users/{id}/follow", format!("{user}/follow"), vec![json!({})]),
            ("PUT", "/v1/posts/{post}/mute", format!("/v1/posts/{post}/mute"), vec![json!({})]),
            ("PUT", "/v1/posts/{post}/like", format!("/v1/posts/{post}/like"), vec![json!({})]),
            ("POST", "/v1/posts/{post}/restore", format!("/v1/posts/{post}/restore"), vec![json!({})]),
            (
                "POST",
                "/v1/posts/{post}/revisions/{number}/restore",
                format!("/v1/posts/{post}/revisions/1/restore"),
                vec![json!({})],
            ),
            (
                "POST",
                "/v1/comments/moderation",
                "/v1/comments/moderation".into(),
                vec![json!({"ids": [comment], "action": "approve"})],
            ),
        ];
        Self { app, admin, changes }
    }

    async fn everything(&self) -> String {
        let mut connection = self.app.db.acquire().await.unwrap();
        sqlx::query_scalar(
            "select concat((select jsonb_agg(t) from (select * from posts order by id) t),
                (select jsonb_agg(t) from (select * from users order by id) t),
                (select jsonb_agg(t) from (select * from comments order by id) t),
                (select jsonb_agg(t) from (select * from reports order by id) t),
                (select jsonb_agg(t) from (select * from media order by id) t),
                (select jsonb_agg(t) from (select * from post_media order by post_id) t),
                (select jsonb_agg(t) from (select * from post_revisions order by post_id, number) t),
                (select jsonb_agg(t) from post_likes t), (select jsonb_agg(t) from follows t),
                (select jsonb_agg(t) from muted_posts t), (select jsonb_agg(t) from notification_settings t),
                (select jsonb_agg(t) from (select * from webhooks order by id) t),
                (select jsonb_agg(t) from site t), (select count(*) from audit_log))",
        )
        .fetch_one(&mut connection)
        .await
        .unwrap()
    }
}

#[tokio::test]
async fn a_change_to_what_is_so_already_changes_nothing() {
    let world = World::new().await;
    let before = world.everything().await;
    world.app.advance(TimeDelta::minutes(1));
    for (method, _, path, bodies) in &world.changes {
        for body in bodies {
            let reply = world.app.call(method, path).by(&world.admin).json(body).send().await;
            if body["body"].is_string() && path.contains("comments") && reply.status == 403 {
                continue;
            }
            assert!(reply.status.is_success(), "{body}: {reply}");
            assert_eq!(world.everything().await, before, "{body}: {reply}");
            if *method == "PATCH" {
                let read = world.app.get(path).by(&world.admin).expect(200).await;
                // An account is read as a profile by others, and a post says whether its reader likes it.
                if !path.contains("users") && !path.contains("posts") {
                    assert_eq!(read.header("etag"), reply.header("etag"), "{body}: {reply}");
                }
                assert_eq!(read.json()["version"], reply.json()["version"], "{body}: {reply}");
            }
        }
    }
}

#[tokio::test]
async fn a_change_to_what_is_so_already_invalidates_nothing() {
    let world = World::new().await;
    let app = &world.app;
    let title = async || app.get("/v1/site").expect(200).await.json()["title"].clone();
    assert_eq!(title().await, "Blog");
    let of_post = &world.changes[0].2;
    let of_post_title = async || app.get(of_post).expect(200).await.json()["title"].clone();
    assert_eq!(of_post_title().await, "Title");
    // Reads that are answered by the cache do not notice.
    for (method, _, path, bodies) in &world.changes {
        app.call(method, path).by(&world.admin).json(bodies.last().unwrap()).send().await;
    }
    let mut connection = app.db.acquire().await.unwrap();
    for table in ["site", "posts"] {
        let sql = format!("update {table} set title = 'In secret'");
        sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
    }
    assert_eq!((title().await, of_post_title().await), (json!("Blog"), json!("Title")));
    app.patch(&world.changes[0].2).by(&world.admin).json(&json!({"title": "New"})).expect(200).await;
    assert_eq!(of_post_title().await, "New");
}

#[test]
fn every_patch_and_put_is_tried() {
    let documented: BTreeSet<_> = operations()
        .into_iter()
        .filter(|(method, ..)| ["PATCH", "PUT"].contains(&method.as_str()))
        .map(|(method, path, _)| (method, path))
        .collect();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let world = runtime.block_on(World::new());
    let tried = world.changes.iter().map(|(method, route, ..)| ((*method).to_owned(), *route));
    assert_eq!(documented, tried.filter(|(method, _)| method != "POST").collect());
}

#[tokio::test]
async fn an_old_version_is_refused_also_for_a_change_that_changes_nothing() {
    let app = TestApp::start().await;
    let author = app.author().await;
    let path = format!("/v1/posts/{}", app.post_by(&author).await);
    let call = app.patch(&path).by(&author).header("if-match", "\"7\"").json(&json!({}));
    call.expect_problem(412, "precondition_failed").await;
}
