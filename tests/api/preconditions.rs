//! Preconditions of writes: evaluated or refused, never ignored.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::{PICTURE, Reply, TestApp, TestUser, operations};

/// The operations of the document with this header.
fn taking(header: &str) -> Vec<(String, &'static str)> {
    let takes = |operation: &serde_json::Value| {
        let parameters = operation["parameters"].as_array();
        parameters.into_iter().flatten().any(|parameter| parameter["name"] == header)
    };
    let all = operations().into_iter();
    all.filter(|(.., operation)| takes(operation)).map(|(method, path, _)| (method, path)).collect()
}

#[tokio::test]
async fn if_match_is_demanded_where_the_operator_wants_it() {
    let app = TestApp::start_with(&[("REQUIRE_IF_MATCH", "on")]).await;
    let admin = app.admin().await;
    let id = "00000000-0000-7000-8000-000000000000";
    let operations = taking("If-Match");
    assert!(operations.len() >= 11);
    for (method, path) in operations {
        let path = path.replace("{id}", id).replace("{post}", id).replace("{number}", "1");
        let body = json!({"until": "2100-01-01T00:00:00Z", "reason": "x"});
        let body = if path.ends_with("/ban") { body } else { json!({}) };
        let call = || app.call(&method, &path).by(&admin).json(&body);
        call().expect_problem(428, "precondition_required").await;
        let reply = call().header("if-match", "*").send().await;
        assert!(reply.status == 404 || reply.status == 200, "{reply}");
    }
}

/// What a write is sent to, by its route: the path, a body, and where the version can be read.
struct Write {
    method: String,
    path: String,
    body: Value,
    shown_at: String,
}

struct World {
    app: TestApp,
    admin: TestUser,
    ids: [(&'static str, String); 11],
}

impl World {
    async fn new() -> Self {
        let app = TestApp::start().await;
        let (admin, user) = (app.admin().await, app.reader().await);
        let post = app.post_by(&admin).await;
        app.patch(&format!("/v1/posts/{post}")).by(&admin).json(&json!({"title": "Two"})).expect(200).await;
        let report = json!({"post_id": post, "reason": "spam"});
        let report = app.post("/v1/reports").by(&user).json(&report).expect(201).await.id();
        let ids = [
            ("{comment}", app.comment_by(&user, &post, None).await),
            ("{post}", post),
            ("{user}", user.id.to_string()),
            ("{report}", report),
            ("{number}", "1".into()),
            ("{session}", user.id.to_string()),
            ("{token}", user.id.to_string()),
            ("{invitation}", user.id.to_string()),
            ("{media}", app.upload_by(&admin).await),
            ("{webhook}", app.webhook_by(&admin).await),
            ("{delivery}", user.id.to_string()),
        ];
        Self { app, admin, ids }
    }

    fn write(&self, method: String, route: &str) -> Write {
        let kind = ["users", "comments", "reports", "sessions", "tokens", "invitations", "media", "webhooks"]
            .into_iter()
            .find(|kind| route.starts_with(&format!("/v1/{kind}/{{id}}")))
            .map_or_else(String::new, |kind| format!("{{{}}}", kind.trim_end_matches('s')));
        let fill = |text: &str| {
            let mut text = text.replace("{id}", &kind);
            for (name, id) in &self.ids {
                text = text.replace(name, id);
            }
            text
        };
        let body = match (&*method, route) {
            ("PUT", "/v1/users/{id}/ban") => json!({"until": "2100-01-01T00:00:00Z", "reason": "x"}),
            ("POST", "/v1/posts") => json!({"title": "T", "body": "B"}),
            ("POST", "/v1/posts/{post}/comments") => json!({"body": "B"}),
            ("POST", "/v1/comments/moderation") => json!({"ids": [self.ids[0].1], "action": "spam"}),
            ("PATCH", "/v1/posts/{post}" | "/v1/site") => json!({"title": "Another"}),
            ("PATCH", "/v1/users/{id}") => json!({"bio": "Another"}),
            ("PATCH", "/v1/webhooks/{id}") => json!({"description": "Another"}),
            ("PATCH", "/v1/media/{id}") => json!({"alt": "Another"}),
            ("POST", "/v1/media") => json!(PICTURE),
            ("PATCH", "/v1/comments/{id}") => json!({"status": "spam"}),
            ("PATCH", "/v1/reports/{id}") => json!({"status": "upheld"}),
            _ => json!({}),
        };
        let resource = match route {
            "/v1/users/{id}/ban" => "/v1/users/{id}",
            _ if route.starts_with("/v1/posts/{post}") => "/v1/posts/{post}",
            _ => route,
        };
        Write { method, path: fill(route), body, shown_at: fill(resource) }
    }

    async fn send(&self, write: &Write, header: &str, value: &str) -> Reply {
        let call = self.app.call(&write.method, &write.path).by(&self.admin).content(&write.body);
        call.header(header, value).send().await
    }

    /// All that a write could have changed.
    async fn everything(&self) -> String {
        let mut connection = self.app.db.acquire().await.unwrap();
        sqlx::query_scalar(
            "select concat((select jsonb_agg(t) from (select id, version, deleted_at from posts order by id) t),
                (select jsonb_agg(t) from (select id, version from users order by id) t),
                (select jsonb_agg(t) from (select id, version from comments order by id) t),
                (select jsonb_agg(t) from (select id, version from reports order by id) t),
                (select jsonb_agg(t) from (select id, version from media order by id) t),
                (select jsonb_agg(t) from (select id, version from webhooks order by id) t),
                (select jsonb_agg(t) from post_likes t), (select jsonb_agg(t) from follows t),
                (select count(*) from sessions), (select count(*) from api_tokens), (select version from site), (select count(*) from audit_log))",
        )
        .fetch_one(&mut connection)
        .await
        .unwrap()
    }
}

fn writes() -> Vec<(String, &'static str)> {
    let all = operations().into_iter().map(|(method, path, _)| (method, path));
    all.filter(|(method, _)| !["GET", "HEAD"].contains(&method.as_str())).collect()
}

#[test]
fn every_change_of_a_resource_with_a_version_takes_if_match() {
    let conditional: BTreeSet<_> = taking("If-Match").into_iter().collect();
    let has_patch = |path| writes().contains(&("PATCH".to_owned(), path));
    for (method, path) in writes() {
        let expected = method == "PATCH"
            || method == "DELETE" && has_patch(path)
            || method == "POST" && path.ends_with("/restore")
            || path.ends_with("/ban");
        assert_eq!(conditional.contains(&(method.clone(), path)), expected, "{method} {path}");
    }
}

#[tokio::test]
async fn no_write_ignores_a_precondition() {
    let world = World::new().await;
    let conditional: BTreeSet<_> = taking("If-Match").into_iter().collect();
    let before = world.everything().await;
    for (method, route) in writes() {
        let is_conditional = conditional.contains(&(method.clone(), route));
        let write = world.write(method, route);
        for (header, value, name) in [
            ("if-match", "\"99\"", "If-Match"),
            ("if-none-match", "*", "If-None-Match"),
            ("if-none-match", "\"99\"", "If-None-Match"),
            ("if-unmodified-since", "Wed, 21 Oct 2015 07:28:00 GMT", "If-Unmodified-Since"),
        ] {
            // Of a user who is not banned there is no ban yet, so that `*` holds: another test.
            if route.ends_with("/ban") && value == "*" {
                continue;
            }
            let reply = world.send(&write, header, value).await;
            if is_conditional && (value == "*" || name == "If-Match") {
                assert_eq!(reply.status, 412, "{header}: {value}: {reply}");
                assert!(reply.header("etag").starts_with('"'), "{reply}");
            } else {
                assert_eq!(reply.status, 400, "{header}: {value}: {reply}");
                assert_eq!(reply.fields(), [(name, "unsupported")], "{reply}");
            }
        }
    }
    assert_eq!(world.everything().await, before);
}

#[tokio::test]
async fn a_write_with_the_present_version_is_made() {
    for (method, route) in taking("If-Match") {
        let world = World::new().await;
        let write = world.write(method, route);
        let shown = world.app.get(&write.shown_at).by(&world.admin).expect(200).await;
        let reply = world.send(&write, "if-match", &format!("\"{}\"", shown.json()["version"])).await;
        assert!(reply.status.is_success(), "{reply}");
    }
}

#[tokio::test]
async fn a_deleted_post_is_restored_in_the_version_that_editors_saw() {
    let app = TestApp::start().await;
    let editor = app.editor().await;
    let post = app.post_by(&editor).await;
    app.delete(&format!("/v1/posts/{post}")).by(&editor).expect(204).await;
    let restore =
        |tag: &str| app.post(&format!("/v1/posts/{post}/restore")).by(&editor).header("if-match", tag);
    let refused = restore("\"1\"").expect_problem(412, "precondition_failed").await;
    assert_eq!(refused.header("etag"), "\"2\"");
    app.get(&format!("/v1/posts/{post}")).expect(404).await;
    restore("\"2\"").expect(200).await;
}

#[tokio::test]
async fn a_ban_is_written_over_only_by_who_knows_it() {
    let app = TestApp::start().await;
    let (editor, reader) = (app.editor().await, app.reader().await);
    let path = format!("/v1/users/{}/ban", reader.id);
    let put = |header: &str, value: &str, reason: &str| {
        let body = json!({"until": "2100-01-01T00:00:00Z", "reason": reason});
        app.put(&path).by(&editor).header(header, value).json(&body)
    };
    let first = put("if-none-match", "*", "One").expect(200).await;
    put("if-none-match", "*", "Two").expect_problem(412, "precondition_failed").await;
    let second = put("if-match", first.header("etag"), "Two").expect(200).await;
    put("if-match", first.header("etag"), "Three").expect_problem(412, "precondition_failed").await;
    let read = app.get(&path).by(&editor).expect(200).await;
    assert_eq!(read.header("etag"), second.header("etag"));
    assert_eq!(read.json()["reason"], "Two");
    app.get(&path).by(&editor).header("if-none-match", read.header("etag")).expect(304).await;
    let delete = |tag: &str| app.delete(&path).by(&editor).header("if-match", tag);
    delete(first.header("etag")).expect_problem(412, "precondition_failed").await;
    delete(read.header("etag")).expect(204).await;
}

#[tokio::test]
async fn a_decision_about_many_comments_is_about_the_versions_that_were_read() {
    let app = TestApp::start_with(&[("REQUIRE_IF_MATCH", "on")]).await;
    let (editor, author) = (app.editor().await, app.author().await);
    let post = app.post_by(&author).await;
    let (one, two) = (app.comment_by(&author, &post, None).await, app.comment_by(&author, &post, None).await);
    let decide = |body: &Value| app.post("/v1/comments/moderation").by(&editor).json(body);
    let mut body = json!({"ids": [one, two], "action": "spam"});
    decide(&body).expect_problem(428, "precondition_required").await;
    body["versions"] = json!([1]);
    decide(&body).expect_fields(422, &[("versions", "wrong_number")]).await;
    let change = json!({"body": "Another text."});
    let path = format!("/v1/comments/{two}");
    app.patch(&path).by(&author).header("if-match", "\"1\"").json(&change).expect(200).await;
    body["versions"] = json!([1, 1]);
    decide(&body).expect_fields(409, &[("versions[1]", "changed")]).await;
    assert_eq!(app.get(&format!("/v1/comments/{one}")).expect(200).await.json()["status"], "approved");
    body["versions"] = json!([1, 2]);
    assert_eq!(decide(&body).expect(200).await.json()["changed"].as_array().unwrap().len(), 2);
}
