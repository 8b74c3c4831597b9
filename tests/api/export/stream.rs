//! An export that is larger than what fits between the database and its client: the client reads a little of
//! it, and something happens.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::Request;
use http_body_util::{BodyExt, Empty};
use hyper_util::client::legacy;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

use super::{assert_shape, execute, values};
use crate::support::{TestApp, TestUser};

/// A user with 40 MB of posts, and a like.
async fn prolific(app: &TestApp) -> TestUser {
    let user = app.author().await;
    let id = user.id;
    execute(
        app,
        &format!(
            "insert into posts (id, author_id, slug, title, body, body_html, created_at, updated_at)
               select gen_random_uuid(), '{id}', '{id}-' || i, 'T', repeat('x', 200000), repeat('y', 200000), now(), now()
               from generate_series(1, 100) i;
             insert into post_likes select id, '{id}', now() from posts where slug = '{id}-1'"
        ),
    )
    .await;
    user
}

/// Asks, and reads the first piece.
async fn begin(app: &TestApp, user: &TestUser) -> (Vec<u8>, Body) {
    begin_from(app, user, "203.0.113.1").await
}

/// The same from an address, which counts behind a proxy.
async fn begin_from(app: &TestApp, user: &TestUser, address: &str) -> (Vec<u8>, Body) {
    let client = legacy::Client::builder(TokioExecutor::new()).build_http::<Empty<Bytes>>();
    let request = Request::get(format!("http://{}/v1/users/me/export", app.address))
        .header("authorization", format!("Bearer {}", user.token))
        .header("x-forwarded-for", address)
        .body(Empty::new());
    let response = client.request(request.unwrap()).await.unwrap();
    assert_eq!(response.status(), 200);
    let mut body = Body::new(response.into_body());
    let first = body.frame().await.unwrap().unwrap().into_data().unwrap();
    (first.to_vec(), body)
}

#[tokio::test]
async fn it_is_all_of_one_moment_whatever_happens_meanwhile() {
    let app = TestApp::start().await;
    let user = prolific(&app).await;
    let (mut text, body) = begin(&app, &user).await;
    // Posts are read by now, likes are not.
    app.delete(&format!("/v1/users/{}", user.id)).by(&user).expect(204).await;
    text.extend(body.collect().await.unwrap().to_bytes());
    let export: Value = serde_json::from_slice(&text).unwrap();
    assert_shape(&export);
    assert_eq!(values(&export, "posts", "id").len(), 100);
    assert_eq!(values(&export, "likes", "post_id").len(), 1);
}

#[tokio::test]
async fn an_error_breaks_it_off() {
    let app = TestApp::start().await;
    let user = prolific(&app).await;
    let (mut text, mut body) = begin(&app, &user).await;
    let end = "select count(pg_terminate_backend(pid)) from pg_stat_activity
               where datname = current_database() and state = 'idle in transaction'";
    while sqlx::query_scalar::<_, i64>(end).fetch_one(&mut app.db.acquire().await.unwrap()).await.unwrap()
        == 0
    {}
    while let Ok(frame) = body.frame().await.expect("it must not look like the end") {
        text.extend(frame.into_data().unwrap());
    }
    assert!(serde_json::from_slice::<Value>(&text).is_err());
    // The next one finds the database again.
    let (_text, _body) = begin(&app, &user).await;
}

#[tokio::test]
async fn a_few_slow_clients_hold_up_only_each_other() {
    let app = TestApp::start_with(&[("TRUSTED_PROXY_HOPS", "1")]).await;
    let (user, other) = (prolific(&app).await, prolific(&app).await);
    let export = |user, address| app.get("/v1/users/me/export").by(user).header("x-forwarded-for", address);
    let first = begin_from(&app, &user, "203.0.113.1").await;
    for (user, address) in [(&user, "203.0.113.2"), (&other, "203.0.113.1")] {
        let again = export(user, address).expect_problem(429, "rate_limited").await;
        assert_eq!(again.header("retry-after"), "1");
    }
    let slow = [first, begin_from(&app, &other, "203.0.113.2").await];
    let third = app.reader().await;
    let reply = export(&third, "203.0.113.3").expect_problem(503, "overloaded").await;
    assert_eq!(reply.header("retry-after"), "1");
    app.get("/v1/users/me").by(&user).expect(200).await;
    drop(slow);
    let again = async {
        while export(&user, "203.0.113.1").send().await.status != 200 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), again).await.expect("a slot is free again");
}
