//! A right is asked when it is used, and again when what was planned with it is due; somebody is always left who
//! manages users; and an erasure reaches every copy.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::support::{PASSWORD, TestApp, TestUser};

/// A post by `author` that appears in so many days: its id.
async fn scheduled_by(app: &TestApp, author: &TestUser, days: i64) -> String {
    let at = app.now() + TimeDelta::days(days);
    let body = json!({"title": "Later", "body": "Then.", "tags": ["later"], "status": "scheduled", "published_at": at});
    app.post("/v1/posts").by(author).json(&body).expect(201).await.id()
}

async fn ban(app: &TestApp, by: &TestUser, user: &TestUser, days: i64) {
    let body = json!({"until": app.now() + TimeDelta::days(days), "reason": "Advertising."});
    app.put(&format!("/v1/users/{}/ban", user.id)).by(by).json(&body).expect(200).await;
}

async fn give_role(app: &TestApp, by: &TestUser, user: &TestUser, role: &str) {
    let path = format!("/v1/users/{}", user.id);
    app.patch(&path).by(by).json(&json!({"role": role})).expect(200).await;
}

/// Fails unless everybody reads `post`, wherever posts are shown, or nobody does.
async fn assert_appears(app: &TestApp, post: &str, appears: bool) {
    app.get(&format!("/v1/posts/{post}")).expect(if appears { 200 } else { 404 }).await;
    let listed = app.get("/v1/posts").expect(200).await.items("id");
    let found = app.get("/v1/posts?q=later").expect(200).await.items("id");
    assert_eq!((listed.contains(&post.to_owned()), found.contains(&post.to_owned())), (appears, appears));
    let tags = app.get("/v1/tags").expect(200).await.items("name");
    assert_eq!(tags.contains(&"later".to_owned()), appears);
    for path in ["/feed.xml", "/feed.json", "/sitemap.xml"] {
        assert_eq!(app.get(path).expect(200).await.to_string().contains("/later"), appears, "{path}");
    }
}

#[tokio::test]
async fn what_a_banned_user_has_scheduled_appears_only_after_the_ban() {
    let app = TestApp::start().await;
    let (author, editor) = (app.author().await, app.editor().await);
    let during = scheduled_by(&app, &author, 2).await;
    let after = scheduled_by(&app, &author, 5).await;
    ban(&app, &editor, &author, 3).await;
    let own = app.get(&format!("/v1/posts/{during}")).by(&author).expect(200).await.json();
    assert_eq!((&own["status"], &own["version"]), (&json!("draft"), &json!(2)));
    app.advance(TimeDelta::days(4));
    assert_appears(&app, &during, false).await;
    app.advance(TimeDelta::days(2));
    assert_appears(&app, &after, true).await;
    app.get(&format!("/v1/posts/{during}")).expect(404).await;
}

#[tokio::test]
async fn a_ban_that_is_shortened_or_lifted_in_time_delays_nothing() {
    let app = TestApp::start().await;
    let (author, editor) = (app.author().await, app.editor().await);
    for lift in [true, false] {
        let post = scheduled_by(&app, &author, 3).await;
        ban(&app, &editor, &author, 9).await;
        if lift {
            app.delete(&format!("/v1/users/{}/ban", author.id)).by(&editor).expect(204).await;
        } else {
            ban(&app, &editor, &author, 1).await;
        }
        app.advance(TimeDelta::days(4));
        app.get(&format!("/v1/posts/{post}")).expect(200).await;
    }
}

#[tokio::test]
async fn who_was_made_a_reader_reads_old_posts_and_changes_none() {
    let app = TestApp::start().await;
    let (author, admin) = (app.author().await, app.admin().await);
    let (draft, post) = (app.draft_by(&author).await, app.post_by(&author).await);
    let scheduled = scheduled_by(&app, &author, 2).await;
    let comment = app.comment_by(&admin, &post, None).await;
    give_role(&app, &admin, &author, "reader").await;
    for id in [&draft, &post, &scheduled] {
        let path = format!("/v1/posts/{id}");
        app.get(&path).by(&author).expect(200).await;
        app.get(&format!("{path}/revisions")).by(&author).expect(200).await;
        for body in [json!({"status": "published"}), json!({"title": "Changed"}), json!({})] {
            app.patch(&path).by(&author).json(&body).expect_problem(403, "forbidden").await;
        }
        app.post(&format!("{path}/revisions/1/restore")).by(&author).expect_problem(403, "forbidden").await;
        app.delete(&path).by(&author).expect_problem(403, "forbidden").await;
    }
    app.delete(&format!("/v1/comments/{comment}")).by(&author).expect_problem(403, "forbidden").await;
    app.advance(TimeDelta::days(1));
    give_role(&app, &admin, &author, "author").await;
    let restored = app.get(&format!("/v1/posts/{scheduled}")).by(&author).expect(200).await.json();
    assert_eq!(restored["status"], "scheduled");
    give_role(&app, &admin, &author, "reader").await;
    app.advance(TimeDelta::days(2));
    assert_appears(&app, &scheduled, false).await;
}

#[tokio::test]
async fn what_nobody_has_read_goes_with_its_author() {
    let app = TestApp::start().await;
    let (author, admin) = (app.author().await, app.admin().await);
    let unread = [app.draft_by(&author).await, scheduled_by(&app, &author, 1).await];
    let published = app.post_by(&author).await;
    app.delete(&format!("/v1/users/{}", author.id)).by(&author).expect(204).await;
    app.advance(TimeDelta::days(2));
    for post in unread {
        app.get(&format!("/v1/posts/{post}")).by(&admin).expect(404).await;
    }
    app.get(&format!("/v1/posts/{published}")).expect(200).await;
}

#[tokio::test]
async fn the_last_admin_stays_one() {
    let app = TestApp::start().await;
    let (first, second) = (app.admin().await, app.admin().await);
    let path = |user: &TestUser| format!("/v1/users/{}", user.id);
    let (one, other) = (path(&first), path(&second));
    let reader = json!({"role": "reader"});
    // Of two who take it from each other at once, one is left.
    let (a, b) = tokio::join!(
        app.patch(&other).by(&first).json(&reader).send(),
        app.patch(&one).by(&second).json(&reader).send()
    );
    assert!((a.status == 200) != (b.status == 200), "{a}\n{b}");
    let (last, path) = if a.status == 200 { (first, one) } else { (second, other) };
    app.patch(&path).by(&last).json(&reader).expect_fields(409, &[("role", "last_admin")]).await;
    app.delete(&path).by(&last).expect_fields(409, &[("id", "last_admin")]).await;
    app.patch(&path).by(&last).json(&json!({"role": "admin"})).expect(200).await;
    let another = app.admin().await;
    ban(&app, &last, &another, 1).await;
    app.delete(&path).by(&last).expect_fields(409, &[("id", "last_admin")]).await;
    app.advance(TimeDelta::days(2));
    app.delete(&path).by(&last).expect(204).await;
}

#[tokio::test]
async fn a_stored_response_goes_with_whom_it_shows() {
    let app = TestApp::start().await;
    let (author, editor) = (app.author().await, app.editor().await);
    let post = app.post_by(&author).await;
    app.delete(&format!("/v1/posts/{post}")).by(&author).expect(204).await;
    let path = format!("/v1/posts/{post}/restore");
    let restore = || app.post(&path).by(&editor).header("idempotency-key", "again");
    assert!(restore().expect(200).await.to_string().contains(&author.username));
    assert_eq!(restore().expect(200).await.header("idempotency-replayed"), "true");
    app.delete(&format!("/v1/users/{}", author.id)).by(&author).expect(204).await;
    let again = restore().expect(200).await;
    assert_eq!(again.json()["author"]["id"], Value::Null);
    assert!(!again.to_string().contains(&author.username), "{again}");
}

#[tokio::test]
async fn guesses_of_the_present_password_are_limited_and_so_are_questions_for_addresses() {
    let app = TestApp::start_with(&[("ATTEMPT_LIMITS", "on")]).await;
    let (user, other) = (app.author().await, app.author().await);
    let path = format!("/v1/users/{}", user.id);
    let change = |email: &str, password: &str| {
        app.patch(&path).by(&user).json(&json!({"email": email, "current_password": password}))
    };
    let without = json!({"email": "new@example.com"});
    app.patch(&path).by(&user).json(&without).expect_fields(422, &[("current_password", "required")]).await;
    // What changes nothing needs none.
    app.patch(&path).by(&user).json(&json!({"email": user.email})).expect(200).await;
    for _ in 0..10 {
        change("new@example.com", "not this one").expect_fields(422, &[("current_password", "wrong")]).await;
    }
    change("new@example.com", PASSWORD).expect_problem(429, "rate_limited").await;
    // It is one limit with that of signing in from here.
    let credentials = json!({"email": user.email, "password": PASSWORD});
    app.post("/v1/sessions").json(&credentials).expect_problem(429, "rate_limited").await;
    app.advance(TimeDelta::minutes(15));
    for _ in 0..20 {
        change(&other.email, PASSWORD).expect_fields(409, &[("email", "taken")]).await;
    }
    change(&other.email, PASSWORD).expect_problem(429, "rate_limited").await;
    let sign_up = json!({"username": "grace", "email": "grace@example.com", "password": PASSWORD});
    app.post("/v1/users").json(&sign_up).expect_problem(429, "rate_limited").await;
}

#[tokio::test]
async fn nothing_is_shown_without_something_to_read_below_it_and_no_tombstone_says_why() {
    let app = TestApp::start().await;
    let (author, reader, editor) = (app.author().await, app.reader().await, app.editor().await);
    let post = app.post_by(&author).await;
    let mut chain = vec![app.comment_by(&reader, &post, None).await];
    for _ in 0..2 {
        let parent = chain.last().unwrap().clone();
        chain.push(app.comment_by(&reader, &post, Some(&parent)).await);
    }
    let decide = async |id: &str, status: &str| {
        let call = app.patch(&format!("/v1/comments/{id}")).by(&editor);
        call.json(&json!({"status": status})).expect(200).await;
    };
    let path = format!("/v1/posts/{post}/comments");
    decide(&chain[0], "spam").await;
    decide(&chain[1], "pending").await;
    for _ in 0..2 {
        let seen = app.get(&path).expect(200).await;
        assert_eq!(seen.items("id"), chain);
        assert_eq!(seen.items("status"), ["approved"; 3]);
        let first = app.get(&format!("{path}?limit=1")).expect(200).await.json();
        let next = format!("{path}?limit=2&cursor={}", first["next_cursor"].as_str().unwrap());
        assert_eq!(app.get(&next).expect(200).await.items("id"), chain[1..]);
        app.delete(&format!("/v1/comments/{}", chain[0])).by(&editor).send().await;
    }
    decide(&chain[2], "spam").await;
    assert!(app.get(&path).expect(200).await.items("id").is_empty());
    // Its author sees their own below what is gone.
    let own = app.get(&path).by(&reader).expect(200).await;
    assert_eq!(own.items("status"), ["approved", "pending", "spam"]);
}
