//! The audit log: what is written into it, with what it tells or not at all, and how it is read.

use chrono::TimeDelta;
use serde_json::{Value, json};
use sqlx::ConnectOptions;

use crate::support::{TestApp, TestUser};

/// The whole log, newest first: action, actor's name, target's id, details.
async fn log(app: &TestApp, admin: &TestUser, query: &str) -> Vec<(String, String, Value, Value)> {
    let page = app.get(&format!("/v1/audit?limit=100{query}")).by(admin).expect(200).await.json();
    let items = page["items"].as_array().unwrap().clone();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let line = |item: Value| {
        let action = text(&item["action"]);
        assert_eq!(action.split('.').next().unwrap(), item["target_type"]);
        (action, text(&item["actor"]["username"]), item["target_id"].clone(), item["details"].clone())
    };
    items.into_iter().map(line).collect()
}

fn line(action: &str, actor: &TestUser, target: &str, details: Value) -> (String, String, Value, Value) {
    (action.to_owned(), actor.username.clone(), json!(target), details)
}

#[tokio::test]
async fn what_editors_do_to_what_is_anothers_is_written_down() {
    let app = TestApp::start().await;
    let (author, editor, admin) = (app.author().await, app.editor().await, app.admin().await);
    let post = app.post_by(&author).await;
    let (a, b) = (app.comment_by(&author, &post, None).await, app.comment_by(&author, &post, None).await);
    let (post_path, comment_path) = (format!("/v1/posts/{post}"), format!("/v1/comments/{a}"));
    app.patch(&post_path).by(&editor).json(&json!({"title": "x", "tags": []})).expect(200).await;
    app.post(&format!("{post_path}/revisions/1/restore")).by(&editor).expect(200).await;
    app.delete(&post_path).by(&editor).expect(204).await;
    for _ in 0..2 {
        app.post(&format!("{post_path}/restore")).by(&editor).expect(200).await;
    }
    for status in ["spam", "spam", "pending", "approved"] {
        app.patch(&comment_path).by(&editor).json(&json!({"status": status})).expect(200).await;
    }
    app.delete(&comment_path).by(&editor).expect(204).await;
    let body = json!({"ids": [b], "action": "delete"});
    app.post("/v1/comments/moderation").by(&admin).json(&body).expect(200).await;
    let media = app.upload_by(&author).await;
    let media_path = format!("/v1/media/{media}");
    for _ in 0..2 {
        app.patch(&media_path).by(&editor).json(&json!({"alt": "A bridge in fog"})).expect(200).await;
    }
    app.delete(&media_path).by(&admin).expect(204).await;
    assert_eq!(
        log(&app, &admin, "").await,
        [
            line("media.deleted", &admin, &media, json!({})),
            line("media.updated", &editor, &media, json!({"fields": ["alt"]})),
            line("comment.deleted", &admin, &b, json!({"from": "approved"})),
            line("comment.deleted", &editor, &a, json!({"from": "approved"})),
            line("comment.approved", &editor, &a, json!({"from": "pending"})),
            line("comment.held", &editor, &a, json!({"from": "spam"})),
            line("comment.spam", &editor, &a, json!({"from": "approved"})),
            line("post.restored", &editor, &post, json!({})),
            line("post.deleted", &editor, &post, json!({})),
            line("post.updated", &editor, &post, json!({"revision": 1})),
            line("post.updated", &editor, &post, json!({"fields": ["title", "tags"]})),
        ]
    );
}

#[tokio::test]
async fn a_posts_author_who_deletes_anothers_comment_is_written_down() {
    let app = TestApp::start().await;
    let (author, reader, admin) = (app.author().await, app.reader().await, app.admin().await);
    let post = app.post_by(&author).await;
    let comment = app.comment_by(&reader, &post, None).await;
    app.delete(&format!("/v1/comments/{comment}")).by(&author).expect(204).await;
    let expected = line("comment.deleted", &author, &comment, json!({"from": "approved"}));
    assert_eq!(log(&app, &admin, "").await, [expected]);
}

#[tokio::test]
async fn what_users_do_to_their_own_is_not_written_down() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    for user in [app.author().await, app.editor().await] {
        let post = app.post_by(&user).await;
        let comment = app.comment_by(&user, &post, None).await;
        let other = app.comment_by(&user, &post, None).await;
        let (post, comment) = (format!("/v1/posts/{post}"), format!("/v1/comments/{comment}"));
        app.patch(&post).by(&user).json(&json!({"title": "x"})).expect(200).await;
        app.patch(&comment).by(&user).json(&json!({"body": "x"})).expect(200).await;
        app.delete(&comment).by(&user).expect(204).await;
        app.delete(&format!("/v1/comments/{other}")).by(&user).expect(204).await;
        app.delete(&post).by(&user).expect(204).await;
        let media = format!("/v1/media/{}", app.upload_by(&user).await);
        app.patch(&media).by(&user).json(&json!({"alt": "x"})).expect(200).await;
        app.delete(&media).by(&user).expect(204).await;
        app.patch(&format!("/v1/users/{}", user.id)).by(&user).json(&json!({"bio": "x"})).expect(200).await;
    }
    assert_eq!(log(&app, &admin, "").await, []);
}

#[tokio::test]
async fn what_admins_do_to_users_and_the_site_is_written_down_without_personal_data() {
    let app = TestApp::start().await;
    let (user, admin) = (app.author().await, app.admin().await);
    let path = format!("/v1/users/{}", user.id);
    let id = user.id.to_string();
    let body = json!({"role": "editor", "email": "secret@example.com", "bio": null});
    app.patch(&path).by(&admin).json(&body).expect(200).await;
    app.patch(&path).by(&admin).json(&json!({"role": "editor"})).expect(200).await;
    let until = app.now() + TimeDelta::days(1);
    let body = json!({"until": until, "reason": "Wrote from secret@example.com."});
    let banned = app.call("PUT", &format!("{path}/ban")).by(&admin).json(&body).expect(200).await.json();
    for _ in 0..2 {
        app.delete(&format!("{path}/ban")).by(&admin).expect(204).await;
    }
    let body = json!({"description": null, "comments_policy": "all_held"});
    app.patch("/v1/site").by(&admin).json(&body).expect(200).await;
    let lines = log(&app, &admin, "").await;
    assert!(!format!("{lines:?}").contains("secret"), "{lines:?}");
    assert_eq!(
        lines,
        [
            ("site.updated".into(), admin.username.clone(), Value::Null, body),
            line("user.unbanned", &admin, &id, json!({})),
            line("user.banned", &admin, &id, json!({"until": banned["until"]})),
            line("user.updated", &admin, &id, json!({"fields": ["email", "bio"]})),
            line("user.role_changed", &admin, &id, json!({"from": "author", "to": "editor"})),
        ]
    );
}

#[tokio::test]
async fn lines_outlive_who_they_are_about_and_forget_who_has_left() {
    let app = TestApp::start().await;
    let (author, editor, admin) = (app.author().await, app.editor().await, app.admin().await);
    let post = app.post_by(&author).await;
    app.patch(&format!("/v1/posts/{post}")).by(&editor).json(&json!({"tags": ["t"]})).expect(200).await;
    let role = json!({"role": "reader"});
    app.patch(&format!("/v1/users/{}", author.id)).by(&admin).json(&role).expect(200).await;
    app.delete(&format!("/v1/users/{}", author.id)).by(&admin).expect(204).await;
    app.delete(&format!("/v1/users/{}", editor.id)).by(&editor).expect(204).await;
    let nobody = "deleted user".to_owned();
    assert_eq!(
        log(&app, &admin, "").await,
        [
            ("user.deleted".into(), nobody.clone(), Value::Null, json!({"by_themselves": true})),
            ("user.deleted".into(), admin.username.clone(), Value::Null, json!({"by_themselves": false})),
            ("user.role_changed".into(), admin.username.clone(), Value::Null, json!({})),
            ("post.updated".into(), nobody, json!(post), json!({"fields": ["tags"]})),
        ]
    );
}

#[tokio::test]
async fn an_act_that_fails_leaves_no_line() {
    let app = TestApp::start().await;
    let (author, editor, admin) = (app.author().await, app.editor().await, app.admin().await);
    let (post, taken) = (app.post_by(&author).await, app.post_by(&author).await);
    let comment = app.comment_by(&author, &post, None).await;
    let taken = app.get(&format!("/v1/posts/{taken}")).expect(200).await.json()["slug"].clone();
    app.patch(&format!("/v1/posts/{post}")).by(&editor).json(&json!({"slug": taken})).expect(409).await;
    let path = format!("/v1/users/{}", author.id);
    let body = json!({"role": "reader", "email": editor.email});
    app.patch(&path).by(&admin).json(&body).expect_fields(409, &[("email", "taken")]).await;
    app.call("PUT", &format!("{path}/ban")).by(&editor).json(&json!({"reason": "x"})).expect(422).await;
    let spam = json!({"status": "spam"});
    app.patch(&format!("/v1/comments/{comment}")).by(&author).json(&spam).expect(403).await;
    app.patch("/v1/site").by(&editor).json(&json!({"title": "x"})).expect(403).await;
    for path in ["/v1/posts/no-such-post", "/v1/comments/00000000-0000-7000-8000-000000000000"] {
        app.delete(path).by(&editor).expect(404).await;
    }
    assert_eq!(log(&app, &admin, "").await, []);
}

#[tokio::test]
async fn what_cannot_be_written_down_does_not_happen() {
    let app = TestApp::start().await;
    let (author, editor, admin) = (app.author().await, app.editor().await, app.admin().await);
    let post = app.post_by(&author).await;
    let comment = app.comment_by(&author, &post, None).await;
    let body = json!({"post_id": post, "reason": "spam"});
    let report = app.post("/v1/reports").by(&editor).json(&body).expect(201).await.id();
    let media = format!("/v1/media/{}", app.upload_by(&author).await);
    let everything = async || {
        let mut seen = Vec::new();
        for path in [
            "/v1/site".to_owned(),
            "/v1/posts?status=deleted".into(),
            format!("/v1/posts/{post}"),
            format!("/v1/posts/{post}/comments"),
            format!("/v1/reports/{report}"),
            "/v1/media".into(),
            "/v1/users".into(),
            "/v1/webhooks".into(),
        ] {
            seen.push(app.get(&path).by(&admin).expect(200).await.json());
        }
        seen
    };
    let webhook = app.webhook_by(&admin).await;
    let delivery = app.delivery_by(&admin, &webhook).await;
    let before = everything().await;
    let mut database = app.admin_options().database(app.database_name()).connect().await.unwrap();
    sqlx::raw_sql("delete from audit_log; alter table audit_log add column refused int not null")
        .execute(&mut database)
        .await
        .unwrap();
    app.advance(TimeDelta::minutes(1));
    let webhook = format!("/v1/webhooks/{webhook}");
    let (post, user) = (format!("/v1/posts/{post}"), format!("/v1/users/{}", author.id));
    let ban = json!({"until": app.now() + TimeDelta::days(1), "reason": "x"});
    for call in [
        app.patch(&post).by(&admin).json(&json!({"title": "x"})),
        app.delete(&post).by(&admin),
        app.patch(&format!("/v1/comments/{comment}")).by(&admin).json(&json!({"status": "spam"})),
        app.delete(&format!("/v1/comments/{comment}")).by(&admin),
        app.post("/v1/comments/moderation").by(&admin).json(&json!({"ids": [comment], "action": "spam"})),
        app.post("/v1/comments/moderation").by(&admin).json(&json!({"ids": [comment], "action": "delete"})),
        app.patch(&user).by(&admin).json(&json!({"role": "reader"})),
        app.patch(&user).by(&admin).json(&json!({"bio": "x"})),
        app.call("PUT", &format!("{user}/ban")).by(&admin).json(&ban),
        app.patch(&format!("/v1/reports/{report}")).by(&admin).json(&json!({"status": "upheld"})),
        app.patch("/v1/site").by(&admin).json(&json!({"title": "x"})),
        app.patch(&media).by(&admin).json(&json!({"alt": "x"})),
        app.delete(&media).by(&admin),
        app.post("/v1/webhooks")
            .by(&admin)
            .json(&json!({"url": "https://a.example/", "events": ["site.updated"]})),
        app.patch(&webhook).by(&admin).json(&json!({"enabled": false})),
        app.post(&format!("{webhook}/secret")).by(&admin),
        app.post(&format!("{webhook}/deliveries/{delivery}/retry")).by(&admin),
        app.post(&format!("{webhook}/replay")).by(&admin).json(&json!({"since": "2026-01-01T00:00:00Z"})),
        app.delete(&webhook).by(&admin),
        app.delete(&user).by(&admin),
        app.delete(&user).by(&author),
    ] {
        call.expect_problem(500, "internal").await;
    }
    assert_eq!(everything().await, before);
}

#[tokio::test]
async fn the_log_is_filtered_and_pages_newest_first() {
    let app = TestApp::start().await;
    let (author, editor, admin) = (app.author().await, app.editor().await, app.admin().await);
    let (one, two) = (app.post_by(&author).await, app.post_by(&author).await);
    for (user, post) in [(&editor, &one), (&admin, &one), (&editor, &two), (&admin, &two)] {
        let title = json!({"title": user.username});
        app.patch(&format!("/v1/posts/{post}")).by(user).json(&title).expect(200).await;
    }
    app.delete(&format!("/v1/posts/{two}")).by(&admin).expect(204).await;
    let targets = async |query: &str| -> Vec<String> {
        let lines = log(&app, &admin, query).await;
        lines.iter().map(|(_, _, target, _)| target.as_str().unwrap().to_owned()).collect()
    };
    let both = [two.clone(), one.clone()];
    assert_eq!(targets(&format!("&actor={}", editor.id)).await, both);
    assert_eq!(targets("&action=post.deleted").await, both[..1]);
    assert_eq!(targets(&format!("&target={one}")).await, [one.clone(), one.clone()]);
    assert_eq!(targets(&format!("&actor={}&action=post.updated", admin.id)).await, both);
    assert_eq!(targets(&format!("&actor={}", author.id)).await, Vec::<String>::new());

    let whole = app.get("/v1/audit").by(&admin).expect(200).await.items("id");
    let mut walked = Vec::new();
    let mut path = "/v1/audit?limit=2".to_owned();
    loop {
        let page = app.get(&path).by(&admin).expect(200).await;
        walked.extend(page.items("id"));
        let Some(cursor) = page.json()["next_cursor"].as_str().map(str::to_owned) else { break };
        path = format!("/v1/audit?limit=2&cursor={cursor}");
    }
    assert_eq!((walked.len(), walked), (5, whole));

    for (query, field) in [("actor=ada", "actor"), ("action=post.burnt", "action"), ("target=x", "target")] {
        let call = app.get(&format!("/v1/audit?{query}")).by(&admin);
        call.expect_fields(422, &[(field, "wrong_type")]).await;
    }
    app.get("/v1/audit").by(&editor).expect_problem(403, "forbidden").await;
}
