//! Searches: cheap to ask, dear to answer.

use serde_json::json;

use crate::docker::sql;
use crate::flood::{Tally, at_once, flood};
use crate::http::Call;
use crate::stage::Stage;

/// Ten searches by others for a word, of which at least half must be answered.
async fn others_find(stage: &Stage, word: &str) -> Tally {
    let search = |n| (stage.at(&format!("192.0.3.{n}")), Call::get(format!("/v1/posts?q={word}&limit=20")));
    let tally = at_once((0..10).map(search).collect()).await.no_faults();
    assert!(tally.count(200) >= 5, "searches by others: {tally}");
    tally
}

pub(crate) async fn expensive_snippets(stage: Stage) -> String {
    for _ in 0..3 {
        stage.post(&stage.attacker, &format!("{} zebra", "a_".repeat(11_000))).await;
    }
    others_find(&stage, "zebra").await.to_string()
}

pub(crate) async fn many_words(stage: Stage) -> String {
    let body = "a_".repeat(100_000);
    let post = json!({"title": "Words", "body": body, "status": "published"});
    let posted = flood(4, &stage.attacker, |_| Call::post("/v1/posts", &post)).await.no_faults();
    format!("{posted}; others: {}", others_find(&stage, "words").await)
}

/// Ten thousand posts with the same words.
async fn many_posts() {
    sql("insert into posts (id, author_id, slug, title, body, body_html, \
                         published_at, created_at, updated_at, renderer) \
         select gen_random_uuid(), (select id from users where username = 'mallory'), 'bulk-' || n, \
                'Common ' || n, repeat('some common words of this text ', 100), '<p>common</p>', \
                now(), now(), now(), (select max(renderer) from posts) \
         from generate_series(1, 10000) n on conflict do nothing")
    .await;
}

/// The end of a list costs what its beginning costs.
pub(crate) async fn deep_pages(stage: Stage) -> String {
    many_posts().await;
    let reader = stage.at("203.0.113.21");
    let (mut last, mut pages, mut next) = (String::new(), 0, Some("/v1/posts?limit=100".to_owned()));
    while let Some(path) = next {
        let page = reader.get(&path).await;
        assert_eq!(page.status, 200, "page {pages}: {page:?}");
        (last, pages) = (path, pages + 1);
        next = page.json["next_cursor"].as_str().map(|cursor| format!("/v1/posts?limit=100&cursor={cursor}"));
    }
    assert!(pages > 100, "{pages} pages");
    let call = |n: usize| Call::get(last.replace("limit=100", &format!("limit={}", n % 99 + 1)));
    let tally = flood(8, &stage.at("203.0.113.22"), call).await.no_faults();
    format!("{pages} pages; the last: {tally}")
}

pub(crate) async fn common_words(stage: Stage) -> String {
    many_posts().await;
    let any = (0..100).map(|n| format!("word{n}")).collect::<Vec<_>>().join("%20or%20");
    let queries = [
        "/v1/posts?q=common&limit=100".to_owned(),
        "/v1/posts?q=%22common%20words%22".into(),
        "/v1/posts?q=common%20-absent".into(),
        format!("/v1/posts?q=common%20or%20{}", &any[..200]),
        "/v1/posts?q=some%20text&author=mallory".into(),
        "/v1/users?q=a&limit=100".into(),
        "/v1/tags?limit=100".into(),
        "/v1/posts?limit=100".into(),
        "/feed.xml".into(),
        "/sitemap.xml".into(),
    ];
    let attacker = stage.at("203.0.113.20");
    // The number makes each a search of its own, which no cache has.
    let call = |n: usize| match &queries[n % queries.len()] {
        query if query.contains("q=") && !query.contains('%') => Call::get(format!("{query}%20or%20x{n}")),
        query => Call::get(query),
    };
    let tally = flood(8, &attacker, call).await.no_faults();
    assert!(tally.count(200) > 0, "{tally}");
    tally.to_string()
}
