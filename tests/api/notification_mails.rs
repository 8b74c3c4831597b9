//! What is mailed of what users are told: as they have chosen, not too often, and to whom reads it.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::support::{TestApp, TestUser, bounce};

const SETTINGS: &str = "/v1/users/me/notifications";

/// An author who reads their address, a reader, and a post of the author.
async fn world(app: &TestApp) -> (TestUser, TestUser, String) {
    let (author, reader) = (app.author().await, app.reader().await);
    app.verify(&author).await;
    let post = app.post_by(&author).await;
    (author, reader, post)
}

async fn choose(app: &TestApp, user: &TestUser, changes: Value) {
    app.patch(SETTINGS).by(user).json(&changes).expect(200).await;
}

/// The subjects of the mails that are sent now, newest first.
async fn mailed(app: &TestApp) -> Vec<String> {
    let before = app.mails().len();
    app.run_jobs().await;
    let mails = app.mails();
    mails[..mails.len() - before].iter().map(|mail| mail.subject.clone()).collect()
}

#[tokio::test]
async fn the_first_of_a_post_is_mailed_at_once_and_more_of_it_an_hour_later() {
    let app = TestApp::start().await;
    let (author, reader, post) = world(&app).await;
    app.comment_by(&reader, &post, None).await;
    let first = format!("{} commented on your post “A post”", reader.username);
    assert_eq!(mailed(&app).await, [&*first]);
    let mail = app.mails().remove(0);
    assert_eq!(mail.to, author.email);
    assert!(mail.text.contains("http://localhost:8000/v1/posts/a-post"), "{}", mail.text);
    assert!(mail.text.contains("http://localhost:8000/account/unsubscribe#"), "{}", mail.text);
    for _ in 0..3 {
        app.comment_by(&reader, &post, None).await;
        assert_eq!(mailed(&app).await, [""; 0]);
        app.advance(TimeDelta::minutes(10));
    }
    // Another post is a thread of its own.
    app.comment_by(&reader, &app.post_by(&author).await, None).await;
    assert_eq!(mailed(&app).await, [&*first]);
    app.advance(TimeDelta::minutes(30));
    assert_eq!(mailed(&app).await, ["3 new notifications from Blog"]);
    assert_eq!(app.mails()[0].text.matches("commented on your post").count(), 3);
    app.advance(TimeDelta::hours(1));
    app.comment_by(&reader, &post, None).await;
    assert_eq!(mailed(&app).await, [&*first]);
}

#[tokio::test]
async fn at_most_ten_mails_an_hour_go_to_one_user_and_the_rest_goes_together() {
    let app = TestApp::start().await;
    let (author, reader, _) = world(&app).await;
    let mut sent = Vec::new();
    for _ in 0..15 {
        app.comment_by(&reader, &app.post_by(&author).await, None).await;
        sent.push(mailed(&app).await.len());
        app.advance(TimeDelta::minutes(1));
    }
    assert_eq!(sent, [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0]);
    // Another user has mails of their own.
    let other = world(&app).await;
    app.comment_by(&other.1, &other.2, None).await;
    assert_eq!(mailed(&app).await.len(), 1);
    app.advance(TimeDelta::minutes(54));
    assert_eq!(mailed(&app).await, [""; 0]);
    app.advance(TimeDelta::minutes(1));
    assert_eq!(mailed(&app).await, ["5 new notifications from Blog"]);
    assert_eq!(app.count("jobs where kind like 'notification_%'").await, 0);
    app.comment_by(&reader, &app.post_by(&author).await, None).await;
    assert_eq!(mailed(&app).await.len(), 1);
}

#[tokio::test]
async fn mails_are_counted_also_if_what_they_were_about_is_gone() {
    let app = TestApp::start().await;
    let (_, reader, post) = world(&app).await;
    let mut sent = 0;
    for _ in 0..15 {
        let comment = app.comment_by(&reader, &post, None).await;
        sent += mailed(&app).await.len();
        app.delete(&format!("/v1/comments/{comment}")).by(&reader).expect(204).await;
        app.advance(TimeDelta::minutes(1));
    }
    assert_eq!(sent, 10);
}

#[tokio::test]
async fn of_two_of_a_post_that_are_told_at_the_same_time_one_is_mailed_at_once() {
    let app = TestApp::start().await;
    let mut expected = Vec::new();
    for _ in 0..20 {
        let (author, reader, post) = world(&app).await;
        for _ in 0..2 {
            app.comment_by(&reader, &post, None).await;
        }
        expected.push((author.email, format!("{} commented on your post “A post”", reader.username)));
    }
    expected.sort();
    for _ in 0..2 {
        let before = app.mails().len();
        app.run_jobs().await;
        let mails = app.mails();
        let new = mails[..mails.len() - before].iter();
        let mut sent: Vec<_> = new.map(|mail| (mail.to.clone(), mail.subject.clone())).collect();
        sent.sort();
        assert_eq!(sent, expected);
        app.advance(TimeDelta::hours(1));
    }
}

#[tokio::test]
async fn a_digest_is_mailed_a_day_after_the_first_that_it_has() {
    let app = TestApp::start().await;
    let (author, reader, post) = world(&app).await;
    choose(&app, &author, json!({"comment": "digest"})).await;
    for _ in 0..25 {
        app.comment_by(&reader, &post, None).await;
        assert_eq!(mailed(&app).await, [""; 0]);
        app.advance(TimeDelta::minutes(50));
    }
    app.advance(TimeDelta::hours(4));
    assert_eq!(mailed(&app).await, ["25 new notifications from Blog"]);
    assert!(app.mails()[0].text.contains("And 5 more."), "{}", app.mails()[0].text);
    assert_eq!(app.count("jobs where kind like 'notification_%'").await, 0);
    app.advance(TimeDelta::days(2));
    assert_eq!(mailed(&app).await, [""; 0]);
}

#[tokio::test]
async fn what_is_read_or_gone_before_its_mail_is_not_mailed() {
    let app = TestApp::start().await;
    let (author, reader, post) = world(&app).await;
    choose(&app, &author, json!({"comment": "digest"})).await;
    let gone = app.comment_by(&reader, &post, None).await;
    app.comment_by(&reader, &post, None).await;
    app.run_jobs().await;
    app.delete(&format!("/v1/comments/{gone}")).by(&reader).expect(204).await;
    let ids = app.get("/v1/notifications").by(&author).expect(200).await.items("id");
    app.post("/v1/notifications/read").by(&author).json(&json!({"ids": ids})).expect(204).await;
    app.advance(TimeDelta::days(1));
    assert_eq!(mailed(&app).await, [""; 0]);
}

#[tokio::test]
async fn what_goes_with_no_mail_does_not_say_that_it_was_mailed() {
    let app = TestApp::start().await;
    let (author, reader, post) = world(&app).await;
    choose(&app, &author, json!({"comment": "digest"})).await;
    for _ in 0..3 {
        app.comment_by(&reader, &post, None).await;
        app.run_jobs().await;
    }
    let ids = app.get("/v1/notifications").by(&author).expect(200).await.items("id");
    app.post("/v1/notifications/read").by(&author).json(&json!({"ids": [ids[0]]})).expect(204).await;
    let hidden = app.get("/v1/notifications").by(&author).expect(200).await.json();
    let hidden = format!("/v1/comments/{}", hidden["items"][1]["comment_id"].as_str().unwrap());
    app.patch(&hidden).by(&app.editor().await).json(&json!({"status": "spam"})).expect(200).await;
    app.advance(TimeDelta::days(1));
    assert_eq!(mailed(&app).await, [format!("{} commented on your post “A post”", reader.username)]);
    let export = app.get("/v1/users/me/export").by(&author).expect(200).await.json();
    let export = export["notifications"].as_array().unwrap().iter();
    assert_eq!(export.map(|told| told["mailed_at"].is_null()).collect::<Vec<_>>(), [false, true, true]);
}

#[tokio::test]
async fn what_was_not_there_when_its_mail_was_due_is_mailed_once_it_is_back_and_nothing_is_mailed_twice() {
    let app = TestApp::start().await;
    let (author, follower, post) = world(&app).await;
    let editor = app.editor().await;
    app.verify(&follower).await;
    choose(&app, &author, json!({"comment": "digest"})).await;
    app.run_jobs().await;
    app.put(&format!("/v1/users/{}/follow", author.id)).by(&follower).expect(204).await;
    let comment = app.comment_by(&follower, &post, None).await;
    let (comment, post) =
        (format!("/v1/comments/{comment}"), format!("/v1/posts/{}", app.post_by(&author).await));
    let set = async |path: &str, status: &str| {
        app.run_jobs().await;
        app.patch(path).by(&editor).json(&json!({"status": status})).expect(200).await;
    };
    let expected = [
        format!("{} published “A post”", author.username),
        format!("{} commented on your post “A post”", follower.username),
    ];
    for day in 0..4 {
        set(&comment, "spam").await;
        set(&post, "draft").await;
        app.advance(TimeDelta::days(1));
        assert_eq!(mailed(&app).await, [""; 0], "{day}");
        set(&comment, "approved").await;
        set(&post, "published").await;
        app.run_jobs().await;
        app.advance(TimeDelta::days(1));
        let mut mails = mailed(&app).await;
        mails.sort_by_key(|subject| !subject.contains("published"));
        assert_eq!(mails, if day == 0 { &expected[..] } else { &[] }, "{day}");
    }
    let told = app.get("/v1/notifications").by(&follower).expect(200).await.json();
    assert_eq!((told["items"].as_array().unwrap().len(), &told["unread"]), (1, &json!(1)));
}

#[tokio::test]
async fn what_was_read_is_not_mailed_when_it_is_back() {
    let app = TestApp::start().await;
    let (author, reader, post) = world(&app).await;
    choose(&app, &author, json!({"comment": "digest"})).await;
    let comment = format!("/v1/comments/{}", app.comment_by(&reader, &post, None).await);
    app.run_jobs().await;
    let ids = app.get("/v1/notifications").by(&author).expect(200).await.items("id");
    app.post("/v1/notifications/read").by(&author).json(&json!({"ids": ids})).expect(204).await;
    let editor = app.editor().await;
    for status in ["spam", "approved"] {
        app.patch(&comment).by(&editor).json(&json!({"status": status})).expect(200).await;
        app.advance(TimeDelta::days(1));
        assert_eq!(mailed(&app).await, [""; 0]);
    }
    app.advance(TimeDelta::days(1));
    assert_eq!(mailed(&app).await, [""; 0]);
}

#[tokio::test]
async fn mail_goes_only_where_it_is_wanted_and_read() {
    let app = TestApp::start().await;
    let (author, reader, post) = world(&app).await;
    choose(&app, &author, json!({"comment": "never"})).await;
    app.comment_by(&reader, &post, None).await;
    assert_eq!(mailed(&app).await, [""; 0]);
    // An address that nobody has verified, and one that takes no mail.
    let unverified = app.author().await;
    app.comment_by(&reader, &app.post_by(&unverified).await, None).await;
    assert_eq!(mailed(&app).await, [""; 0]);
    choose(&app, &author, json!({"comment": "digest"})).await;
    app.comment_by(&reader, &post, None).await;
    assert_eq!(mailed(&app).await, [""; 0]);
    app.post("/v1/mail-events").by(&TestApp::mail_provider()).json(&bounce(&author.email)).expect(204).await;
    app.advance(TimeDelta::days(1));
    assert_eq!(mailed(&app).await, [""; 0]);
    app.comment_by(&reader, &post, None).await;
    app.advance(TimeDelta::days(1));
    assert_eq!(mailed(&app).await, [""; 0]);
    assert_eq!(app.get("/v1/notifications").by(&author).expect(200).await.items("id").len(), 3);
}

#[tokio::test]
async fn without_mail_users_are_told_in_the_api() {
    let app = TestApp::start_with(&[("MAIL_URL", "off")]).await;
    let (author, reader, post) = world(&app).await;
    app.comment_by(&reader, &post, None).await;
    app.run_jobs().await;
    assert_eq!(app.count("jobs where kind like 'notification_%'").await, 0);
    assert_eq!(app.get("/v1/notifications").by(&author).expect(200).await.items("id").len(), 1);
    let call = app.get("/v1/unsubscriptions?token=bm8");
    call.expect_problem(501, "mail_off").await;
}

#[tokio::test]
async fn followers_and_editors_are_mailed_in_their_language() {
    let app = TestApp::start().await;
    let (author, follower, editor) = (app.author().await, app.reader().await, app.editor().await);
    for user in [&follower, &editor] {
        app.verify(user).await;
        let german = json!({"language": "de"});
        app.patch(&format!("/v1/users/{}", user.id)).by(user).json(&german).expect(200).await;
    }
    let named = json!({"display_name": "أدا ลัฟเลซ 艾达"});
    app.patch(&format!("/v1/users/{}", author.id)).by(&author).json(&named).expect(200).await;
    app.put(&format!("/v1/users/{}/follow", author.id)).by(&follower).expect(204).await;
    let post = app.post_by(&author).await;
    app.post("/v1/reports").by(&author).json(&json!({"post_id": post, "reason": "spam"})).expect(201).await;
    assert_eq!(mailed(&app).await, ["أدا ลัฟเลซ 艾达 hat der Redaktion etwas gemeldet"]);
    app.advance(TimeDelta::days(1));
    assert_eq!(mailed(&app).await, ["أدا ลัฟเลซ 艾达 hat „A post“ veröffentlicht"]);
    let (text, html) = (&app.mails()[0].text, &app.mails()[0].html);
    assert!(
        text.contains("- \u{2068}أدا ลัฟเลซ 艾达\u{2069} hat „\u{2068}A post\u{2069}“ veröffentlicht\n"),
        "{text}"
    );
    let item = "/a-post\"><bdi>أدا ลัฟเลซ 艾达</bdi> hat „<bdi>A post</bdi>“ veröffentlicht</a></p>";
    assert!(html.contains(item), "{html}");
    assert!(app.mails()[0].text.contains("Keine solchen E-Mails mehr:"), "{}", app.mails()[0].text);
}

#[tokio::test]
async fn who_was_deleted_is_called_so_in_the_language_of_the_mail() {
    let app = TestApp::start().await;
    for (language, expected) in [
        ("en", "A deleted user commented on your post “A post”"),
        ("de", "Jemand mit gelöschtem Konto hat Ihren Beitrag „A post“ kommentiert"),
    ] {
        let (author, reader, post) = world(&app).await;
        choose(&app, &author, json!({"comment": "digest"})).await;
        let language = json!({"language": language});
        app.patch(&format!("/v1/users/{}", author.id)).by(&author).json(&language).expect(200).await;
        app.comment_by(&reader, &post, None).await;
        app.run_jobs().await;
        app.delete(&format!("/v1/users/{}", reader.id)).by(&app.admin().await).expect(204).await;
        app.advance(TimeDelta::days(1));
        assert_eq!(mailed(&app).await, [expected]);
    }
}

#[tokio::test]
async fn settings_have_defaults_and_change_one_by_one() {
    let app = TestApp::start().await;
    let user = app.reader().await;
    let reply = app.get(SETTINGS).by(&user).expect(200).await;
    let defaults = json!({"reply": "at_once", "comment": "at_once", "held_comment": "at_once", "report": "at_once",
                          "post": "digest", "version": 1});
    assert_eq!(reply.json(), defaults);
    let etag = reply.header("etag");
    let change = json!({"post": "at_once", "report": "never"});
    let changed = app.patch(SETTINGS).by(&user).header("if-match", etag).json(&change).expect(200).await;
    assert_eq!((&changed.json()["post"], &changed.json()["version"]), (&json!("at_once"), &json!(2)));
    assert_eq!(app.get(SETTINGS).by(&user).expect(200).await.json(), changed.json());
    let stale = app.patch(SETTINGS).by(&user).header("if-match", etag).json(&json!({"post": "never"}));
    stale.expect_problem(412, "precondition_failed").await;
    let same = app.patch(SETTINGS).by(&user).json(&change).expect(200).await;
    assert_eq!(same.json()["version"], 2);
    for (body, field, code) in [
        (json!({"post": "weekly"}), "post", "wrong_type"),
        (json!({"post": null}), "post", "wrong_type"),
        (json!({"mentions": "never"}), "mentions", "unknown"),
    ] {
        app.patch(SETTINGS).by(&user).json(&body).expect_fields(422, &[(field, code)]).await;
    }
}

/// The token of the newest mail.
fn token(app: &TestApp) -> String {
    let text = app.mails().remove(0).text;
    text.split_once("unsubscribe#").unwrap().1.split_whitespace().next().unwrap().to_owned()
}

#[tokio::test]
async fn one_click_ends_the_mails_like_that_one_and_opening_the_link_ends_nothing() {
    let app = TestApp::start().await;
    let (author, reader, post) = world(&app).await;
    app.comment_by(&reader, &post, None).await;
    app.run_jobs().await;
    let token = token(&app);
    let path = format!("/v1/unsubscriptions?token={token}");
    for method in ["GET", "HEAD"] {
        let opened = app.call(method, &path).expect(303).await;
        let page = format!("http://localhost:8000/account/unsubscribe#{token}");
        assert_eq!(opened.header("location"), page);
    }
    assert_eq!(app.get(SETTINGS).by(&author).expect(200).await.json()["version"], 1);
    // As RFC 8058 has it, twice.
    for _ in 0..2 {
        let form = app.post(&path).body("application/x-www-form-urlencoded", "List-Unsubscribe=One-Click");
        form.expect(204).await;
    }
    let settings = app.get(SETTINGS).by(&author).expect(200).await.json();
    assert_eq!((&settings["comment"], &settings["reply"]), (&json!("never"), &json!("at_once")));
    app.advance(TimeDelta::days(1));
    app.comment_by(&reader, &post, None).await;
    assert_eq!(mailed(&app).await, [""; 0]);
}

#[tokio::test]
async fn the_link_of_a_mail_about_several_things_ends_all() {
    let app = TestApp::start().await;
    let (author, reader, post) = world(&app).await;
    choose(&app, &author, json!({"comment": "digest", "reply": "digest"})).await;
    let own = app.comment_by(&author, &post, None).await;
    app.comment_by(&reader, &post, None).await;
    app.comment_by(&reader, &post, Some(&own)).await;
    app.run_jobs().await;
    app.advance(TimeDelta::days(1));
    assert_eq!(mailed(&app).await, ["2 new notifications from Blog"]);
    app.post(&format!("/v1/unsubscriptions?token={}", token(&app))).expect(204).await;
    let settings = app.get(SETTINGS).by(&author).expect(200).await.json();
    for kind in ["reply", "comment", "held_comment", "report", "post"] {
        assert_eq!(settings[kind], "never", "{kind}");
    }
}

#[tokio::test]
async fn what_is_unwanted_by_now_is_not_mailed_though_it_waits() {
    let app = TestApp::start().await;
    let (author, reader, post) = world(&app).await;
    choose(&app, &author, json!({"comment": "digest"})).await;
    app.comment_by(&reader, &post, None).await;
    app.run_jobs().await;
    choose(&app, &author, json!({"comment": "never"})).await;
    app.advance(TimeDelta::days(1));
    assert_eq!(mailed(&app).await, [""; 0]);
    // Nor of a post that is muted by now.
    choose(&app, &author, json!({"comment": "digest"})).await;
    app.comment_by(&reader, &post, None).await;
    app.run_jobs().await;
    app.put(&format!("/v1/posts/{post}/mute")).by(&author).expect(204).await;
    app.advance(TimeDelta::days(1));
    assert_eq!(mailed(&app).await, [""; 0]);
}

#[tokio::test]
async fn a_token_that_stands_in_no_mail_ends_nothing() {
    let app = TestApp::start().await;
    for token in ["", "nonsense", "bm8", "bm8.reply", "bm8.everything", "%F0%9F%98%80", "%E0%B8%96"] {
        let call = app.post(&format!("/v1/unsubscriptions?token={token}"));
        call.expect_fields(422, &[("token", "invalid")]).await;
    }
    app.post("/v1/unsubscriptions").expect_fields(422, &[("token", "required")]).await;
    app.get("/v1/unsubscriptions?token=a.b").expect_fields(422, &[("token", "invalid")]).await;
}

#[tokio::test]
async fn a_mail_that_is_sent_again_has_what_it_had() {
    let app = TestApp::start().await;
    let (_, reader, post) = world(&app).await;
    app.comment_by(&reader, &post, None).await;
    app.run_jobs().await;
    let first = app.mails().remove(0);
    // As if its process had died before it could say so.
    let undo = "update notifications set mail_at = created_at, mailed_at = null where mail_job is not null";
    sqlx::query(undo).execute(&mut app.db.acquire().await.unwrap()).await.unwrap();
    let again = "insert into jobs (id, kind, user_id, due_at, run_at, created_at)
      select mail_job, 'notification_mail', user_id, created_at, created_at, created_at from notifications";
    sqlx::query(again).execute(&mut app.db.acquire().await.unwrap()).await.unwrap();
    app.comment_by(&reader, &post, None).await;
    app.run_jobs().await;
    let second = app.mails().remove(0);
    assert_eq!((second.id, second.text), (first.id, first.text));
}

/// A mail server that is away does not make one mail of each hour.
#[tokio::test]
async fn what_has_piled_up_goes_in_one_mail() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("smtp://{closed}?tls=none");
    let app = TestApp::start_with(&[("MAIL_URL", &url), ("MAIL_FROM", "blog@example.com")]).await;
    let (_, reader, post) = world(&app).await;
    for _ in 0..4 {
        app.comment_by(&reader, &post, None).await;
        app.run_jobs().await;
        app.advance(TimeDelta::minutes(61));
    }
    assert_eq!(app.count("notifications where mail_at is not null and mail_job is null").await, 4);
    let back = app.start_beside(&[]);
    assert_eq!(mailed(&back).await, ["4 new notifications from Blog"]);
    assert_eq!(app.count("jobs where kind = 'notification_mail'").await, 0);
}

#[tokio::test]
async fn an_address_that_takes_no_mail_is_marked_and_not_tried_again() {
    let app = TestApp::start().await;
    let (author, reader, post) = world(&app).await;
    let unmailable = "update users set email = 'ø@example.com', email_key = 'ø@example.com' where id = $1";
    sqlx::query(unmailable).bind(author.id).execute(&mut app.db.acquire().await.unwrap()).await.unwrap();
    for _ in 0..2 {
        app.comment_by(&reader, &post, None).await;
        app.run_jobs().await;
        app.advance(TimeDelta::hours(2));
    }
    assert_eq!(app.count("jobs where kind = 'notification_mail'").await, 0);
    assert_eq!(app.count("users where email_undeliverable = 'bounce'").await, 1);
}

#[tokio::test]
async fn comments_that_come_and_go_leave_nothing_behind() {
    let app = TestApp::start().await;
    let (author, reader, _) = world(&app).await;
    for _ in 0..25 {
        let comment = app.comment_by(&reader, &app.post_by(&author).await, None).await;
        app.run_jobs().await;
        app.delete(&format!("/v1/comments/{comment}")).by(&reader).expect(204).await;
    }
    assert_eq!(app.mails().len(), 10);
    assert_eq!(app.count("notification_settings, unnest(at_once_mails)").await, 11);
    assert_eq!(app.count("jobs where kind = 'notification_mail'").await, 1);
}
