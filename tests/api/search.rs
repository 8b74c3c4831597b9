//! Finding posts: words and languages, how matches are shown and ranked, filters and orders.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::support::{TestApp, TestUser};

async fn publish(app: &TestApp, author: &TestUser, fields: Value) -> String {
    app.advance(TimeDelta::minutes(1));
    let mut body = json!({"body": "Nothing.", "status": "published"});
    body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    app.post("/v1/posts").by(author).json(&body).expect(201).await.id()
}

async fn titles(app: &TestApp, query: &str) -> Vec<String> {
    app.get(&format!("/v1/posts?{query}")).expect(200).await.items("title")
}

#[tokio::test]
async fn a_match_in_the_title_comes_before_one_in_the_summary_and_that_before_one_in_the_text() {
    let app = TestApp::start().await;
    let author = app.author().await;
    publish(&app, &author, json!({"title": "Engines"})).await;
    publish(&app, &author, json!({"title": "In the summary", "summary": "Of an engine."})).await;
    publish(&app, &author, json!({"title": "In the text", "body": "There is an engine."})).await;
    publish(&app, &author, json!({"title": "Nowhere"})).await;
    let expected = ["Engines", "In the summary", "In the text"];
    assert_eq!(titles(&app, "q=engine").await, expected);
    assert_eq!(titles(&app, "q=engine&sort=relevance").await, expected);
    assert_eq!(
        titles(&app, "q=engine&sort=-published_at").await,
        ["In the text", "In the summary", "Engines"]
    );
    assert_eq!(titles(&app, "q=engine+-text").await, ["Engines", "In the summary"]);
}

#[tokio::test]
async fn words_that_stand_side_by_side_come_before_words_that_do_not() {
    let app = TestApp::start().await;
    let author = app.author().await;
    publish(&app, &author, json!({"title": "Side by side", "body": "There is a red fox. And a field."}))
        .await;
    publish(&app, &author, json!({"title": "Apart", "body": "A fox is in the field. It is red."})).await;
    assert_eq!(titles(&app, "q=red+fox").await, ["Side by side", "Apart"]);
    assert_eq!(titles(&app, "q=%22red+fox%22").await, ["Side by side"]);
    assert_eq!(titles(&app, "q=fox+-%22red+fox%22").await, ["Apart"]);
    assert_eq!(titles(&app, "q=-%22red+fox%22").await, ["Apart"]);
    assert_eq!(titles(&app, "q=%22red+fox%22+or+-field&sort=title").await, ["Side by side"]);
    assert_eq!(titles(&app, "q=-unheard&sort=title").await, ["Apart", "Side by side"]);
    assert_eq!(titles(&app, "q=%21%21%21").await, Vec::<String>::new());
}

#[tokio::test]
async fn matches_are_marked_in_html_that_is_safe() {
    let app = TestApp::start().await;
    let author = app.author().await;
    let body = "What does the *script* element do? `<script>alert(\"1\")</script>` &amp; <b>scripts</b>\u{e001}\n\n\
                [A link](https://example.com/script \"of a script\") & more.";
    publish(&app, &author, json!({"title": "A", "body": body, "summary": "About <script> & co."})).await;
    let page = app.get("/v1/posts?q=script").expect(200).await.json();
    let highlight = page["items"][0]["highlight"].as_str().unwrap();
    assert!(
        highlight.starts_with(
            "About &lt;<mark>script</mark>&gt; &amp; co. What does the <mark>script</mark> element"
        ),
        "{highlight}"
    );
    assert!(highlight.contains("&lt;<mark>script</mark>&gt;alert(&quot;1&quot;)&lt;/"), "{highlight}");
    let rest = highlight.replace("<mark>", "").replace("</mark>", "");
    assert!(!rest.contains(['<', '>', '"', '\u{e000}', '\u{e001}']), "{highlight}");

    assert!(app.get("/v1/posts").expect(200).await.json()["items"][0].get("highlight").is_none());
}

#[tokio::test]
async fn an_excerpt_is_short_and_around_the_match() {
    let app = TestApp::start().await;
    let author = app.author().await;
    let filler = "Some words that nobody looks for. ".repeat(200);
    let body = format!("{filler}\n\nHere is a needle, in the haystack.\n\n{filler}");
    publish(&app, &author, json!({"title": "A", "body": body})).await;
    let page = app.get("/v1/posts?q=needles").expect(200).await.json();
    let highlight = page["items"][0]["highlight"].as_str().unwrap();
    assert!(highlight.contains("is a <mark>needle</mark>, in the haystack"), "{highlight}");
    assert!(highlight.len() < 600, "{highlight}");
}

#[tokio::test]
async fn words_are_found_by_the_rules_of_the_posts_language() {
    let app = TestApp::start().await;
    let author = app.author().await;
    let german = publish(&app, &author, json!({"title": "Die Häuser", "language": "german"})).await;
    publish(&app, &author, json!({"title": "The houses"})).await;
    assert_eq!(titles(&app, "q=haus&language=german").await, ["Die Häuser"]);
    assert_eq!(titles(&app, "q=house").await, ["The houses"]);
    assert_eq!(titles(&app, "q=h%C3%A4user&language=german").await, ["Die Häuser"]);
    assert_eq!(titles(&app, "q=h%C3%A4usern").await, Vec::<String>::new());
    assert_eq!(titles(&app, "language=german").await, ["Die Häuser"]);
    assert_eq!(titles(&app, "language=french").await, Vec::<String>::new());

    let path = format!("/v1/posts/{german}");
    assert_eq!(app.get(&path).expect(200).await.json()["language"], "german");
    let changed = app.patch(&path).by(&author).json(&json!({"language": "simple"})).expect(200).await.json();
    assert_eq!(changed["language"], "simple");
    assert_eq!(titles(&app, "q=haus&language=german").await, Vec::<String>::new());
    assert_eq!(titles(&app, "q=h%C3%A4user&language=simple").await, ["Die Häuser"]);

    for language in ["klingon", "English", ""] {
        let body = json!({"title": "T", "body": "B", "language": language});
        app.post("/v1/posts").by(&author).json(&body).expect_fields(422, &[("language", "wrong_type")]).await;
        let call = app.get(&format!("/v1/posts?language={language}"));
        call.expect_fields(422, &[("language", "wrong_type")]).await;
    }
    app.patch(&path)
        .by(&author)
        .json(&json!({"language": null}))
        .expect_fields(422, &[("language", "wrong_type")])
        .await;
}

#[tokio::test]
async fn every_language_is_one_that_postgresql_knows() {
    let app = TestApp::start().await;
    let author = app.author().await;
    for (language, _) in blog_api::language::Language::ALL {
        let id = publish(&app, &author, json!({"title": "Xylophone", "language": language})).await;
        let found = app.get(&format!("/v1/posts?q=xylophone&language={language}")).expect(200).await;
        assert_eq!(found.items("id"), [id]);
    }
}

#[tokio::test]
async fn the_service_has_a_language_of_its_own() {
    let app = TestApp::start_with(&[("DEFAULT_LANGUAGE", "german")]).await;
    let author = app.author().await;
    publish(&app, &author, json!({"title": "Die Häuser"})).await;
    let page = app.get("/v1/posts?q=haus").expect(200).await.json();
    assert_eq!(page["items"][0]["language"], "german");
}

#[tokio::test]
async fn a_time_span_has_its_beginning_and_not_its_end() {
    let app = TestApp::start().await;
    let author = app.author().await;
    for title in ["One", "Two", "Three"] {
        publish(&app, &author, json!({"title": title, "tags": ["t"]})).await;
    }
    let draft = json!({"title": "A draft", "status": "draft"});
    publish(&app, &author, draft).await;
    let at = |minutes: i64| {
        let time = app.now() - TimeDelta::minutes(minutes);
        time.to_rfc3339_opts(chrono::SecondsFormat::Nanos, true)
    };
    // Two was published two minutes before the draft was made.
    let (one, two, three) = (at(3), at(2), at(1));
    assert_eq!(titles(&app, &format!("published_after={two}")).await, ["Three", "Two"]);
    assert_eq!(titles(&app, &format!("published_before={two}")).await, ["One"]);
    assert_eq!(
        titles(&app, &format!("published_after={one}&published_before={three}")).await,
        ["Two", "One"]
    );
    let combined = format!("published_after={two}&tag=T&author={}&sort=title", author.id);
    assert_eq!(titles(&app, &combined).await, ["Three", "Two"]);
    let drafts =
        app.get(&format!("/v1/posts?status=draft&published_after={one}")).by(&author).expect(200).await;
    assert!(drafts.items("id").is_empty());

    for (query, fields) in [
        (format!("published_after={two}&published_before={two}"), [("published_before", "out_of_order")]),
        (format!("published_after={three}&published_before={one}"), [("published_before", "out_of_order")]),
        ("published_after=yesterday".into(), [("published_after", "wrong_type")]),
        ("published_after=-9999-01-01T00:00:00Z".into(), [("published_after", "out_of_range")]),
        ("published_before=%2B99999-01-01T00:00:00Z".into(), [("published_before", "out_of_range")]),
        ("sort=relevance".into(), [("sort", "needs_search")]),
        ("sort=likes".into(), [("sort", "wrong_type")]),
        (format!("q={}", "x".repeat(201)), [("q", "too_long")]),
        (format!("q={}", "x+".repeat(21)), [("q", "too_complex")]),
        // A ligature of four words each.
        (format!("q={}", "%EF%B7%BA".repeat(30)), [("q", "too_complex")]),
        (format!("q={}x", "-".repeat(60)), [("q", "too_complex")]),
    ] {
        app.get(&format!("/v1/posts?{query}")).expect_fields(422, &fields).await;
    }
    let body =
        json!({"title": "T", "body": "B", "status": "published", "published_at": "-9999-01-01T00:00:00Z"});
    app.post("/v1/posts")
        .by(&author)
        .json(&body)
        .expect_fields(422, &[("published_at", "out_of_range")])
        .await;
}

#[tokio::test]
async fn titles_sort_whatever_their_case_and_counts_by_their_number() {
    let app = TestApp::start().await;
    let (author, fan) = (app.author().await, app.reader().await);
    let mut ids = Vec::new();
    for title in ["beta", "Alpha", "GAMMA"] {
        ids.push(publish(&app, &author, json!({"title": title})).await);
    }
    assert_eq!(titles(&app, "sort=title").await, ["Alpha", "beta", "GAMMA"]);
    app.put(&format!("/v1/posts/{}/like", ids[0])).by(&fan).expect(204).await;
    app.comment_by(&fan, &ids[1], None).await;
    assert_eq!(titles(&app, "sort=-likes").await, ["beta", "GAMMA", "Alpha"]);
    assert_eq!(titles(&app, "sort=-comments").await, ["Alpha", "GAMMA", "beta"]);
}
