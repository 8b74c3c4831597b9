//! Reports: readers make them, editors decide them.

use chrono::TimeDelta;
use futures_util::future::{join, join_all};
use serde_json::{Value, json};

use crate::support::{TestApp, TestUser};

async fn report(app: &TestApp, user: &TestUser, post: &str) -> String {
    let body = json!({"post_id": post, "reason": "spam"});
    app.post("/v1/reports").by(user).json(&body).expect(201).await.id()
}

#[tokio::test]
async fn a_reader_reports_and_an_editor_decides() {
    let app = TestApp::start().await;
    let (author, reader, editor) = (app.author().await, app.reader().await, app.editor().await);
    let post = app.post_by(&author).await;
    let comment = app.comment_by(&author, &post, None).await;
    let body = json!({"comment_id": comment, "reason": "off_topic", "note": "It is about another engine."});
    let made = app.post("/v1/reports").by(&reader).json(&body).expect(201).await;
    let path = format!("/v1/reports/{}", made.id());
    assert_eq!(made.header("location"), path);
    let made = made.json();
    assert_eq!((&made["post_id"], &made["comment_id"]), (&Value::Null, &json!(comment)));
    assert_eq!((&made["reason"], &made["note"]), (&json!("off_topic"), &body["note"]));
    assert_eq!(made["reporter"]["username"], reader.username);
    assert_eq!(
        (&made["status"], &made["resolver"], &made["resolved_at"]),
        (&json!("open"), &Value::Null, &Value::Null)
    );
    assert_eq!(app.get(&path).by(&editor).expect(200).await.json(), made);

    app.advance(TimeDelta::hours(1));
    let decide = |status: &str| app.patch(&path).by(&editor).json(&json!({"status": status}));
    let decided = decide("upheld").expect(200).await.json();
    assert_eq!(
        (&decided["status"], &decided["resolver"]["username"]),
        (&json!("upheld"), &json!(editor.username))
    );
    assert!(decided["resolved_at"].as_str() > decided["created_at"].as_str());
    let seen = app.get(&path).by(&reader).expect(200).await.json();
    assert_eq!((&seen["status"], &seen["resolver"]), (&json!("upheld"), &Value::Null));
    app.get(&path).by(&author).expect_problem(404, "not_found").await;
    // What is reported stays as it is.
    app.get(&format!("/v1/comments/{comment}")).expect(200).await;

    let reopened = decide("open").expect(200).await.json();
    assert_eq!(reopened["version"], 3);
    for key in ["status", "resolver", "resolved_at"] {
        assert_eq!(reopened[key], made[key], "{key}");
    }
}

#[tokio::test]
async fn reports_are_listed_by_status_oldest_first() {
    let app = TestApp::start().await;
    let (author, editor) = (app.author().await, app.editor().await);
    let post = app.post_by(&author).await;
    let mut ids = Vec::new();
    for _ in 0..4 {
        ids.push(report(&app, &app.reader().await, &post).await);
    }
    for (id, status) in [(&ids[1], "upheld"), (&ids[2], "dismissed")] {
        app.patch(&format!("/v1/reports/{id}"))
            .by(&editor)
            .json(&json!({"status": status}))
            .expect(200)
            .await;
    }
    let list = async |query: &str| app.get(&format!("/v1/reports{query}")).by(&editor).expect(200).await;
    assert_eq!(list("").await.items("id"), [ids[0].as_str(), &ids[3]]);
    assert_eq!(list("?status=upheld").await.items("id"), [ids[1].as_str()]);
    assert_eq!(list("?status=dismissed").await.items("id"), [ids[2].as_str()]);
    let first = list("?limit=1").await;
    assert_eq!(first.items("id"), [ids[0].as_str()]);
    let cursor = first.json()["next_cursor"].as_str().unwrap().to_owned();
    let second = list(&format!("?limit=1&cursor={cursor}")).await;
    assert_eq!((second.items("id"), &second.json()["next_cursor"]), (vec![ids[3].clone()], &Value::Null));
    let call = app.get(&format!("/v1/reports?status=upheld&cursor={cursor}")).by(&editor);
    call.expect_fields(400, &[("cursor", "malformed")]).await;
    let call = app.get("/v1/reports?status=lost").by(&editor);
    call.expect_fields(422, &[("status", "wrong_type")]).await;
}

#[tokio::test]
async fn each_user_reports_each_thing_once() {
    let app = TestApp::start().await;
    let (author, reader, editor) = (app.author().await, app.reader().await, app.editor().await);
    let post = app.post_by(&author).await;
    let comment = app.comment_by(&author, &post, None).await;
    for (field, id) in [("post_id", &post), ("comment_id", &comment)] {
        let replies = join_all((0..4).map(|_| {
            let body = json!({field: id, "reason": "spam"});
            app.post("/v1/reports").by(&reader).json(&body).send()
        }))
        .await;
        let mut statuses: Vec<_> = replies.iter().map(|reply| reply.status.as_u16()).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 409, 409, 409]);
        let loser = replies.iter().find(|reply| reply.status == 409).unwrap();
        assert_eq!(loser.fields(), [(field, "reported")]);
    }
    report(&app, &app.reader().await, &post).await;
    assert_eq!(app.get("/v1/reports").by(&editor).expect(200).await.items("id").len(), 3);
}

#[tokio::test]
async fn what_is_no_report_is_refused_by_field() {
    let app = TestApp::start().await;
    let (author, reader, editor) = (app.author().await, app.reader().await, app.editor().await);
    let (post, draft) = (app.post_by(&author).await, app.draft_by(&author).await);
    let (comment, spam) =
        (app.comment_by(&author, &post, None).await, app.comment_by(&author, &post, None).await);
    let body = json!({"status": "spam"});
    app.patch(&format!("/v1/comments/{spam}")).by(&editor).json(&body).expect(200).await;
    let nothing = "00000000-0000-7000-8000-000000000000";
    for (body, field, code) in [
        (json!({"reason": "spam"}), "post_id", "required"),
        (json!({"reason": "spam", "post_id": post, "comment_id": comment}), "comment_id", "one_of"),
        (json!({"reason": "spam", "post_id": "a-post"}), "post_id", "wrong_type"),
        (json!({"reason": "dull", "post_id": post}), "reason", "wrong_type"),
        (json!({"post_id": post}), "reason", "required"),
        (json!({"reason": "other", "post_id": post, "note": ""}), "note", "too_short"),
        (json!({"reason": "other", "post_id": post, "note": "x".repeat(1001)}), "note", "too_long"),
        (json!({"reason": "spam", "post_id": nothing}), "post_id", "not_found"),
        (json!({"reason": "spam", "post_id": draft}), "post_id", "not_found"),
        (json!({"reason": "spam", "comment_id": nothing}), "comment_id", "not_found"),
        (json!({"reason": "spam", "comment_id": spam}), "comment_id", "not_found"),
    ] {
        app.post("/v1/reports").by(&reader).json(&body).expect_fields(422, &[(field, code)]).await;
    }
    let path = format!("/v1/reports/{nothing}");
    app.patch(&path).by(&editor).json(&json!({"status": "upheld"})).expect_problem(404, "not_found").await;
    app.get(&path).by(&editor).expect_problem(404, "not_found").await;
    let path = format!("/v1/reports/{}", report(&app, &reader, &post).await);
    for status in [json!("lost"), Value::Null] {
        let call = app.patch(&path).by(&editor).json(&json!({"status": status}));
        call.expect_fields(422, &[("status", "wrong_type")]).await;
    }
    let unchanged = app.patch(&path).by(&editor).json(&json!({})).expect(200).await;
    assert_eq!(unchanged.json()["version"], 1);
}

#[tokio::test]
async fn of_two_editors_who_decide_the_same_one_has_decided() {
    let app = TestApp::start().await;
    let (author, one, two) = (app.author().await, app.editor().await, app.editor().await);
    let post = app.post_by(&author).await;
    let path = format!("/v1/reports/{}", report(&app, &author, &post).await);
    let body = json!({"status": "upheld"});
    let decide = |editor: &TestUser| app.patch(&path).by(editor).json(&body).expect(200);
    let (first, second) = join(decide(&one), decide(&two)).await;
    assert_eq!(first.json(), second.json());
    let admin = app.admin().await;
    let log = app.get("/v1/audit?action=report.resolved").by(&admin).expect(200).await;
    assert_eq!(log.items("id").len(), 1, "{log}");
    assert_eq!(log.json()["items"][0]["actor"], first.json()["resolver"]);
}

#[tokio::test]
async fn reports_outlive_who_made_and_who_decided_them() {
    let app = TestApp::start().await;
    let (author, reader) = (app.author().await, app.reader().await);
    let (gone, editor) = (app.editor().await, app.editor().await);
    let post = app.post_by(&author).await;
    let path = format!("/v1/reports/{}", report(&app, &reader, &post).await);
    app.patch(&path).by(&gone).json(&json!({"status": "dismissed"})).expect(200).await;
    for user in [&reader, &gone] {
        app.delete(&format!("/v1/users/{}", user.id)).by(user).expect(204).await;
    }
    let left = app.get(&path).by(&editor).expect(200).await.json();
    for key in ["reporter", "resolver"] {
        assert_eq!((&left[key]["id"], &left[key]["username"]), (&Value::Null, &json!("deleted user")));
    }
}

#[tokio::test]
async fn a_decision_about_what_another_has_decided_meanwhile_is_refused_if_asked_to() {
    let app = TestApp::start().await;
    let (author, editor) = (app.author().await, app.editor().await);
    let path = format!("/v1/reports/{}", report(&app, &author, &app.post_by(&author).await).await);
    let tag = app.get(&path).by(&editor).expect(200).await.header("etag").to_owned();
    let decide = |body: Value| app.patch(&path).by(&editor).header("if-match", &tag).json(&body);
    decide(json!({"status": "upheld"})).expect(200).await;
    for stale in [json!({"status": "dismissed"}), json!({"status": "upheld"}), json!({})] {
        decide(stale).expect_problem(412, "precondition_failed").await;
    }
    assert_eq!(app.get(&path).by(&editor).expect(200).await.json()["status"], "upheld");
}
