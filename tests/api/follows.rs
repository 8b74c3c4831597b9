//! Following, and the feed that it makes.

use chrono::TimeDelta;
use futures_util::future::join_all;
use serde_json::json;

use crate::support::{TestApp, TestUser};

async fn follow(app: &TestApp, user: &TestUser, followed: &TestUser) {
    app.put(&format!("/v1/users/{}/follow", followed.id)).by(user).expect(204).await;
}

#[tokio::test]
async fn following_twice_is_following_once() {
    let app = TestApp::start().await;
    let (reader, author) = (app.reader().await, app.author().await);
    let path = format!("/v1/users/{}/follow", author.id);
    let following = format!("/v1/users/{}/following", reader.id);
    let followers = format!("/v1/users/{}/followers", author.id);
    for _ in 0..2 {
        app.put(&path).by(&reader).expect(204).await;
        let followed = app.get(&following).expect(200).await;
        assert_eq!(followed.items("username"), [author.username.as_str()]);
        assert!(followed.json()["items"][0].get("email").is_none());
        assert_eq!(app.get(&followers).expect(200).await.items("username"), [reader.username.as_str()]);
    }
    assert!(app.get(&format!("/v1/users/{}/followers", reader.id)).expect(200).await.items("id").is_empty());
    for _ in 0..2 {
        app.delete(&path).by(&reader).expect(204).await;
        assert!(app.get(&following).expect(200).await.items("id").is_empty());
    }
}

#[tokio::test]
async fn nobody_follows_themselves_or_nobody() {
    let app = TestApp::start().await;
    let user = app.reader().await;
    let own = format!("/v1/users/{}/follow", user.id);
    app.put(&own).by(&user).expect_fields(409, &[("id", "oneself")]).await;
    let nobody = "/v1/users/0199f4a2-7d1c-7a52-9c53-0f9b6c1e2d3a";
    for (method, action) in
        [("PUT", "follow"), ("DELETE", "follow"), ("GET", "following"), ("GET", "followers")]
    {
        let path = format!("{nobody}/{action}");
        app.call(method, &path).by(&user).expect_problem(404, "not_found").await;
    }
    for method in ["PUT", "DELETE"] {
        app.call(method, &own).expect_problem(401, "unauthenticated").await;
    }
}

#[tokio::test]
async fn the_erased_neither_follow_nor_are_followed() {
    let app = TestApp::start().await;
    let (one, two, gone) = (app.reader().await, app.author().await, app.author().await);
    follow(&app, &one, &gone).await;
    follow(&app, &gone, &two).await;
    app.post_by(&gone).await;
    app.delete(&format!("/v1/users/{}", gone.id)).by(&gone).expect(204).await;
    assert!(app.get(&format!("/v1/users/{}/following", one.id)).expect(200).await.items("id").is_empty());
    assert!(app.get(&format!("/v1/users/{}/followers", two.id)).expect(200).await.items("id").is_empty());
    assert!(app.get("/v1/feed").by(&one).expect(200).await.items("id").is_empty());
}

#[tokio::test]
async fn nobody_follows_more_than_a_thousand_also_not_at_once() {
    let app = TestApp::start().await;
    let reader = app.reader().await;
    let mut connection = app.db.acquire().await.unwrap();
    sqlx::query(
        "with made as (
           insert into users (id, username, email, password_hash, role, created_at, updated_at)
           select gen_random_uuid(), 'u' || n, 'u' || n || '@example.com', 'x', 'author', $2, $2
           from generate_series(1, 998) n returning id)
         insert into follows (follower_id, followed_id, created_at) select $1, id, $2 from made",
    )
    .bind(reader.id)
    .bind(app.now())
    .execute(&mut connection)
    .await
    .unwrap();
    drop(connection);
    let mut authors = Vec::new();
    for _ in 0..6 {
        authors.push(app.author().await);
    }
    let wish = async |author: &TestUser| {
        app.put(&format!("/v1/users/{}/follow", author.id)).by(&reader).send().await
    };
    let replies = join_all(authors.iter().map(wish)).await;
    let (granted, refused): (Vec<_>, Vec<_>) =
        authors.iter().zip(&replies).partition(|(_, reply)| reply.status == 204);
    assert_eq!(granted.len(), 2);
    assert!(refused.iter().all(|(_, reply)| reply.fields() == [("id", "too_many")]));
    // Who is followed already stays so, and makes room when followed no more.
    follow(&app, &reader, granted[0].0).await;
    app.delete(&format!("/v1/users/{}/follow", granted[0].0.id)).by(&reader).expect(204).await;
    follow(&app, &reader, refused[0].0).await;
}

#[tokio::test]
async fn the_feed_has_what_the_followed_have_published() {
    let app = TestApp::start().await;
    let (reader, ada, grace) = (app.reader().await, app.author().await, app.author().await);
    let feed = async || app.get("/v1/feed").by(&reader).expect(200).await.items("id");
    let old = app.post_by(&ada).await;
    app.advance(TimeDelta::minutes(1));
    app.post_by(&grace).await;
    app.draft_by(&ada).await;
    let at = app.now() + TimeDelta::hours(1);
    let body = json!({"title": "Later", "body": "x", "status": "scheduled", "published_at": at});
    let later = app.post("/v1/posts").by(&ada).json(&body).expect(201).await.id();
    assert!(feed().await.is_empty());

    follow(&app, &reader, &ada).await;
    assert_eq!(feed().await, [old.as_str()]);
    let page = app.get("/v1/feed").by(&reader).expect(200).await.json();
    assert_eq!(page["items"][0], app.get("/v1/posts?sort=published_at").expect(200).await.json()["items"][0]);
    app.advance(TimeDelta::hours(1));
    assert_eq!(feed().await, [later.clone(), old.clone()]);
    app.delete(&format!("/v1/posts/{later}")).by(&ada).expect(204).await;
    assert_eq!(feed().await, [old]);
    app.delete(&format!("/v1/users/{}/follow", ada.id)).by(&reader).expect(204).await;
    assert!(feed().await.is_empty());
    app.get("/v1/feed").expect_problem(401, "unauthenticated").await;
    app.get("/v1/feed?tag=x").by(&reader).expect_fields(422, &[("tag", "unknown")]).await;
}
