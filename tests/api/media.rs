//! Pictures that are uploaded: what is taken, what is stored of it, who sees it, and when it goes.

use std::collections::BTreeSet;
use std::io::Cursor;

use chrono::TimeDelta;
use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use serde_json::{Value, json};

use crate::support::{Reply, TestApp, TestUser};

/// A picture in one colour with another corner, of `width` by 300 pixels.
fn picture(width: u32, color: [u8; 3]) -> Vec<u8> {
    let image = RgbImage::from_fn(width, 300, |x, y| if x + y < 100 { Rgb([255; 3]) } else { Rgb(color) });
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::from(image).write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}

async fn upload(app: &TestApp, user: &TestUser, bytes: Vec<u8>) -> Value {
    app.post("/v1/media").by(user).body("image/png", bytes).expect(201).await.json()
}

/// The part of a URL below the service's own address.
fn path(url: &Value) -> String {
    format!("/media/{}", url.as_str().unwrap().rsplit_once('/').unwrap().1)
}

/// The fields of a form.
type Parts<'a> = &'a [(&'a str, &'a [u8])];

fn form(parts: Parts<'_>) -> (&'static str, Vec<u8>) {
    let mut body = Vec::new();
    for (name, value) in parts {
        body.extend(format!("--x\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n").as_bytes());
        body.extend(*value);
        body.extend(b"\r\n");
    }
    body.extend(b"--x--\r\n");
    ("multipart/form-data; boundary=x", body)
}

#[tokio::test]
async fn a_picture_is_stored_with_narrower_ones_and_delivered() {
    let app = TestApp::start().await;
    let author = app.author().await;
    let call = app.post("/v1/media?alt=Red%20with%20a%20corner").by(&author);
    let reply = call.body("image/png", picture(1200, [200, 0, 0])).expect(201).await;
    let media = reply.json();
    assert_eq!(reply.header("location"), format!("/v1/media/{}", reply.id()));
    for (field, expected) in [
        ("width", json!(1200)),
        ("height", json!(300)),
        ("content_type", json!("image/png")),
        ("alt", json!("Red with a corner")),
        ("owner_id", json!(author.id)),
        ("version", json!(1)),
    ] {
        assert_eq!(media[field], expected, "{field}");
    }
    assert!(media["color"].as_str().unwrap().starts_with("#c"), "{media}");
    let widths: Vec<_> = media["variants"].as_array().unwrap().iter().map(|copy| &copy["width"]).collect();
    assert_eq!(widths, [480, 1024]);
    for copy in media["variants"].as_array().unwrap().iter().chain([&media]) {
        let file = app.get(&path(&copy["url"])).expect(200).await;
        assert_eq!(file.content_type(), "image/png");
        assert_eq!(file.body.len(), usize::try_from(copy["bytes"].as_u64().unwrap()).unwrap());
        let image = image::load_from_memory(&file.body).unwrap();
        assert_eq!((image.width(), image.height()), (side(copy, "width"), side(copy, "height")));
        assert_eq!(file.header("cache-control"), "public, max-age=31536000, immutable");
        assert_eq!(file.header("x-content-type-options"), "nosniff");
        assert!(file.header("content-security-policy").contains("sandbox"));
        app.get(&path(&copy["url"])).header("if-none-match", file.header("etag")).expect(304).await;
    }
    assert_eq!(app.get(reply.header("location")).by(&author).expect(200).await.json(), media);
}

fn side(copy: &Value, name: &str) -> u32 {
    copy[name].as_u64().unwrap().try_into().unwrap()
}

#[tokio::test]
async fn a_form_has_a_file_and_its_description() {
    let app = TestApp::start().await;
    let author = app.author().await;
    let file = picture(10, [0, 0, 200]);
    let send = |parts: Parts<'_>| {
        let (content_type, body) = form(parts);
        app.post("/v1/media").by(&author).body(content_type, body)
    };
    for (alt, expected) in [("蓝色", json!("蓝色")), ("مربّع أزرق", json!("مربّع أزرق")), ("", Value::Null)]
    {
        let media = send(&[("alt", alt.as_bytes()), ("file", &file)]).expect(201).await.json();
        assert_eq!(media["alt"], expected);
    }
    let long = "x".repeat(1001);
    let too_long = "x".repeat(20_000);
    let refused: [(Parts<'_>, &str, &str); 8] = [
        (&[("alt", b"x")], "file", "required"),
        (&[("file", &file), ("file", &file)], "file", "duplicate"),
        (&[("file", &file), ("alt", b"a"), ("alt", b"b")], "alt", "duplicate"),
        (&[("file", &file), ("title", b"a")], "title", "unknown"),
        (&[("file", &file), ("alt", b"\xff")], "alt", "wrong_type"),
        (&[("file", &file), ("alt", long.as_bytes())], "alt", "too_long"),
        (&[("file", &file), ("alt", too_long.as_bytes())], "alt", "too_long"),
        (&[("file", &file), ("alt", b"a\0b")], "alt", "control_character"),
    ];
    for (parts, field, code) in refused {
        send(parts).expect_fields(422, &[(field, code)]).await;
    }
    let (content_type, mut body) = form(&[("file", &file)]);
    body.truncate(40);
    app.post("/v1/media").by(&author).body(content_type, body).expect_problem(400, "unreadable").await;
}

#[tokio::test]
async fn what_is_no_picture_is_refused() {
    let app = TestApp::start().await;
    let author = app.author().await;
    let jpeg = b"\xff\xd8\xff\xe0 and nothing more".to_vec();
    let svg = b"<svg xmlns='http://www.w3.org/2000/svg'/>".to_vec();
    let mut huge = picture(10, [1; 3]);
    // In its header, of 2 by 2 thousand million pixels.
    huge[16..24].copy_from_slice(&[0x7f, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff]);
    for (content_type, file, status, code) in [
        ("image/png", b"<html><script>".to_vec(), 415, "unsupported_media_type"),
        ("image/png", svg.clone(), 415, "unsupported_media_type"),
        ("image/svg+xml", svg, 415, "unsupported_media_type"),
        ("text/html", picture(10, [1; 3]), 415, "unsupported_media_type"),
        ("application/json", b"{}".to_vec(), 415, "unsupported_media_type"),
        ("image/png", Vec::new(), 415, "unsupported_media_type"),
        ("image/jpeg", jpeg, 422, "invalid"),
        ("image/png", picture(10, [1; 3])[..60].to_vec(), 422, "invalid"),
        ("image/png", huge, 422, "invalid"),
        ("image/png", vec![0; 20 * 1024 * 1024 + 1], 413, "body_too_large"),
    ] {
        let reply =
            app.post("/v1/media").by(&author).body(content_type, file).expect_problem(status, code).await;
        if status == 422 {
            assert_eq!(reply.json()["errors"][0]["field"], "file", "{reply}");
        }
    }
    assert_eq!(app.count("media_objects").await, 0);
    // Whatever it is said to be.
    app.post("/v1/media").by(&author).body("image/gif", picture(10, [1; 3])).expect(201).await;
    app.post("/v1/media").by(&app.reader().await).body("image/png", picture(10, [1; 3])).expect(403).await;
}

#[tokio::test]
async fn the_same_picture_is_stored_once_and_goes_with_the_last_of_them() {
    let app = TestApp::start().await;
    let (ada, grace) = (app.author().await, app.author().await);
    let (one, other) =
        (upload(&app, &ada, picture(500, [9; 3])).await, upload(&app, &grace, picture(500, [9; 3])).await);
    assert_eq!(one["url"], other["url"]);
    assert_ne!(one["id"], other["id"]);
    assert_eq!(app.count("media_objects").await, 2);
    let delete = async |media: &Value, user| {
        app.delete(&format!("/v1/media/{}", media["id"].as_str().unwrap())).by(user).expect(204).await;
        app.advance(TimeDelta::hours(2));
        app.sweep_media().await;
    };
    delete(&one, &ada).await;
    app.get(&path(&one["url"])).expect(200).await;
    delete(&other, &grace).await;
    app.get(&path(&one["url"])).expect(404).await;
    assert_eq!(app.count("media_objects").await, 0);
    // And may come again.
    upload(&app, &ada, picture(500, [9; 3])).await;
    app.get(&path(&one["url"])).expect(200).await;
}

#[tokio::test]
async fn objects_of_uploads_that_were_broken_off_are_swept() {
    let app = TestApp::start().await;
    let author = app.author().await;
    let media = upload(&app, &author, picture(500, [7; 3])).await;
    // As if it had ended between the objects and the row.
    for sql in ["delete from media_variants", "delete from media", "update media_objects set unused = true"] {
        sqlx::query(sql).execute(&mut app.db.acquire().await.unwrap()).await.unwrap();
    }
    app.sweep_media().await;
    assert_eq!(app.count("media_objects").await, 2, "another upload may be at work on them");
    app.advance(TimeDelta::hours(2));
    // A sweep that died after it began.
    let begun = sqlx::query("update media_objects set deleting_at = $1").bind(app.now());
    begun.execute(&mut app.db.acquire().await.unwrap()).await.unwrap();
    app.sweep_media().await;
    assert_eq!(app.count("media_objects").await, 2, "that task may be at work on them");
    let again = app.post("/v1/media").by(&author).body("image/png", picture(500, [7; 3]));
    again.expect_problem(503, "overloaded").await;
    app.advance(TimeDelta::minutes(11));
    app.sweep_media().await;
    assert_eq!(app.count("media_objects").await, 0);
    app.get(&path(&media["url"])).expect(404).await;
    upload(&app, &author, picture(500, [7; 3])).await;
}

#[tokio::test]
async fn an_upload_that_is_sent_again_is_done_once() {
    let app = TestApp::start().await;
    let author = app.author().await;
    let file = picture(20, [3; 3]);
    let send = |boundary: &str| {
        let (_, body) = form(&[("file", &file), ("alt", b"Once")]);
        let text = format!("--{boundary}");
        let body: Vec<u8> = replace(&body, b"--x", text.as_bytes());
        let content_type = format!("multipart/form-data; boundary={boundary}");
        app.post("/v1/media").by(&author).header("idempotency-key", "upload").body(&content_type, body)
    };
    let first = send("one").expect(201).await;
    let again = send("another").expect(201).await;
    assert_eq!((first.id(), again.header("idempotency-replayed")), (again.id(), "true"));
    let other = app.post("/v1/media").by(&author).header("idempotency-key", "upload");
    let other = other.body("image/png", picture(20, [4; 3]));
    other.expect_fields(422, &[("Idempotency-Key", "reused")]).await;
    assert_eq!(app.count("media").await, 1);
}

fn replace(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = bytes;
    while let Some((first, tail)) = rest.split_first() {
        if let Some(after) = rest.strip_prefix(from) {
            out.extend(to);
            rest = after;
        } else {
            out.push(*first);
            rest = tail;
        }
    }
    out
}

#[tokio::test]
async fn quotas_are_of_files_and_of_bytes_and_free_again() {
    let app = TestApp::start_with(&[("MEDIA_QUOTA_FILES", "2")]).await;
    let author = app.author().await;
    let send = |color| app.post("/v1/media").by(&author).body("image/png", picture(20, [color; 3]));
    let first = send(1).expect(201).await.id();
    send(2).expect(201).await;
    let refused = send(3).expect_fields(409, &[("file", "quota_exceeded")]).await;
    assert!(refused.to_string().contains("2 files"), "{refused}");
    // Others have their own.
    upload(&app, &app.author().await, picture(20, [3; 3])).await;
    app.delete(&format!("/v1/media/{first}")).by(&author).expect(204).await;
    let replies = futures_util::future::join_all([send(4).send(), send(5).send(), send(6).send()]).await;
    let taken = replies.iter().filter(|reply: &&Reply| reply.status == 201).count();
    assert_eq!(taken, 1, "of parallel ones only what fits");

    let app = TestApp::start_with(&[("MEDIA_QUOTA_MIB", "1")]).await;
    let author = app.author().await;
    let mut state = 1_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state.to_be_bytes()[0]
    };
    let noise = RgbImage::from_fn(700, 700, |_x, _y| Rgb([next(), next(), next()]));
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::from(noise).write_to(&mut bytes, ImageFormat::Png).unwrap();
    let call = app.post("/v1/media").by(&author).body("image/png", bytes.into_inner());
    call.expect_fields(409, &[("file", "quota_exceeded")]).await;
}

#[tokio::test]
async fn authors_list_their_own_and_editors_all() {
    let app = TestApp::start().await;
    let (ada, grace, editor) = (app.author().await, app.author().await, app.editor().await);
    let mut of_ada = Vec::new();
    for color in 0..3 {
        of_ada
            .insert(0, upload(&app, &ada, picture(10, [color; 3])).await["id"].as_str().unwrap().to_owned());
    }
    let of_grace = upload(&app, &grace, picture(10, [9; 3])).await["id"].as_str().unwrap().to_owned();
    let list = async |query: &str, user| app.get(&format!("/v1/media?{query}")).by(user).expect(200).await;
    assert_eq!(list("", &ada).await.items("id"), of_ada);
    let first = list("limit=2", &ada).await;
    assert_eq!(first.items("id"), of_ada[..2]);
    let next = first.json()["next_cursor"].as_str().unwrap().to_owned();
    assert_eq!(list(&format!("limit=2&cursor={next}"), &ada).await.items("id"), of_ada[2..]);
    assert_eq!(list("", &editor).await.items("id").len(), 4);
    assert_eq!(list(&format!("owner={}", ada.id), &editor).await.items("id"), of_ada);
    assert_eq!(list(&format!("owner={}", ada.id), &ada).await.items("id"), of_ada);
    assert_eq!(list("unused=true", &editor).await.items("id").len(), 4);
    app.get(&format!("/v1/media?owner={}", ada.id)).by(&grace).expect_problem(403, "forbidden").await;
    assert!(list("", &app.reader().await).await.items("id").is_empty());

    let one = format!("/v1/media/{of_grace}");
    app.get(&one).by(&ada).expect(404).await;
    app.patch(&one).by(&ada).json(&json!({"alt": "Mine?"})).expect(404).await;
    app.delete(&one).by(&ada).expect(404).await;
    app.get(&one).by(&editor).expect(200).await;
}

#[tokio::test]
async fn a_description_changes_and_editors_leave_a_trace() {
    let app = TestApp::start().await;
    let (author, editor, admin) = (app.author().await, app.editor().await, app.admin().await);
    let id = upload(&app, &author, picture(10, [5; 3])).await["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/media/{id}");
    let change = |user, body: Value| app.patch(&path).by(user).json(&body);
    let changed = change(&author, json!({"alt": "A gray square"})).expect(200).await;
    assert_eq!((&changed.json()["alt"], &changed.json()["version"]), (&json!("A gray square"), &json!(2)));
    assert_eq!(change(&author, json!({"alt": "A gray square"})).expect(200).await.json()["version"], 2);
    assert_eq!(change(&author, json!({})).expect(200).await.json()["version"], 2);
    change(&author, json!({"alt": "x"})).header("if-match", "\"1\"").expect(412).await;
    change(&author, json!({"alt": "x"})).header("if-match", changed.header("etag")).expect(200).await;
    change(&author, json!({"alt": ""})).expect_fields(422, &[("alt", "too_short")]).await;
    change(&author, json!({"alt": "x".repeat(1001)})).expect_fields(422, &[("alt", "too_long")]).await;
    assert_eq!(change(&editor, json!({"alt": null})).expect(200).await.json()["alt"], Value::Null);
    app.delete(&path).by(&editor).header("if-match", "\"1\"").expect(412).await;
    app.delete(&path).by(&editor).expect(204).await;
    app.delete(&path).by(&author).expect(404).await;
    let actions = app.get(&format!("/v1/audit?target={id}")).by(&admin).expect(200).await.items("action");
    let actions: BTreeSet<_> = actions.iter().map(String::as_str).collect();
    assert_eq!(actions, BTreeSet::from(["media.deleted", "media.updated"]));
}

#[tokio::test]
async fn without_a_place_nothing_is_uploaded() {
    let app = TestApp::start_with(&[("MEDIA_URL", "off")]).await;
    let author = app.author().await;
    let id = "00000000-0000-7000-8000-000000000000";
    app.post("/v1/media")
        .by(&author)
        .body("image/png", picture(10, [1; 3]))
        .expect_problem(501, "media_off")
        .await;
    for path in ["/v1/media".to_owned(), format!("/v1/media/{id}")] {
        app.get(&path).by(&author).expect_problem(501, "media_off").await;
    }
    let cover = json!({"title": "T", "body": "B", "cover": {"media": id}});
    app.post("/v1/posts").by(&author).json(&cover).expect_problem(501, "media_off").await;
    app.get("/v1/posts").expect(200).await;
}

#[tokio::test]
async fn a_place_that_is_away_is_503_and_nothing_else_suffers() {
    let app = TestApp::start_with(&[("MEDIA_URL", "file:/dev/null/media")]).await;
    let author = app.author().await;
    let call = app.post("/v1/media").by(&author).body("image/png", picture(10, [1; 3]));
    let reply = call.expect_problem(503, "storage_unavailable").await;
    assert_eq!(reply.header("retry-after"), "1");
    assert_eq!(app.count("media").await, 0);
    app.get("/ready").expect(200).await;
}

#[tokio::test]
async fn names_that_are_no_files_are_not_found() {
    let app = TestApp::start().await;
    for name in
        ["x.png", "..%2f..%2fetc%2fpasswd", "%2e%2e", ".png", &format!("{}.html", "a".repeat(64)), "a%00.png"]
    {
        let reply = app.get(&format!("/media/{name}")).send().await;
        assert!(reply.status == 404 || reply.status == 400, "{reply}");
    }
}
