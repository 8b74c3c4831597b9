//! A scheduled post is told of at its time, wherever that moves, and not at all if it does not appear.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::receiver::Hook;
use crate::support::{TestApp, TestUser};

struct Scene {
    app: TestApp,
    author: TestUser,
    editor: TestUser,
    hook: Hook,
    post: String,
    at: DateTime<Utc>,
}

impl Scene {
    /// A post that appears in an hour.
    async fn new() -> Self {
        // Pinned, since it is large.
        Box::pin(Self::start()).await
    }

    async fn start() -> Self {
        let app = TestApp::start().await;
        let (author, editor) = (app.author().await, app.editor().await);
        let hook = Hook::new(&app).await;
        hook.told(&app).await;
        let at = app.clock().now() + TimeDelta::hours(1);
        let body = json!({"title": "A post", "body": "B", "status": "scheduled", "published_at": at});
        let post = app.post("/v1/posts").by(&author).json(&body).expect(201).await.id();
        let scene = Self { app, author, editor, hook, post, at };
        scene.is_told_nothing().await;
        scene
    }

    async fn change(&self, change: Value) {
        let path = format!("/v1/posts/{}", self.post);
        self.app.patch(&path).by(&self.author).json(&change).expect(200).await;
    }

    async fn schedule(&self, at: DateTime<Utc>) {
        self.change(json!({"status": "scheduled", "published_at": at})).await;
    }

    fn advance_to(&self, at: DateTime<Utc>) {
        self.app.advance(at - self.app.now());
    }

    async fn is_told_nothing(&self) {
        self.hook.is_told(&self.app, &[]).await;
    }

    async fn is_told(&self, event: &str, version: i64) {
        let data = json!({"post_id": self.post, "slug": "a-post", "version": version});
        self.hook.is_told(&self.app, &[(event, data)]).await;
    }

    /// It is told at that time, and neither before nor again.
    async fn appears(&self, at: DateTime<Utc>, version: i64) {
        self.advance_to(at - TimeDelta::microseconds(1));
        self.is_told_nothing().await;
        self.advance_to(at);
        self.is_told("post.published", version).await;
        self.never_more().await;
    }

    /// There is nothing more to be told, whenever.
    async fn never_more(&self) {
        assert_eq!(self.app.count("jobs where kind = 'webhook_publication'").await, 0);
        self.app.advance(TimeDelta::days(2));
        self.is_told_nothing().await;
    }
}

#[tokio::test]
async fn it_is_told_at_its_time_with_that_time() {
    let scene = Scene::new().await;
    scene.advance_to(scene.at - TimeDelta::microseconds(1));
    scene.is_told_nothing().await;
    // However late the job is.
    scene.advance_to(scene.at + TimeDelta::minutes(3));
    let messages = scene.hook.messages(&scene.app).await;
    assert_eq!(messages.len(), 1);
    let told: DateTime<Utc> = messages[0].json()["timestamp"].as_str().unwrap().parse().unwrap();
    assert_eq!(told, scene.at);
    scene.never_more().await;
}

#[tokio::test]
async fn it_is_told_once() {
    let scene = Scene::new().await;
    scene.appears(scene.at, 1).await;
}

#[tokio::test]
async fn it_moves_with_the_post() {
    for by in [TimeDelta::minutes(-30), TimeDelta::hours(5)] {
        let scene = Scene::new().await;
        scene.schedule(scene.at + by).await;
        scene.is_told_nothing().await;
        scene.appears(scene.at + by, 2).await;
    }
}

#[tokio::test]
async fn a_change_before_its_time_tells_nothing_and_loses_nothing() {
    let scene = Scene::new().await;
    scene.change(json!({"title": "A better title"})).await;
    scene.is_told_nothing().await;
    scene.appears(scene.at, 2).await;
}

#[tokio::test]
async fn it_is_cancelled_with_the_post() {
    let scene = Scene::new().await;
    scene.change(json!({"status": "draft"})).await;
    scene.never_more().await;

    let scene = Scene::new().await;
    let path = format!("/v1/posts/{}", scene.post);
    scene.app.delete(&path).by(&scene.author).expect(204).await;
    scene.never_more().await;
}

#[tokio::test]
async fn a_post_that_is_published_before_its_time_is_told_at_once() {
    let scene = Scene::new().await;
    scene.change(json!({"status": "published"})).await;
    scene.is_told("post.published", 2).await;
    scene.never_more().await;
}

#[tokio::test]
async fn one_that_is_deleted_and_restored_is_told_at_its_time_or_at_once() {
    for (restored_after, version) in [(TimeDelta::minutes(1), 3), (TimeDelta::hours(3), 3)] {
        let scene = Scene::new().await;
        let path = format!("/v1/posts/{}", scene.post);
        scene.app.delete(&path).by(&scene.author).expect(204).await;
        scene.app.advance(restored_after);
        scene.is_told_nothing().await;
        scene.app.post(&format!("{path}/restore")).by(&scene.editor).expect(200).await;
        if scene.app.now() < scene.at {
            scene.appears(scene.at, version).await;
        } else {
            scene.is_told("post.published", version).await;
            scene.never_more().await;
        }
    }
}

#[tokio::test]
async fn one_whose_author_is_banned_then_is_not_told_unless_the_ban_is_lifted_before() {
    let ban = async |scene: &Scene| {
        let path = format!("/v1/users/{}/ban", scene.author.id);
        let body = json!({"until": scene.at + TimeDelta::hours(1), "reason": "Spam."});
        scene.app.put(&path).by(&scene.editor).json(&body).expect(200).await;
        path
    };
    let scene = Scene::new().await;
    ban(&scene).await;
    scene.never_more().await;

    let scene = Scene::new().await;
    let path = ban(&scene).await;
    scene.is_told_nothing().await;
    scene.app.delete(&path).by(&scene.editor).expect(204).await;
    scene.appears(scene.at, 3).await;
}

#[tokio::test]
async fn one_of_who_is_erased_is_not_told() {
    let scene = Scene::new().await;
    scene.app.delete(&format!("/v1/users/{}", scene.author.id)).by(&scene.author).expect(204).await;
    let deleted = json!({"user_id": scene.author.id, "version": 2});
    scene.hook.is_told(&scene.app, &[("user.deleted", deleted)]).await;
    scene.never_more().await;
}

/// Its time has come, but nobody has told of it yet: whatever is done then tells of it, or of nothing.
#[tokio::test]
async fn what_is_done_between_its_time_and_its_job_tells_one_thing() {
    for (change, event) in [
        (json!({"title": "Another"}), Some("post.published")),
        (json!({"status": "published"}), Some("post.published")),
        (json!({"status": "draft"}), None),
    ] {
        let scene = Scene::new().await;
        scene.advance_to(scene.at + TimeDelta::seconds(1));
        let is_changed = change != json!({"status": "published"});
        scene.change(change).await;
        match event {
            Some(event) => scene.is_told(event, if is_changed { 2 } else { 1 }).await,
            None => scene.is_told_nothing().await,
        }
        scene.never_more().await;
    }
}

#[tokio::test]
async fn a_webhook_that_is_made_after_the_post_was_scheduled_is_told_of_it() {
    let app = TestApp::start().await;
    let (author, at) = (app.author().await, app.now() + TimeDelta::hours(1));
    let body = json!({"title": "A post", "body": "B", "status": "scheduled", "published_at": at});
    let post = app.post("/v1/posts").by(&author).json(&body).expect(201).await.id();
    let hook = Hook::new(&app).await;
    hook.told(&app).await;
    app.advance(TimeDelta::hours(1));
    hook.is_told(&app, &[("post.published", json!({"post_id": post, "slug": "a-post", "version": 1}))]).await;
}

/// A slow request goes by the time when it began, and tasks do not agree to the millisecond.
#[tokio::test]
async fn what_is_done_by_a_clock_that_is_behind_is_told_all_the_same() {
    let scene = Scene::new().await;
    scene.advance_to(scene.at);
    scene.is_told("post.published", 1).await;
    scene.app.advance(TimeDelta::seconds(-1));
    scene.change(json!({"summary": "Late"})).await;
    scene.is_told("post.updated", 2).await;
    scene.app.delete(&format!("/v1/posts/{}", scene.post)).by(&scene.author).expect(204).await;
    scene.is_told("post.deleted", 3).await;
    scene.never_more().await;
}
