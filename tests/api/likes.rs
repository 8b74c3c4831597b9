//! Likes: who gives them, and that they are counted exactly.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::TestApp;

/// What everybody sees of a post.
async fn likes(app: &TestApp, post: &str) -> Value {
    app.get(&format!("/v1/posts/{post}")).expect(200).await.json()["likes"].clone()
}

#[tokio::test]
async fn liking_twice_is_liking_once() {
    let app = TestApp::start().await;
    let (author, reader) = (app.author().await, app.reader().await);
    let post = app.post_by(&author).await;
    let (path, like) = (format!("/v1/posts/{post}"), format!("/v1/posts/{post}/like"));
    for _ in 0..2 {
        app.put(&like).by(&reader).expect(204).await;
        assert_eq!(likes(&app, &post).await, 1);
    }
    // By its slug, and by its author.
    app.put("/v1/posts/a-post/like").by(&author).expect(204).await;
    assert_eq!(app.get("/v1/posts").expect(200).await.json()["items"][0]["likes"], 2);
    assert_eq!(app.get(&path).by(&reader).expect(200).await.json()["liked"], true);
    assert!(app.get(&path).expect(200).await.json().get("liked").is_none());
    for _ in 0..2 {
        app.delete(&like).by(&reader).expect(204).await;
        assert_eq!(likes(&app, &post).await, 1);
    }
    assert_eq!(app.get(&path).by(&reader).expect(200).await.json()["liked"], false);
}

#[tokio::test]
async fn only_what_is_published_is_liked() {
    let app = TestApp::start().await;
    let (author, reader) = (app.author().await, app.reader().await);
    let draft = app.draft_by(&author).await;
    let like = format!("/v1/posts/{draft}/like");
    app.put(&like).by(&author).expect_fields(409, &[("post", "not_published")]).await;
    app.put(&like).by(&reader).expect_problem(404, "not_found").await;
    app.delete(&like).by(&reader).expect_problem(404, "not_found").await;
    for method in ["PUT", "DELETE"] {
        app.call(method, "/v1/posts/nothing/like").by(&reader).expect_problem(404, "not_found").await;
        app.call(method, &like).expect_problem(401, "unauthenticated").await;
    }
    // Withdrawn and published again, a post still has its likes.
    let publish = async |status: &str| {
        let body = json!({"status": status});
        app.patch(&format!("/v1/posts/{draft}")).by(&author).json(&body).expect(200).await.json()
    };
    publish("published").await;
    app.put(&like).by(&reader).expect(204).await;
    publish("draft").await;
    app.put(&like).by(&reader).expect(404).await;
    assert_eq!(publish("published").await["likes"], 1);
}

#[tokio::test]
async fn likes_are_counted_exactly_while_many_change_their_minds_and_some_are_erased() {
    let app = TestApp::start().await;
    let author = app.author().await;
    let posts = [app.post_by(&author).await, app.post_by(&author).await];
    let mut users = Vec::new();
    for _ in 0..20 {
        users.push(app.reader().await);
    }
    let change = async |n: usize| {
        for round in 0..4 {
            for post in &posts {
                let path = format!("/v1/posts/{post}/like");
                // The first half ends with a like.
                let method = if round % 2 == usize::from(n < 10) { "PUT" } else { "DELETE" };
                app.call(method, &path).by(&users[n]).expect(204).await;
            }
        }
    };
    join_all((0..20).map(change)).await;
    for post in &posts {
        assert_eq!(likes(&app, post).await, 10);
    }
    // One erasure after the other, while the others like and unlike.
    let erase = async {
        for user in &users[..3] {
            app.delete(&format!("/v1/users/{}", user.id)).by(user).expect(204).await;
        }
    };
    futures_util::future::join(erase, join_all((5..15).map(change))).await;
    for post in &posts {
        assert_eq!(likes(&app, post).await, 7);
    }
}
