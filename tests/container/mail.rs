//! A mail, from the request to what SES is given.

use std::time::Duration;

use axum::http::StatusCode;
use regex::Regex;
use serde_json::json;

use crate::docker::{TASKS, address, container, eventually, logs, stderr, try_compose};
use crate::http::Client;
use crate::{Stack, ms};

const ADDRESS: &str = "grace@example.com";

pub(crate) async fn is_handed_to_ses(stack: Stack) -> String {
    let client = stack.author.signed_out();
    let user = json!({"username": "grace", "email": ADDRESS, "password": "correct horse battery"});
    assert_eq!(client.post("/v1/users", &user).await.unwrap().status, StatusCode::CREATED);
    let asked = client.post("/v1/password-resets", &json!({"email": ADDRESS})).await.unwrap();
    assert_eq!(asked.status, StatusCode::ACCEPTED, "{asked:?}");
    let mailed = async || token_mailed().await.is_some();
    let took = eventually("SES has the mail with its link", Duration::from_secs(20), mailed).await;
    let token = token_mailed().await.unwrap();
    let new = json!({"token": token, "password": "a battery of staples"});
    let changed = client.post("/v1/password-resets/confirmation", &new).await.unwrap();
    assert_eq!(changed.status, StatusCode::NO_CONTENT, "{changed:?}");
    let session = json!({"email": ADDRESS, "password": new["password"]});
    assert_eq!(client.post("/v1/sessions", &session).await.unwrap().status, StatusCode::CREATED);

    // Its DETAIL would have the address.
    let twice = "create temporary table seen (email text unique); \
                 insert into seen select email from users, generate_series(1, 2) where username = 'grace'";
    let refused =
        try_compose(&["exec", "-T", "postgres", "psql", "-U", "postgres", "-d", "blog", "-qc", twice]).await;
    assert!(stderr(&refused).contains("duplicate key value"), "{refused:?}");
    assert!(logs(&container("postgres")).await.contains("duplicate key value"));
    for service in [&TASKS[..], &["postgres"]].concat() {
        let logs = logs(&container(service)).await;
        assert!(!logs.contains(ADDRESS), "{service} logs the address");
        assert!(!logs.contains(&token), "{service} logs the token");
    }
    format!("a link after {}, which works; no log names the address", ms(took))
}

/// The token in the link that SES was given for the address.
async fn token_mailed() -> Option<String> {
    let data = Client::new(&address("aws", 5000).await).get("/moto-api/data.json").await.unwrap().json;
    let link = Regex::new("/account/password-reset#(blog_[A-Za-z0-9_-]{43})").unwrap();
    data["ses"]["RawMessage"].as_array().unwrap().iter().find_map(|mail| {
        let sent =
            mail["destinations"].as_array().unwrap().iter().any(|to| to.as_str().unwrap().contains(ADDRESS));
        // Quoted-printable cuts long lines, and links with them.
        let text = mail["raw_data"].as_str().unwrap().replace("=\r\n", "");
        link.captures(&text).filter(|_| sent).map(|found| found[1].to_owned())
    })
}
