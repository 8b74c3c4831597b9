//! What posts said before: list, read, compare and restore.

use chrono::TimeDelta;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::{TestApp, TestUser};

async fn numbers(app: &TestApp, user: &TestUser, post: &str) -> Vec<i64> {
    let list = app.get(&format!("/v1/posts/{post}/revisions?limit=100")).by(user).expect(200).await.json();
    list["items"].as_array().unwrap().iter().map(|item| item["number"].as_i64().unwrap()).collect()
}

#[tokio::test]
async fn every_change_of_what_a_post_says_is_a_revision_and_nothing_else_is() {
    let app = TestApp::start().await;
    let (author, editor) = (app.author().await, app.editor().await);
    let body = json!({"title": "One", "body": "a\nb\nc\n", "summary": "S", "tags": ["x"]});
    let post = app.post("/v1/posts").by(&author).json(&body).expect(201).await.id();
    let path = format!("/v1/posts/{post}");
    assert_eq!(numbers(&app, &author, &post).await, [1]);
    for (change, saved) in [
        (json!({"comments_open": false}), vec![1]),
        (json!({"status": "published"}), vec![1]),
        (json!({"title": "One", "body": "a\nb\nc\n", "summary": "S", "tags": ["X"]}), vec![1]),
        (json!({"title": "Two"}), vec![4, 1]),
        (json!({"summary": null}), vec![5, 4, 1]),
        (json!({"tags": []}), vec![6, 5, 4, 1]),
        (json!({}), vec![6, 5, 4, 1]),
    ] {
        app.patch(&path).by(&author).json(&change).expect(200).await;
        assert_eq!(numbers(&app, &author, &post).await, saved, "{change}");
    }
    app.advance(TimeDelta::minutes(5));
    let changed = app.patch(&path).by(&editor).json(&json!({"body": "a\nB\nc\n"})).expect(200).await.json();
    let revision = app.get(&format!("{path}/revisions/7")).by(&author).expect(200).await.json();
    assert_eq!(
        revision,
        json!({
            "number": 7, "title": "Two", "summary": null, "tags": [], "body": "a\nB\nc\n", "against": 6,
            "editor": changed_by(&editor), "created_at": changed["updated_at"],
            "diff": "--- 6\n+++ 7\n@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n",
        })
    );
    let list = app.get(&format!("{path}/revisions")).by(&author).expect(200).await;
    let mut newest = revision;
    for key in ["body", "against", "diff"] {
        newest.as_object_mut().unwrap().remove(key);
    }
    assert_eq!(list.json()["items"][0], newest);
}

fn changed_by(user: &TestUser) -> Value {
    json!({"id": user.id, "username": user.username, "display_name": null})
}

#[tokio::test]
async fn a_revision_is_compared_with_the_one_before_it_or_any_other() {
    let app = TestApp::start().await;
    let author = app.author().await;
    let body = json!({"title": "T", "body": "one\n"});
    let post = app.post("/v1/posts").by(&author).json(&body).expect(201).await.id();
    let path = format!("/v1/posts/{post}");
    for text in ["one\ntwo\n", "two\nthree"] {
        app.patch(&path).by(&author).json(&json!({"body": text})).expect(200).await;
    }
    let read = async |query: &str| {
        let revision = app.get(&format!("{path}/revisions/{query}")).by(&author).expect(200).await.json();
        (revision["against"].clone(), revision["diff"].as_str().unwrap().to_owned())
    };
    assert_eq!(read("1").await, (Value::Null, "--- 0\n+++ 1\n@@ -0,0 +1 @@\n+one\n".into()));
    assert_eq!(read("2").await, (json!(1), "--- 1\n+++ 2\n@@ -1 +1,2 @@\n one\n+two\n".into()));
    let end = "\\ No newline at end of file\n";
    let expected = format!("--- 1\n+++ 3\n@@ -1 +1,2 @@\n-one\n+two\n+three\n{end}");
    assert_eq!(read("3?against=1").await, (json!(1), expected));
    let expected = format!("--- 3\n+++ 1\n@@ -1,2 +1 @@\n-two\n-three\n{end}+one\n");
    assert_eq!(read("1?against=3").await, (json!(3), expected));
    assert_eq!(read("2?against=2").await, (json!(2), String::new()));

    let get = |query: &str| app.get(&format!("{path}/revisions/{query}")).by(&author);
    get("3?against=9").expect_fields(422, &[("against", "not_found")]).await;
    get("3?against=0").expect_fields(422, &[("against", "out_of_range")]).await;
    get("9").expect_problem(404, "not_found").await;
    get("-1").expect_problem(404, "not_found").await;
    get("99999999999999999999").expect_fields(400, &[("number", "malformed")]).await;
}

#[tokio::test]
async fn texts_that_have_nothing_in_common_are_compared_in_time() {
    let app = TestApp::start().await;
    let author = app.author().await;
    let lines =
        |start: u32| (start..start + 20_000).map(|n| format!("{n:x}")).collect::<Vec<_>>().join("\n") + "\n";
    let body = json!({"title": "T", "body": lines(0)});
    let path = format!("/v1/posts/{}", app.post("/v1/posts").by(&author).json(&body).expect(201).await.id());
    app.patch(&path).by(&author).json(&json!({"body": lines(1_000_000)})).expect(200).await;
    let diff = app.get(&format!("{path}/revisions/2")).by(&author).expect(200).await.json();
    assert_eq!(diff["diff"].as_str().unwrap().lines().count(), 40_003);
}

#[tokio::test]
async fn restoring_makes_a_revision_of_what_was() {
    let app = TestApp::start().await;
    let (author, editor) = (app.author().await, app.editor().await);
    let body = json!({"title": "Old", "body": "# Old", "summary": "S", "tags": ["x"], "slug": "kept"});
    let post = app.post("/v1/posts").by(&author).json(&body).expect(201).await;
    let path = format!("/v1/posts/{}", post.id());
    let change = json!({"title": "New", "body": "# New", "summary": null, "tags": ["y", "z"], "status": "published",
                        "slug": "moved"});
    app.patch(&path).by(&author).json(&change).expect(200).await;
    let restore = format!("{path}/revisions/1/restore");
    let restored = app.post(&restore).by(&editor).expect(200).await.json();
    for key in ["title", "body", "body_html", "summary", "tags", "toc", "excerpt"] {
        assert_eq!(restored[key], post.json()[key], "{key}");
    }
    assert_eq!((&restored["slug"], &restored["status"]), (&json!("moved"), &json!("published")));
    assert_eq!(app.get("/v1/posts/moved").expect(200).await.json(), restored);
    assert_eq!(numbers(&app, &author, &post.id()).await, [3, 2, 1]);
    let newest = app.get(&format!("{path}/revisions/3")).by(&author).expect(200).await.json();
    assert_eq!((&newest["editor"], &newest["title"]), (&changed_by(&editor), &json!("Old")));

    // What it says already is not saved again.
    app.post(&restore).by(&editor).expect(200).await;
    assert_eq!(numbers(&app, &author, &post.id()).await, [3, 2, 1]);
    app.post(&format!("{path}/revisions/9/restore")).by(&author).expect_problem(404, "not_found").await;

    let mut connection = app.db.acquire().await.unwrap();
    let complex = "update post_revisions set body = repeat('>', 10001) where number = 2";
    sqlx::query(complex).execute(&mut connection).await.unwrap();
    let restore = format!("{path}/revisions/2/restore");
    app.post(&restore).by(&author).expect_fields(409, &[("body", "too_complex")]).await;
}

#[tokio::test]
async fn a_restoration_that_is_asked_for_again_is_not_done_again() {
    let app = TestApp::start().await;
    let author = app.author().await;
    let post = app.post_by(&author).await;
    let path = format!("/v1/posts/{post}");
    app.patch(&path).by(&author).json(&json!({"title": "Second"})).expect(200).await;
    let restore = format!("{path}/revisions/1/restore");
    let restore = || app.post(&restore).by(&author).header("idempotency-key", "once");
    let first = restore().expect(200).await;
    app.patch(&path).by(&author).json(&json!({"title": "Fourth"})).expect(200).await;
    assert_eq!(restore().expect(200).await.json(), first.json());
    assert_eq!(app.get(&path).expect(200).await.json()["title"], "Fourth");
    assert_eq!(numbers(&app, &author, &post).await, [4, 3, 2, 1]);
}

#[tokio::test]
async fn revisions_come_page_by_page() {
    let app = TestApp::start().await;
    let author = app.author().await;
    let (post, other) = (app.post_by(&author).await, app.post_by(&author).await);
    for n in 0..5 {
        let change = json!({"title": format!("Title {n}")});
        app.patch(&format!("/v1/posts/{post}")).by(&author).json(&change).expect(200).await;
    }
    let mut path = format!("/v1/posts/{post}/revisions?limit=2");
    let mut titles = Vec::new();
    loop {
        let page = app.get(&path).by(&author).expect(200).await;
        titles.extend(page.items("title"));
        let Some(link) = page.header("link").strip_prefix('<') else { break };
        path = link.split('>').next().unwrap().to_owned();
    }
    assert_eq!(titles, ["Title 4", "Title 3", "Title 2", "Title 1", "Title 0", "A post"]);
    assert_eq!(numbers(&app, &author, &other).await, [1]);
    let nonsense = format!("/v1/posts/{post}/revisions?cursor=nonsense");
    app.get(&nonsense).by(&author).expect_fields(400, &[("cursor", "malformed")]).await;
}

#[tokio::test]
async fn changes_at_once_are_a_revision_each() {
    let app = TestApp::start().await;
    let author = app.author().await;
    let post = app.post_by(&author).await;
    let path = format!("/v1/posts/{post}");
    let edits: Vec<_> = (0..6)
        .map(|n| if n % 2 == 0 { json!({"title": format!("{n}")}) } else { json!({"body": format!("{n}")}) })
        .collect();
    let replies = join_all(edits.iter().map(|edit| app.patch(&path).by(&author).json(edit).send())).await;
    assert!(replies.iter().all(|reply| reply.status == 200));
    assert_eq!(numbers(&app, &author, &post).await, [7, 6, 5, 4, 3, 2, 1]);
    // Each says what the one before it said, and one thing more.
    let mut before = app.get(&format!("{path}/revisions/1")).by(&author).expect(200).await.json();
    for number in 2..=7 {
        let revision = app.get(&format!("{path}/revisions/{number}")).by(&author).expect(200).await.json();
        let changed = ["title", "body"].iter().filter(|key| revision[**key] != before[**key]).count();
        assert_eq!(changed, 1, "{before} {revision}");
        before = revision;
    }
    let now = app.get(&path).expect(200).await.json();
    assert_eq!((&now["title"], &now["body"]), (&before["title"], &before["body"]));
}

#[tokio::test]
async fn an_editor_who_was_erased_is_a_deleted_user() {
    let app = TestApp::start().await;
    let (author, editor) = (app.author().await, app.editor().await);
    let path = format!("/v1/posts/{}", app.post_by(&author).await);
    app.patch(&path).by(&editor).json(&json!({"title": "Edited"})).expect(200).await;
    app.delete(&format!("/v1/users/{}", editor.id)).by(&editor).expect(204).await;
    let deleted = json!({"id": null, "username": "deleted user", "display_name": null});
    let revision = app.get(&format!("{path}/revisions/2")).by(&author).expect(200).await.json();
    assert_eq!((&revision["editor"], &revision["title"]), (&deleted, &json!("Edited")));
    let list = app.get(&format!("{path}/revisions")).by(&author).expect(200).await.json();
    assert_eq!(list["items"][0]["editor"], deleted);
}
