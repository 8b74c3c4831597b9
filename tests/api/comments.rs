//! Threads, tombstones and moderation.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::support::{TestApp, TestUser};

#[tokio::test]
async fn a_thread_reads_from_top_to_bottom() {
    let app = TestApp::start().await;
    let author = app.author().await;
    let (post, elsewhere) = (app.post_by(&author).await, app.post_by(&author).await);
    let first = app.comment_by(&author, &post, None).await;
    let second = app.comment_by(&author, &post, None).await;
    let reply = app.comment_by(&author, &post, Some(&first)).await;
    let later_reply = app.comment_by(&author, &post, Some(&first)).await;
    let nested = app.comment_by(&author, &post, Some(&reply)).await;
    app.comment_by(&author, &elsewhere, None).await;

    let list = app.get(&format!("/v1/posts/{post}/comments")).expect(200).await;
    assert_eq!(list.items("id"), [first.clone(), reply.clone(), nested, later_reply, second]);
    let shape = |key: &str| -> Vec<Value> {
        list.json()["items"].as_array().unwrap().iter().map(|item| item[key].clone()).collect()
    };
    assert_eq!(shape("depth"), [0, 1, 2, 1, 0].map(Value::from));
    assert_eq!(shape("parent_id"), [Value::Null, json!(first), json!(reply), json!(first), Value::Null]);
}

#[tokio::test]
async fn a_comment_is_markdown_and_is_found_by_slug_too() {
    let app = TestApp::start().await;
    let author = app.author().await;
    app.post_by(&author).await;
    let body = json!({"body": "I *agree*. <script>alert(1)</script>"});
    let reply = app.post("/v1/posts/a-post/comments").by(&author).json(&body).expect(201).await;
    let path = format!("/v1/comments/{}", reply.id());
    assert_eq!(reply.header("location"), path);
    assert_eq!(reply.json()["status"], "approved");
    assert_eq!(reply.json()["body_html"], "<p>I <em>agree</em>. </p>\n");
    assert_eq!(app.get(&path).expect(200).await.json(), reply.json());
    assert_eq!(app.get("/v1/posts/a-post/comments").expect(200).await.items("id"), [reply.id()]);
}

#[tokio::test]
async fn threads_have_a_last_level() {
    let app = TestApp::start().await;
    let author = app.author().await;
    let post = app.post_by(&author).await;
    let mut parent = app.comment_by(&author, &post, None).await;
    for _ in 1..8 {
        parent = app.comment_by(&author, &post, Some(&parent)).await;
    }
    let body = json!({"body": "deeper", "parent_id": parent});
    let path = format!("/v1/posts/{post}/comments");
    app.post(&path).by(&author).json(&body).expect_fields(422, &[("parent_id", "too_deep")]).await;
}

#[tokio::test]
async fn a_reply_stays_on_the_post_of_its_parent() {
    let app = TestApp::start().await;
    let author = app.author().await;
    let (post, elsewhere) = (app.post_by(&author).await, app.post_by(&author).await);
    let comment = app.comment_by(&author, &elsewhere, None).await;
    let path = format!("/v1/posts/{post}/comments");
    for parent in [comment.as_str(), "00000000-0000-7000-8000-000000000000"] {
        let body = json!({"body": "x", "parent_id": parent});
        app.post(&path).by(&author).json(&body).expect_fields(422, &[("parent_id", "not_found")]).await;
    }
    app.post(&path).by(&author).json(&json!({"body": " "})).expect_fields(422, &[("body", "blank")]).await;
    let nowhere = "/v1/posts/no-such-post/comments";
    app.post(nowhere).by(&author).json(&json!({"body": "x"})).expect_problem(404, "not_found").await;
    app.get(nowhere).expect_problem(404, "not_found").await;
}

#[tokio::test]
async fn the_author_of_a_post_closes_its_comments() {
    let app = TestApp::start().await;
    let (author, reader) = (app.author().await, app.reader().await);
    let (post, open) = (app.post_by(&author).await, app.post_by(&author).await);
    let comment = app.comment_by(&reader, &post, None).await;
    app.patch(&format!("/v1/posts/{post}"))
        .by(&author)
        .json(&json!({"comments_open": false}))
        .expect(200)
        .await;
    for body in [json!({"body": "x"}), json!({"body": "x", "parent_id": comment})] {
        let call = app.post(&format!("/v1/posts/{post}/comments")).by(&reader).json(&body);
        call.expect_fields(409, &[("post", "comments_closed")]).await;
    }
    app.get(&format!("/v1/comments/{comment}")).expect(200).await;
    app.comment_by(&reader, &open, None).await;
}

#[tokio::test]
async fn drafts_take_no_comments() {
    let app = TestApp::start().await;
    let author = app.author().await;
    let draft = app.draft_by(&author).await;
    let call = app.post(&format!("/v1/posts/{draft}/comments")).by(&author).json(&json!({"body": "x"}));
    call.expect_fields(409, &[("post", "not_published")]).await;
}

#[tokio::test]
async fn its_author_changes_a_comment() {
    let app = TestApp::start().await;
    let (author, other) = (app.author().await, app.reader().await);
    let post = app.post_by(&author).await;
    let (mine, theirs) =
        (app.comment_by(&other, &post, None).await, app.comment_by(&author, &post, None).await);
    let path = format!("/v1/comments/{mine}");
    app.advance(TimeDelta::minutes(1));
    let changed = app.patch(&path).by(&other).json(&json!({"body": "Changed."})).expect(200).await.json();
    assert_eq!((&changed["body"], &changed["body_html"]), (&json!("Changed."), &json!("<p>Changed.</p>\n")));
    assert_ne!(changed["updated_at"], changed["created_at"]);
    assert_eq!(app.get(&format!("/v1/comments/{theirs}")).expect(200).await.json()["body"], "A comment.");
    app.patch(&path).by(&other).json(&json!({"body": ""})).expect_fields(422, &[("body", "too_short")]).await;
    let nothing = "/v1/comments/00000000-0000-7000-8000-000000000000";
    app.patch(nothing).by(&other).json(&json!({"body": "x"})).expect_problem(404, "not_found").await;
    app.delete(nothing).by(&other).expect_problem(404, "not_found").await;
    app.get(nothing).expect_problem(404, "not_found").await;
}

#[tokio::test]
async fn a_deleted_comment_with_replies_leaves_a_tombstone() {
    let app = TestApp::start().await;
    let (author, commenter) = (app.author().await, app.reader().await);
    let post = app.post_by(&author).await;
    let root = app.comment_by(&commenter, &post, None).await;
    let reply = app.comment_by(&author, &post, Some(&root)).await;
    let nested = app.comment_by(&author, &post, Some(&reply)).await;
    let list = async || app.get(&format!("/v1/posts/{post}/comments")).expect(200).await;
    let delete = async |id: &str, user: &TestUser| {
        app.delete(&format!("/v1/comments/{id}")).by(user).expect(204).await;
    };

    delete(&root, &commenter).await;
    app.get(&format!("/v1/comments/{root}")).expect_problem(404, "not_found").await;
    let seen = list().await;
    assert_eq!(seen.items("id"), [root.clone(), reply.clone(), nested.clone()]);
    let tombstone = &seen.json()["items"][0];
    assert_eq!(tombstone["removed"], true);
    assert_eq!((&tombstone["author"], &tombstone["body"]), (&Value::Null, &json!("")));
    let body = json!({"body": "x", "parent_id": root});
    let call = app.post(&format!("/v1/posts/{post}/comments")).by(&author).json(&body);
    call.expect_fields(422, &[("parent_id", "not_found")]).await;

    // Tombstones go with the last reply under them.
    delete(&reply, &author).await;
    assert_eq!(list().await.items("id").len(), 3);
    delete(&nested, &author).await;
    assert_eq!(list().await.items("id"), Vec::<String>::new());
}

#[tokio::test]
async fn what_is_not_approved_is_read_by_its_author_and_editors_alone() {
    let app = TestApp::start().await;
    let (author, commenter, editor) = (app.author().await, app.reader().await, app.editor().await);
    let post = app.post_by(&author).await;
    let comment = app.comment_by(&commenter, &post, None).await;
    let approved = app.comment_by(&author, &post, None).await;
    let path = format!("/v1/comments/{comment}");
    let list = format!("/v1/posts/{post}/comments");
    for status in ["spam", "pending"] {
        app.patch(&path).by(&editor).json(&json!({"status": status})).expect(200).await;
        for call in [app.get(&path), app.get(&path).by(&author)] {
            call.expect_problem(404, "not_found").await;
        }
        for call in [app.get(&path).by(&commenter), app.get(&path).by(&editor)] {
            assert_eq!(call.expect(200).await.json()["status"], status);
        }
        assert_eq!(app.get(&list).expect(200).await.items("id"), [approved.as_str()]);
        assert_eq!(app.get(&list).by(&commenter).expect(200).await.items("id").len(), 2);
        let queue = app.get(&format!("/v1/comments?status={status}")).by(&editor).expect(200).await;
        assert_eq!(queue.items("id"), [comment.as_str()]);
    }
    assert_eq!(app.get("/v1/comments").by(&editor).expect(200).await.items("id"), [comment.as_str()]);
    app.patch(&path).by(&editor).json(&json!({"status": "approved"})).expect(200).await;
    app.get(&path).expect(200).await;
}

#[tokio::test]
async fn a_hidden_comment_with_replies_looks_like_a_tombstone() {
    let app = TestApp::start().await;
    let (author, commenter, editor) = (app.author().await, app.reader().await, app.editor().await);
    let post = app.post_by(&author).await;
    let root = app.comment_by(&commenter, &post, None).await;
    let reply = app.comment_by(&author, &post, Some(&root)).await;
    app.patch(&format!("/v1/comments/{root}")).by(&editor).json(&json!({"status": "spam"})).expect(200).await;
    let path = format!("/v1/posts/{post}/comments");
    let seen = app.get(&path).expect(200).await;
    assert_eq!(seen.items("id"), [root.clone(), reply]);
    let hidden = &seen.json()["items"][0];
    assert_eq!(
        (&hidden["removed"], &hidden["body"], &hidden["author"]),
        (&json!(true), &json!(""), &Value::Null)
    );
    let own = app.get(&path).by(&commenter).expect(200).await.json()["items"][0].clone();
    assert_eq!((&own["removed"], &own["body"]), (&json!(false), &json!("A comment.")));
    let body = json!({"body": "x", "parent_id": root});
    app.post(&path).by(&author).json(&body).expect_fields(422, &[("parent_id", "not_found")]).await;
}
