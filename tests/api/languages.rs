//! Texts in every language: in one form, sorted by their letters, and found by their words.

use blog_api::text::{is_forbidden_in_line, is_invisible, line, sort_key};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::json;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection};
use unicode_segmentation::UnicodeSegmentation;

use crate::cli::{run, stderr};
use crate::support::{TestApp, TestDatabase, TestUser};

/// Without a cache, which would show what was there before.
const UNCACHED: (&str, &str) = ("CACHE_MAX_BYTES", "0");

async fn publish(app: &TestApp, author: &TestUser, title: &str, body: &str, language: &str) -> String {
    let post = json!({"title": title, "body": body, "language": language, "status": "published"});
    app.post("/v1/posts").by(author).json(&post).expect(201).await.id()
}

fn query(q: &str, language: &str) -> String {
    let q: String = url::form_urlencoded::byte_serialize(q.as_bytes()).collect();
    format!("/v1/posts?q={q}&language={language}")
}

#[tokio::test]
async fn words_are_found_in_every_language_and_marked() {
    let app = TestApp::start_with(&[UNCACHED]).await;
    let author = app.author().await;
    for (language, body, searches) in [
        ("russian", "Он сказал: «Привет, мир».", &["привет", "ПРИВЕТ", "мир"][..]),
        ("english", "He said “Hello World”—twice.", &["hello", "world", "twice", "\"hello world\""]),
        ("french", "Un café près de l’école.", &["cafe", "CAFÉ", "cafe\u{301}", "ecole", "pres"]),
        ("german", "Die Häuser an der Straße", &["Haus", "hauser", "strasse", "STRASSE"]),
        ("portuguese", "As informações da ação", &["informação", "informacoes", "acao"]),
        ("spanish", "El niño y la canción", &["nino", "niños", "cancion"]),
        ("turkish", "İstanbul'da ışıklar", &["istanbul", "İSTANBUL", "ışık"]),
        ("greek", "Ο Σίσυφος ανέβαινε", &["ΣΊΣΥΦΟΣ", "σισυφος"]),
        ("swedish", "Ångström mätte", &["angstrom", "ÅNGSTRÖM"]),
        ("arabic", "كتاب جديد عن البرمجة", &["كتاب", "البرمجة"]),
        ("hindi", "हिन्दी में लेख", &["हिन्दी", "लेख"]),
        ("simple", "我喜欢用Rust编程语言。", &["编程", "编程语言", "喜欢", "语", "rust", "rust编程"]),
        ("simple", "東京タワーに行きました", &["東京", "タワー", "行き"]),
        ("simple", "ภาษาไทยไม่มีช่องว่าง", &["ภาษา", "ไทย", "ช่องว่าง"]),
        ("simple", "한국어를 배웁니다", &["한국어", "한국"]),
        (
            "english",
            "Compare client/server, example.com/a_b/main.rs, v2.0.1-rc4 and 2024-01-15",
            &[
                "server",
                "client/server",
                "example",
                "example.com",
                "main",
                "main.rs",
                "rc4",
                "v2.0.1",
                "15",
                "2024-01-15",
            ],
        ),
        (
            "english",
            "`Vec<Widget>` in C++, C# and .NET, not Notepad++",
            &["widget", "c++", "C#", ".net", "net", "notepad"],
        ),
        ("english", "<details><summary>Click button</summary>Panel</details>", &["button", "panel"]),
    ] {
        let id = publish(&app, &author, "T", body, language).await;
        for q in searches {
            let page = app.get(&query(q, language)).expect(200).await.json();
            let items = page["items"].as_array().unwrap();
            let found = items.iter().find(|post| post["id"] == id.as_str());
            let found = found.unwrap_or_else(|| panic!("{q} does not find {body}"));
            // The part of a name before its signs is found, but not marked.
            if !["net", "notepad"].contains(q) {
                let highlight = found["highlight"].as_str().unwrap();
                assert!(highlight.contains("<mark>"), "{q} in {highlight}");
                assert!(!highlight.contains(|c: char| c.is_control()), "{highlight:?}");
            }
        }
    }
    for (q, language) in [
        ("编语", "simple"),
        ("c#  -net", "english"),
        ("-编程 rust", "simple"),
        ("clients/server/later", "english"),
    ] {
        assert_eq!(app.get(&query(q, language)).expect(200).await.items("id"), Vec::<String>::new(), "{q}");
    }
}

#[tokio::test]
async fn a_name_with_signs_is_found_by_its_parts_in_every_script() {
    let app = TestApp::start_with(&[UNCACHED]).await;
    let author = app.author().await;
    for (text, searches) in [
        ("résumé.pdf", &["résumé.pdf", "résumé", "resume", "pdf"][..]),
        ("0#À:", &["0#À", "0", "À", "a"]),
        ("C++é C#ж é.NETς", &["c", "é", "e", "ж", "NETς"]),
        ("a/é.py?x=C#λ", &["py", "x", "c", "λ"]),
        ("1#\u{301}é", &["1", "é"]),
    ] {
        let id = publish(&app, &author, text, "B", "simple").await;
        for q in searches {
            let found = app.get(&query(q, "simple")).expect(200).await.items("id");
            assert!(found.contains(&id), "{q} does not find {text}");
        }
    }
}

#[tokio::test]
async fn stop_words_alone_are_found_in_titles() {
    let app = TestApp::start_with(&[UNCACHED]).await;
    let author = app.author().await;
    let id = publish(&app, &author, "The Who", "A band.", "english").await;
    publish(&app, &author, "Bands", "The who and the what.", "english").await;
    assert_eq!(app.get("/v1/posts?q=the+who").expect(200).await.items("id"), [id]);
}

#[tokio::test]
async fn the_last_word_of_the_longest_text_is_found() {
    let app = TestApp::start_with(&[UNCACHED]).await;
    let author = app.author().await;
    let words = (0..28_000).map(|n| format!("word{n}")).collect::<Vec<_>>().join(" ");
    let han: String = (0..199_000_u32).filter_map(|n| char::from_u32(0x4e00 + n * 7919 % 3000)).collect();
    for (body, last) in [(words, "letztes"), (han, "中最后的词")] {
        let body = format!("{} {last}", body.chars().take(199_990).collect::<String>().trim_end());
        let id = publish(&app, &author, "Long", &body, "simple").await;
        assert_eq!(app.get(&query(last, "simple")).expect(200).await.items("id"), [id], "{last}");
    }
}

#[tokio::test]
async fn titles_sort_by_their_letters_in_every_database() {
    let app = TestApp::start_with(&[UNCACHED]).await;
    let author = app.author().await;
    for title in ["zebra", "Éclair", "eclipse", "Яблоко", "арбуз", "Ångström", "Zürich"] {
        publish(&app, &author, title, "B", "simple").await;
    }
    let sorted = ["Ångström", "Éclair", "eclipse", "zebra", "Zürich", "арбуз", "Яблоко"];
    assert_eq!(app.get("/v1/posts?sort=title").expect(200).await.items("title"), sorted);
    let mut path = "/v1/posts?sort=title&limit=2".to_owned();
    let mut pages = Vec::new();
    loop {
        let page = app.get(&path).expect(200).await.json();
        pages.extend(
            page["items"].as_array().unwrap().iter().map(|post| post["title"].as_str().unwrap().to_owned()),
        );
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("/v1/posts?sort=title&limit=2&cursor={cursor}");
    }
    assert_eq!(pages, sorted);
}

#[tokio::test]
async fn tags_are_one_whatever_their_form_and_can_be_sent_back() {
    let app = TestApp::start_with(&[UNCACHED]).await;
    let author = app.author().await;
    for (tags, stored) in [
        (json!(["Café", "cafe\u{301}", " CAFÉ\u{a0}", "café\u{200b}"]), json!(["café"])),
        (json!(["ΟΔΟΣ", "οδοσ"]), json!(["οδος"])),
        (json!(["İ".repeat(32)]), json!(["i".repeat(32)])),
        (json!(["big   data", "Big\u{3000}Data"]), json!(["big data"])),
    ] {
        let post = json!({"title": "T", "body": "B", "status": "published", "tags": tags});
        let post = app.post("/v1/posts").by(&author).json(&post).expect(201).await.json();
        assert_eq!(post["tags"], stored);
        let path = format!("/v1/posts/{}", post["id"].as_str().unwrap());
        let again = app.patch(&path).by(&author).json(&json!({"tags": stored})).expect(200).await.json();
        assert_eq!(again["tags"], stored);
        let tag: String =
            url::form_urlencoded::byte_serialize(tags[0].as_str().unwrap().as_bytes()).collect();
        assert_eq!(app.get(&format!("/v1/posts?tag={tag}")).expect(200).await.items("id").len(), 1);
    }
}

#[tokio::test]
async fn an_address_is_one_whatever_its_case_and_has_nothing_hidden() {
    let app = TestApp::start().await;
    let user = |name: &str, email: &str| json!({"username": name, "email": email, "password": "correct horse battery"});
    app.post("/v1/users").json(&user("one", "Ø@example.com")).expect(201).await;
    let taken = user("two", "ø@EXAMPLE.com");
    app.post("/v1/users").json(&taken).expect_fields(409, &[("email", "taken")]).await;
    let sign_in = json!({"email": "ø@example.com", "password": "correct horse battery"});
    app.post("/v1/sessions").json(&sign_in).expect(201).await;
    for hidden in ["a@b.example\u{200b}", "\u{feff}a@b.example", "a\u{ad}@b.example", "a@b\u{202e}.example"] {
        let call = app.post("/v1/users").json(&user("three", hidden));
        call.expect_fields(422, &[("email", "invalid_email")]).await;
    }
}

/// What an account of an earlier version has, and what it becomes with the next change of the address.
#[tokio::test]
async fn an_address_of_an_earlier_version_still_signs_in_and_is_taken() {
    let app = TestApp::start().await;
    let user = json!({"username": "one", "email": "Old@example.com", "password": "correct horse battery"});
    app.post("/v1/users").json(&user).expect(201).await;
    let mut connection = app.db.acquire().await.unwrap();
    // As the previous image changes an address.
    sqlx::query("update users set email = 'Older@example.com'").execute(&mut connection).await.unwrap();
    let sign_in = json!({"email": "older@example.com", "password": "correct horse battery"});
    app.post("/v1/sessions").json(&sign_in).expect(201).await;
    let other = json!({"username": "two", "email": "OLDER@example.com", "password": "correct horse battery"});
    app.post("/v1/users").json(&other).expect_fields(409, &[("email", "taken")]).await;
}

#[tokio::test]
async fn what_was_stored_in_another_form_gets_its_own_in_the_background() {
    let app = TestApp::start_with(&[UNCACHED]).await;
    let author = app.author().await;
    for (title, tags) in
        [("Cafe\u{301}  noir", vec!["cafe\u{301}", "café", "CAFÉ"]), ("\u{200b}", vec!["\u{200b}"])]
    {
        let id = publish(&app, &author, "T", "Schöne Häuser", "german").await;
        let mut connection = app.db.acquire().await.unwrap();
        let update =
            "update posts set title = $2, tags = $3, renderer = 1, title_key = null where id = $1::uuid";
        sqlx::query(update).bind(id).bind(title).bind(tags).execute(&mut connection).await.unwrap();
    }
    app.maintain().await;
    let page = app.get("/v1/posts?sort=title").expect(200).await.json();
    assert_eq!(page["items"][0]["title"], "Café noir");
    assert_eq!((&page["items"][0]["tags"], &page["items"][1]["tags"]), (&json!(["café"]), &json!([])));
    let tags = app.get("/v1/tags").expect(200).await.json();
    assert_eq!(tags["items"], json!([{"name": "café", "posts": 1}]));
    assert_eq!(app.get(&query("hauser", "german")).expect(200).await.items("id").len(), 2);
}

const LANGUAGES: [&str; 7] = ["english", "german", "french", "russian", "greek", "turkish", "simple"];

/// Lines of letters, signs and what nobody sees.
fn any_title() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        "[a-zA-Z]{1,8}",
        "[À-ÿĀ-ž]{1,8}",
        "[а-яА-ЯёЁ]{1,8}",
        "[α-ωΑ-ΩάέίΐςΣ]{1,8}",
        "[一-龥]{1,8}",
        "[ぁ-んァ-ヶー]{1,8}",
        "[가-힣]{1,8}",
        "[กขคงจฉชซดตถทนบปพมยรลวสหอ]{1,8}",
        "[0-9]{1,4}",
        "[Aa]\u{301}",
    ];
    let between = "[ -./:_@#&+!?\"'’“”—…\u{a0}\u{200b}\u{200d}\u{2067}\u{2069}🦀]{1,3}";
    proptest::collection::vec((word, between), 1..6)
        .prop_map(|parts| parts.into_iter().map(|(word, between)| word + &between).collect::<String>())
}

#[test]
fn any_title_that_is_taken_is_seen_found_kept_and_sorted() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let (app, author) = runtime.block_on(async {
        let app = TestApp::start_with(&[UNCACHED]).await;
        let author = app.author().await;
        for title in ["Émile", "mmm", "Омега", "λ", "中"] {
            publish(&app, &author, title, "B", "simple").await;
        }
        (app, author)
    });
    let strategy = (any_title(), proptest::sample::select(&LANGUAGES[..]));
    let mut runner = TestRunner::new(ProptestConfig::with_cases(24));
    let outcome = runner.run(&strategy, |(title, language)| {
        runtime.block_on(async {
            let id = publish(&app, &author, &title, "B", language).await;
            let path = format!("/v1/posts/{id}");
            let stored = app.get(&path).expect(200).await.json()["title"].as_str().unwrap().to_owned();
            assert_eq!(stored, line(&title));
            assert!(stored.chars().any(|c| !is_invisible(c)) && !stored.contains(is_forbidden_in_line));
            for word in stored.unicode_words() {
                let found = app.get(&query(word, language)).expect(200).await.items("id");
                assert!(found.contains(&id), "{word:?} in {language} does not find {stored:?}");
            }
            let titles = app.get("/v1/posts?sort=title").expect(200).await.items("title");
            assert!(
                titles.contains(&stored) && titles.is_sorted_by_key(|title| sort_key(title)),
                "{titles:?}"
            );
            let again = app.patch(&path).by(&author).json(&json!({"title": stored})).expect(200).await.json();
            assert_eq!(again["title"], stored);
            app.delete(&path).by(&author).expect(204).await;
        });
        Ok(())
    });
    outcome.unwrap();
}

#[tokio::test]
async fn a_database_whose_locale_knows_ascii_alone_is_named_with_the_remedy() {
    let database = TestDatabase::create().await;
    let mut connection = database.options.connect().await.unwrap();
    let output = run(&["migrate"], &[("DATABASE_URL", &database.url())], "");
    assert_eq!(stderr(&output), "");

    let name = format!("{}_c", database.name());
    let create =
        format!("create database {name} template template0 encoding 'UTF8' locale_provider libc locale 'C'");
    sqlx::raw_sql(sqlx::AssertSqlSafe(create)).execute(&mut connection).await.unwrap();
    let url = PgConnectOptions::database(database.options.clone(), &name).to_url_lossy().to_string();
    let output = run(&["migrate"], &[("DATABASE_URL", &url)], "");
    let drop = format!("drop database {name} with (force)");
    sqlx::raw_sql(sqlx::AssertSqlSafe(drop)).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let message = stderr(&output);
    for part in [
        &format!("Warning: the locale of the database {name} is C"),
        "create database blog",
        "locale 'C.UTF-8'",
    ] {
        assert!(message.contains(part), "{message}");
    }
}
