//! The pages that links in mails open. Scanners of mail open them too, and use nothing up.

use serde_json::json;

use crate::support::{PASSWORD, TestApp};

#[tokio::test]
async fn opening_a_link_does_nothing() {
    let app = TestApp::start_with(&[("SIGN_UP", "verified")]).await;
    let user = app.author().await;
    app.post("/v1/email-verifications").by(&user).expect(202).await;
    let verification = app.mailed_token().await;
    let invitation = json!({"email": "grace@example.com", "role": "reader"});
    app.post("/v1/invitations").by(&app.editor().await).json(&invitation).expect(201).await;
    let invited = app.mailed_token().await;
    let account =
        |token: &str, username: &str| json!({"token": token, "username": username, "password": PASSWORD});
    let links = [
        ("email-verification", "email-verifications/confirmation", json!({"token": verification}), 204),
        ("invitation", "invitations/acceptance", account(&invited, "grace"), 201),
        (
            "password-reset",
            "password-resets/confirmation",
            json!({"token": app.reset_token(&app.author().await).await, "password": "an unusual password"}),
            204,
        ),
        (
            "email-undo",
            "email-verifications/undo",
            json!({"token": app.undo_token(&app.author().await).await}),
            204,
        ),
        ("sign-up", "sign-ups/confirmation", account(&app.sign_up_token("ada").await, "ada"), 201),
    ];
    for (page, action, body, status) in links {
        let token = body["token"].as_str().unwrap();
        for method in ["GET", "HEAD"] {
            app.call(method, &format!("/account/{page}")).expect(200).await;
            app.call(method, &format!("/account/{page}?token={token}")).expect(200).await;
            app.call(method, &format!("/v1/{action}")).expect(405).await;
            app.call(method, &format!("/v1/{action}?token={token}")).expect(405).await;
        }
        app.post(&format!("/v1/{action}")).json(&body).expect(status).await;
        let again = app.post(&format!("/v1/{action}")).json(&body);
        again.expect_fields(422, &[("token", "invalid")]).await;
    }
}

#[tokio::test]
async fn the_outbox_of_a_database_of_others_is_for_this_machine_alone() {
    let of_others = ("DATABASE_URL", "postgres://user:password@host/database");
    let app = TestApp::start_with(&[("MAIL_URL", ""), of_others]).await;
    app.get("/outbox").expect(200).await;
    let elsewhere = app.get("/outbox").header("x-forwarded-for", "203.0.113.9");
    elsewhere.expect_problem(404, "not_found").await;
}
