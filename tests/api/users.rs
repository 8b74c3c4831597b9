//! Accounts and profiles.

use serde_json::{Value, json};

use crate::support::{PASSWORD, TestApp};

fn ada() -> Value {
    json!({"username": "Ada", "email": "Ada@Example.com", "password": "correct horse battery"})
}

#[tokio::test]
async fn signing_up_makes_an_author_who_can_sign_in() {
    let app = TestApp::start().await;
    let mut body = ada();
    body["display_name"] = json!("  Ada Lovelace ");
    body["bio"] = json!("Writes about engines.\nAnd numbers.");
    let reply = app.post("/v1/users").json(&body).expect(201).await;
    let account = reply.json();
    assert_eq!(reply.header("location"), format!("/v1/users/{}", reply.id()));
    assert_eq!(account["role"], "author");
    assert_eq!(account["username"], "Ada");
    assert_eq!(account["email"], "Ada@Example.com");
    assert_eq!(account["display_name"], "Ada Lovelace");
    assert_eq!(account["bio"], "Writes about engines.\nAnd numbers.");
    assert!(!reply.to_string().contains("password"), "{reply}");

    let credentials = json!({"email": "ada@example.COM", "password": "correct horse battery"});
    let session = app.post("/v1/sessions").json(&credentials).expect(201).await.json();
    let me = app.get("/v1/users/me").token(session["token"].as_str().unwrap()).expect(200).await.json();
    assert_eq!(me, account);
}

#[tokio::test]
async fn the_default_role_is_configured() {
    let app = TestApp::start_with(&[("DEFAULT_ROLE", "reader")]).await;
    assert_eq!(app.post("/v1/users").json(&ada()).expect(201).await.json()["role"], "reader");
}

#[tokio::test]
async fn usernames_and_e_mail_addresses_are_unique_whatever_their_case() {
    let app = TestApp::start().await;
    app.post("/v1/users").json(&ada()).expect(201).await;
    let mut same_name = ada();
    same_name["username"] = json!("aDA");
    same_name["email"] = json!("other@example.com");
    app.post("/v1/users").json(&same_name).expect_fields(409, &[("username", "taken")]).await;
    let mut same_email = ada();
    same_email["username"] = json!("other");
    same_email["email"] = json!("ADA@example.com");
    app.post("/v1/users").json(&same_email).expect_fields(409, &[("email", "taken")]).await;
}

#[tokio::test]
async fn every_field_at_fault_is_named_at_once() {
    let app = TestApp::start().await;
    let body = json!({
        "username": "no spaces", "email": "nobody", "password": "short",
        "display_name": " ", "bio": "x".repeat(2001),
    });
    let expected = [
        ("username", "invalid_character"),
        ("email", "invalid_email"),
        ("display_name", "blank"),
        ("bio", "too_long"),
        ("password", "too_short"),
    ];
    app.post("/v1/users").json(&body).expect_fields(422, &expected).await;
}

#[tokio::test]
async fn weak_passwords_are_refused() {
    let app = TestApp::start().await;
    let sign_up = |password: &str| {
        let mut body = ada();
        body["password"] = json!(password);
        app.post("/v1/users").json(&body)
    };
    sign_up("Password123").expect_fields(422, &[("password", "too_common")]).await;
    sign_up("ada@example.com").expect_fields(422, &[("password", "same_as_account")]).await;
    sign_up(&"x".repeat(129)).expect_fields(422, &[("password", "too_long")]).await;
    sign_up(&"x".repeat(128)).expect(201).await;

    let lenient = TestApp::start_with(&[("PASSWORD_BLOCKLIST", "off")]).await;
    let mut body = ada();
    body["password"] = json!("password123");
    lenient.post("/v1/users").json(&body).expect(201).await;
}

#[tokio::test]
async fn the_public_profile_never_shows_the_e_mail_address() {
    let app = TestApp::start().await;
    let (user, admin) = (app.author().await, app.admin().await);
    let path = format!("/v1/users/{}", user.id);
    for call in [app.get(&path), app.get(&path).by(&user), app.get(&path).by(&admin)] {
        let reply = call.expect(200).await;
        assert_eq!(reply.json()["username"], user.username);
        assert!(!reply.to_string().contains(&user.email), "{reply}");
    }
    app.get("/v1/users/00000000-0000-7000-8000-000000000000").expect_problem(404, "not_found").await;
}

#[tokio::test]
async fn changing_a_profile_keeps_what_is_absent_and_clears_what_is_null() {
    let app = TestApp::start().await;
    let (user, other) = (app.author().await, app.author().await);
    let path = format!("/v1/users/{}", user.id);
    let body = json!({"display_name": "Ada", "bio": "Engines."});
    app.patch(&path).by(&user).json(&body).expect(200).await;
    let changed = app.patch(&path).by(&user).json(&json!({"bio": null})).expect(200).await.json();
    assert_eq!((&changed["display_name"], &changed["bio"]), (&json!("Ada"), &Value::Null));
    let untouched = app.get("/v1/users/me").by(&other).expect(200).await.json();
    assert_eq!(untouched["display_name"], Value::Null);
}

#[tokio::test]
async fn names_and_addresses_can_be_changed_but_not_to_taken_ones() {
    let app = TestApp::start().await;
    let (user, other) = (app.author().await, app.author().await);
    let path = format!("/v1/users/{}", user.id);
    let changed =
        json!({"username": "renamed", "email": "renamed@example.com", "current_password": PASSWORD});
    app.patch(&path).by(&user).json(&changed).expect(200).await;
    let taken = json!({"username": other.username.to_uppercase()});
    app.patch(&path).by(&user).json(&taken).expect_fields(409, &[("username", "taken")]).await;
    let taken = json!({"email": other.email.to_uppercase(), "current_password": PASSWORD});
    app.patch(&path).by(&user).json(&taken).expect_fields(409, &[("email", "taken")]).await;
    let null = json!({"username": null});
    app.patch(&path).by(&user).json(&null).expect_fields(422, &[("username", "wrong_type")]).await;
}

#[tokio::test]
async fn changing_a_password_needs_the_present_one_and_revokes_the_other_sessions() {
    let app = TestApp::start().await;
    let (user, bystander) = (app.author().await, app.author().await);
    let path = format!("/v1/users/{}", user.id);
    let sign_in =
        |password: &str| app.post("/v1/sessions").json(&json!({"email": user.email, "password": password}));
    let elsewhere = sign_in(PASSWORD).expect(201).await.json()["token"].as_str().unwrap().to_owned();

    let change = |body: Value| app.patch(&path).by(&user).json(&body);
    let new = "an entirely new one";
    change(json!({"password": new})).expect_fields(422, &[("current_password", "required")]).await;
    let wrong = json!({"password": new, "current_password": "not this one"});
    change(wrong).expect_fields(422, &[("current_password", "wrong")]).await;
    let own_name = json!({"password": user.username, "current_password": PASSWORD});
    change(own_name).expect_fields(422, &[("password", "same_as_account")]).await;
    let common = json!({"password": "password123", "current_password": PASSWORD});
    change(common).expect_fields(422, &[("password", "too_common")]).await;
    change(json!({"password": new, "current_password": PASSWORD})).expect(200).await;

    app.get("/v1/users/me").by(&user).expect(200).await;
    app.get("/v1/users/me").token(&elsewhere).expect_problem(401, "unauthenticated").await;
    app.get("/v1/users/me").by(&bystander).expect(200).await;
    sign_in(PASSWORD).expect(401).await;
    sign_in(new).expect(201).await;
}

#[tokio::test]
async fn an_admin_sets_a_password_and_a_role_for_others() {
    let app = TestApp::start().await;
    let (admin, user) = (app.admin().await, app.reader().await);
    let path = format!("/v1/users/{}", user.id);
    let body = json!({"password": "set by the admin", "role": "editor"});
    assert_eq!(app.patch(&path).by(&admin).json(&body).expect(200).await.json()["role"], "editor");
    app.get("/v1/users/me").by(&user).expect(401).await;
    let credentials = json!({"email": user.email, "password": "set by the admin"});
    app.post("/v1/sessions").json(&credentials).expect(201).await;

    let own = json!({"password": "a new one for me"});
    let own_path = format!("/v1/users/{}", admin.id);
    app.patch(&own_path).by(&admin).json(&own).expect_fields(422, &[("current_password", "required")]).await;
    let nobody = "/v1/users/00000000-0000-7000-8000-000000000000";
    app.patch(nobody).by(&admin).json(&json!({"bio": "x"})).expect_problem(404, "not_found").await;
    app.patch(nobody).by(&admin).json(&own).expect_problem(404, "not_found").await;
    app.delete(nobody).by(&admin).expect_problem(404, "not_found").await;
}

#[tokio::test]
async fn a_role_counts_from_the_next_request_on() {
    let app = TestApp::start().await;
    let (admin, user) = (app.admin().await, app.author().await);
    app.get("/v1/comments").by(&user).expect(403).await;
    let path = format!("/v1/users/{}", user.id);
    app.patch(&path).by(&admin).json(&json!({"role": "editor"})).expect(200).await;
    app.get("/v1/comments").by(&user).expect(200).await;
}

#[tokio::test]
async fn deleting_an_account_erases_the_person_and_keeps_what_they_wrote() {
    let app = TestApp::start().await;
    let (user, other) = (app.author().await, app.author().await);
    let post = app.post_by(&user).await;
    let comment = app.comment_by(&user, &post, None).await;
    app.delete(&format!("/v1/users/{}", user.id)).by(&user).expect(204).await;

    app.get("/v1/users/me").by(&user).expect(401).await;
    app.get(&format!("/v1/users/{}", user.id)).expect(404).await;
    let sign_in = json!({"email": user.email, "password": PASSWORD});
    app.post("/v1/sessions").json(&sign_in).expect(401).await;
    for path in [format!("/v1/posts/{post}"), format!("/v1/comments/{comment}")] {
        let reply = app.get(&path).expect(200).await;
        let expected = json!({"id": null, "username": "deleted user", "display_name": null});
        assert_eq!(reply.json()["author"], expected, "{reply}");
        assert!(!reply.to_string().contains(&user.username), "{reply}");
    }
    app.get("/v1/users/me").by(&other).expect(200).await;
    let mut again = ada();
    again["username"] = json!(user.username);
    again["email"] = json!(user.email);
    app.post("/v1/users").json(&again).expect(201).await;
}

#[tokio::test]
async fn admins_list_accounts_by_name() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    for name in ["Bob", "adam", "ADA", "ad-hoc", "ad_hoc", "zoe"] {
        let body = json!({"username": name, "email": format!("{name}@x.example"), "password": PASSWORD});
        app.post("/v1/users").json(&body).expect(201).await;
    }
    let found = app.get("/v1/users?q=aD").by(&admin).expect(200).await;
    assert_eq!(found.items("username"), ["ad-hoc", "ad_hoc", "ADA", "adam"]);
    assert_eq!(found.json()["items"][0]["email"], "ad-hoc@x.example");
    assert!(app.get("/v1/users?q=%25").by(&admin).expect(200).await.items("username").is_empty());
    assert_eq!(app.get("/v1/users?limit=100").by(&admin).expect(200).await.items("id").len(), 7);
}
