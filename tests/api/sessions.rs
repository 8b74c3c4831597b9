//! Signing in and out.

use chrono::TimeDelta;
use serde_json::json;
use uuid::Uuid;

use crate::support::{PASSWORD, TestApp};

#[tokio::test]
async fn a_token_works_until_it_is_revoked() {
    let app = TestApp::start().await;
    let user = app.author().await;
    let credentials = json!({"email": user.email, "password": PASSWORD});
    let reply = app.post("/v1/sessions").header("user-agent", "phone").json(&credentials).expect(201).await;
    let session = reply.json();
    let token = session["token"].as_str().unwrap();
    assert!(token.starts_with("blog_") && token.len() == 48, "{reply}");
    assert_eq!(session["user_id"], user.id.to_string());
    assert_eq!((&session["user_agent"], &session["ip_address"]), (&json!("phone"), &json!("127.0.0.1")));

    app.get("/v1/users/me").token(token).expect(200).await;
    app.get("/v1/users/me").header("authorization", &format!("bearer {token}")).expect(200).await;
    app.delete("/v1/sessions/current").token(token).expect(204).await;
    app.get("/v1/users/me").token(token).expect_problem(401, "unauthenticated").await;
    app.get("/v1/users/me").by(&user).expect(200).await;
}

#[tokio::test]
async fn an_unknown_address_and_a_wrong_password_get_the_same_answer() {
    let app = TestApp::start().await;
    let user = app.author().await;
    let sign_in = |email: &str, password: &str| {
        app.post("/v1/sessions").json(&json!({"email": email, "password": password}))
    };
    let mut answers = Vec::new();
    for (email, password) in [
        (user.email.as_str(), "not the password"),
        ("nobody@example.com", PASSWORD),
        ("not an address", PASSWORD),
        ("with a \0 in it", PASSWORD),
        ("", ""),
    ] {
        let reply = sign_in(email, password).expect_problem(401, "unauthenticated").await;
        assert_eq!(reply.header("www-authenticate"), "Bearer");
        let mut answer = reply.json();
        answer["request_id"].take();
        answers.push(answer);
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
}

#[tokio::test]
async fn a_token_expires() {
    let app = TestApp::start().await;
    let user = app.author().await;
    app.advance(TimeDelta::days(30) - TimeDelta::seconds(1));
    app.get("/v1/users/me").by(&user).expect(200).await;
    app.advance(TimeDelta::seconds(1));
    app.get("/v1/users/me").by(&user).expect_problem(401, "unauthenticated").await;

    let credentials = json!({"email": user.email, "password": PASSWORD});
    let session = app.post("/v1/sessions").json(&credentials).expect(201).await.json();
    let live = app.get("/v1/sessions").token(session["token"].as_str().unwrap()).expect(200).await;
    assert_eq!(live.items("id"), [session["id"].as_str().unwrap()]);
}

#[tokio::test]
async fn a_bad_token_is_refused_even_where_none_is_needed() {
    let app = TestApp::start().await;
    let user = app.author().await;
    let post = app.post_by(&user).await;
    let mut tampered = user.token.clone();
    tampered.pop();
    for path in ["/v1/posts".to_owned(), format!("/v1/posts/{post}"), format!("/v1/users/{}", user.id)] {
        app.get(&path).token(&tampered).expect_problem(401, "unauthenticated").await;
        app.get(&path).token("").expect_problem(401, "unauthenticated").await;
        app.get(&path).header("authorization", "Basic YTpi").expect_problem(401, "unauthenticated").await;
        app.get(&path).by(&user).by(&user).expect_problem(401, "unauthenticated").await;
    }
}

#[tokio::test]
async fn devices_are_listed_and_signed_out_by_their_user_alone() {
    let app = TestApp::start().await;
    let (user, other) = (app.author().await, app.author().await);
    app.advance(TimeDelta::minutes(1));
    let credentials = json!({"email": user.email, "password": PASSWORD});
    let newer = app.post("/v1/sessions").json(&credentials).expect(201).await;
    let list = app.get("/v1/sessions").by(&user).expect(200).await;
    assert_eq!(list.items("id")[0], newer.id());
    let current: Vec<_> =
        list.json()["items"].as_array().unwrap().iter().map(|s| s["current"].clone()).collect();
    assert_eq!(current, [json!(false), json!(true)]);
    assert!(!list.to_string().contains("token"), "{list}");

    let path = format!("/v1/sessions/{}", newer.id());
    app.delete(&path).by(&other).expect_problem(404, "not_found").await;
    app.delete(&path).by(&user).expect(204).await;
    app.delete(&path).by(&user).expect_problem(404, "not_found").await;
    app.get("/v1/users/me").token(newer.json()["token"].as_str().unwrap()).expect(401).await;
}

#[tokio::test]
async fn use_is_noted_every_few_minutes() {
    let app = TestApp::start().await;
    let user = app.author().await;
    let last_used =
        async || app.get("/v1/sessions").by(&user).expect(200).await.items("last_used_at").remove(0);
    let first = last_used().await;
    app.advance(TimeDelta::minutes(4));
    assert_eq!(last_used().await, first);
    app.advance(TimeDelta::minutes(4));
    assert_ne!(last_used().await, first);
}

#[tokio::test]
async fn the_client_address_comes_from_the_trusted_proxies() {
    let app = TestApp::start_with(&[("TRUSTED_PROXY_HOPS", "1")]).await;
    let user = app.author().await;
    let credentials = json!({"email": user.email, "password": PASSWORD});
    let forged = "6.6.6.6, 203.0.113.7";
    let reply =
        app.post("/v1/sessions").header("x-forwarded-for", forged).json(&credentials).expect(201).await;
    assert_eq!(reply.json()["ip_address"], "203.0.113.7");

    let direct = TestApp::start().await;
    let user = direct.author().await;
    let credentials = json!({"email": user.email, "password": PASSWORD});
    let reply =
        direct.post("/v1/sessions").header("x-forwarded-for", forged).json(&credentials).expect(201).await;
    assert_eq!(reply.json()["ip_address"], "127.0.0.1");
}

#[tokio::test]
async fn expired_sessions_are_forgotten() {
    let app = TestApp::start().await;
    app.author().await;
    app.advance(TimeDelta::days(29));
    let live = app.author().await;
    app.advance(TimeDelta::days(1));
    app.maintain().await;
    let mut connection = app.db.acquire().await.unwrap();
    let owners: Vec<Uuid> =
        sqlx::query_scalar("select user_id from sessions").fetch_all(&mut connection).await.unwrap();
    assert_eq!(owners, [live.id]);
}
