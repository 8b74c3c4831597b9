//! What browsers, crawlers, proxies and people send that is not quite what was meant, and what they are told.

use serde_json::{Value, json};

use crate::support::{PASSWORD, TestApp, logs};

const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8";

#[tokio::test]
async fn the_root_says_what_this_is_and_where_the_rest_is() {
    let app = TestApp::start().await;
    let page = app.get("/").header("accept", BROWSER).expect(200).await;
    assert_eq!(page.content_type(), "text/html; charset=utf-8");
    let html = String::from_utf8(page.body.to_vec()).unwrap();
    // After the page: an answer to one is none to the other.
    let index = app.get("/").header("accept", "application/json").expect(200).await;
    assert_eq!((index.content_type(), index.header("vary")), ("application/json", "accept"));
    let links = index.json()["links"].as_object().unwrap().clone();
    for (name, path) in &links {
        let path = path.as_str().unwrap();
        assert!(html.contains(&format!("href=\"{path}\"")), "{name}: {html}");
        app.get(path).expect(200).await;
    }
    for name in ["docs", "openapi", "atom", "json_feed", "sitemap", "health", "ready"] {
        assert!(links.contains_key(name), "{name}");
    }
    assert_eq!(app.get("/").expect(200).await.content_type(), "application/json");
    assert_eq!(app.get("/?utm_source=x").expect(200).await.json(), index.json());
    assert!(app.call("HEAD", "/").expect(200).await.body.is_empty());
    app.post("/").expect_problem(405, "method_not_allowed").await;
}

#[tokio::test]
async fn the_root_needs_no_database() {
    let app = TestApp::start().await;
    app.db.close();
    for path in ["/", "/favicon.ico", "/robots.txt"] {
        assert!(app.get(path).send().await.status.is_success(), "{path}");
    }
}

#[tokio::test]
async fn what_every_host_is_asked_for_is_no_404() {
    let app = TestApp::start().await;
    let icon = app.get("/favicon.ico").expect(204).await;
    assert_eq!(icon.header("cache-control"), "public, max-age=86400");
    let robots = app.get("/robots.txt").header("host", "api.example").expect(200).await;
    assert!(robots.content_type().starts_with("text/plain"));
    let text = String::from_utf8(robots.body.to_vec()).unwrap();
    assert!(
        text.contains("Sitemap: http://api.example/sitemap.xml\n") && !text.contains("Disallow"),
        "{text}"
    );
}

#[tokio::test]
async fn a_slash_at_the_end_is_redirected_with_the_query() {
    let app = TestApp::start().await;
    let user = app.author().await;
    for (asked, location) in [
        ("/v1/posts/", "/v1/posts"),
        ("/v1/posts/?limit=2&q=a%20b", "/v1/posts?limit=2&q=a%20b"),
        ("/v1/posts//", "/v1/posts"),
        ("/v1/users/me/", "/v1/users/me"),
        ("/feed.xml/?tag=rust&utm_source=x", "/feed.xml?tag=rust&utm_source=x"),
        ("/health/", "/health"),
        ("/docs", "/docs/"),
    ] {
        let reply = app.get(asked).by(&user).send().await;
        assert_eq!(reply.header("location"), location, "{reply}");
        assert!([303, 308].contains(&reply.status.as_u16()), "{reply}");
    }
    // The method and the body go with it.
    let reply = app.post("/v1/posts/").by(&user).json(&json!({"title": "T", "body": "B"})).expect(308).await;
    app.post(reply.header("location")).by(&user).json(&json!({"title": "T", "body": "B"})).expect(201).await;
    // Never to another host.
    for elsewhere in ["//evil.example/", "///evil.example/", "/\\evil.example/", "//"] {
        let reply = app.get(elsewhere).expect(404).await;
        assert_eq!(reply.header("location"), "", "{elsewhere}");
    }
    app.get("/nowhere").expect_problem(404, "not_found").await;
}

#[tokio::test]
async fn the_address_at_sign_in_may_have_blanks_around_it() {
    let app = TestApp::start().await;
    let user = app.author().await;
    for email in
        [format!(" {}", user.email), format!("{}\t\n", user.email), format!("\u{a0}{}\u{3000}", user.email)]
    {
        app.post("/v1/sessions").json(&json!({"email": email, "password": PASSWORD})).expect(201).await;
    }
    let padded = json!({"email": user.email, "password": format!("{PASSWORD} ")});
    app.post("/v1/sessions").json(&padded).expect_problem(401, "unauthenticated").await;
}

#[tokio::test]
async fn blanks_around_the_address_are_no_way_around_the_limit() {
    let app = TestApp::start_with(&[("ATTEMPT_LIMITS", "on")]).await;
    let user = app.author().await;
    for n in 0..10 {
        let body = json!({"email": format!("{}{}", user.email, " ".repeat(n)), "password": "not this one"});
        app.post("/v1/sessions").json(&body).expect(401).await;
    }
    let body = json!({"email": format!(" {}", user.email), "password": "not this one"});
    app.post("/v1/sessions").json(&body).expect_problem(429, "rate_limited").await;
}

#[tokio::test]
async fn a_blank_search_is_as_if_absent() {
    let app = TestApp::start().await;
    let (author, admin) = (app.author().await, app.admin().await);
    let post = json!({"title": "T", "body": "B", "tags": ["rust"], "status": "published"});
    app.post("/v1/posts").by(&author).json(&post).expect(201).await;
    for path in ["/v1/posts", "/v1/tags", "/v1/users"] {
        let plain = app.get(path).by(&admin).expect(200).await.json();
        assert_ne!(plain["items"], json!([]), "{path}");
        for blank in ["", "+", "%09%20"] {
            let found = app.get(&format!("{path}?q={blank}")).by(&admin).expect(200).await.json();
            assert_eq!(found, plain, "{path}?q={blank}");
        }
    }
    app.get("/v1/posts?q=&sort=relevance").expect_fields(422, &[("sort", "needs_search")]).await;
    assert_eq!(app.get("/v1/posts?q=&sort=title").expect(200).await.items("title"), ["T"]);
}

/// The warnings that the requests with these ids have caused.
fn warnings(ids: &[&str]) -> Vec<Value> {
    let lines = ids.iter().flat_map(|id| logs::of_request(id));
    lines.filter(|line| line["level"] == "WARN").collect()
}

#[tokio::test]
async fn an_unknown_proxy_is_noticed_once() {
    let app = TestApp::start().await;
    let ids = ["proxy-hint-1", "proxy-hint-2", "proxy-hint-3"];
    for id in ids {
        app.get("/v1/posts")
            .header("x-forwarded-for", "203.0.113.7")
            .header("x-request-id", id)
            .expect(200)
            .await;
    }
    let warned = warnings(&ids);
    assert_eq!(warned.len(), 1, "{warned:?}");
    assert!(warned[0]["message"].as_str().unwrap().contains("TRUSTED_PROXY_HOPS"), "{warned:?}");

    // Nobody sends it, or it is expected, or it comes late: then it is somebody's joke.
    let (trusting, late) =
        (TestApp::start_with(&[("TRUSTED_PROXY_HOPS", "1")]).await, TestApp::start().await);
    trusting
        .get("/v1/site")
        .header("x-forwarded-for", "203.0.113.7")
        .header("x-request-id", "hint-trusting")
        .expect(200)
        .await;
    for _ in 0..200 {
        late.get("/health").expect(200).await;
    }
    for _ in 0..100 {
        late.get("/v1/site").header("x-request-id", "hint-none").expect(200).await;
    }
    late.get("/v1/site")
        .header("x-forwarded-for", "203.0.113.7")
        .header("x-request-id", "hint-late")
        .expect(200)
        .await;
    assert_eq!(warnings(&["hint-trusting", "hint-none", "hint-late"]), Vec::<Value>::new());
}

#[tokio::test]
async fn the_scheme_is_counted_as_the_client_is() {
    for (hops, sent, scheme) in [
        ("1", "https,http", "http"),
        ("1", "http, https", "https"),
        ("2", "https,http", "https"),
        ("2", "https", "https"),
        ("0", "https", "http"),
    ] {
        let app = TestApp::start_with(&[("TRUSTED_PROXY_HOPS", hops)]).await;
        let feed = app.get("/feed.json").header("x-forwarded-proto", sent).expect(200).await.json();
        assert_eq!(feed["feed_url"], format!("{scheme}://{}/feed.json", app.address), "{sent} behind {hops}");
    }
}
