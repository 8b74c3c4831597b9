//! Tags: each with exactly as many posts as everybody sees.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::support::{TestApp, TestUser};

/// The tags as `query` lists them, with their counts.
async fn tags(app: &TestApp, query: &str) -> Vec<(String, i64)> {
    let page = app.get(&format!("/v1/tags?{query}")).expect(200).await.json();
    let items = page["items"].as_array().unwrap().clone();
    items
        .iter()
        .map(|tag| (tag["name"].as_str().unwrap().to_owned(), tag["posts"].as_i64().unwrap()))
        .collect()
}

fn counts<const N: usize>(expected: [(&str, i64); N]) -> Vec<(String, i64)> {
    expected.map(|(name, posts)| (name.to_owned(), posts)).to_vec()
}

async fn write(app: &TestApp, author: &TestUser, fields: Value) -> String {
    let mut body = json!({"title": "T", "body": "B"});
    body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    app.post("/v1/posts").by(author).json(&body).expect(201).await.id()
}

#[tokio::test]
async fn a_tag_counts_the_posts_that_everybody_sees() {
    let app = TestApp::start().await;
    let (author, editor) = (app.author().await, app.editor().await);
    let post = write(&app, &author, json!({"tags": ["Rust", "web"], "status": "published"})).await;
    let draft = write(&app, &author, json!({"tags": ["rust", "secret"]})).await;
    let at = app.now() + TimeDelta::hours(1);
    let scheduled = json!({"tags": ["rust", "soon"], "status": "scheduled", "published_at": at});
    write(&app, &author, scheduled).await;
    assert_eq!(tags(&app, "").await, counts([("rust", 1), ("web", 1)]));
    assert_eq!(tags(&app, "sort=-posts").await, counts([("rust", 1), ("web", 1)]));

    app.advance(TimeDelta::hours(1));
    assert_eq!(tags(&app, "").await, counts([("rust", 2), ("soon", 1), ("web", 1)]));

    let path = format!("/v1/posts/{post}");
    app.patch(&path).by(&author).json(&json!({"tags": ["web", "new"]})).expect(200).await;
    assert_eq!(tags(&app, "").await, counts([("new", 1), ("rust", 1), ("soon", 1), ("web", 1)]));

    let publish = json!({"status": "published"});
    app.patch(&format!("/v1/posts/{draft}")).by(&author).json(&publish).expect(200).await;
    app.delete(&path).by(&author).expect(204).await;
    assert_eq!(tags(&app, "sort=-posts").await, counts([("rust", 2), ("secret", 1), ("soon", 1)]));

    app.post(&format!("{path}/restore")).by(&editor).expect(200).await;
    app.patch(&format!("/v1/posts/{draft}")).by(&author).json(&json!({"status": "draft"})).expect(200).await;
    assert_eq!(tags(&app, "").await, counts([("new", 1), ("rust", 1), ("soon", 1), ("web", 1)]));
}

#[tokio::test]
async fn what_is_scheduled_does_not_disturb_the_order() {
    let app = TestApp::start().await;
    let author = app.author().await;
    for n in 0..3 {
        let tags: &[&str] = if n == 0 { &["a", "b", "c"] } else { &["b"] };
        write(&app, &author, json!({"tags": tags, "status": "published"})).await;
    }
    let at = app.now() + TimeDelta::hours(1);
    for _ in 0..4 {
        let scheduled = json!({"tags": ["a", "later"], "status": "scheduled", "published_at": at});
        write(&app, &author, scheduled).await;
    }
    assert_eq!(tags(&app, "sort=-posts").await, counts([("b", 3), ("a", 1), ("c", 1)]));
    let page = app.get("/v1/tags?sort=-posts&limit=1").expect(200).await.json();
    let cursor = page["next_cursor"].as_str().unwrap();
    assert_eq!(tags(&app, &format!("sort=-posts&cursor={cursor}")).await, counts([("a", 1), ("c", 1)]));
    app.get(&format!("/v1/tags?cursor={cursor}")).expect_fields(400, &[("cursor", "malformed")]).await;
    app.advance(TimeDelta::hours(1));
    let expected = counts([("a", 5), ("later", 4), ("b", 3), ("c", 1)]);
    assert_eq!(tags(&app, "sort=-posts").await, expected);
}

#[tokio::test]
async fn tags_are_found_by_how_they_begin() {
    let app = TestApp::start().await;
    let author = app.author().await;
    let at = app.now() + TimeDelta::hours(1);
    let published = json!({"tags": ["rust", "rust lang", "ruby", "100%", "élan"], "status": "published"});
    write(&app, &author, published).await;
    let scheduled = json!({"tags": ["ruby"], "status": "scheduled", "published_at": at});
    write(&app, &author, scheduled).await;
    assert_eq!(tags(&app, "q=RU").await, counts([("ruby", 1), ("rust", 1), ("rust lang", 1)]));
    assert_eq!(tags(&app, "q=rust").await, counts([("rust", 1), ("rust lang", 1)]));
    assert_eq!(tags(&app, "q=%C3%89l").await, counts([("élan", 1)]));
    assert_eq!(tags(&app, "q=100%25").await, counts([("100%", 1)]));
    assert_eq!(tags(&app, "q=%25").await, counts([]));
    app.get("/v1/tags?sort=posts").expect_fields(422, &[("sort", "wrong_type")]).await;
    app.get("/v1/tags?limit=0").expect_fields(422, &[("limit", "out_of_range")]).await;
}
