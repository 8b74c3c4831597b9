//! Files that are no pictures: announced, uploaded to their place, completed, and saved by readers.

use chrono::TimeDelta;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::support::{Call, FILE, TestApp, TestUser, announcement};

fn of(filename: &str, bytes: &[u8]) -> Value {
    let mut body = announcement();
    body["filename"] = json!(filename);
    body["bytes"] = json!(bytes.len());
    body["sha256"] = json!(hex::encode(Sha256::digest(bytes)));
    body
}

async fn announce(app: &TestApp, user: &TestUser, filename: &str, bytes: &[u8]) -> Value {
    let call = app.post("/v1/media/uploads").by(user).json(&of(filename, bytes));
    call.expect(201).await.json()
}

/// The request that an announcement answers with.
fn put<'a>(app: &'a TestApp, upload: &Value, body: &[u8]) -> Call<'a> {
    assert_eq!(upload["method"], "PUT");
    let path = path(&upload["url"]);
    app.put(&path).body(upload["headers"]["content-type"].as_str().unwrap(), body.to_vec())
}

fn completion<'a>(app: &'a TestApp, user: &TestUser, upload: &Value) -> Call<'a> {
    app.post(&format!("/v1/media/uploads/{}/completion", upload["id"].as_str().unwrap())).by(user)
}

async fn complete(app: &TestApp, user: &TestUser, filename: &str, bytes: &[u8]) -> Value {
    let upload = announce(app, user, filename, bytes).await;
    put(app, &upload, bytes).expect(200).await;
    completion(app, user, &upload).expect(201).await.json()
}

/// The part of a URL below the service's own address.
fn path(url: &Value) -> String {
    url::Url::parse(url.as_str().unwrap()).unwrap().path().to_owned()
}

async fn used(app: &TestApp, user: &TestUser) -> (i64, i64) {
    let usage = sqlx::query_as("select files, bytes from media_usage where user_id = $1::uuid");
    usage.bind(user.id).fetch_one(&mut app.db.acquire().await.unwrap()).await.unwrap()
}

#[tokio::test]
async fn a_file_is_uploaded_to_its_place_and_saved_by_browsers() {
    let app = TestApp::start().await;
    let author = app.author().await;
    for (filename, saved_as) in [
        ("Protokoll vom März.pdf", "protokoll-vom-marz.pdf"),
        ("年报.pdf", "nian-bao.pdf"),
        ("รายงาน.PDF", "raayngaan.pdf"),
    ] {
        let upload = announce(&app, &author, filename, FILE).await;
        assert_eq!(upload["headers"]["content-length"], FILE.len().to_string());
        completion(&app, &author, &upload).expect_fields(409, &[("id", "not_uploaded")]).await;
        put(&app, &upload, FILE).expect(200).await;
        let reply = completion(&app, &author, &upload).expect(201).await;
        let media = reply.json();
        assert_eq!(reply.header("location"), format!("/v1/media/{}", media["id"].as_str().unwrap()));
        assert_eq!(media["id"], upload["id"]);
        for (field, expected) in [
            ("filename", json!(filename)),
            ("content_type", json!("application/pdf")),
            ("bytes", json!(FILE.len())),
            ("width", Value::Null),
            ("variants", json!([])),
        ] {
            assert_eq!(media[field], expected, "{field}");
        }
        assert!(path(&media["url"]).ends_with(&format!("/{saved_as}")), "{media}");
        let file = app.get(&path(&media["url"])).expect(200).await;
        assert_eq!(file.body, FILE);
        assert_eq!(file.content_type(), "application/pdf");
        assert_eq!(file.header("content-disposition"), "attachment");
        assert_eq!(file.header("x-content-type-options"), "nosniff");
        assert_eq!(file.header("cache-control"), "public, max-age=31536000, immutable");
        assert!(file.header("content-security-policy").contains("sandbox"));
        // Whoever lost the answer completes it again.
        assert_eq!(completion(&app, &author, &upload).expect(201).await.json(), media);
        assert_eq!(app.get(reply.header("location")).by(&author).expect(200).await.json(), media);
    }
}

#[tokio::test]
async fn only_the_announced_file_is_taken_and_only_in_time() {
    let app = TestApp::start().await;
    let (author, other) = (app.author().await, app.author().await);
    let upload = announce(&app, &author, "a.pdf", FILE).await;
    for body in [&b"%PDF-1.7 and nothing else"[..], b"", &FILE[1..], &[FILE, b" "].concat()] {
        put(&app, &upload, body).expect_fields(422, &[("body", "another_file")]).await;
    }
    completion(&app, &author, &upload).expect_fields(409, &[("id", "not_uploaded")]).await;
    completion(&app, &other, &upload).expect_problem(404, "not_found").await;
    app.advance(TimeDelta::minutes(61));
    put(&app, &upload, FILE).expect_problem(404, "not_found").await;
    let late = announce(&app, &author, "a.pdf", FILE).await;
    put(&app, &late, FILE).expect(200).await;
    app.advance(TimeDelta::hours(23));
    completion(&app, &author, &late).expect(201).await;
    app.advance(TimeDelta::hours(2));
    let author = app.sign_in(&author).await;
    completion(&app, &author, &upload).expect_problem(404, "not_found").await;
    app.sweep_media().await;
    completion(&app, &author, &upload).expect_problem(404, "not_found").await;
    assert_eq!((app.count("media_uploads").await, app.count("media_objects").await), (0, 1));
    assert_eq!(used(&app, &author).await, (1, i64::try_from(FILE.len()).unwrap()));
}

#[tokio::test]
async fn what_was_announced_and_never_completed_is_swept_and_counted_no_more() {
    let app = TestApp::start_with(&[("MEDIA_QUOTA_FILES", "2")]).await;
    let author = app.author().await;
    let arrived = announce(&app, &author, "a.pdf", FILE).await;
    put(&app, &arrived, FILE).expect(200).await;
    announce(&app, &author, "b.pdf", b"b").await;
    let third = app.post("/v1/media/uploads").by(&author).json(&of("c.pdf", b"c"));
    third.expect_fields(409, &[("bytes", "quota_exceeded")]).await;
    app.advance(TimeDelta::hours(23));
    app.sweep_media().await;
    assert_eq!(app.count("media_objects").await, 2, "one may be uploading still");
    app.advance(TimeDelta::hours(2));
    app.sweep_media().await;
    assert_eq!((app.count("media_uploads").await, app.count("media_objects").await), (0, 0));
    assert_eq!(used(&app, &author).await, (0, 0));
    let author = app.sign_in(&author).await;
    complete(&app, &author, "a.pdf", FILE).await;
}

/// More than a task has in memory for all that one address reads.
#[tokio::test]
async fn a_large_file_is_streamed() {
    let app = TestApp::start().await;
    let author = app.author().await;
    let bytes = vec![7; 17 * 1024 * 1024];
    let media = complete(&app, &author, "large.pdf", &bytes).await;
    for _ in 0..2 {
        let file = app.get(&path(&media["url"])).expect(200).await;
        assert_eq!(file.header("content-length"), bytes.len().to_string());
        assert!(file.body == bytes);
    }
}

#[tokio::test]
async fn the_same_file_is_stored_once_under_each_of_its_names() {
    let app = TestApp::start().await;
    let (ada, grace) = (app.author().await, app.author().await);
    let one = complete(&app, &ada, "Minutes.pdf", FILE).await;
    let same = complete(&app, &grace, "minutes.pdf", FILE).await;
    let renamed = complete(&app, &grace, "Other.pdf", FILE).await;
    assert_eq!(one["url"], same["url"]);
    assert_ne!(one["url"], renamed["url"]);
    assert_eq!(app.count("media_objects").await, 2);
    for (media, user) in [(&one, &ada), (&renamed, &grace)] {
        app.delete(&format!("/v1/media/{}", media["id"].as_str().unwrap())).by(user).expect(204).await;
    }
    app.advance(TimeDelta::hours(26));
    app.sweep_media().await;
    app.get(&path(&renamed["url"])).expect(404).await;
    app.get(&path(&one["url"])).expect(200).await;
}

#[tokio::test]
async fn what_is_announced_is_checked_field_by_field() {
    let app = TestApp::start().await;
    let author = app.author().await;
    for (field, value, code) in [
        ("filename", json!(""), "too_short"),
        ("filename", json!("a\nb.pdf"), "control_character"),
        ("filename", json!("x".repeat(201)), "too_long"),
        ("content_type", json!("text/html"), "wrong_type"),
        ("content_type", json!("image/svg+xml"), "wrong_type"),
        ("bytes", json!(0), "out_of_range"),
        ("bytes", json!(1_073_741_825), "out_of_range"),
        ("sha256", json!("x"), "invalid_checksum"),
        ("sha256", json!("A".repeat(64)), "invalid_checksum"),
    ] {
        let mut body = announcement();
        body[field] = value.clone();
        let reply = app.post("/v1/media/uploads").by(&author).json(&body).expect(422).await.json();
        let error = &reply["errors"][0];
        assert_eq!((&error["field"], &error["code"]), (&json!(field), &json!(code)), "{value}");
    }
    let large = json!({"filename": "film.mp4", "content_type": "video/mp4", "bytes": 1_073_741_824, "sha256": "a".repeat(64)});
    let small = TestApp::start_with(&[("MEDIA_QUOTA_MIB", "1023")]).await;
    let owner = small.author().await;
    small
        .post("/v1/media/uploads")
        .by(&owner)
        .json(&large)
        .expect_fields(409, &[("bytes", "quota_exceeded")])
        .await;
    app.post("/v1/media/uploads").by(&author).json(&large).expect(201).await;
    app.post("/v1/media/uploads").by(&app.reader().await).json(&large).expect_problem(403, "forbidden").await;
}

#[tokio::test]
async fn a_file_is_no_picture() {
    let app = TestApp::start().await;
    let author = app.author().await;
    let media = complete(&app, &author, "a.pdf", FILE).await;
    let (id, url) = (media["id"].as_str().unwrap(), media["url"].as_str().unwrap());
    let post = json!({"title": "T", "body": "B", "cover": {"media": id}});
    app.post("/v1/posts").by(&author).json(&post).expect_fields(422, &[("cover.media", "not_found")]).await;
    let described = app.patch(&format!("/v1/media/{id}")).by(&author).json(&json!({"alt": "x"}));
    described.expect_fields(422, &[("alt", "no_picture")]).await;
    // But a text that links to it keeps it.
    let body = format!("[a]({url}#page=3)\n\n![b]({url}#page=3)");
    let post = json!({"title": "T", "body": body, "status": "published"});
    let post = app.post("/v1/posts").by(&author).json(&post).expect(201).await.json();
    assert!(!post["body_html"].as_str().unwrap().contains("width"), "{post}");
    let delete = || app.delete(&format!("/v1/media/{id}")).by(&author);
    delete().expect_fields(409, &[("id", "in_use")]).await;
    let path = format!("/v1/posts/{}", post["id"].as_str().unwrap());
    app.patch(&path).by(&author).json(&json!({"body": "nothing"})).expect(200).await;
    delete().expect(204).await;
}

#[tokio::test]
async fn a_place_that_is_off_or_away_takes_no_files() {
    let app = TestApp::start_with(&[("MEDIA_URL", "off")]).await;
    let author = app.author().await;
    let id = "00000000-0000-7000-8000-000000000000";
    let call = app.post("/v1/media/uploads").by(&author).json(&announcement());
    call.expect_problem(501, "media_off").await;
    let call = app.post(&format!("/v1/media/uploads/{id}/completion")).by(&author);
    call.expect_problem(501, "media_off").await;

    let app = TestApp::start_with(&[("MEDIA_URL", "file:/dev/null/media")]).await;
    let author = app.author().await;
    let upload = announce(&app, &author, "a.pdf", FILE).await;
    put(&app, &upload, FILE).expect_problem(503, "storage_unavailable").await;
    completion(&app, &author, &upload).expect_problem(503, "storage_unavailable").await;
}
