//! Posts from draft to restoration.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::support::{TestApp, TestUser};

#[tokio::test]
async fn a_new_post_is_a_draft_that_only_its_author_and_editors_see() {
    let app = TestApp::start().await;
    let (author, other, editor) = (app.author().await, app.author().await, app.editor().await);
    let body = json!({"title": " Hello, World! ", "body": "Some *text*.", "tags": ["Rust", "rust", "Web "]});
    let reply = app.post("/v1/posts").by(&author).json(&body).expect(201).await;
    let post = reply.json();
    let path = format!("/v1/posts/{}", reply.id());
    assert_eq!(reply.header("location"), path);
    assert_eq!(post["slug"], "hello-world");
    assert_eq!(post["title"], "Hello, World!");
    assert_eq!(post["tags"], json!(["rust", "web"]));
    assert_eq!((&post["status"], &post["published_at"]), (&json!("draft"), &Value::Null));
    assert_eq!(post["author"]["username"], author.username);
    assert_eq!(post["body_html"], "<p>Some <em>text</em>.</p>\n");

    let mut seen = post.clone();
    (seen["liked"], seen["muted"], seen["pictures_without_alt"]) = (json!(false), json!(false), json!(0));
    for user in [&author, &editor] {
        assert_eq!(app.get(&path).by(user).expect(200).await.json(), seen);
        assert_eq!(app.get("/v1/posts/hello-world").by(user).expect(200).await.json(), seen);
    }
    app.get(&path).expect(404).await;
    app.get(&path).by(&other).expect(404).await;
    assert!(app.get("/v1/posts").by(&author).expect(200).await.items("id").is_empty());
}

#[tokio::test]
async fn publishing_shows_a_post_to_everybody_and_keeps_its_date() {
    let app = TestApp::start().await;
    let author = app.author().await;
    let id = app.draft_by(&author).await;
    let path = format!("/v1/posts/{id}");
    let publish = json!({"status": "published"});
    let published = app.patch(&path).by(&author).json(&publish).expect(200).await.json();
    assert_eq!(published["status"], "published");
    assert_eq!(app.get(&path).expect(200).await.json(), published);
    assert_eq!(app.get("/v1/posts").expect(200).await.items("id"), [id]);

    app.advance(TimeDelta::hours(1));
    let again = app.patch(&path).by(&author).json(&publish).expect(200).await.json();
    assert_eq!(again, published);

    let withdrawn = app.patch(&path).by(&author).json(&json!({"status": "draft"})).expect(200).await.json();
    assert_eq!((&withdrawn["status"], &withdrawn["published_at"]), (&json!("draft"), &Value::Null));
    app.get(&path).expect(404).await;
}

#[tokio::test]
async fn a_scheduled_post_appears_at_its_time() {
    let app = TestApp::start().await;
    let (author, other) = (app.author().await, app.author().await);
    let at = app.now() + TimeDelta::hours(2);
    let body = json!({"title": "Later", "body": "x", "status": "scheduled", "published_at": at});
    let reply = app.post("/v1/posts").by(&author).json(&body).expect(201).await;
    assert_eq!(reply.json()["status"], "scheduled");
    let path = format!("/v1/posts/{}", reply.id());
    app.get(&path).expect(404).await;
    app.get(&path).by(&other).expect(404).await;
    assert_eq!(app.get("/v1/posts?status=scheduled").by(&author).expect(200).await.items("id"), [reply.id()]);
    assert!(app.get("/v1/posts?status=scheduled").by(&other).expect(200).await.items("id").is_empty());
    app.advance(TimeDelta::hours(2));
    assert_eq!(app.get(&path).expect(200).await.json()["status"], "published");
    assert_eq!(app.get("/v1/posts").expect(200).await.items("id"), [reply.id()]);
    assert!(app.get("/v1/posts?status=scheduled").by(&author).expect(200).await.items("id").is_empty());
}

#[tokio::test]
async fn status_and_date_must_go_together() {
    let app = TestApp::start().await;
    let author = app.author().await;
    let (past, future) = (app.now() - TimeDelta::hours(1), app.now() + TimeDelta::hours(1));
    for (fields, code) in [
        (json!({"published_at": future}), "status_required"),
        (json!({"status": "draft", "published_at": future}), "not_for_drafts"),
        (json!({"status": "published", "published_at": future}), "in_future"),
        (json!({"status": "scheduled", "published_at": past}), "in_past"),
        (json!({"status": "scheduled"}), "required"),
    ] {
        let mut body = json!({"title": "T", "body": "B"});
        body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        app.post("/v1/posts").by(&author).json(&body).expect_fields(422, &[("published_at", code)]).await;
    }
    let backdated = json!({"title": "T", "body": "B", "status": "published", "published_at": past});
    let published = app.post("/v1/posts").by(&author).json(&backdated).expect(201).await.json();
    assert_eq!(published["status"], "published");
}

#[tokio::test]
async fn every_field_at_fault_is_named_at_once() {
    let app = TestApp::start().await;
    let author = app.author().await;
    let body = json!({
        "title": "two\nlines", "body": " \n ", "summary": "x".repeat(501), "slug": "Not A Slug",
        "tags": ["ok", "", "x".repeat(33)],
    });
    let expected = [
        ("title", "control_character"),
        ("body", "blank"),
        ("summary", "too_long"),
        ("slug", "invalid_slug"),
        ("tags[1]", "too_short"),
        ("tags[2]", "too_long"),
    ];
    app.post("/v1/posts").by(&author).json(&body).expect_fields(422, &expected).await;
    let tags: Vec<_> = (0..11).map(|n| format!("tag{n}")).collect();
    let body = json!({"title": "T", "body": "B", "tags": tags});
    app.post("/v1/posts").by(&author).json(&body).expect_fields(422, &[("tags", "too_many")]).await;
    let body = json!({"title": "T", "body": "a\u{0}b"});
    app.post("/v1/posts").by(&author).json(&body).expect_fields(422, &[("body", "control_character")]).await;
}

#[tokio::test]
async fn equal_titles_get_different_slugs_and_chosen_slugs_conflict() {
    let app = TestApp::start().await;
    let author = app.author().await;
    let body = json!({"title": "Same", "body": "B"});
    let mut slugs = Vec::new();
    for _ in 0..3 {
        let post = app.post("/v1/posts").by(&author).json(&body).expect(201).await.json();
        slugs.push(post["slug"].as_str().unwrap().to_owned());
    }
    assert_eq!(slugs[0], "same");
    assert!(
        slugs[1].starts_with("same-") && slugs[2].starts_with("same-") && slugs[1] != slugs[2],
        "{slugs:?}"
    );

    let chosen = json!({"title": "Other", "body": "B", "slug": "same"});
    app.post("/v1/posts").by(&author).json(&chosen).expect_fields(409, &[("slug", "taken")]).await;
    let change = json!({"slug": "same"});
    let path = format!("/v1/posts/{}", slugs[1]);
    app.patch(&path).by(&author).json(&change).expect_fields(409, &[("slug", "taken")]).await;
    let like_an_id = json!({"title": "T", "body": "B", "slug": "0199f4a2-7d1c-7a52-9c53-0f9b6c1e2d3a"});
    app.post("/v1/posts").by(&author).json(&like_an_id).expect_fields(422, &[("slug", "invalid_slug")]).await;
}

#[tokio::test]
async fn changing_a_post_keeps_what_is_absent_and_clears_what_is_null() {
    let app = TestApp::start().await;
    let author = app.author().await;
    let body = json!({"title": "T", "body": "B", "summary": "S", "tags": ["a"], "status": "published"});
    let before = app.post("/v1/posts").by(&author).json(&body).expect(201).await;
    let other = app.post_by(&author).await;
    let path = format!("/v1/posts/{}", before.id());
    let change = json!({"body": "**C**", "summary": null, "comments_open": false});
    let after = app.patch(&path).by(&author).json(&change).expect(200).await.json();
    assert_eq!(after["body_html"], "<p><strong>C</strong></p>\n");
    assert_eq!((&after["summary"], &after["comments_open"]), (&Value::Null, &json!(false)));
    for key in ["id", "slug", "title", "tags", "status", "published_at", "created_at", "author"] {
        assert_eq!(after[key], before.json()[key], "{key}");
    }
    assert_eq!(app.get(&format!("/v1/posts/{other}")).expect(200).await.json()["title"], "A post");
    let null = json!({"title": null});
    app.patch(&path).by(&author).json(&null).expect_fields(422, &[("title", "wrong_type")]).await;
    let nothing = "/v1/posts/no-such-post";
    app.patch(nothing).by(&author).json(&json!({})).expect_problem(404, "not_found").await;
    app.delete(nothing).by(&author).expect_problem(404, "not_found").await;
}

#[tokio::test]
async fn a_deleted_post_is_gone_until_an_editor_restores_it() {
    let app = TestApp::start().await;
    let (author, editor) = (app.author().await, app.editor().await);
    let id = app.post_by(&author).await;
    let comment = app.comment_by(&author, &id, None).await;
    let path = format!("/v1/posts/{id}");
    app.delete(&path).by(&author).expect(204).await;
    for user in [&author, &editor] {
        app.get(&path).by(user).expect_problem(404, "not_found").await;
        app.delete(&path).by(user).expect_problem(404, "not_found").await;
        app.patch(&path).by(user).json(&json!({"title": "x"})).expect_problem(404, "not_found").await;
    }
    app.get(&format!("{path}/comments")).expect_problem(404, "not_found").await;
    app.get(&format!("/v1/comments/{comment}")).expect_problem(404, "not_found").await;
    assert!(app.get("/v1/posts").expect(200).await.items("id").is_empty());
    let deleted = app.get("/v1/posts?status=deleted").by(&editor).expect(200).await;
    assert_eq!(deleted.items("id"), [id.as_str()]);
    assert!(deleted.json()["items"][0]["deleted_at"].is_string(), "{deleted}");

    for _ in 0..2 {
        let restored = app.post(&format!("{path}/restore")).by(&editor).expect(200).await;
        assert_eq!((restored.id(), &restored.json()["status"]), (id.clone(), &json!("published")));
    }
    app.get(&path).expect(200).await;
    app.get(&format!("/v1/comments/{comment}")).expect(200).await;
    app.post("/v1/posts/no-such-post/restore").by(&editor).expect_problem(404, "not_found").await;
}

#[tokio::test]
async fn filters_combine() {
    let app = TestApp::start().await;
    let (ada, grace) = (app.author().await, app.author().await);
    let write = async |user, title: &str, body: &str, tags: &[&str]| {
        app.advance(TimeDelta::minutes(1));
        let body = json!({"title": title, "body": body, "tags": tags, "status": "published"});
        app.post("/v1/posts").by(user).json(&body).expect(201).await;
    };
    write(&ada, "Engines", "On weaving numbers", &["history", "engines"]).await;
    write(&ada, "Numbers", "Of every kind", &["history"]).await;
    write(&grace, "Compilers", "They weave programs", &["engines"]).await;

    let titles = async |query: &str| app.get(&format!("/v1/posts?{query}")).expect(200).await.items("title");
    assert_eq!(titles("").await, ["Compilers", "Numbers", "Engines"]);
    assert_eq!(titles("sort=published_at").await, ["Engines", "Numbers", "Compilers"]);
    assert_eq!(titles(&format!("author={}", ada.id)).await, ["Numbers", "Engines"]);
    assert_eq!(titles("tag=ENGINES").await, ["Compilers", "Engines"]);
    assert_eq!(titles(&format!("tag=engines&author={}", grace.id)).await, ["Compilers"]);
    assert_eq!(titles("q=weave").await, ["Compilers", "Engines"]);
    assert_eq!(titles("q=weave+-programs").await, ["Engines"]);
    assert_eq!(titles("q=%22every+kind%22&tag=history").await, ["Numbers"]);
    assert_eq!(titles("tag=nothing").await, Vec::<String>::new());
    // Whatever people type is a search, never an error.
    for query in ["q=", "q=%22", "q=%28%29%26%7C%21%3A%2A", "q=%F0%9F%A6%80", "tag="] {
        titles(query).await;
    }
}

#[tokio::test]
async fn text_of_the_largest_size_is_taken_and_one_character_more_is_not() {
    let app = TestApp::start().await;
    let author = app.author().await;
    let words: String = (0..).map(|n| format!("wörd-{n} ")).take(30_000).collect();
    let longest: String = words.chars().take(200_000).collect();
    let body = json!({"title": "é".repeat(200), "body": longest});
    app.post("/v1/posts").by(&author).json(&body).expect(201).await;
    let body = json!({"title": "x", "body": "x".repeat(200_001)});
    app.post("/v1/posts").by(&author).json(&body).expect_fields(422, &[("body", "too_long")]).await;
    let body = json!({"title": "x", "body": "🦀".repeat(200_000)});
    app.post("/v1/posts").by(&author).json(&body).expect(201).await;
}

#[tokio::test]
async fn a_slug_that_a_deleted_post_holds_is_explained_to_its_author_and_to_editors() {
    let app = TestApp::start().await;
    let (author, other, editor) = (app.author().await, app.author().await, app.editor().await);
    let body = json!({"title": "T", "body": "B", "slug": "mine"});
    let post = app.post("/v1/posts").by(&author).json(&body).expect(201).await.id();
    let details = async |who: &TestUser| {
        let created = app.post("/v1/posts").by(who).json(&body);
        let created = created.expect_fields(409, &[("slug", "taken")]).await;
        let draft = app.draft_by(who).await;
        let renamed = app.patch(&format!("/v1/posts/{draft}")).by(who).json(&json!({"slug": "mine"}));
        let renamed = renamed.expect_fields(409, &[("slug", "taken")]).await;
        let detail = created.json()["errors"][0]["detail"].as_str().unwrap().to_owned();
        assert_eq!(renamed.json()["errors"][0]["detail"], detail);
        detail
    };
    for who in [&author, &other, &editor] {
        assert_eq!(details(who).await, "is taken already");
    }
    app.delete(&format!("/v1/posts/{post}")).by(&author).expect(204).await;
    assert!(details(&author).await.contains("a post of yours which was deleted"));
    assert!(details(&editor).await.contains("restore it"));
    assert_eq!(details(&other).await, "is taken already");
}
