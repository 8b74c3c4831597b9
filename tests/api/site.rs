//! The site's own title, description and rule for comments.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::support::TestApp;

#[tokio::test]
async fn an_admin_names_and_describes_the_site() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let fresh = app.get("/v1/site").expect(200).await.json();
    assert_eq!(fresh["title"], "Blog");
    assert_eq!((&fresh["description"], &fresh["comments_policy"]), (&Value::Null, &json!("open")));

    app.advance(TimeDelta::minutes(1));
    let update = |body| app.patch("/v1/site").by(&admin).json(&body);
    let body = json!({"title": " Engines ", "description": "Beyond numbers.", "comments_policy": "closed"});
    let changed = update(body).expect(200).await.json();
    assert_eq!((&changed["title"], &changed["description"]), (&json!("Engines"), &json!("Beyond numbers.")));
    assert_eq!(changed["comments_policy"], "closed");
    assert_ne!(changed["updated_at"], fresh["updated_at"]);
    assert_eq!(app.get("/v1/site").expect(200).await.json(), changed);

    let changed = update(json!({"description": null})).expect(200).await.json();
    assert_eq!((&changed["title"], &changed["description"]), (&json!("Engines"), &Value::Null));
    assert_eq!(changed["comments_policy"], "closed");
}

#[tokio::test]
async fn what_the_site_cannot_be_is_refused_by_field() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let before = app.get("/v1/site").expect(200).await.json();
    for (body, field, code) in [
        (json!({"title": ""}), "title", "too_short"),
        (json!({"title": "x".repeat(201)}), "title", "too_long"),
        (json!({"title": null}), "title", "wrong_type"),
        (json!({"description": "x".repeat(501)}), "description", "too_long"),
        (json!({"description": " "}), "description", "blank"),
        (json!({"comments_policy": "sometimes"}), "comments_policy", "wrong_type"),
    ] {
        app.patch("/v1/site").by(&admin).json(&body).expect_fields(422, &[(field, code)]).await;
    }
    assert_eq!(app.get("/v1/site").expect(200).await.json(), before);
    let editor = app.editor().await;
    app.patch("/v1/site").by(&editor).json(&json!({})).expect_problem(403, "forbidden").await;
}
