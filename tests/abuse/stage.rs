//! The task under attack, and the people there.

use axum::http::Method;
use serde_json::json;

use crate::docker::{compose, container, inspect, sql, try_docker};
use crate::http::{Call, Client};

const PASSWORD: &str = "correct horse battery";

#[derive(Clone)]
pub(crate) struct Stage {
    /// Where the task listens, past the load balancer.
    pub(crate) base: String,
    pub(crate) pid: u32,
    /// Slugs of posts that nobody attacks.
    pub(crate) posts: Vec<String>,
    /// Who attacks: an author like any other.
    pub(crate) attacker: Client,
    /// An editor, at an address of their own.
    pub(crate) editor: Client,
}

impl Stage {
    pub(crate) async fn up() -> Self {
        compose(&["down", "-v"]).await;
        compose(&["up", "--wait", "--no-build", "api"]).await;
        let base = base().await;
        let pid = pid().await.unwrap();
        let attacker = sign_up(&base, "mallory", "203.0.113.1", "author").await;
        let editor = sign_up(&base, "ada", "198.51.100.1", "editor").await;
        let mut posts = Vec::new();
        for number in 0..20 {
            let post = json!({"title": format!("Quiet {number}"), "body": "To read.", "status": "published"});
            let answer = editor.send(Call::post("/v1/posts", &post)).await;
            assert_eq!(answer.status, 201, "{answer:?}");
            posts.push(answer.json["slug"].as_str().unwrap().to_owned());
        }
        Self { base, pid, posts, attacker, editor }
    }

    /// Nobody in particular, at this address.
    pub(crate) fn at(&self, address: &str) -> Client {
        Client::new(&self.base, address)
    }

    /// A published post by `author`, and its slug.
    pub(crate) async fn post(&self, author: &Client, body: &str) -> String {
        let post = json!({"title": "A post", "body": body, "status": "published"});
        let answer = author.send(Call::post("/v1/posts", &post)).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.json["slug"].as_str().unwrap().to_owned()
    }
}

/// A new account, signed in.
pub(crate) async fn sign_up(base: &str, name: &str, address: &str, role: &str) -> Client {
    let client = Client::new(base, address);
    let (user, session) = (new_user(name), new_session(name));
    let answer = client.send(Call::of(Method::POST, "/v1/users", &user)).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    sql(&format!("update users set role = '{role}' where username = '{name}'")).await;
    let answer = client.send(Call::of(Method::POST, "/v1/sessions", &session)).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    client.with_token(answer.json["token"].as_str().unwrap())
}

pub(crate) fn new_user(name: &str) -> serde_json::Value {
    json!({"username": name, "email": format!("{name}@example.com"), "password": PASSWORD})
}

pub(crate) fn new_session(name: &str) -> serde_json::Value {
    json!({"email": format!("{name}@example.com"), "password": PASSWORD})
}

/// Where the task listens: the container itself, since a proxy of Docker's would read what is to wait.
pub(crate) async fn base() -> String {
    format!("{}:8000", ip_address(&container("api")).await)
}

pub(crate) async fn ip_address(container: &str) -> String {
    inspect(container, "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}").await
}

/// Of the service: the child of the init process that Docker starts.
pub(crate) async fn pid() -> Option<u32> {
    if !try_docker(&["inspect", &container("api")]).await.status.success() {
        return None;
    }
    let parent = inspect(&container("api"), "{{.State.Pid}}").await;
    let children = std::fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).ok()?;
    children.split(' ').next()?.parse().ok()
}
