//! Two at once: constraints and single statements decide, and nothing is lost.

use futures_util::future::join_all;
use serde_json::json;

use crate::support::{PASSWORD, Reply, TestApp};

fn statuses(replies: &[Reply]) -> Vec<u16> {
    let mut statuses: Vec<_> = replies.iter().map(|reply| reply.status.as_u16()).collect();
    statuses.sort_unstable();
    statuses
}

#[tokio::test]
async fn of_many_sign_ups_with_one_name_one_wins() {
    let app = TestApp::start().await;
    let replies = join_all((0..8).map(|n| {
        let body = json!({"username": "ada", "email": format!("ada{n}@example.com"), "password": PASSWORD});
        app.post("/v1/users").json(&body).send()
    }))
    .await;
    assert_eq!(statuses(&replies), [201, 409, 409, 409, 409, 409, 409, 409]);
    let loser = replies.iter().find(|reply| reply.status == 409).unwrap();
    assert_eq!(loser.fields(), [("username", "taken")]);
}

#[tokio::test]
async fn edits_of_different_fields_at_once_are_all_kept() {
    let app = TestApp::start().await;
    let author = app.author().await;
    let post = app.post_by(&author).await;
    let path = format!("/v1/posts/{post}");
    let edits = [
        json!({"title": "New title"}),
        json!({"body": "New text"}),
        json!({"summary": "New summary"}),
        json!({"tags": ["new"]}),
        json!({"comments_open": false}),
    ];
    let replies = join_all(edits.iter().map(|edit| app.patch(&path).by(&author).json(edit).send())).await;
    assert_eq!(statuses(&replies), [200; 5]);
    let post = app.get(&path).expect(200).await.json();
    for edit in edits {
        let (key, value) = edit.as_object().unwrap().iter().next().unwrap();
        assert_eq!(post[key], *value, "{key}");
    }
}

#[tokio::test]
async fn edits_of_one_field_at_once_leave_one_of_them_whole() {
    let app = TestApp::start().await;
    let author = app.author().await;
    let post = app.post_by(&author).await;
    let path = format!("/v1/posts/{post}");
    let edits = (0..6).map(|n| json!({"title": format!("Title {n}"), "body": format!("Text {n}")}));
    let replies = join_all(edits.map(|edit| app.patch(&path).by(&author).json(&edit).send())).await;
    assert_eq!(statuses(&replies), [200; 6]);
    let post = app.get(&path).expect(200).await.json();
    let number = post["title"].as_str().unwrap().strip_prefix("Title ").unwrap().to_owned();
    assert_eq!(post["body"], format!("Text {number}"));
    assert_eq!(post["body_html"], format!("<p>Text {number}</p>\n"));
}

#[tokio::test]
async fn posts_with_one_title_at_once_get_different_slugs() {
    let app = TestApp::start().await;
    let author = app.author().await;
    let body = json!({"title": "Same", "body": "x"});
    let replies = join_all((0..8).map(|_| app.post("/v1/posts").by(&author).json(&body).send())).await;
    assert_eq!(statuses(&replies), [201; 8]);
    let mut slugs: Vec<_> = replies.iter().map(|reply| reply.json()["slug"].to_string()).collect();
    slugs.sort();
    slugs.dedup();
    assert_eq!(slugs.len(), 8);
}

#[tokio::test]
async fn deletions_of_replies_at_once_leave_no_tombstone_behind() {
    let app = TestApp::start().await;
    let author = app.author().await;
    let post = app.post_by(&author).await;
    let root = app.comment_by(&author, &post, None).await;
    let mut replies = Vec::new();
    for _ in 0..6 {
        replies.push(app.comment_by(&author, &post, Some(&root)).await);
    }
    app.delete(&format!("/v1/comments/{root}")).by(&author).expect(204).await;
    let paths: Vec<_> = replies.iter().map(|id| format!("/v1/comments/{id}")).collect();
    let deleted = join_all(paths.iter().map(|path| app.delete(path).by(&author).send())).await;
    assert_eq!(statuses(&deleted), [204; 6]);
    let left = app.get(&format!("/v1/posts/{post}/comments")).expect(200).await;
    assert!(left.items("id").is_empty(), "{left}");
}

#[tokio::test]
async fn a_reply_and_the_deletion_of_its_parent_at_once_lose_nothing() {
    let app = TestApp::start().await;
    let author = app.author().await;
    let post = app.post_by(&author).await;
    for _ in 0..10 {
        let parent = app.comment_by(&author, &post, None).await;
        let body = json!({"body": "A reply.", "parent_id": parent});
        let (comments, comment) = (format!("/v1/posts/{post}/comments"), format!("/v1/comments/{parent}"));
        let reply = app.post(&comments).by(&author).json(&body).send();
        let deletion = app.delete(&comment).by(&author).send();
        let (reply, deletion) = futures_util::future::join(reply, deletion).await;
        assert_eq!(deletion.status, 204, "{deletion}");
        if reply.status == 201 {
            app.get(&format!("/v1/comments/{}", reply.id())).expect(200).await;
        } else {
            assert_eq!(reply.fields(), [("parent_id", "not_found")], "{reply}");
        }
    }
}

#[tokio::test]
async fn a_change_of_password_revokes_a_sign_in_that_races_it() {
    let app = TestApp::start().await;
    let user = app.author().await;
    let path = format!("/v1/users/{}", user.id);
    let change = json!({"password": "an entirely new one", "current_password": PASSWORD});
    let credentials = json!({"email": user.email, "password": PASSWORD});
    let change = app.patch(&path).by(&user).json(&change).send();
    let sign_ins = join_all((0..3).map(|_| app.post("/v1/sessions").json(&credentials).send()));
    let (changed, sign_ins) = futures_util::future::join(change, sign_ins).await;
    assert_eq!(changed.status, 200, "{changed}");
    for sign_in in sign_ins.iter().filter(|reply| reply.status == 201) {
        app.get("/v1/users/me").token(sign_in.json()["token"].as_str().unwrap()).expect(401).await;
    }
}
