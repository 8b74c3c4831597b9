//! Conditional requests, and what caches are told.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use serde_json::json;

use crate::support::{Reply, TestApp, TestUser, operations};

/// Each single resource that has an `ETag`, with somebody who may change it.
async fn resources(app: &TestApp) -> (TestUser, Vec<String>) {
    let author = app.admin().await;
    let post = app.post_by(&author).await;
    let comment = app.comment_by(&author, &post, None).await;
    let media = app.upload_by(&author).await;
    let paths = [
        "/v1/users/me".to_owned(),
        "/v1/site".to_owned(),
        format!("/v1/users/{}", author.id),
        format!("/v1/posts/{post}"),
        format!("/v1/comments/{comment}"),
        format!("/v1/media/{media}"),
        format!("/v1/webhooks/{}", app.webhook_by(&author).await),
    ];
    (author, paths.to_vec())
}

fn etag(reply: &Reply) -> String {
    let tag = reply.header("etag");
    assert!(tag.starts_with('"') && tag.ends_with('"') && tag.len() > 18, "{tag:?} is not strong: {reply}");
    tag.to_owned()
}

#[tokio::test]
async fn what_the_client_has_is_not_sent_again() {
    let app = TestApp::start().await;
    let (author, mut paths) = resources(&app).await;
    let revision = paths.iter().find(|path| path.contains("/posts/")).unwrap().to_owned() + "/revisions/1";
    paths.push(revision);
    for path in paths {
        let tag = etag(&app.get(&path).by(&author).expect(200).await);
        for method in ["GET", "HEAD"] {
            for known in [tag.clone(), format!("W/{tag}"), format!("\"other\", {tag}"), "*".to_owned()] {
                let call = app.call(method, &path).by(&author).header("if-none-match", &known);
                let reply = call.expect(304).await;
                assert!(reply.body.is_empty(), "{reply}");
                assert!(reply.header("etag").contains(tag.trim_matches('"')), "{known}: {reply}");
                assert_eq!(reply.header("cache-control"), "private, no-store");
                assert_eq!(reply.header("content-type"), "");
            }
        }
        let other = app.get(&path).by(&author).header("if-none-match", "\"1-0123456789abcdef\"");
        assert_eq!(etag(&other.expect(200).await), tag);
    }
}

#[tokio::test]
async fn a_tag_changes_with_everything_that_is_shown() {
    let app = TestApp::start().await;
    let author = app.author().await;
    let path = format!("/v1/posts/{}", app.post_by(&author).await);
    let first = etag(&app.get(&path).expect(200).await);
    assert_eq!(etag(&app.get(&path).expect(200).await), first);
    // The row is the same, the byline is not.
    let name = json!({"display_name": "Somebody"});
    app.patch(&format!("/v1/users/{}", author.id)).by(&author).json(&name).expect(200).await;
    let renamed = etag(&app.get(&path).expect(200).await);
    assert_ne!(renamed, first);
    // It is no lost update either.
    let change = json!({"title": "Another"});
    let changed = app.patch(&path).by(&author).header("if-match", &first).json(&change).expect(200).await;
    assert_ne!(etag(&changed).split('-').next(), renamed.split('-').next());
    assert_eq!(etag(&changed), etag(&app.get(&path).expect(200).await));
}

#[tokio::test]
async fn a_change_of_what_has_changed_is_refused_with_the_present_tag() {
    let app = TestApp::start().await;
    // So that the other one may go.
    app.admin().await;
    let (author, paths) = resources(&app).await;
    for path in &paths[1..] {
        let stale = etag(&app.get(path).by(&author).expect(200).await);
        let change = |n: usize| match path {
            path if path.contains("comments") => json!({"body": format!("x{n}")}),
            path if path.contains("users") => json!({"bio": format!("x{n}")}),
            path if path.contains("webhooks") => json!({"description": format!("x{n}")}),
            path if path.contains("media") => json!({"alt": format!("x{n}")}),
            _ => json!({"title": format!("x{n}")}),
        };
        let changed = app.patch(path).by(&author).json(&change(0)).expect(200).await;
        let current = etag(&changed);
        for refused in [&*stale, "\"\"", "\"x\"", "nonsense", &format!("W/{current}"), "\"0-a\", \"99\""] {
            for method in
                ["PATCH", "DELETE"].into_iter().filter(|method| *method == "PATCH" || path != "/v1/site")
            {
                let call = app.call(method, path).by(&author).header("if-match", refused).json(&json!({}));
                let reply = call.expect_problem(412, "precondition_failed").await;
                assert_eq!(reply.header("etag"), current, "{refused}");
            }
        }
        let version = format!("\"{}\"", changed.json()["version"]);
        let tags = [&*current, "*", &format!("\"5-x\", {current}"), &version];
        for (n, taken) in tags.into_iter().enumerate() {
            let call = app.patch(path).by(&author).json(&change(n + 1));
            let reply = call.header("if-match", taken).send().await;
            // Each taken change makes the next tag stale.
            let expected = if taken == "*" || taken == current { 200 } else { 412 };
            assert_eq!(reply.status, expected, "{taken}: {reply}");
        }
    }
    for path in paths[2..].iter().rev() {
        let current = etag(&app.get(path).by(&author).expect(200).await);
        app.delete(path).by(&author).header("if-match", &current).expect(204).await;
    }
}

#[tokio::test]
async fn of_two_changes_to_one_version_one_is_made() {
    let app = TestApp::start().await;
    let author = app.author().await;
    let path = format!("/v1/posts/{}", app.post_by(&author).await);
    let tag = etag(&app.get(&path).expect(200).await);
    let changes = (0..8).map(|n| {
        let change = json!({"title": format!("Title {n}")});
        app.patch(&path).by(&author).header("if-match", &tag).json(&change).send()
    });
    let replies = futures_util::future::join_all(changes).await;
    let mut statuses: Vec<_> = replies.iter().map(|reply| reply.status.as_u16()).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 412, 412, 412, 412, 412, 412, 412]);
    let winner = replies.iter().find(|reply| reply.status == 200).unwrap();
    assert_eq!(app.get(&path).expect(200).await.json()["title"], winner.json()["title"]);
}

#[tokio::test]
async fn what_everybody_reads_may_be_kept_for_a_moment_and_the_rest_by_nobody() {
    let app = TestApp::start().await;
    let author = app.author().await;
    let post = app.post_by(&author).await;
    let draft = app.draft_by(&author).await;
    for path in ["/v1/posts", &format!("/v1/posts/{post}"), &format!("/v1/posts/{post}/comments")] {
        let reply = app.get(path).expect(200).await;
        assert_eq!(reply.header("cache-control"), "public, max-age=10", "{reply}");
        assert!(varies(&reply, "authorization"), "{:?}", reply.headers);
        let reply = app.get(path).by(&author).expect(200).await;
        assert_eq!(reply.header("cache-control"), "private, no-store", "{reply}");
        assert!(varies(&reply, "authorization"), "{:?}", reply.headers);
    }
    let hidden = app.get(&format!("/v1/posts/{draft}")).expect(404).await;
    assert_eq!(hidden.header("cache-control"), "no-store");
    assert!(varies(&hidden, "authorization"), "{:?}", hidden.headers);
    assert_eq!(app.get("/health").expect(200).await.header("cache-control"), "no-store");
    let created =
        app.post("/v1/posts").by(&author).json(&json!({"title": "T", "body": "B"})).expect(201).await;
    assert_eq!(created.header("cache-control"), "no-store");
}

fn varies(reply: &Reply, by: &str) -> bool {
    let values = reply.headers.get_all("vary").iter();
    values
        .flat_map(|value| value.to_str().unwrap().split(','))
        .any(|name| name.trim().eq_ignore_ascii_case(by))
}

#[tokio::test]
async fn a_list_is_not_fresh_beyond_the_next_publication() {
    let app = TestApp::start().await;
    let author = app.author().await;
    let at = app.now() + TimeDelta::seconds(4);
    let body = json!({"title": "Soon", "body": "x", "status": "scheduled", "published_at": at});
    app.post("/v1/posts").by(&author).json(&body).expect(201).await;
    let age = async || app.get("/v1/posts").expect(200).await.header("cache-control").to_owned();
    assert_eq!(age().await, "public, max-age=4");
    app.advance(TimeDelta::milliseconds(3500));
    assert_eq!(age().await, "public, max-age=0");
    app.advance(TimeDelta::milliseconds(500));
    assert_eq!(age().await, "public, max-age=10");
}

#[tokio::test]
async fn a_compressed_answer_has_a_tag_of_its_own() {
    let app = TestApp::start().await;
    let author = app.author().await;
    let body = json!({"title": "T", "body": "Again and again. ".repeat(100), "status": "published"});
    let path = format!("/v1/posts/{}", app.post("/v1/posts").by(&author).json(&body).expect(201).await.id());
    let plain = etag(&app.get(&path).expect(200).await);
    let compressed = app.get(&path).header("accept-encoding", "gzip").send().await;
    assert_eq!(compressed.header("content-encoding"), "gzip");
    assert!(varies(&compressed, "accept-encoding"), "{:?}", compressed.headers);
    let tag = etag(&compressed);
    assert_eq!(tag, format!("{}-gzip\"", plain.trim_end_matches('"')));
    let again = app.get(&path).header("accept-encoding", "gzip").header("if-none-match", &tag);
    assert_eq!(again.expect(304).await.header("etag"), tag);
    let change = json!({"title": "Another"});
    app.patch(&path).by(&author).header("if-match", &tag).json(&change).expect(200).await;
}

#[tokio::test]
async fn head_and_options_are_answered_everywhere() {
    let app = TestApp::start().await;
    let author = app.author().await;
    let post = app.post_by(&author).await;
    let comment = app.comment_by(&author, &post, None).await;
    let mut methods = std::collections::BTreeMap::<&str, BTreeSet<String>>::new();
    for (method, path, _) in operations() {
        methods.entry(path).or_default().insert(method);
    }
    for (path, methods) in methods {
        let id = if path.contains("comments") { &comment } else { &author.id.to_string() };
        let target = path.replace("{post}", &post).replace("{id}", id);
        let reply = app.call("OPTIONS", &target).expect(204).await;
        let allowed: BTreeSet<_> =
            reply.header("allow").split(',').map(|name| name.trim().to_owned()).collect();
        assert!(methods.is_subset(&allowed), "{path}: {allowed:?}");
        if methods.contains("GET") && !target.contains('{') {
            let get = app.get(&target).by(&author).send().await;
            let head = app.call("HEAD", &target).by(&author).send().await;
            assert_eq!(head.status, get.status, "{head}");
            assert!(head.body.is_empty(), "{head}");
            assert_eq!(head.header("etag"), get.header("etag"), "{path}");
        }
    }
    app.call("OPTIONS", "/nothing").expect(404).await;
}
