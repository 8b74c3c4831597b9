//! What becomes of a post's text, also long after it was written.

use blog_api::comments::jobs as comments_jobs;
use blog_api::markdown::{RENDERER_VERSION, Renderer};
use blog_api::posts::{jobs, store};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::TestApp;

const TEXT: &str = "# One\n\nSome *words*[^1].\n\n## Two\n\n[^1]: A note.\n";

#[tokio::test]
async fn a_post_has_what_its_text_becomes() {
    let app = TestApp::start().await;
    let author = app.author().await;
    let body = json!({"title": "T", "body": TEXT, "status": "published"});
    let post = app.post("/v1/posts").by(&author).json(&body).expect(201).await;
    let toc = json!([
        {"level": 1, "anchor": "h-one", "text": "One"},
        {"level": 2, "anchor": "h-two", "text": "Two"},
    ]);
    let path = format!("/v1/posts/{}", post.id());
    let read = app.get(&path).expect(200).await.json();
    assert_eq!(
        (&read["toc"], &read["excerpt"], &read["reading_minutes"]),
        (&toc, &json!("Some words."), &json!(1))
    );
    assert!(read["body_html"].as_str().unwrap().starts_with("<h1 id=\"h-one\">One</h1>"), "{read}");
    let listed = app.get("/v1/posts").expect(200).await.json();
    assert_eq!(listed["items"][0]["excerpt"], "Some words.");

    let longer = json!({"body": format!("# Three\n\n{}", "word ".repeat(401))});
    let changed = app.patch(&path).by(&author).json(&longer).expect(200).await.json();
    assert_eq!(changed["toc"], json!([{"level": 1, "anchor": "h-three", "text": "Three"}]));
    assert_eq!(changed["reading_minutes"], 3);
    let other = app.patch(&path).by(&author).json(&json!({"title": "Other"})).expect(200).await.json();
    for key in ["toc", "excerpt", "reading_minutes", "body_html"] {
        assert_eq!(other[key], changed[key], "{key}");
    }
}

#[tokio::test]
async fn text_that_is_too_complex_is_refused_by_name() {
    let app = TestApp::start().await;
    let author = app.author().await;
    let path = format!("/v1/posts/{}", app.post_by(&author).await);
    let body = ">".repeat(10_001);
    let too_complex = &[("body", "too_complex")];
    let post = json!({"title": "T", "body": body});
    app.post("/v1/posts").by(&author).json(&post).expect_fields(422, too_complex).await;
    app.patch(&path).by(&author).json(&json!({"body": body})).expect_fields(422, too_complex).await;
    let comments = format!("{path}/comments");
    let comment = json!({"body": "<i>".repeat(100)});
    app.post(&comments).by(&author).json(&comment).expect(201).await;
}

/// A post as an earlier version of the service would have left it.
async fn age(app: &TestApp, id: &str) {
    let mut connection = app.db.acquire().await.unwrap();
    let aged =
        "update posts set body_html = 'old', toc = '[]', excerpt = 'old', reading_minutes = 9, renderer = 0
                where id = $1::uuid";
    sqlx::query(aged).bind(id).execute(&mut connection).await.unwrap();
}

#[tokio::test]
async fn what_an_earlier_version_rendered_is_rendered_anew() {
    let app = TestApp::start().await;
    let author = app.author().await;
    let mut posts = Vec::new();
    for n in 0..25 {
        let body = json!({"title": format!("Post {n}"), "body": TEXT, "status": "published"});
        let post = app.post("/v1/posts").by(&author).json(&body).expect(201).await.json();
        age(&app, post["id"].as_str().unwrap()).await;
        posts.push(post);
    }
    let path = |post: &Value| format!("/v1/posts/{}", post["id"].as_str().unwrap());
    assert_eq!(app.get(&path(&posts[0])).expect(200).await.json()["body_html"], "old");
    app.delete(&path(&posts[24])).by(&author).expect(204).await;

    app.maintain().await;
    for post in &posts[..24] {
        // Nothing but the rendering has changed, so that it is as it was at first.
        assert_eq!(app.get(&path(post)).expect(200).await.json(), *post);
    }
    let editor = app.editor().await;
    let restored = app.post(&format!("{}/restore", path(&posts[24]))).by(&editor).expect(200).await.json();
    assert_eq!(restored["body_html"], posts[24]["body_html"]);
    assert_eq!(jobs::rerender(&app.db, &Renderer::default()).await.unwrap(), 0);
}

#[tokio::test]
async fn a_text_that_changes_meanwhile_keeps_its_own_rendering() {
    let app = TestApp::start().await;
    let author = app.author().await;
    let id = app.post_by(&author).await;
    age(&app, &id).await;
    let mut connection = app.db.acquire().await.unwrap();
    let found = store::stale_renderings(&mut connection, Uuid::nil(), 10).await.unwrap();
    let [post] = &found[..] else { panic!("{found:?}") };
    let rendered = Renderer::default().post(post.id, "# Late").await.unwrap();
    let path = format!("/v1/posts/{id}");
    // Any change makes another version; this one leaves the text to be rendered.
    app.patch(&path).by(&author).json(&json!({"title": "Changed"})).expect(200).await;
    let text = store::Text { rendered, media: Vec::new() };
    let new = store::NewRendering { text: &text, title: &post.title, tags: &post.tags };
    assert!(!store::set_rendering(&mut connection, post.id, post.version, &new).await.unwrap());
    let after = app.patch(&path).by(&author).json(&json!({"body": "New."})).expect(200).await.json();
    assert_eq!(after["body_html"], "<p>New.</p>\n");
    assert!(
        store::stale_renderings(&mut connection, Uuid::nil(), 10).await.unwrap().is_empty(),
        "below {RENDERER_VERSION}"
    );
}

#[tokio::test]
async fn a_text_that_can_no_longer_be_rendered_holds_up_no_other() {
    let app = TestApp::start().await;
    let author = app.author().await;
    let (hopeless, other) = (app.post_by(&author).await, app.post_by(&author).await);
    let mut connection = app.db.acquire().await.unwrap();
    let complex = "update posts set body = repeat('>', 10001) where id = $1::uuid";
    sqlx::query(complex).bind(&hopeless).execute(&mut connection).await.unwrap();
    age(&app, &hopeless).await;
    age(&app, &other).await;
    for expected in [1, 0] {
        assert_eq!(jobs::rerender(&app.db, &Renderer::default()).await.unwrap(), expected);
        let html = async |id: &str| {
            app.get(&format!("/v1/posts/{id}")).expect(200).await.json()["body_html"].clone()
        };
        assert_eq!(
            (html(&hopeless).await, html(&other).await),
            (json!("old"), json!("<p>Some <em>text</em>.</p>\n"))
        );
    }
}

/// The ids of footnotes in `body_html`.
fn notes(text: &Value) -> Vec<String> {
    let html = text["body_html"].as_str().unwrap();
    let ids = html.split(" id=\"").skip(1).map(|rest| rest.split('"').next().unwrap().to_owned());
    ids.filter(|id| id.starts_with("fn")).collect()
}

#[tokio::test]
async fn texts_that_say_the_same_share_no_ids_of_footnotes() {
    let app = TestApp::start().await;
    let author = app.author().await;
    let body = json!({"title": "T", "body": TEXT, "status": "published"});
    let one = app.post("/v1/posts").by(&author).json(&body).expect(201).await.json();
    let other = app.post("/v1/posts").by(&author).json(&body).expect(201).await.json();
    let comments = format!("/v1/posts/{}/comments", one["id"].as_str().unwrap());
    let mut texts = vec![one.clone(), other];
    for _ in 0..2 {
        texts.push(app.post(&comments).by(&author).json(&json!({"body": TEXT})).expect(201).await.json());
    }
    let mut ids: Vec<_> = texts.iter().flat_map(notes).collect();
    assert_eq!(ids.len(), 8, "{ids:?}");
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 8, "{ids:?}");

    // Whoever changes or restores it, and by whatever name.
    let path = format!("/v1/posts/{}", one["slug"].as_str().unwrap());
    let changed = app.patch(&path).by(&author).json(&json!({"body": format!("{TEXT} ")})).expect(200).await;
    assert_eq!(notes(&changed.json()), notes(&one));
    let restored = app.post(&format!("{path}/revisions/1/restore")).by(&author).expect(200).await;
    assert_eq!(restored.json()["body_html"], one["body_html"]);
    let comment = format!("/v1/comments/{}", texts[2]["id"].as_str().unwrap());
    let changed = app.patch(&comment).by(&author).json(&json!({"body": TEXT})).expect(200).await;
    assert_eq!(notes(&changed.json()), notes(&texts[2]));
}

#[tokio::test]
async fn links_say_whether_they_are_a_readers_an_authors_or_the_sites_own() {
    let app = TestApp::start_with(&[("PUBLIC_URL", "https://blog.example")]).await;
    let author = app.author().await;
    let text = "[own](https://blog.example/about) [relative](/about) [other](https://other.example)";
    let body = json!({"title": "T", "body": text, "status": "published"});
    let post = app.post("/v1/posts").by(&author).json(&body).expect(201).await.json();
    assert_eq!(
        post["body_html"],
        "<p><a href=\"https://blog.example/about\" rel=\"noopener\">own</a> \
         <a href=\"/about\" rel=\"noopener\">relative</a> \
         <a href=\"https://other.example\" rel=\"noopener noreferrer\">other</a></p>\n"
    );
    let comments = format!("/v1/posts/{}/comments", post["id"].as_str().unwrap());
    let comment = app.post(&comments).by(&author).json(&json!({"body": text})).expect(201).await.json();
    let html = comment["body_html"].as_str().unwrap();
    assert_eq!(html.matches(" rel=\"nofollow ugc noopener noreferrer\"").count(), 3, "{html}");
}

#[tokio::test]
async fn comments_that_an_earlier_version_rendered_are_rendered_anew() {
    let app = TestApp::start().await;
    let author = app.author().await;
    let comments = format!("/v1/posts/{}/comments", app.post_by(&author).await);
    let body = json!({"body": "[x](https://other.example)"});
    let comment = app.post(&comments).by(&author).json(&body).expect(201).await.json();
    let gone = app.post(&comments).by(&author).json(&body).expect(201).await.json();
    let reply = json!({"body": "A reply.", "parent_id": gone["id"]});
    app.post(&comments).by(&author).json(&reply).expect(201).await;
    app.delete(&format!("/v1/comments/{}", gone["id"].as_str().unwrap())).by(&author).expect(204).await;
    let path = format!("/v1/comments/{}", comment["id"].as_str().unwrap());
    let mut connection = app.db.acquire().await.unwrap();
    // As the previous image writes it.
    let age =
        "update comments set body_html = case when deleted_at is null then 'old' else '' end, renderer = 0";
    sqlx::query(age).execute(&mut connection).await.unwrap();
    let edit = json!({"body": "[y](https://other.example)"});

    app.maintain().await;
    assert_eq!(app.get(&path).expect(200).await.json(), comment);
    assert_eq!(comments_jobs::rerender(&app.db, &app.renderer).await.unwrap(), 0);

    sqlx::query(age).execute(&mut connection).await.unwrap();
    let edited = app.patch(&path).by(&author).json(&edit).expect(200).await.json();
    assert_eq!(comments_jobs::rerender(&app.db, &app.renderer).await.unwrap(), 1);
    assert_eq!(app.get(&path).expect(200).await.json(), edited);
}
