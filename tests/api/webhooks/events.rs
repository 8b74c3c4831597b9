//! Exactly the right events: of each act what it tells, and of what nobody sees nothing.

use serde_json::{Value, json};

use super::receiver::Hook;
use crate::support::{TestApp, TestUser};

async fn change(app: &TestApp, user: &TestUser, post: &str, change: Value) {
    app.patch(&format!("/v1/posts/{post}")).by(user).json(&change).expect(200).await;
}

#[tokio::test]
async fn of_a_post_that_readers_see_every_change_is_told() {
    let app = TestApp::start().await;
    let (author, editor, hook) = (app.author().await, app.editor().await, Hook::new(&app).await);
    hook.told(&app).await;
    let post = app.post_by(&author).await;
    let data = |version: i64| json!({"post_id": post, "slug": "a-post", "version": version});
    hook.is_told(&app, &[("post.published", data(1))]).await;

    change(&app, &author, &post, json!({"title": "Another title"})).await;
    hook.is_told(&app, &[("post.updated", data(2))]).await;
    // Nothing changes.
    change(&app, &author, &post, json!({"title": "Another title", "status": "published"})).await;
    hook.is_told(&app, &[]).await;
    change(&app, &author, &post, json!({"slug": "elsewhere"})).await;
    let moved = json!({"post_id": post, "slug": "elsewhere", "version": 3, "old_slug": "a-post"});
    hook.is_told(&app, &[("post.updated", moved)]).await;
    let revision = format!("/v1/posts/{post}/revisions/1/restore");
    app.post(&revision).by(&author).expect(200).await;
    let data = |version: i64| json!({"post_id": post, "slug": "elsewhere", "version": version});
    hook.is_told(&app, &[("post.updated", data(4))]).await;

    change(&app, &author, &post, json!({"status": "draft"})).await;
    hook.is_told(&app, &[("post.unpublished", data(5))]).await;
    change(&app, &author, &post, json!({"status": "published"})).await;
    hook.is_told(&app, &[("post.published", data(6))]).await;
    app.delete(&format!("/v1/posts/{post}")).by(&author).expect(204).await;
    hook.is_told(&app, &[("post.deleted", data(7))]).await;
    app.post(&format!("/v1/posts/{post}/restore")).by(&editor).expect(200).await;
    hook.is_told(&app, &[("post.published", data(8))]).await;
    // What is no change of the post itself.
    app.put(&format!("/v1/posts/{post}/like")).by(&editor).expect(204).await;
    app.post(&format!("/v1/posts/{post}/restore")).by(&editor).expect(200).await;
    hook.is_told(&app, &[]).await;
}

#[tokio::test]
async fn of_what_readers_do_not_see_nothing_is_told() {
    let app = TestApp::start().await;
    let (author, editor, hook) = (app.author().await, app.editor().await, Hook::new(&app).await);
    hook.told(&app).await;
    let draft = app.draft_by(&author).await;
    change(&app, &author, &draft, json!({"title": "Another", "slug": "another"})).await;
    app.delete(&format!("/v1/posts/{draft}")).by(&author).expect(204).await;
    app.post(&format!("/v1/posts/{draft}/restore")).by(&editor).expect(200).await;
    hook.is_told(&app, &[]).await;
    assert_eq!(app.count("webhook_events").await, 0);
}

#[tokio::test]
async fn of_comments_it_is_told_when_they_are_written_approved_and_deleted() {
    let app = TestApp::start().await;
    let (author, reader, editor) = (app.author().await, app.reader().await, app.editor().await);
    let post = app.post_by(&author).await;
    let hook = Hook::new(&app).await;
    let data =
        |comment: &str, version: i64| json!({"comment_id": comment, "post_id": post, "version": version});
    let created = |comment: &str, status: &str| json!({"comment_id": comment, "post_id": post, "status": status, "version": 1});
    hook.told(&app).await;
    let first = app.comment_by(&reader, &post, None).await;
    let reply = app.comment_by(&author, &post, Some(&first)).await;
    let both =
        [("comment.created", created(&first, "approved")), ("comment.created", created(&reply, "approved"))];
    hook.is_told(&app, &both).await;
    let path = format!("/v1/comments/{first}");
    app.patch(&path).by(&reader).json(&json!({"body": "Changed."})).expect(200).await;
    hook.is_told(&app, &[]).await;
    // It leaves a tombstone, which goes with the reply.
    app.delete(&path).by(&reader).expect(204).await;
    hook.is_told(&app, &[("comment.deleted", data(&first, 3))]).await;
    app.delete(&format!("/v1/comments/{reply}")).by(&author).expect(204).await;
    hook.is_told(&app, &[("comment.deleted", data(&reply, 2))]).await;

    let held = json!({"comments_policy": "all_held"});
    app.patch("/v1/site").by(&hook.admin).json(&held).expect(200).await;
    hook.is_told(&app, &[("site.updated", json!({"version": 2}))]).await;
    let (one, two) = (app.comment_by(&reader, &post, None).await, app.comment_by(&reader, &post, None).await);
    let waiting =
        [("comment.created", created(&one, "pending")), ("comment.created", created(&two, "pending"))];
    hook.is_told(&app, &waiting).await;
    let moderate = async |action: &str| {
        let body = json!({"ids": [one, two], "action": action});
        app.post("/v1/comments/moderation").by(&editor).json(&body).expect(200).await;
    };
    moderate("approve").await;
    hook.is_told(&app, &[("comment.approved", data(&one, 2)), ("comment.approved", data(&two, 2))]).await;
    moderate("approve").await;
    moderate("spam").await;
    hook.is_told(&app, &[]).await;
    let approve = json!({"status": "approved"});
    app.patch(&format!("/v1/comments/{one}")).by(&editor).json(&approve).expect(200).await;
    hook.is_told(&app, &[("comment.approved", data(&one, 4))]).await;
    moderate("delete").await;
    hook.is_told(&app, &[("comment.deleted", data(&one, 5)), ("comment.deleted", data(&two, 4))]).await;
}

#[tokio::test]
async fn of_accounts_reports_media_and_the_site_it_is_told() {
    let app = TestApp::start().await;
    let (author, reader) = (app.author().await, app.reader().await);
    let post = app.post_by(&author).await;
    let comment = app.comment_by(&author, &post, None).await;
    let hook = Hook::new(&app).await;
    hook.told(&app).await;
    let new = json!({"username": "new", "email": "new@example.com", "password": "correct horse battery"});
    let user = app.post("/v1/users").json(&new).expect(201).await.id();
    hook.is_told(&app, &[("user.created", json!({"user_id": user, "version": 1}))]).await;
    for (field, target) in [("post_id", &post), ("comment_id", &comment)] {
        let body = json!({field: target, "reason": "spam", "note": "Look at this."});
        let report = app.post("/v1/reports").by(&reader).json(&body).expect(201).await.id();
        hook.is_told(&app, &[("report.created", json!({"report_id": report, field: target, "version": 1}))])
            .await;
    }
    let picture = app.upload_by(&author).await;
    hook.is_told(&app, &[("media.created", json!({"media_id": picture, "version": 1}))]).await;
    app.delete(&format!("/v1/media/{picture}")).by(&author).expect(204).await;
    hook.is_told(&app, &[("media.deleted", json!({"media_id": picture, "version": 2}))]).await;
    let file = app.file_by(&author).await;
    hook.is_told(&app, &[]).await;
    let completion = format!("/v1/media/uploads/{file}/completion");
    for _ in 0..2 {
        app.post(&completion).by(&author).expect(201).await;
    }
    hook.is_told(&app, &[("media.created", json!({"media_id": file, "version": 1}))]).await;
    for _ in 0..2 {
        app.patch("/v1/site").by(&hook.admin).json(&json!({"title": "Mine"})).expect(200).await;
    }
    hook.is_told(&app, &[("site.updated", json!({"version": 2}))]).await;
}

#[tokio::test]
async fn of_who_is_erased_their_posts_and_comments_are_not_told_one_by_one() {
    let app = TestApp::start().await;
    let (author, other) = (app.author().await, app.author().await);
    let posts = [app.post_by(&author).await, app.draft_by(&author).await];
    let of_other = app.post_by(&other).await;
    app.comment_by(&author, &of_other, None).await;
    // Of a draft that had readers, comments go with it.
    let withdrawn = app.post_by(&author).await;
    app.comment_by(&other, &withdrawn, None).await;
    change(&app, &author, &withdrawn, json!({"status": "draft"})).await;
    let hook = Hook::new(&app).await;
    hook.told(&app).await;
    app.delete(&format!("/v1/users/{}", author.id)).by(&author).expect(204).await;
    app.get(&format!("/v1/posts/{}", posts[0])).expect(200).await;
    hook.is_told(&app, &[("user.deleted", json!({"user_id": author.id, "version": 2}))]).await;
}

#[tokio::test]
async fn without_a_webhook_that_is_turned_on_nothing_is_kept() {
    let app = TestApp::start().await;
    let author = app.author().await;
    app.post_by(&author).await;
    assert_eq!(app.count("webhook_events").await, 0);
    let hook = Hook::new(&app).await;
    app.patch(&hook.path("")).by(&hook.admin).json(&json!({"enabled": false})).expect(200).await;
    let before = app.count("webhook_events").await;
    app.post_by(&author).await;
    assert_eq!(app.count("webhook_events").await, before);
    assert_eq!(app.count("jobs where kind = 'webhook_event'").await, before);
}

#[tokio::test]
async fn what_is_not_done_is_not_told() {
    let app = TestApp::start().await;
    let (author, hook) = (app.author().await, Hook::new(&app).await);
    hook.told(&app).await;
    let mut transaction = app.db.begin().await.unwrap();
    let update = sqlx::query("update site set version = version + 1");
    update.execute(&mut *transaction).await.unwrap();
    drop(transaction);
    let body = json!({"title": "T", "body": "B", "status": "published", "slug": "taken"});
    app.post("/v1/posts").by(&author).json(&body).expect(201).await;
    app.post("/v1/posts").by(&author).json(&body).expect(409).await;
    assert_eq!(hook.told(&app).await.len(), 1);
}

#[tokio::test]
async fn a_webhook_is_told_what_it_has_chosen() {
    let app = TestApp::start().await;
    let (author, hook) = (app.author().await, Hook::new(&app).await);
    let body = json!({"events": ["post.deleted"]});
    app.patch(&hook.path("")).by(&hook.admin).json(&body).expect(200).await;
    hook.told(&app).await;
    let post = app.post_by(&author).await;
    app.delete(&format!("/v1/posts/{post}")).by(&author).expect(204).await;
    let data = json!({"post_id": post, "slug": "a-post", "version": 2});
    hook.is_told(&app, &[("post.deleted", data)]).await;
}

/// The version that serves while the database is migrated has no right to the new tables yet.
#[tokio::test]
async fn who_has_no_right_to_webhooks_writes_all_the_same() {
    let app = TestApp::start().await;
    let hook = Hook::new(&app).await;
    hook.told(&app).await;
    let role = format!("service_{}", app.database_name());
    let statements = format!(
        r#"create role "{role}";
           grant select, insert, update, delete on all tables in schema public to "{role}";
           revoke all on webhooks, webhook_events, webhook_deliveries, webhook_attempts from "{role}";
           set role "{role}";
           update site set title = 'Journal', version = version + 1;
           reset role;
           drop owned by "{role}";
           drop role "{role}""#
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(statements))
        .execute(&mut app.db.acquire().await.unwrap())
        .await
        .unwrap();
    hook.is_told(&app, &[("site.updated", json!({"version": 2}))]).await;
}
