//! Where pictures are shown: in texts, as covers and avatars; and what becomes of them when nothing shows them any more.

use std::io::Cursor;

use blog_api::media::store;
use chrono::TimeDelta;
use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use serde_json::{Value, json};

use crate::support::{TestApp, TestUser};

/// Uploads a picture of 600 by 200 pixels.
async fn upload(app: &TestApp, user: &TestUser, color: u8, alt: Option<&str>) -> Value {
    let mut bytes = Cursor::new(Vec::new());
    let image = RgbImage::from_pixel(600, 200, Rgb([color, 0, 0]));
    DynamicImage::from(image).write_to(&mut bytes, ImageFormat::Png).unwrap();
    let media = app.post("/v1/media").by(user).body("image/png", bytes.into_inner()).expect(201).await;
    let Some(alt) = alt else { return media.json() };
    let patch = app.patch(&format!("/v1/media/{}", media.id())).by(user).json(&json!({"alt": alt}));
    patch.expect(200).await.json()
}

async fn post(app: &TestApp, user: &TestUser, body: &str, cover: Value) -> Value {
    let body = json!({"title": "With pictures", "body": body, "cover": cover, "status": "published"});
    app.post("/v1/posts").by(user).json(&body).expect(201).await.json()
}

fn id(resource: &Value) -> &str {
    resource["id"].as_str().unwrap()
}

async fn change(app: &TestApp, user: &TestUser, post: &Value, changes: Value) -> Value {
    app.patch(&format!("/v1/posts/{}", id(post))).by(user).json(&changes).expect(200).await.json()
}

async fn unused(app: &TestApp, user: &TestUser) -> Vec<String> {
    app.get("/v1/media?unused=true").by(user).expect(200).await.items("id")
}

async fn sweep_after(app: &TestApp, time: TimeDelta) {
    app.advance(time);
    app.sweep_media().await;
}

#[tokio::test]
async fn own_pictures_in_a_text_have_their_size_their_copies_and_a_description() {
    let app = TestApp::start().await;
    let author = app.author().await;
    let (described, bare) =
        (upload(&app, &author, 1, Some("A \"red\" <box>")).await, upload(&app, &author, 2, None).await);
    let (url, narrow) =
        (described["url"].as_str().unwrap(), described["variants"][0]["url"].as_str().unwrap());
    let text = format!(
        "![]({url}) ![Own words]({url}) ![]({bare}) ![](https://elsewhere.example/x.png) [file]({url})",
        bare = bare["url"].as_str().unwrap()
    );
    let post = post(&app, &author, &text, Value::Null).await;
    let html = post["body_html"].as_str().unwrap();
    let size = "width=\"600\" height=\"200\"";
    let srcset = format!("srcset=\"{narrow} 480w, {url} 600w\" loading=\"lazy\">");
    let with_alt = format!("<img src=\"{url}\" alt=\"A &quot;red&quot; &lt;box&gt;\" {size} {srcset}");
    assert!(html.contains(&with_alt), "{html}");
    assert!(html.contains(&format!("<img src=\"{url}\" alt=\"Own words\" {size} {srcset}")), "{html}");
    assert!(html.contains("<img src=\"https://elsewhere.example/x.png\" alt=\"\">"), "{html}");
    assert_eq!(html.matches("loading=\"lazy\"").count(), 3, "{html}");
    // The author is told, and nobody else.
    let path = format!("/v1/posts/{}", id(&post));
    assert_eq!(app.get(&path).by(&author).expect(200).await.json()["pictures_without_alt"], 2);
    for reply in [app.get(&path).expect(200).await, app.get(&path).by(&app.author().await).expect(200).await]
    {
        assert!(reply.json().get("pictures_without_alt").is_none(), "{reply}");
    }
    assert!(unused(&app, &author).await.is_empty());
}

#[tokio::test]
async fn a_new_description_is_shown_where_authors_gave_none() {
    let app = TestApp::start().await;
    let author = app.author().await;
    let media = upload(&app, &author, 1, Some("Before")).await;
    let url = media["url"].as_str().unwrap();
    let inherited = post(&app, &author, &format!("![]({url})"), json!({"media": id(&media)})).await;
    let own =
        post(&app, &author, &format!("![Own]({url})"), json!({"media": id(&media), "alt": "Own"})).await;
    app.patch(&format!("/v1/users/{}", author.id))
        .by(&author)
        .json(&json!({"avatar": id(&media)}))
        .expect(200)
        .await;
    assert_eq!((&inherited["cover"]["alt"], &own["cover"]["alt"]), (&json!("Before"), &json!("Own")));
    for alt in [json!("After"), Value::Null] {
        app.patch(&format!("/v1/media/{}", id(&media)))
            .by(&author)
            .json(&json!({"alt": alt}))
            .expect(200)
            .await;
        app.run_jobs().await;
        let read = async |post: &Value| app.get(&format!("/v1/posts/{}", id(post))).expect(200).await.json();
        let (now, still) = (read(&inherited).await, read(&own).await);
        assert_eq!((&now["cover"]["alt"], &still["cover"]["alt"]), (&alt, &json!("Own")));
        let shown = format!("alt=\"{}\"", alt.as_str().unwrap_or_default());
        assert!(now["body_html"].as_str().unwrap().contains(&shown), "{now}");
        assert!(still["body_html"].as_str().unwrap().contains("alt=\"Own\""), "{still}");
        assert_eq!(now["version"], inherited["version"]);
        let profile = app.get(&format!("/v1/users/{}", author.id)).expect(200).await.json();
        assert_eq!(profile["avatar"]["alt"], alt);
    }
}

/// What copies a description holds the picture until it has ended: who describes it anew finds all that copied the old one.
#[tokio::test]
async fn a_description_waits_for_those_who_copy_the_one_before() {
    let app = TestApp::start().await;
    let author = app.author().await;
    let media = upload(&app, &author, 1, Some("Before")).await;
    let (media_id, owner) = (id(&media).parse().unwrap(), Some(author.id));
    let name = media["url"].as_str().unwrap().rsplit_once('/').unwrap().1.to_owned();
    for copying in ["text", "cover or avatar", "job"] {
        let mut transaction = app.db.begin().await.unwrap();
        match copying {
            "text" => {
                let known =
                    store::of_objects(&mut transaction, std::slice::from_ref(&name), owner).await.unwrap();
                assert_eq!(known[&name].0, media_id);
            }
            "job" => assert!(store::alt(&mut transaction, media_id).await.unwrap().is_some()),
            _ => assert!(store::lock(&mut transaction, media_id, owner).await.unwrap().is_some()),
        }
        let mut other = app.db.begin().await.unwrap();
        sqlx::query("set local lock_timeout = '10ms'").execute(&mut *other).await.unwrap();
        let alt = Some(Some("After"));
        let waits = store::set_alt(&mut other, media_id, owner, alt, None, app.now()).await.unwrap_err();
        let code = waits.as_database_error().unwrap().code().unwrap().into_owned();
        assert_eq!(code, "55P03", "{copying}");
    }
}

#[tokio::test]
async fn own_files_are_known_by_their_address_however_it_is_spelled() {
    let app = TestApp::start().await;
    let author = app.author().await;
    let (media, other) = (upload(&app, &author, 1, None).await, upload(&app, &author, 2, None).await);
    let (url, foreign) = (media["url"].as_str().unwrap(), other["url"].as_str().unwrap());
    let spelled = url.replacen("http://", "HTTP://", 1) + "?v=1#x";
    let (_, path) = foreign.split_once("//").unwrap().1.split_once('/').unwrap();
    let text = format!("![]({spelled})\n\n![](https://elsewhere.example/{path})");
    let written = post(&app, &author, &text, Value::Null).await;
    let html = written["body_html"].as_str().unwrap();
    assert_eq!(html.matches("width=\"600\"").count(), 1, "{html}");
    assert!(html.contains("<img src=\"https://elsewhere.example/"), "{html}");
    assert_eq!(unused(&app, &author).await, [id(&other)]);
    // Still in the text, whatever becomes of the cover.
    change(&app, &author, &written, json!({"cover": {"media": id(&media)}})).await;
    change(&app, &author, &written, json!({"cover": null})).await;
    let path = format!("/v1/media/{}", id(&media));
    assert_eq!(app.get(&path).by(&author).expect(200).await.json()["unused_since"], Value::Null);
    change(&app, &author, &written, json!({"body": "No picture."})).await;
    assert_ne!(app.get(&path).by(&author).expect(200).await.json()["unused_since"], Value::Null);
}

#[tokio::test]
async fn a_cover_stands_for_a_post_everywhere() {
    let app = TestApp::start().await;
    let author = app.author().await;
    let media = upload(&app, &author, 1, Some("A cover")).await;
    let written = post(&app, &author, "Text.", json!({"media": id(&media)})).await;
    let cover = &written["cover"];
    for field in ["id", "url", "content_type", "bytes", "width", "height", "color", "variants", "alt"] {
        assert_eq!(cover[field], media[field], "{field}");
    }
    assert_eq!(app.get("/v1/posts").expect(200).await.json()["items"][0]["cover"], *cover);
    assert_eq!(app.get("/v1/posts?q=text").expect(200).await.json()["items"][0]["cover"], *cover);
    let graph = &written["open_graph"];
    assert_eq!((&graph["og:image"], &graph["og:image:alt"]), (&media["url"], &json!("A cover")));
    assert_eq!((&graph["og:title"], &graph["og:description"]), (&json!("With pictures"), &json!("Text.")));
    let url = media["url"].as_str().unwrap();
    let atom = app.get("/feed.xml").expect(200).await;
    let enclosure = format!("href=\"{url}\" rel=\"enclosure\" type=\"image/png\"");
    assert!(String::from_utf8_lossy(&atom.body).contains(&enclosure), "{atom}");
    let feed = app.get("/feed.json").expect(200).await.json();
    assert_eq!(
        (&feed["items"][0]["image"], &feed["items"][0]["attachments"][0]["url"]),
        (&media["url"], &media["url"])
    );

    let changed =
        change(&app, &author, &written, json!({"cover": {"media": id(&media), "alt": "Mine"}})).await;
    assert_eq!((&changed["cover"]["alt"], &changed["version"]), (&json!("Mine"), &json!(2)));
    assert_eq!(change(&app, &author, &written, json!({"title": "Other"})).await["cover"]["alt"], "Mine");
    assert_eq!(change(&app, &author, &written, json!({"cover": null})).await["cover"], Value::Null);
    assert_eq!(unused(&app, &author).await, [id(&media)]);
}

#[tokio::test]
async fn a_cover_and_an_avatar_are_pictures_that_one_may_show() {
    let app = TestApp::start().await;
    let (author, other, editor) = (app.author().await, app.author().await, app.editor().await);
    let media = upload(&app, &author, 1, None).await;
    let nobody = "00000000-0000-7000-8000-000000000000";
    for (user, chosen, status) in
        [(&other, id(&media), 422), (&editor, id(&media), 201), (&author, nobody, 422)]
    {
        let body = json!({"title": "T", "body": "B", "cover": {"media": chosen}});
        let reply = app.post("/v1/posts").by(user).json(&body).expect(status).await;
        if status == 422 {
            assert_eq!(reply.fields(), [("cover.media", "not_found")]);
        }
    }
    for (cover, fields) in [
        (json!({}), ("cover.media", "required")),
        (json!({"media": nobody, "alt": ""}), ("cover.alt", "too_short")),
        (json!({"media": nobody, "size": 1}), ("cover.size", "unknown")),
    ] {
        let body = json!({"title": "T", "body": "B", "cover": cover});
        app.post("/v1/posts").by(&author).json(&body).expect_fields(422, &[fields]).await;
    }
    let set = |user: &TestUser, avatar: Value| {
        app.patch(&format!("/v1/users/{}", user.id)).by(user).json(&json!({"avatar": avatar}))
    };
    set(&other, json!(id(&media))).expect_fields(422, &[("avatar", "not_found")]).await;
    assert_eq!(set(&author, json!(id(&media))).expect(200).await.json()["avatar"]["url"], media["url"]);
    let profile = format!("/v1/users/{}", author.id);
    assert_eq!(app.get(&profile).expect(200).await.json()["avatar"]["id"], media["id"]);
    app.delete(&format!("/v1/media/{}", id(&media)))
        .by(&author)
        .expect_fields(409, &[("id", "in_use")])
        .await;
    assert_eq!(set(&author, Value::Null).expect(200).await.json()["avatar"], Value::Null);
}

#[tokio::test]
async fn what_is_shown_is_kept_and_what_is_not_goes_after_thirty_days() {
    let app = TestApp::start().await;
    let author = app.author().await;
    let (in_text, cover, avatar, never) = (
        upload(&app, &author, 1, None).await,
        upload(&app, &author, 2, None).await,
        upload(&app, &author, 3, None).await,
        upload(&app, &author, 4, None).await,
    );
    let text = format!("![]({})", in_text["variants"][0]["url"].as_str().unwrap());
    let written = post(&app, &author, &text, json!({"media": id(&cover)})).await;
    let me = format!("/v1/users/{}", author.id);
    app.patch(&me).by(&author).json(&json!({"avatar": id(&avatar)})).expect(200).await;
    let exists = async |media: &Value| app.count(&format!("media where id = '{}'", id(media))).await == 1;
    sweep_after(&app, TimeDelta::days(29)).await;
    assert!(exists(&never).await);
    sweep_after(&app, TimeDelta::days(2)).await;
    assert!(!exists(&never).await && exists(&in_text).await && exists(&cover).await && exists(&avatar).await);
    // Sessions end meanwhile.
    let author = app.sign_in(&author).await;
    for media in [&in_text, &cover, &avatar] {
        app.delete(&format!("/v1/media/{}", id(media)))
            .by(&author)
            .expect_fields(409, &[("id", "in_use")])
            .await;
    }
    // A deleted post can be restored, with its pictures.
    let path = format!("/v1/posts/{}", id(&written));
    app.delete(&path).by(&author).expect(204).await;
    sweep_after(&app, TimeDelta::days(40)).await;
    assert!(exists(&in_text).await && exists(&cover).await);
    let author = app.sign_in(&author).await;
    app.post(&format!("{path}/restore")).by(&app.editor().await).expect(200).await;
    change(&app, &author, &written, json!({"body": "No pictures.", "cover": null})).await;
    app.patch(&me).by(&author).json(&json!({"avatar": null})).expect(200).await;
    sweep_after(&app, TimeDelta::days(31)).await;
    assert!(!exists(&in_text).await && !exists(&cover).await && !exists(&avatar).await);
    assert_eq!(app.count("media").await, 0);
    assert_eq!(app.count("media_usage where files <> 0 or bytes <> 0").await, 0);
}

#[tokio::test]
async fn pictures_go_with_the_person_unless_a_post_that_stays_shows_them() {
    let app = TestApp::start().await;
    let (leaver, other) = (app.author().await, app.author().await);
    let [in_own, in_others, in_draft, avatar, loose] =
        [1, 2, 3, 4, 5].map(|color| upload(&app, &leaver, color, None));
    let (in_own, in_others, in_draft, avatar, loose) =
        (in_own.await, in_others.await, in_draft.await, avatar.await, loose.await);
    let text = |media: &Value| format!("![]({})", media["url"].as_str().unwrap());
    let own = post(&app, &leaver, &text(&in_own), Value::Null).await;
    let others = post(&app, &other, &text(&in_others), Value::Null).await;
    let draft = json!({"title": "Draft", "body": "B", "cover": {"media": id(&in_draft)}});
    app.post("/v1/posts").by(&leaver).json(&draft).expect(201).await;
    let me = format!("/v1/users/{}", leaver.id);
    app.patch(&me).by(&leaver).json(&json!({"avatar": id(&avatar)})).expect(200).await;
    app.run_jobs().await;
    app.delete(&me).by(&leaver).expect(204).await;
    let editor = app.editor().await;
    let left = app.get("/v1/media").by(&editor).expect(200).await.json();
    let mut ids: Vec<_> = left["items"].as_array().unwrap().iter().map(id).collect();
    ids.sort_unstable();
    assert_eq!(ids, [id(&in_own), id(&in_others)]);
    assert!(left["items"].as_array().unwrap().iter().all(|media| media["owner_id"].is_null()));
    sweep_after(&app, TimeDelta::hours(2)).await;
    for (media, status) in
        [(&in_own, 200), (&in_others, 200), (&in_draft, 404), (&avatar, 404), (&loose, 404)]
    {
        let name = media["url"].as_str().unwrap().rsplit_once('/').unwrap().1;
        app.get(&format!("/media/{name}")).expect(status).await;
    }
    for post in [&own, &others] {
        let shown = app.get(&format!("/v1/posts/{}", id(post))).expect(200).await.json();
        assert!(shown["body_html"].as_str().unwrap().contains("width=\"600\""), "{shown}");
    }
}

#[tokio::test]
async fn a_post_that_refers_to_what_is_gone_is_written_all_the_same() {
    let app = TestApp::start().await;
    let author = app.author().await;
    let media = upload(&app, &author, 1, None).await;
    let url = media["url"].as_str().unwrap().to_owned();
    app.delete(&format!("/v1/media/{}", id(&media))).by(&author).expect(204).await;
    let written = post(&app, &author, &format!("![]({url})"), Value::Null).await;
    assert_eq!(written["body_html"], format!("<p><img src=\"{url}\" alt=\"\"></p>\n"));
    // Once it is there again, an edit finds it.
    upload(&app, &author, 1, Some("Again")).await;
    let changed = change(&app, &author, &written, json!({"body": format!("![]({url}) again")})).await;
    assert!(changed["body_html"].as_str().unwrap().contains("alt=\"Again\""), "{changed}");
    assert!(unused(&app, &author).await.is_empty());
}
