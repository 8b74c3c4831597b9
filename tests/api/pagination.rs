//! Every list: pages of the asked size that hold each row once, also while rows are added.

use chrono::TimeDelta;
use serde_json::json;

use crate::support::{TestApp, TestUser};

/// All ids of a list, page by page, following `Link`; `between` runs after each page.
async fn walk(
    app: &TestApp,
    path: &str,
    user: Option<&TestUser>,
    mut between: impl AsyncFnMut(),
) -> Vec<String> {
    let mut ids = Vec::new();
    let mut next = Some(path.to_owned());
    while let Some(path) = next {
        let mut call = app.get(&path);
        if let Some(user) = user {
            call = call.by(user);
        }
        let page = call.expect(200).await;
        assert!(page.items("id").len() <= 2, "{page}");
        // What has no id has a name.
        let key = if page.json()["items"][0]["id"].is_null() { "name" } else { "id" };
        ids.extend(page.items(key));
        let link = page.header("link");
        next = link.strip_prefix('<').and_then(|link| Some(link.split_once(">; rel=\"next\"")?.0.to_owned()));
        assert_eq!(next.is_some(), page.json()["next_cursor"].is_string(), "{page}");
        between().await;
    }
    ids
}

#[tokio::test]
async fn posts_page_in_both_directions_while_others_are_published() {
    let app = TestApp::start().await;
    let author = app.author().await;
    let mut posts = Vec::new();
    for n in 0..7 {
        // Pairs share a time, so that the id has to decide.
        app.advance(TimeDelta::seconds(n % 2));
        posts.push(app.post_by(&author).await);
    }
    let newest_first: Vec<_> = posts.iter().rev().cloned().collect();
    let add_one = async || {
        app.advance(TimeDelta::seconds(1));
        app.post_by(&author).await;
    };
    assert_eq!(walk(&app, "/v1/posts?limit=2&tag=", None, async || ()).await, Vec::<String>::new());
    assert_eq!(walk(&app, "/v1/posts?limit=2", None, add_one).await, newest_first);
    let mut oldest_first = walk(&app, "/v1/posts?sort=published_at&limit=2", None, async || ()).await;
    oldest_first.truncate(posts.len());
    assert_eq!(oldest_first, posts);
}

#[tokio::test]
async fn posts_page_in_every_order_while_others_are_published() {
    let app = TestApp::start().await;
    let author = app.author().await;
    let fans = [app.reader().await, app.reader().await];
    let publish = async |title: &str, body: &str| {
        let body = json!({"title": title, "body": body, "status": "published"});
        app.post("/v1/posts").by(&author).json(&body).expect(201).await.id()
    };
    // Pairs are equal in what they are ordered by, so that the id has to decide.
    let mut posts = Vec::new();
    for n in 0..6_usize {
        let title = if n % 2 == 0 { format!("Title {}", n / 2) } else { format!("TITLE {}", n / 2) };
        let id = publish(&title, &"engine ".repeat(n / 2 + 1)).await;
        for fan in &fans[..n / 2] {
            app.put(&format!("/v1/posts/{id}/like")).by(fan).expect(204).await;
            app.comment_by(fan, &id, None).await;
        }
        posts.push(id);
    }
    let descending: Vec<_> = posts.iter().rev().cloned().collect();
    for (query, expected) in [
        ("sort=-likes", &descending),
        ("sort=-comments", &descending),
        ("sort=title", &posts),
        ("q=engine", &descending),
        ("q=engine&sort=relevance", &descending),
        ("q=engine&sort=-likes", &descending),
        ("q=engine&sort=published_at", &posts),
    ] {
        let others = std::cell::Cell::new(0);
        let add_one = async || {
            others.set(others.get() + 1);
            publish(&format!("Title {}", others.get() % 4), "engine engine").await;
        };
        let walked = walk(&app, &format!("/v1/posts?limit=2&{query}"), None, add_one).await;
        let seen: Vec<_> = walked.iter().filter(|id| posts.contains(id)).cloned().collect();
        assert_eq!(seen, *expected, "{query}");
        let mut distinct = walked.clone();
        distinct.sort();
        distinct.dedup();
        assert_eq!(distinct.len(), walked.len(), "{query}");
    }
}

#[tokio::test]
async fn a_cursor_of_one_order_is_refused_in_every_other() {
    let app = TestApp::start().await;
    let author = app.author().await;
    for _ in 0..2 {
        app.post_by(&author).await;
    }
    let orders = ["-published_at", "published_at", "-likes", "-comments", "title", "relevance"];
    for made_for in orders {
        let page = app.get(&format!("/v1/posts?q=text&limit=1&sort={made_for}")).expect(200).await;
        let cursor = page.json()["next_cursor"].as_str().unwrap().to_owned();
        for order in orders {
            let call = app.get(&format!("/v1/posts?q=text&limit=1&sort={order}&cursor={cursor}"));
            if order == made_for {
                assert_eq!(call.expect(200).await.items("id").len(), 1);
            } else {
                call.expect_fields(400, &[("cursor", "malformed")]).await;
            }
        }
    }
}

#[tokio::test]
async fn tags_page_while_others_are_used() {
    let app = TestApp::start().await;
    let author = app.author().await;
    let tag = async |tags: &[&str]| {
        let body = json!({"title": "T", "body": "B", "tags": tags, "status": "published"});
        app.post("/v1/posts").by(&author).json(&body).expect(201).await;
    };
    tag(&["a", "b", "c", "d", "e"]).await;
    tag(&["b", "c", "e"]).await;
    tag(&["c"]).await;
    let use_one = async || tag(&["0", "z"]).await;
    let by_name = walk(&app, "/v1/tags?limit=2", None, use_one).await;
    assert_eq!(by_name, ["a", "b", "c", "d", "e", "z"]);
    let by_posts = walk(&app, "/v1/tags?limit=2&sort=-posts", None, async || ()).await;
    assert_eq!(by_posts, ["0", "c", "z", "b", "e", "a", "d"]);
}

#[tokio::test]
async fn the_feed_followers_and_followed_page_while_rows_are_added() {
    let app = TestApp::start().await;
    let (reader, other) = (app.reader().await, app.author().await);
    let mut authors = Vec::new();
    for _ in 0..3 {
        authors.push(app.author().await);
    }
    let follow = async |user: &TestUser, followed: &TestUser| {
        app.put(&format!("/v1/users/{}/follow", followed.id)).by(user).expect(204).await;
    };
    for author in &authors {
        follow(&reader, author).await;
        follow(author, &other).await;
    }
    let mut posts = Vec::new();
    for n in 0..9 {
        // Three at a time, so that the id has to decide.
        app.advance(TimeDelta::seconds(i64::from(n % 3 == 0)));
        posts.insert(0, app.post_by(&authors[n * 2 % 3]).await);
        app.post_by(&other).await;
    }
    let publish = async || {
        app.advance(TimeDelta::seconds(1));
        app.post_by(&authors[0]).await;
    };
    assert_eq!(walk(&app, "/v1/feed?limit=2", Some(&reader), publish).await, posts);

    let newest_first: Vec<_> = authors.iter().rev().map(|author| author.id.to_string()).collect();
    let join = async || follow(&app.author().await, &other).await;
    let followers = format!("/v1/users/{}/followers?limit=2", other.id);
    assert_eq!(walk(&app, &followers, None, join).await, newest_first);
    let join = async || follow(&reader, &app.author().await).await;
    let following = format!("/v1/users/{}/following?limit=2", reader.id);
    assert_eq!(walk(&app, &following, None, join).await, newest_first);
}

#[tokio::test]
async fn a_walk_survives_the_deletion_of_the_row_it_stands_on() {
    let app = TestApp::start().await;
    let author = app.author().await;
    let mut posts = Vec::new();
    for _ in 0..5 {
        app.advance(TimeDelta::seconds(1));
        posts.insert(0, app.post_by(&author).await);
    }
    let first = app.get("/v1/posts?limit=2").expect(200).await;
    app.delete(&format!("/v1/posts/{}", posts[1])).by(&author).expect(204).await;
    let cursor = first.json()["next_cursor"].as_str().unwrap().to_owned();
    let second = app.get(&format!("/v1/posts?limit=2&cursor={cursor}")).expect(200).await;
    assert_eq!(second.items("id"), posts[2..4]);
}

#[tokio::test]
async fn drafts_page_by_creation() {
    let app = TestApp::start().await;
    let (author, other) = (app.author().await, app.author().await);
    let mut drafts = Vec::new();
    for _ in 0..5 {
        app.advance(TimeDelta::seconds(1));
        drafts.insert(0, app.draft_by(&author).await);
        app.draft_by(&other).await;
    }
    assert_eq!(walk(&app, "/v1/posts?status=draft&limit=2", Some(&author), async || ()).await, drafts);
}

#[tokio::test]
async fn comments_page_in_thread_order_while_others_are_written() {
    let app = TestApp::start().await;
    let (author, editor) = (app.author().await, app.editor().await);
    let post = app.post_by(&author).await;
    let mut expected = Vec::new();
    for _ in 0..3 {
        let root = app.comment_by(&author, &post, None).await;
        let reply = app.comment_by(&author, &post, Some(&root)).await;
        expected.extend([root, reply]);
    }
    let path = format!("/v1/posts/{post}/comments?limit=2");
    let before = async || {
        // A reply to the first comment sorts before where the walk stands.
        app.comment_by(&author, &post, Some(&expected[0])).await;
    };
    let walked = walk(&app, &path, None, before).await;
    let seen: Vec<_> = walked.iter().filter(|id| expected.contains(id)).cloned().collect();
    assert_eq!(seen, expected);
    let mut distinct = walked.clone();
    distinct.sort();
    distinct.dedup();
    assert_eq!(distinct.len(), walked.len());

    let approved = walk(&app, "/v1/comments?status=approved&limit=2", Some(&editor), async || ()).await;
    assert!(approved.is_sorted() && approved.len() > 6, "{approved:?}");
}

#[tokio::test]
async fn users_and_sessions_page() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let mut users = vec![admin.clone()];
    for _ in 0..4 {
        users.push(app.author().await);
    }
    users.sort_by_key(|user| user.username.to_lowercase());
    let expected: Vec<_> = users.iter().map(|user| user.id.to_string()).collect();
    assert_eq!(walk(&app, "/v1/users?limit=2", Some(&admin), async || ()).await, expected);

    let user = &users[0];
    let credentials = json!({"email": user.email, "password": crate::support::PASSWORD});
    let mut sessions = app.get("/v1/sessions").by(user).expect(200).await.items("id");
    for _ in 0..4 {
        sessions.insert(0, app.post("/v1/sessions").json(&credentials).expect(201).await.id());
    }
    assert_eq!(walk(&app, "/v1/sessions?limit=2", Some(user), async || ()).await, sessions);
}

#[tokio::test]
async fn the_link_keeps_the_other_parameters() {
    let app = TestApp::start().await;
    let author = app.author().await;
    for _ in 0..2 {
        app.post_by(&author).await;
    }
    let page = app.get("/v1/posts?q=some+%22text%22&limit=1").expect(200).await;
    let link = page.header("link").to_owned();
    assert!(link.starts_with("</v1/posts?q=some+%22text%22&limit=1&cursor="), "{link}");
}

#[tokio::test]
async fn limits_out_of_range_and_foreign_cursors_are_refused() {
    let app = TestApp::start().await;
    let (author, editor) = (app.author().await, app.editor().await);
    for _ in 0..2 {
        let post = app.post_by(&author).await;
        app.comment_by(&author, &post, None).await;
    }
    for limit in ["0", "101", "-1"] {
        let call = app.get(&format!("/v1/posts?limit={limit}"));
        call.expect_fields(422, &[("limit", "out_of_range")]).await;
    }
    for limit in ["", "ten", "1.5", "99999999999999999999"] {
        let call = app.get(&format!("/v1/posts?limit={limit}"));
        call.expect_fields(422, &[("limit", "wrong_type")]).await;
    }
    let cursor =
        app.get("/v1/posts?limit=1").expect(200).await.json()["next_cursor"].as_str().unwrap().to_owned();
    for path in ["/v1/posts?sort=published_at&cursor=", "/v1/comments?cursor="] {
        let call = app.get(&format!("{path}{cursor}")).by(&editor);
        call.expect_fields(400, &[("cursor", "malformed")]).await;
    }
    for nonsense in ["", "x", "%00", "e30", "AAAA", &cursor[1..]] {
        let reply = app.get(&format!("/v1/posts?cursor={nonsense}")).send().await;
        assert!([400, 422].contains(&reply.status.as_u16()), "{reply}");
    }
}
