//! What a search may cost: texts made to be slow are stored and found, and searches leave room for other reads.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, ConnectOptions, PgConnection};

use crate::support::{TestApp, TestUser};

const UNCACHED: (&str, &str) = ("CACHE_MAX_BYTES", "0");

async fn publish(app: &TestApp, author: &TestUser, body: &str) -> String {
    let post = json!({"title": "T", "body": body, "status": "published"});
    app.post("/v1/posts").by(author).json(&post).expect(201).await.id()
}

async fn execute(connection: &mut PgConnection, sql: &str) {
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(connection).await.unwrap();
}

/// Pieces of which PostgreSQL's parser takes long runs for the beginning of something.
const SLOW: [&str; 16] = [
    "a_", "a/", "a.", "a@", "a-", "1.", "1e+", "&", "&a", "<", "<!-- ", "< ", "://", "1.2.3-", "a-b.c@",
    "e\u{301}",
];

#[tokio::test]
async fn a_text_that_is_slow_to_parse_is_stored_and_found() {
    let app = TestApp::start_with(&[UNCACHED]).await;
    let author = app.author().await;
    for piece in SLOW {
        // In code, where everything is text.
        let body = format!("Common `{}` needle", piece.repeat(7_000 / piece.chars().count()));
        let id = publish(&app, &author, &body).await;
        let found = app.get("/v1/posts?q=common+needle&limit=1&sort=-published_at").expect(200).await;
        assert_eq!(found.items("id"), [id], "{piece}");
        app.advance(chrono::TimeDelta::minutes(1));
    }
    let page = app.get("/v1/posts?q=common&limit=100").expect(200).await.json();
    let items = page["items"].as_array().unwrap();
    assert_eq!(items.len(), SLOW.len());
    for item in items {
        assert!(item["highlight"].as_str().unwrap().contains("<mark>Common</mark>"), "{item}");
    }
}

#[tokio::test]
async fn the_longest_texts_fit() {
    let app = TestApp::start_with(&[UNCACHED]).await;
    let author = app.author().await;
    let distinct = |separator: &str| -> String {
        let letters = ('\u{4e00}'..='\u{9fff}').chain('\u{20000}'..='\u{2a000}');
        letters.take(60_000).flat_map(|letter| [letter.to_string(), separator.to_owned()]).collect()
    };
    let mixed = ('\u{20000}'..='\u{2a000}').map(|letter| format!("{letter}-x ")).take(40_000).collect();
    let long = "a_".repeat(99_990);
    for body in [distinct(" "), distinct("-"), distinct(""), mixed, long] {
        publish(&app, &author, &format!("needle {body}")).await;
    }
    let found = app.get("/v1/posts?q=needle").expect(200).await;
    assert_eq!(found.items("id").len(), 5);
}

#[tokio::test]
async fn words_are_found_however_they_are_joined() {
    let app = TestApp::start().await;
    let author = app.author().await;
    publish(
        &app,
        &author,
        "A `Vec<Widget>`, snake_case, either/or & someone@example.com[^1].\n\n[^1]: A footnote.",
    )
    .await;
    for q in [
        "widget",
        "Vec%3CWidget%3E",
        "snake",
        "snake_case",
        "either",
        "either%2For",
        "footnote",
        "someone@example.com",
        "someone",
    ] {
        let page = app.get(&format!("/v1/posts?q={q}")).expect(200).await.json();
        let highlight = page["items"][0]["highlight"].as_str().unwrap_or_else(|| panic!("{q}: {page}"));
        assert!(highlight.contains("<mark>"), "{q}: {highlight}");
    }
    let page = app.get("/v1/posts?q=widget").expect(200).await.json();
    let highlight = page["items"][0]["highlight"].as_str().unwrap();
    assert!(
        highlight.contains("<mark>Widget</mark>&gt;, snake_case, either/or &amp; someone@example.com"),
        "{highlight}"
    );
}

#[tokio::test]
async fn what_an_earlier_version_wrote_is_harmless_and_then_found_by_what_readers_see() {
    let app = TestApp::start_with(&[UNCACHED]).await;
    let author = app.author().await;
    let mut ids = Vec::new();
    for body in ["Common *needle*.".to_owned(), format!("Common `{}` needle.", "a_".repeat(11_000))] {
        ids.push(publish(&app, &author, "Old.").await);
        let mut connection = app.db.acquire().await.unwrap();
        // As the previous image does it.
        let update = "update posts set body = $2, body_html = $2, excerpt = 'Common', renderer = 1 where id = $1::uuid";
        sqlx::query(update).bind(ids.last().unwrap()).bind(body).execute(&mut connection).await.unwrap();
    }
    let found = async |q: &str| app.get(&format!("/v1/posts?q={q}")).expect(200).await.items("id").len();
    assert_eq!((found("common").await, found("old").await), (2, 0));
    app.maintain().await;
    assert_eq!((found("common").await, found("needle").await), (2, 2));
    let page: Value = app.get("/v1/posts?q=common").expect(200).await.json();
    for item in page["items"].as_array().unwrap() {
        assert!(item["highlight"].as_str().unwrap().contains("<mark>Common</mark>"), "{item}");
    }
}

#[tokio::test]
async fn a_read_whose_client_has_gone_ends_and_leaves_its_place() {
    let limits = [("DB_MAX_CONNECTIONS", "3"), ("DB_STATEMENT_TIMEOUT", "60s"), UNCACHED];
    let app = TestApp::start_with(&limits).await;
    let mut blocker = app.admin_options().database(app.database_name()).connect().await.unwrap();
    execute(&mut blocker, "begin; lock table posts in access exclusive mode").await;
    let waiting = "select count(*) > 0 from pg_stat_activity
                   where datname = current_database() and wait_event_type = 'Lock'";
    let mut observer = app.admin_options().database(app.database_name()).connect().await.unwrap();
    let mut until = async |expected: bool| {
        while sqlx::query_scalar::<_, bool>(waiting).fetch_one(&mut observer).await.unwrap() != expected {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    // The only place of its kind.
    tokio::select! {
        reply = app.get("/sitemap.xml").send() => panic!("{}", reply.status),
        () = until(true) => {}
    }
    until(false).await;
    execute(&mut blocker, "rollback").await;
    app.get("/sitemap.xml").expect(200).await;
}

#[tokio::test]
async fn searches_leave_connections_for_other_reads() {
    let app = TestApp::start_with(&[("DB_MAX_CONNECTIONS", "3"), UNCACHED]).await;
    let author = app.author().await;
    let mut blocker = app.admin_options().database(app.database_name()).connect().await.unwrap();
    execute(&mut blocker, "begin; lock table posts in access exclusive mode").await;
    // One runs and four wait for a second: its own time is over then.
    let searches = join_all((0..12).map(|_| app.get("/v1/posts?q=word").send()));
    let others = async {
        for _ in 0..10 {
            app.get(&format!("/v1/users/{}", author.id)).expect(200).await;
            app.get("/ready").expect(200).await;
        }
    };
    let (replies, ()) = tokio::join!(searches, others);
    let codes: Vec<_> =
        replies.iter().map(|reply| reply.json()["code"].as_str().unwrap().to_owned()).collect();
    assert!(replies.iter().all(|reply| reply.status == 503), "{codes:?}");
    assert!(codes.iter().filter(|code| *code == "overloaded").count() >= 7, "{codes:?}");
    assert!(codes.iter().any(|code| code == "too_costly"), "{codes:?}");
    execute(&mut blocker, "rollback").await;
    app.get("/v1/posts?q=word").expect(200).await;
}
