//! Which comments wait for an editor, and what editors do with them.

use futures_util::future::join;
use serde_json::{Value, json};

use crate::support::{Reply, TestApp, TestUser};

async fn set_site_policy(app: &TestApp, policy: &str) {
    let body = json!({"comments_policy": policy});
    app.patch("/v1/site").by(&app.admin().await).json(&body).expect(200).await;
}

async fn set_post_policy(app: &TestApp, author: &TestUser, post: &str, policy: Value) {
    let body = json!({"comments_policy": policy});
    let post = app.patch(&format!("/v1/posts/{post}")).by(author).json(&body).expect(200).await.json();
    assert_eq!(post["comments_policy"], policy);
}

/// The status that a new comment gets.
async fn comment(app: &TestApp, author: &TestUser, post: &str) -> Reply {
    let path = format!("/v1/posts/{post}/comments");
    let reply = app.post(&path).by(author).json(&json!({"body": "A comment."})).expect(201).await;
    let read = app.get(&format!("/v1/comments/{}", reply.id())).by(author).expect(200).await;
    assert_eq!(read.json(), reply.json());
    reply
}

async fn status_of_comment(app: &TestApp, author: &TestUser, post: &str) -> String {
    comment(app, author, post).await.json()["status"].as_str().unwrap().to_owned()
}

async fn decide(app: &TestApp, editor: &TestUser, comment: &str, status: &str) {
    let body = json!({"status": status});
    app.patch(&format!("/v1/comments/{comment}")).by(editor).json(&body).expect(200).await;
}

async fn edit(app: &TestApp, author: &TestUser, comment: &str, text: &str) -> String {
    let call = app.patch(&format!("/v1/comments/{comment}")).by(author).json(&json!({"body": text}));
    call.expect(200).await.json()["status"].as_str().unwrap().to_owned()
}

async fn comments_counted(app: &TestApp, post: &str) -> Value {
    app.get(&format!("/v1/posts/{post}")).expect(200).await.json()["comments"].clone()
}

#[tokio::test]
async fn where_all_are_held_only_editors_and_the_posts_author_do_not_wait() {
    let app = TestApp::start().await;
    let (author, reader) = (app.author().await, app.reader().await);
    let (other, editor, admin) = (app.author().await, app.editor().await, app.admin().await);
    let post = app.post_by(&author).await;
    comment(&app, &reader, &post).await;
    set_site_policy(&app, "all_held").await;
    for user in [&reader, &other] {
        assert_eq!(status_of_comment(&app, user, &post).await, "pending");
    }
    for user in [&author, &editor, &admin] {
        assert_eq!(status_of_comment(&app, user, &post).await, "approved");
    }
    // What waits is not counted.
    assert_eq!(comments_counted(&app, &post).await, 4);
}

#[tokio::test]
async fn where_first_ones_are_held_an_approved_comment_vouches_for_its_author() {
    let app = TestApp::start().await;
    let (author, reader, editor) = (app.author().await, app.reader().await, app.editor().await);
    let post = app.post_by(&author).await;
    set_site_policy(&app, "first_held").await;
    let first = comment(&app, &reader, &post).await;
    assert_eq!(first.json()["status"], "pending");
    assert_eq!(status_of_comment(&app, &reader, &post).await, "pending");
    assert_eq!(status_of_comment(&app, &author, &post).await, "approved");

    decide(&app, &editor, &first.id(), "spam").await;
    assert_eq!(status_of_comment(&app, &reader, &post).await, "pending");
    decide(&app, &editor, &first.id(), "approved").await;
    let second = comment(&app, &reader, &post).await;
    assert_eq!(second.json()["status"], "approved");
    // Those of others do not vouch.
    assert_eq!(status_of_comment(&app, &app.reader().await, &post).await, "pending");

    // Neither do those that are gone.
    for comment in [first.id(), second.id()] {
        app.delete(&format!("/v1/comments/{comment}")).by(&editor).expect(204).await;
    }
    assert_eq!(status_of_comment(&app, &reader, &post).await, "pending");
}

#[tokio::test]
async fn a_posts_own_policy_goes_before_the_sites() {
    let app = TestApp::start().await;
    let (author, reader) = (app.author().await, app.reader().await);
    let body = json!({"title": "T", "body": "B", "status": "published", "comments_policy": "all_held"});
    let post = app.post("/v1/posts").by(&author).json(&body).expect(201).await;
    assert_eq!(post.json()["comments_policy"], "all_held");
    let post = post.id();
    assert_eq!(status_of_comment(&app, &reader, &post).await, "pending");
    set_site_policy(&app, "all_held").await;
    for (policy, status) in
        [(json!("open"), "approved"), (json!("all_held"), "pending"), (Value::Null, "pending")]
    {
        set_post_policy(&app, &author, &post, policy).await;
        assert_eq!(status_of_comment(&app, &reader, &post).await, status);
    }
    // What is absent stays.
    set_post_policy(&app, &author, &post, json!("open")).await;
    let path = format!("/v1/posts/{post}");
    let changed = app.patch(&path).by(&author).json(&json!({"title": "New"})).expect(200).await;
    assert_eq!(changed.json()["comments_policy"], "open");
    for policy in [json!("closed"), json!("sometimes"), json!(1)] {
        let call = app.patch(&path).by(&author).json(&json!({"comments_policy": policy}));
        call.expect_fields(422, &[("comments_policy", "wrong_type")]).await;
    }
}

#[tokio::test]
async fn a_closed_site_takes_no_comments_whatever_the_post_says() {
    let app = TestApp::start().await;
    let (author, editor) = (app.author().await, app.editor().await);
    let post = app.post_by(&author).await;
    let parent = app.comment_by(&author, &post, None).await;
    set_post_policy(&app, &author, &post, json!("open")).await;
    set_site_policy(&app, "closed").await;
    for user in [&author, &editor] {
        for body in [json!({"body": "x"}), json!({"body": "x", "parent_id": parent})] {
            let call = app.post(&format!("/v1/posts/{post}/comments")).by(user).json(&body);
            call.expect_fields(409, &[("post", "comments_closed")]).await;
        }
    }
    assert_eq!(edit(&app, &author, &parent, "Still mine.").await, "approved");
    set_site_policy(&app, "open").await;
    app.comment_by(&author, &post, Some(&parent)).await;
}

#[tokio::test]
async fn a_changed_text_waits_again_where_it_would_wait_as_a_new_comment() {
    let app = TestApp::start().await;
    let (author, reader, editor) = (app.author().await, app.reader().await, app.editor().await);
    let post = app.post_by(&author).await;
    let mine = app.comment_by(&reader, &post, None).await;
    let of_author = app.comment_by(&author, &post, None).await;
    let of_editor = app.comment_by(&editor, &post, None).await;
    assert_eq!(edit(&app, &reader, &mine, "Open: stays.").await, "approved");

    set_site_policy(&app, "all_held").await;
    assert_eq!(edit(&app, &reader, &mine, "Open: stays.").await, "approved");
    assert_eq!(edit(&app, &author, &of_author, "Not held.").await, "approved");
    assert_eq!(edit(&app, &editor, &of_editor, "Not held.").await, "approved");
    assert_eq!(comments_counted(&app, &post).await, 3);
    assert_eq!(edit(&app, &reader, &mine, "All held: waits.").await, "pending");
    assert_eq!(comments_counted(&app, &post).await, 2);
    app.get(&format!("/v1/comments/{mine}")).expect_problem(404, "not_found").await;
    assert_eq!(edit(&app, &reader, &mine, "Still waits.").await, "pending");
    decide(&app, &editor, &mine, "spam").await;
    assert_eq!(edit(&app, &reader, &mine, "Still spam.").await, "spam");
    decide(&app, &editor, &mine, "approved").await;

    // The comment itself does not vouch for its author; another one does.
    set_site_policy(&app, "first_held").await;
    assert_eq!(edit(&app, &reader, &mine, "The only one: waits.").await, "pending");
    decide(&app, &editor, &mine, "approved").await;
    app.comment_by(&reader, &post, None).await;
    assert_eq!(edit(&app, &reader, &mine, "One of two: stays.").await, "approved");
}

#[tokio::test]
async fn the_queue_is_filtered_by_post_and_author_and_leaves_out_deleted_posts() {
    let app = TestApp::start().await;
    let (author, editor) = (app.author().await, app.editor().await);
    let (one, two) = (app.reader().await, app.reader().await);
    let (here, there) = (app.post_by(&author).await, app.post_by(&author).await);
    set_site_policy(&app, "all_held").await;
    let mut ids = Vec::new();
    for (user, post) in [(&one, &here), (&one, &there), (&two, &here)] {
        ids.push(app.comment_by(user, post, None).await);
    }
    let queue = async |query: &str| {
        app.get(&format!("/v1/comments?{query}")).by(&editor).expect(200).await.items("id")
    };
    assert_eq!(queue("").await, ids);
    assert_eq!(queue(&format!("post={here}")).await, [ids[0].as_str(), &ids[2]]);
    assert_eq!(queue(&format!("author={}", one.id)).await, [ids[0].as_str(), &ids[1]]);
    assert_eq!(queue(&format!("author={}&post={there}", one.id)).await, [ids[1].as_str()]);
    assert_eq!(queue(&format!("status=approved&post={here}")).await, Vec::<String>::new());
    let call = app.get("/v1/comments?post=a-post").by(&editor);
    call.expect_fields(422, &[("post", "wrong_type")]).await;
    app.delete(&format!("/v1/posts/{there}")).by(&author).expect(204).await;
    assert_eq!(queue("").await, [ids[0].as_str(), &ids[2]]);
}

async fn moderate(app: &TestApp, editor: &TestUser, ids: &[&str], action: &str) -> Value {
    let body = json!({"ids": ids, "action": action});
    app.post("/v1/comments/moderation").by(editor).json(&body).expect(200).await.json()
}

#[tokio::test]
async fn an_editor_decides_about_many_comments_at_once() {
    let app = TestApp::start().await;
    let (author, reader, editor) = (app.author().await, app.reader().await, app.editor().await);
    let (post, gone) = (app.post_by(&author).await, app.post_by(&author).await);
    let (a, b) = (app.comment_by(&reader, &post, None).await, app.comment_by(&reader, &post, None).await);
    let on_deleted = app.comment_by(&reader, &gone, None).await;
    app.delete(&format!("/v1/posts/{gone}")).by(&author).expect(204).await;
    let nobody = "ffffffff-0000-7000-8000-000000000000";

    decide(&app, &editor, &b, "spam").await;
    assert_eq!(comments_counted(&app, &post).await, 1);
    let outcome = moderate(&app, &editor, &[nobody, &b, &a, &on_deleted], "spam").await;
    assert_eq!(outcome, json!({"changed": [a], "unchanged": [b], "not_found": [on_deleted, nobody]}));
    assert_eq!(comments_counted(&app, &post).await, 0);
    app.get(&format!("/v1/comments/{a}")).expect_problem(404, "not_found").await;

    let outcome = moderate(&app, &editor, &[&a, &b], "approve").await;
    assert_eq!(outcome, json!({"changed": [a, b], "unchanged": [], "not_found": []}));
    assert_eq!(comments_counted(&app, &post).await, 2);
    let outcome = moderate(&app, &editor, &[&a], "hold").await;
    assert_eq!(outcome["changed"], json!([a]));
    let read = app.get(&format!("/v1/comments/{a}")).by(&editor).expect(200).await;
    assert_eq!(read.json()["status"], "pending");
    assert_eq!(comments_counted(&app, &post).await, 1);
}

#[tokio::test]
async fn an_editor_deletes_a_whole_thread_at_once() {
    let app = TestApp::start().await;
    let (author, editor) = (app.author().await, app.editor().await);
    let post = app.post_by(&author).await;
    let root = app.comment_by(&author, &post, None).await;
    let reply = app.comment_by(&author, &post, Some(&root)).await;
    let nested = app.comment_by(&author, &post, Some(&reply)).await;
    let outcome = moderate(&app, &editor, &[&root, &reply], "delete").await;
    assert_eq!(outcome["changed"], json!([root, reply]));
    let list = async || app.get(&format!("/v1/posts/{post}/comments")).expect(200).await;
    let removed: Vec<Value> =
        list().await.json()["items"].as_array().unwrap().iter().map(|item| item["removed"].clone()).collect();
    assert_eq!(removed, [true, true, false].map(Value::from));
    let outcome = moderate(&app, &editor, &[&nested, &root], "delete").await;
    assert_eq!(outcome, json!({"changed": [nested], "unchanged": [], "not_found": [root]}));
    assert_eq!(list().await.items("id"), Vec::<String>::new());
    assert_eq!(comments_counted(&app, &post).await, 0);
}

#[tokio::test]
async fn what_is_no_decision_is_refused_by_field() {
    let app = TestApp::start().await;
    let editor = app.editor().await;
    let id = |n: u32| format!("00000000-0000-7000-8000-{n:012}");
    let too_many: Vec<_> = (0..101).map(id).collect();
    for (body, fields) in [
        (json!({"ids": [], "action": "spam"}), [("ids", "too_few")]),
        (json!({"ids": too_many, "action": "spam"}), [("ids", "too_many")]),
        (json!({"ids": [id(1), id(2), id(1)], "action": "spam"}), [("ids[2]", "duplicate")]),
        (json!({"ids": [id(1), "x"], "action": "spam"}), [("ids[1]", "wrong_type")]),
        (json!({"ids": [id(1)], "action": "burn"}), [("action", "wrong_type")]),
        (json!({"ids": [id(1)]}), [("action", "required")]),
    ] {
        let call = app.post("/v1/comments/moderation").by(&editor).json(&body);
        call.expect_fields(422, &fields).await;
    }
    let body = json!({"ids": [id(1)], "action": "spam"});
    let call = app.post("/v1/comments/moderation").by(&app.author().await).json(&body);
    call.expect_problem(403, "forbidden").await;
}

#[tokio::test]
async fn two_editors_who_decide_the_same_change_each_comment_once() {
    let app = TestApp::start().await;
    let (author, one, two) = (app.author().await, app.editor().await, app.editor().await);
    let admin = app.admin().await;
    let posts = [app.post_by(&author).await, app.post_by(&author).await];
    let mut ids = Vec::new();
    for n in 0..10 {
        ids.push(app.comment_by(&author, &posts[n % 2], None).await);
    }
    let forth: Vec<_> = ids.iter().map(String::as_str).collect();
    let back: Vec<_> = forth.iter().rev().copied().collect();
    let (first, second) =
        join(moderate(&app, &one, &forth, "spam"), moderate(&app, &two, &back, "spam")).await;
    let count = |outcome: &Value, key: &str| outcome[key].as_array().unwrap().len();
    assert_eq!(count(&first, "changed") + count(&second, "changed"), 10, "{first} {second}");
    assert_eq!(count(&first, "unchanged") + count(&second, "unchanged"), 10);
    let log = app.get("/v1/audit?action=comment.spam&limit=100").by(&admin).expect(200).await;
    let mut logged = log.items("target_id");
    logged.sort();
    assert_eq!(logged, ids);
    for post in &posts {
        assert_eq!(comments_counted(&app, post).await, 0);
    }
}

#[tokio::test]
async fn opposite_decisions_at_once_leave_counts_and_statuses_in_agreement() {
    let app = TestApp::start().await;
    let (author, one, two) = (app.author().await, app.editor().await, app.editor().await);
    let posts = [app.post_by(&author).await, app.post_by(&author).await];
    let mut ids = Vec::new();
    for n in 0..12 {
        ids.push(app.comment_by(&author, &posts[n % 2], None).await);
    }
    // Halves of the comments of the same posts, and a quarter in common.
    let (left, right): (Vec<&str>, Vec<&str>) =
        (ids[..8].iter().map(String::as_str).collect(), ids[4..].iter().rev().map(String::as_str).collect());
    for (here, there) in [("spam", "approve"), ("approve", "hold"), ("hold", "approve")] {
        join(moderate(&app, &one, &left, here), moderate(&app, &two, &right, there)).await;
        for post in &posts {
            let path = format!("/v1/comments?status=approved&limit=100&post={post}");
            let approved = app.get(&path).by(&one).expect(200).await.items("id").len();
            assert_eq!(comments_counted(&app, post).await, approved);
        }
    }
}

#[tokio::test]
async fn a_decision_that_is_sent_again_is_made_and_written_down_once() {
    let app = TestApp::start().await;
    let (author, editor) = (app.author().await, app.editor().await);
    let comment = app.comment_by(&author, &app.post_by(&author).await, None).await;
    let body = json!({"ids": [comment], "action": "spam"});
    let send = || {
        let call = app.post("/v1/comments/moderation").by(&editor).header("idempotency-key", "once");
        call.json(&body).expect(200)
    };
    let first = send().await.json();
    decide(&app, &editor, &comment, "approved").await;
    assert_eq!(send().await.json(), first);
    app.get(&format!("/v1/comments/{comment}")).expect(200).await;
    let log = app.get("/v1/audit?action=comment.spam").by(&app.admin().await).expect(200).await;
    assert_eq!(log.items("target_id"), [comment]);
}
