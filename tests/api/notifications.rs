//! What users are told: of whom, of what, once, and no longer than they may read it.

use blog_api::jobs::store::{self as jobs, Lease};
use chrono::TimeDelta;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{TestApp, TestUser};

/// What `user` is told, newest first, once all that was done is told: kinds, and who did it.
async fn told(app: &TestApp, user: &TestUser) -> Vec<(String, String)> {
    app.run_jobs().await;
    let page = app.get("/v1/notifications").by(user).expect(200).await.json();
    let items = page["items"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    items.map(|item| (text(&item["kind"]), text(&item["actor"]["username"]))).collect()
}

fn just(kind: &str, who: &TestUser) -> Vec<(String, String)> {
    vec![(kind.to_owned(), who.username.clone())]
}

async fn unread(app: &TestApp, user: &TestUser) -> i64 {
    app.get("/v1/notifications").by(user).expect(200).await.json()["unread"].as_i64().unwrap()
}

async fn hold_comments(app: &TestApp) {
    let held = json!({"comments_policy": "all_held"});
    app.patch("/v1/site").by(&app.admin().await).json(&held).expect(200).await;
}

async fn moderate(app: &TestApp, editor: &TestUser, comment: &str, action: &str) {
    let body = json!({"ids": [comment], "action": action});
    app.post("/v1/comments/moderation").by(editor).json(&body).expect(200).await;
}

#[tokio::test]
async fn a_comment_is_told_to_the_posts_author_and_a_reply_to_whom_it_answers() {
    let app = TestApp::start().await;
    let (author, reader, other) = (app.author().await, app.reader().await, app.reader().await);
    let post = app.post_by(&author).await;
    let comment = app.comment_by(&reader, &post, None).await;
    assert_eq!(told(&app, &author).await, just("comment", &reader));
    assert_eq!(told(&app, &reader).await, []);
    let reply = app.comment_by(&other, &post, Some(&comment)).await;
    assert_eq!(told(&app, &reader).await, just("reply", &other));
    let page = app.get("/v1/notifications").by(&reader).expect(200).await.json();
    assert_eq!(page["items"][0]["comment_id"], reply);
    assert_eq!(page["items"][0]["post"], json!({"id": post, "slug": "a-post", "title": "A post"}));
    assert_eq!((&page["items"][0]["report_id"], &page["unread"]), (&Value::Null, &json!(1)));
    assert_eq!(told(&app, &author).await.len(), 2);
}

#[tokio::test]
async fn nobody_is_told_what_they_did_themselves_and_nobody_is_told_twice() {
    let app = TestApp::start().await;
    let (author, reader) = (app.author().await, app.reader().await);
    let post = app.post_by(&author).await;
    let own = app.comment_by(&author, &post, None).await;
    app.comment_by(&author, &post, Some(&own)).await;
    assert_eq!(told(&app, &author).await, []);
    // A reply to the post's author is no comment on the post besides.
    app.comment_by(&reader, &post, Some(&own)).await;
    assert_eq!(told(&app, &author).await, just("reply", &reader));
    // The job is done again, as after a lost lease.
    let again = "insert into jobs (id, kind, payload, due_at, run_at, created_at)
      select gen_random_uuid(), 'notification', jsonb_build_object('event', 'comments', 'ids', jsonb_agg(id)), $1, $1, $1 from comments";
    let again = sqlx::query(again).bind(app.now());
    again.execute(&mut app.db.acquire().await.unwrap()).await.unwrap();
    assert_eq!(told(&app, &author).await, just("reply", &reader));
}

#[tokio::test]
async fn a_held_comment_is_told_to_editors_until_it_is_decided_and_to_others_once_it_is_approved() {
    let app = TestApp::start().await;
    hold_comments(&app).await;
    let (author, reader, editor) = (app.author().await, app.reader().await, app.editor().await);
    let post = app.post_by(&author).await;
    let comment = app.comment_by(&reader, &post, None).await;
    assert_eq!(told(&app, &editor).await, just("held_comment", &reader));
    assert_eq!(told(&app, &author).await, []);
    moderate(&app, &editor, &comment, "approve").await;
    assert_eq!(told(&app, &editor).await, []);
    assert_eq!(told(&app, &author).await, just("comment", &reader));
    let spam = app.comment_by(&reader, &post, None).await;
    app.patch(&format!("/v1/comments/{spam}")).by(&editor).json(&json!({"status": "spam"})).expect(200).await;
    assert_eq!(told(&app, &editor).await, []);
    assert_eq!(told(&app, &author).await, just("comment", &reader));
    // One that was approved and is held again waits again.
    moderate(&app, &app.admin().await, &comment, "hold").await;
    assert_eq!(told(&app, &editor).await, just("held_comment", &reader));
    assert_eq!(told(&app, &author).await, []);
}

#[tokio::test]
async fn a_comment_that_is_approved_while_its_post_is_not_public_is_told_once_it_is() {
    let app = TestApp::start().await;
    hold_comments(&app).await;
    let (author, reader, editor) = (app.author().await, app.reader().await, app.editor().await);
    let post = app.post_by(&author).await;
    let comment = app.comment_by(&reader, &post, None).await;
    let status = async |status: &str| {
        let change = json!({"status": status});
        app.patch(&format!("/v1/posts/{post}")).by(&author).json(&change).expect(200).await;
    };
    status("draft").await;
    moderate(&app, &editor, &comment, "approve").await;
    assert_eq!(told(&app, &author).await, []);
    status("published").await;
    assert_eq!(told(&app, &author).await, just("comment", &reader));
}

#[tokio::test]
async fn who_decides_is_not_told_of_it() {
    let app = TestApp::start().await;
    let (author, reader, editor, other) =
        (app.author().await, app.reader().await, app.editor().await, app.editor().await);
    let post = app.post_by(&author).await;
    let comment = app.comment_by(&reader, &post, None).await;
    app.run_jobs().await;
    moderate(&app, &editor, &comment, "hold").await;
    assert_eq!(told(&app, &editor).await, []);
    assert_eq!(told(&app, &other).await, just("held_comment", &reader));
    // Nor of a comment on a post of theirs.
    hold_comments(&app).await;
    let answer = app.comment_by(&reader, &app.post_by(&editor).await, None).await;
    assert_eq!(told(&app, &editor).await, just("held_comment", &reader));
    moderate(&app, &editor, &answer, "approve").await;
    assert_eq!(told(&app, &editor).await, []);
    for status in ["spam", "pending"] {
        let path = format!("/v1/comments/{comment}");
        app.patch(&path).by(&editor).json(&json!({"status": status})).expect(200).await;
        assert_eq!(told(&app, &editor).await, []);
    }
    let draft = app.draft_by(&author).await;
    for follower in [&editor, &other] {
        app.put(&format!("/v1/users/{}/follow", author.id)).by(follower).expect(204).await;
    }
    let published = json!({"status": "published"});
    app.patch(&format!("/v1/posts/{draft}")).by(&editor).json(&published).expect(200).await;
    assert_eq!(told(&app, &editor).await, []);
    assert_eq!(told(&app, &other).await[0], ("post".to_owned(), author.username));
}

#[tokio::test]
async fn a_report_is_told_to_editors_until_it_is_decided() {
    let app = TestApp::start().await;
    let (author, reader, editor) = (app.author().await, app.reader().await, app.editor().await);
    let report = json!({"post_id": app.post_by(&author).await, "reason": "spam"});
    let report = app.post("/v1/reports").by(&reader).json(&report).expect(201).await.id();
    assert_eq!(told(&app, &editor).await, just("report", &reader));
    assert_eq!(told(&app, &author).await, []);
    let page = app.get("/v1/notifications").by(&editor).expect(200).await.json();
    assert_eq!((&page["items"][0]["report_id"], &page["items"][0]["post"]), (&json!(report), &Value::Null));
    let path = format!("/v1/reports/{report}");
    app.patch(&path).by(&editor).json(&json!({"status": "upheld"})).expect(200).await;
    assert_eq!(told(&app, &editor).await, []);
    let other = app.editor().await;
    app.patch(&path).by(&other).json(&json!({"status": "open"})).expect(200).await;
    assert_eq!(told(&app, &editor).await, just("report", &reader));
    assert_eq!(told(&app, &other).await, []);
}

#[tokio::test]
async fn who_is_no_editor_any_more_is_told_nothing_of_what_waits() {
    let app = TestApp::start().await;
    hold_comments(&app).await;
    let (reader, editor) = (app.reader().await, app.editor().await);
    app.comment_by(&reader, &app.post_by(&app.author().await).await, None).await;
    assert_eq!(told(&app, &editor).await, just("held_comment", &reader));
    let demoted = json!({"role": "author"});
    app.patch(&format!("/v1/users/{}", editor.id)).by(&app.admin().await).json(&demoted).expect(200).await;
    assert_eq!((told(&app, &editor).await, unread(&app, &editor).await), (vec![], 0));
    let admin = app.admin().await;
    let ban = json!({"until": app.now() + TimeDelta::days(1), "reason": "x"});
    let banned = app.editor().await;
    app.put(&format!("/v1/users/{}/ban", banned.id)).by(&admin).json(&ban).expect(200).await;
    app.comment_by(&reader, &app.post_by(&app.author().await).await, None).await;
    assert_eq!(told(&app, &banned).await, []);
    app.advance(TimeDelta::days(2));
    assert_eq!(told(&app, &banned).await, []);
}

#[tokio::test]
async fn a_post_is_told_to_followers_when_it_is_published() {
    let app = TestApp::start().await;
    let (author, follower, other) = (app.author().await, app.reader().await, app.reader().await);
    app.put(&format!("/v1/users/{}/follow", author.id)).by(&follower).expect(204).await;
    app.post_by(&author).await;
    let draft = app.draft_by(&author).await;
    assert_eq!(told(&app, &follower).await, just("post", &author));
    assert_eq!(told(&app, &other).await, []);
    app.patch(&format!("/v1/posts/{draft}"))
        .by(&author)
        .json(&json!({"status": "published"}))
        .expect(200)
        .await;
    assert_eq!(told(&app, &follower).await.len(), 2);
    // Published already: who follows by now is told of what is new.
    app.put(&format!("/v1/users/{}/follow", author.id)).by(&other).expect(204).await;
    app.advance(TimeDelta::days(2));
    app.patch(&format!("/v1/posts/{draft}"))
        .by(&author)
        .json(&json!({"status": "published", "title": "Another"}))
        .expect(200)
        .await;
    assert_eq!((told(&app, &follower).await.len(), told(&app, &other).await.len()), (2, 0));
}

#[tokio::test]
async fn a_scheduled_post_is_told_at_its_time_moves_with_it_and_is_cancelled_with_it() {
    let app = TestApp::start().await;
    let (author, follower, editor) = (app.author().await, app.reader().await, app.editor().await);
    app.put(&format!("/v1/users/{}/follow", author.id)).by(&follower).expect(204).await;
    let at = |hours| app.now() + TimeDelta::hours(hours);
    let scheduled =
        |hours| json!({"title": "Soon", "body": "x", "status": "scheduled", "published_at": at(hours)});
    let post = app.post("/v1/posts").by(&author).json(&scheduled(2)).expect(201).await.id();
    let cancelled = app.post("/v1/posts").by(&author).json(&scheduled(2)).expect(201).await.id();
    let deleted = app.post("/v1/posts").by(&author).json(&scheduled(2)).expect(201).await.id();
    assert_eq!(told(&app, &follower).await, []);
    let later = json!({"status": "scheduled", "published_at": at(4)});
    app.patch(&format!("/v1/posts/{post}")).by(&author).json(&later).expect(200).await;
    app.patch(&format!("/v1/posts/{cancelled}"))
        .by(&author)
        .json(&json!({"status": "draft"}))
        .expect(200)
        .await;
    app.delete(&format!("/v1/posts/{deleted}")).by(&author).expect(204).await;
    app.advance(TimeDelta::hours(3));
    assert_eq!(told(&app, &follower).await, []);
    app.advance(TimeDelta::hours(1));
    assert_eq!(told(&app, &follower).await, just("post", &author));
    app.post(&format!("/v1/posts/{deleted}/restore")).by(&editor).expect(200).await;
    assert_eq!(told(&app, &follower).await.len(), 2);
}

#[tokio::test]
async fn a_post_has_one_job_however_often_it_is_scheduled_and_loses_none_that_comes_while_it_is_at_work() {
    let app = TestApp::start().await;
    let (author, follower) = (app.author().await, app.reader().await);
    app.put(&format!("/v1/users/{}/follow", author.id)).by(&follower).expect(204).await;
    let path = format!("/v1/posts/{}", app.draft_by(&author).await);
    let schedule = async |hours| {
        let change = json!({"status": "scheduled", "published_at": app.now() + TimeDelta::hours(hours)});
        app.patch(&path).by(&author).json(&change).expect(200).await;
        assert_eq!(app.count("jobs where kind = 'post_notification'").await, 1);
    };
    for hours in [3, 1, 2, 5] {
        schedule(hours).await;
    }
    let mut connection = app.db.acquire().await.unwrap();
    let claim = "update jobs set holder = $1, attempts = 1, run_at = $2 where kind = 'post_notification' returning id";
    let holder = Uuid::now_v7();
    let claim = sqlx::query_scalar(claim).bind(holder).bind(app.now());
    let id = claim.fetch_one(&mut connection).await.unwrap();
    schedule(4).await;
    // Whoever is still at work on what it was before neither keeps it nor ends it.
    jobs::extend(&mut connection, holder, &[id], app.now() + TimeDelta::hours(9)).await.unwrap();
    jobs::finish(&mut connection, Lease { id, holder, attempts: 1 }).await.unwrap();
    for (after, expected) in [(3, vec![]), (1, just("post", &author)), (1, just("post", &author))] {
        app.advance(TimeDelta::hours(after));
        assert_eq!(told(&app, &follower).await, expected);
    }
    // One that was given up is taken up again.
    app.patch(&path).by(&author).json(&json!({"status": "draft"})).expect(200).await;
    schedule(1).await;
    let give_up = sqlx::query("update jobs set failed_at = $1, attempts = 60").bind(app.now());
    give_up.execute(&mut connection).await.unwrap();
    schedule(2).await;
    assert_eq!(app.count("jobs where failed_at is not null or attempts > 0").await, 0);
}

#[tokio::test]
async fn what_cannot_be_read_any_more_is_not_shown() {
    let app = TestApp::start().await;
    let (author, reader) = (app.author().await, app.reader().await);
    let post = app.post_by(&author).await;
    let comment = app.comment_by(&reader, &post, None).await;
    app.comment_by(&author, &post, Some(&comment)).await;
    assert_eq!((told(&app, &author).await.len(), told(&app, &reader).await.len()), (1, 1));
    // It leaves a tombstone.
    app.delete(&format!("/v1/comments/{comment}")).by(&reader).expect(204).await;
    assert_eq!((told(&app, &author).await.len(), told(&app, &reader).await.len()), (0, 1));
    app.delete(&format!("/v1/posts/{post}")).by(&author).expect(204).await;
    assert_eq!((told(&app, &reader).await.len(), unread(&app, &reader).await), (0, 0));
}

#[tokio::test]
async fn nothing_is_told_of_a_muted_post() {
    let app = TestApp::start().await;
    let (author, reader) = (app.author().await, app.reader().await);
    let post = app.post_by(&author).await;
    let (path, mute) = (format!("/v1/posts/{post}"), format!("/v1/posts/{post}/mute"));
    let muted = async |user| app.get(&path).by(user).expect(200).await.json()["muted"].clone();
    assert_eq!(muted(&author).await, false);
    for _ in 0..2 {
        app.put(&mute).by(&author).expect(204).await;
        assert_eq!((muted(&author).await, muted(&reader).await), (json!(true), json!(false)));
    }
    assert!(app.get(&path).expect(200).await.json().get("muted").is_none());
    app.comment_by(&reader, &post, None).await;
    assert_eq!(told(&app, &author).await, []);
    for _ in 0..2 {
        app.delete(&mute).by(&author).expect(204).await;
        assert_eq!(muted(&author).await, false);
    }
    app.comment_by(&reader, &post, None).await;
    assert_eq!(told(&app, &author).await, just("comment", &reader));
    for path in [format!("/v1/posts/{}/mute", app.draft_by(&author).await), "/v1/posts/nowhere/mute".into()] {
        app.put(&path).by(&reader).expect_problem(404, "not_found").await;
        app.delete(&path).by(&reader).expect_problem(404, "not_found").await;
    }
}

#[tokio::test]
async fn notifications_are_read_one_by_one_or_all_up_to_one() {
    let app = TestApp::start().await;
    let (author, reader, other) = (app.author().await, app.reader().await, app.author().await);
    let post = app.post_by(&author).await;
    for _ in 0..4 {
        app.comment_by(&reader, &post, None).await;
        app.run_jobs().await;
    }
    let ids = app.get("/v1/notifications").by(&author).expect(200).await.items("id");
    let read = async |who: &TestUser, body: Value| {
        app.post("/v1/notifications/read").by(who).json(&body).expect(204).await;
        unread(&app, &author).await
    };
    assert_eq!(read(&other, json!({"ids": ids})).await, 4);
    assert_eq!(read(&author, json!({"ids": [ids[0], ids[0]]})).await, 3);
    assert_eq!(read(&author, json!({"up_to": ids[2]})).await, 1);
    let items = app.get("/v1/notifications").by(&author).expect(200).await.json()["items"].clone();
    let is_read: Vec<_> = items.as_array().unwrap().iter().map(|item| !item["read_at"].is_null()).collect();
    assert_eq!(is_read, [true, false, true, true]);
    for (body, field, code) in [
        (json!({}), "ids", "required"),
        (json!({"ids": [], "up_to": null}), "ids", "too_few"),
        (json!({"ids": vec![&ids[0]; 101]}), "ids", "too_many"),
        (json!({"ids": [ids[0]], "up_to": ids[1]}), "up_to", "one_of"),
    ] {
        app.post("/v1/notifications/read").by(&author).json(&body).expect_fields(422, &[(field, code)]).await;
    }
}

#[tokio::test]
async fn unread_ones_are_counted_up_to_a_hundred() {
    let app = TestApp::start().await;
    let author = app.author().await;
    let post = app.post_by(&author).await;
    let many = "insert into comments (id, post_id, author_id, thread, body, body_html, status, created_at, updated_at)
        select id, $1, $2, uuid_send(id), 'x', 'x', 'approved', $3, $3
        from (select gen_random_uuid() as id from generate_series(1, 120)) many";
    let other = app.reader().await;
    let many = sqlx::query(many).bind(post.parse::<uuid::Uuid>().unwrap()).bind(other.id).bind(app.now());
    many.execute(&mut app.db.acquire().await.unwrap()).await.unwrap();
    let event = "insert into jobs (id, kind, payload, due_at, run_at, created_at)
      select gen_random_uuid(), 'notification', jsonb_build_object('event', 'comments', 'ids', jsonb_agg(id)), $1, $1, $1 from comments";
    sqlx::query(event).bind(app.now()).execute(&mut app.db.acquire().await.unwrap()).await.unwrap();
    app.run_jobs().await;
    assert_eq!(unread(&app, &author).await, 100);
}

#[tokio::test]
async fn what_was_told_is_forgotten_after_90_days() {
    let app = TestApp::start().await;
    let (author, reader) = (app.author().await, app.reader().await);
    app.comment_by(&reader, &app.post_by(&author).await, None).await;
    assert_eq!(told(&app, &author).await.len(), 1);
    app.advance(TimeDelta::days(89));
    app.maintain().await;
    assert_eq!(app.count("notifications").await, 1);
    app.advance(TimeDelta::days(2));
    app.maintain().await;
    assert_eq!(app.count("notifications").await, 0);
}
