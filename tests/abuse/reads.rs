//! Reads that are cheap to ask and dear to answer, each as often as the limits allow.

use std::time::Duration;

use axum::http::Method;
use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::docker::sql;
use crate::flood::flood;
use crate::http::Call;
use crate::stage::{Stage, sign_up};

const ENCODINGS: [&str; 4] = ["identity", "gzip", "br", "zstd"];
const LENGTH: usize = 199_000;

/// What no cache has: the number makes each request one of its own.
pub(crate) async fn anonymous(stage: Stage) -> String {
    let call = |n: usize| {
        let path = match n % 7 {
            0 => "/docs/swagger-ui-bundle.js".to_owned(),
            1 => format!("/docs/swagger-ui-bundle.js?{n}"),
            2 => format!("/openapi.json?{n}"),
            3 => "/sitemap.xml".into(),
            4 => "/feed.xml".into(),
            5 => format!("/v1/posts?limit={}", n % 100 + 1),
            _ => "/feed.json".into(),
        };
        Call::get(path)
            .header("accept-encoding", format!("{}, x-{n}", ENCODINGS[n % 4]))
            .header("host", format!("host-{n}.example"))
    };
    flood(8, &stage.at("203.0.113.50"), call).await.no_faults().to_string()
}

/// The longest texts, compressed for each reader.
pub(crate) async fn signed_in(stage: Stage) -> String {
    let words: String = (0..30_000).map(|n| format!("{:x} ", n * 7_919 % 65_537)).collect();
    let slug = stage.post(&stage.attacker, &words[..LENGTH.min(words.len())]).await;
    let paths = [format!("/v1/posts/{slug}"), "/v1/posts?limit=100".into(), "/v1/users/me".into()];
    let call = |n: usize| {
        Call::get(&paths[n % paths.len()]).header("accept-encoding", ENCODINGS[n % ENCODINGS.len()])
    };
    flood(8, &stage.attacker, call).await.no_faults().to_string()
}

/// Versions with nothing in common, in as many lines as there can be.
pub(crate) async fn revisions(stage: Stage) -> String {
    let lines = |from: usize| (from..).map(|n| format!("{n}\n"));
    let body = |from: usize| lines(from).take(LENGTH / 7).collect::<String>();
    let author = sign_up(&stage.base, "reviser", "203.0.113.51", "author").await;
    let slug = stage.post(&author, &body(100_000)).await;
    let id = sql(&format!("select id from posts where slug = '{slug}'")).await;
    let path = format!("/v1/posts/{id}");
    for n in 1..4 {
        let change = Call::of(Method::PATCH, &path, &json!({"body": body(100_000 + n * 50_000)}));
        let answer = author.send(change.header("if-match", "*")).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    let numbers = author.get(&format!("{path}/revisions")).await.json;
    let numbers: Vec<_> =
        numbers["items"].as_array().unwrap().iter().map(|item| item["number"].clone()).collect();
    assert_eq!(numbers.len(), 4);
    let call = |n: usize| {
        Call::get(format!("{path}/revisions/{}?against={}", numbers[n % 4], numbers[(n / 4 + 1) % 4]))
    };
    let tally = flood(8, &author, call).await.no_faults();
    assert!(tally.count(200) > 0, "{tally}");
    tally.to_string()
}

/// An export that is taken just too slowly holds up nobody else's.
pub(crate) async fn slow_exports(stage: Stage) -> String {
    let posts = "insert into posts (id, author_id, slug, title, body, body_html, created_at, updated_at, renderer) \
                 select gen_random_uuid(), (select id from users where username = 'mallory'), 'long-' || n, 'Long', \
                        repeat('text ', 38000), '', now(), now(), (select max(renderer) from posts) \
                 from generate_series(1, 60) n";
    sql(posts).await;
    let mut slow = JoinSet::new();
    for _ in 0..20 {
        let attacker = stage.attacker.clone();
        slow.spawn(async move { attacker.send_slowly(Call::get("/v1/users/me/export")).await });
    }
    sleep(Duration::from_secs(1)).await;
    let others = stage.editor.get("/v1/users/me/export").await;
    assert_eq!(others.status, 200, "the export of somebody else: {others:?}");
    let statuses = slow.join_all().await;
    let begun = statuses.iter().filter(|status| **status == 200).count();
    assert_eq!(begun, 1, "exports of one account at once: {statuses:?}");
    format!("one of {} begun, {} B of another meanwhile", statuses.len(), others.bytes)
}
