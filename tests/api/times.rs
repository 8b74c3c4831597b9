//! Times in requests: what RFC 3339 allows is taken, and everything else is explained.

use serde_json::{Value, json};

use crate::support::{Reply, TestApp, TestUser};

/// Each place of the API that takes a time.
const PLACES: [(&str, &str, &str); 6] = [
    ("POST", "/v1/posts", "published_at"),
    ("PATCH", "/v1/posts/{post}", "published_at"),
    ("PUT", "/v1/users/{user}/ban", "until"),
    ("GET", "/v1/posts?published_after={time}", "published_after"),
    ("GET", "/v1/posts?published_before={time}", "published_before"),
    ("GET", "/v1/posts?status=draft&published_before={time}", "published_before"),
];

struct World {
    app: TestApp,
    admin: TestUser,
    user: String,
    post: String,
}

impl World {
    async fn new() -> Self {
        let app = TestApp::start().await;
        let admin = app.admin().await;
        let (user, post) = (app.reader().await.id.to_string(), app.draft_by(&admin).await);
        Self { app, admin, user, post }
    }

    async fn send(&self, (method, path, field): (&str, &str, &str), time: &Value) -> Reply {
        let text = time.as_str().unwrap_or_default();
        let encoded: String = form_urlencoded::byte_serialize(text.as_bytes()).collect();
        let path = path.replace("{post}", &self.post).replace("{user}", &self.user);
        let call = self.app.call(method, &path.replace("{time}", &encoded)).by(&self.admin);
        let mut body = match method {
            "GET" => return call.send().await,
            "PUT" => json!({"reason": "x"}),
            "POST" => json!({"title": "T", "body": "B", "status": "scheduled"}),
            _ => json!({"status": "scheduled"}),
        };
        body[field] = time.clone();
        call.json(&body).send().await
    }
}

#[tokio::test]
async fn what_rfc_3339_does_not_allow_is_refused_in_words() {
    let world = World::new().await;
    for place in PLACES {
        for (time, code) in [
            (json!("soon"), "wrong_type"),
            (json!(""), "wrong_type"),
            (json!("2100-01-01"), "wrong_type"),
            (json!("2100-01-01T00:00:00"), "wrong_type"),
            (json!("2100-01-01 00:00:00Z"), "wrong_type"),
            (json!("2100-01-01T00:00:00 01:00"), "wrong_type"),
            (json!("2100-02-30T00:00:00Z"), "wrong_type"),
            (json!("2100-01-01T00:00:60Z"), "wrong_type"),
            (json!("10000-01-01T00:00:00Z"), "out_of_range"),
            (json!("+10000-01-01T00:00:00Z"), "out_of_range"),
            (json!("-0001-01-01T00:00:00Z"), "out_of_range"),
            (json!("9999-12-31T23:59:59-01:00"), "out_of_range"),
            (json!("9999-12-31T23:59:60Z"), "out_of_range"),
        ] {
            let reply = world.send(place, &time).await;
            assert_eq!(reply.status, 422, "{time}: {reply}");
            assert_eq!(reply.fields(), [(place.2, code)], "{time}: {reply}");
            assert!(!reply.json()["errors"][0]["detail"].as_str().unwrap().contains("column"), "{reply}");
        }
        if place.0 != "GET" {
            for time in [json!(1), json!(null), json!(["2100-01-01T00:00:00Z"]), json!({})] {
                let reply = world.send(place, &time).await;
                // Of a new post, null is no time.
                let code = if reply.status == 422 && time.is_null() && place.0 == "POST" {
                    "required"
                } else {
                    "wrong_type"
                };
                assert_eq!(reply.fields(), [(place.2, code)], "{time}: {reply}");
                assert!(!reply.json()["errors"][0]["detail"].as_str().unwrap().contains("column"), "{reply}");
            }
        }
    }
}

#[tokio::test]
async fn what_is_taken_is_shown_as_the_same_instant() {
    let world = World::new().await;
    for (time, shown) in [
        ("2100-01-01T00:00:00Z", "2100-01-01T00:00:00Z"),
        ("2100-01-01t00:00:00z", "2100-01-01T00:00:00Z"),
        ("2100-01-01T00:00:00.123456789Z", "2100-01-01T00:00:00.123456Z"),
        ("2100-01-01T01:30:00+01:30", "2100-01-01T00:00:00Z"),
        ("2100-01-01T00:00:00-00:00", "2100-01-01T00:00:00Z"),
        ("2100-06-30T23:59:60Z", "2100-07-01T00:00:00Z"),
        ("9999-12-31T23:59:59.9999999Z", "9999-12-31T23:59:59.999999Z"),
    ] {
        for place in PLACES {
            let reply = world.send(place, &json!(time)).await;
            assert!(reply.status.is_success(), "{time}: {reply}");
            if place.0 != "GET" {
                assert_eq!(reply.json()[place.2], shown, "{time}: {reply}");
            }
        }
        let ban = world.app.get(&format!("/v1/users/{}/ban", world.user)).by(&world.admin).expect(200).await;
        assert_eq!(ban.json()["until"], shown);
    }
}

#[tokio::test]
async fn no_error_about_a_field_names_a_column_of_the_body() {
    let world = World::new().await;
    for body in [
        json!({"title": 1, "body": "B"}),
        json!({"title": "T", "body": "B", "status": "secret"}),
        json!({"title": "T", "body": "B", "comments_open": "yes"}),
        json!({"title": "T", "body": "B", "tags": ["a", 1]}),
    ] {
        let reply = world.app.post("/v1/posts").by(&world.admin).json(&body).expect(422).await;
        assert!(!reply.json()["errors"][0]["detail"].as_str().unwrap().contains("column"), "{reply}");
    }
}
