//! No list reads or sorts a whole table: the plans that PostgreSQL has executed for the service's own requests,
//! on many rows, as its `auto_explain` reports them.

mod loaded;
mod scale;

use std::collections::BTreeSet;

use serde_json::Value;

use crate::support::operations;
use loaded::Loaded;
use loaded::Who::{self, Admin, Anyone, Editor, Reader};

/// Rows that a page of 20 may touch if an index has exactly its rows: those of the list, once more by id, their stats and
/// authors, and the caller's session.
const PAGE: u64 = 110;

/// Rows that a page may touch if an index has the order or the filter, but not both. Either is a few hundred of
/// 10,000, since the planner takes the index that finds 20 earlier; twice as many with their stats.
const FILTERED: u64 = 1500;

/// Rows that a page may touch that is sorted: up to 3,000 are found, and each of them by its id.
const SORTED: u64 = 2 * 3000 + PAGE;

/// Rows that counting a hundred unread notifications may touch: each, and what it is about.
const UNREAD: u64 = 6 * 100;

/// Rows that a page of a search may touch, however many match: the first posts, to know how far apart they are; in the
/// index and the table what it finds in windows, the last of which has half more than it needs; and of the 500 that it
/// orders, each post and its counts.
const SEARCH: u64 = 500 + 2 * 2000 + 2 * 500 + PAGE;

/// The feeds and the sitemap, and how many rows they may touch: a sitemap all that it names.
const DOCUMENTS: &[(&str, u64)] = &[
    ("/feed.xml", PAGE),
    ("/feed.xml?tag=tag7", PAGE),
    ("/feed.xml?tag=rare7", PAGE),
    ("/feed.xml?author={author}", PAGE),
    ("/feed.xml?tag=tag7&author={author}", PAGE),
    ("/sitemap.xml", 10_000 + PAGE),
    ("/sitemap.xml?month={month}", 10_000 + PAGE),
];

/// Every list: route as documented, request, who asks, and how many rows a page of 20 may touch or sort.
const LISTS: &[(&str, &str, Who, u64)] = &[
    ("/v1/jobs", "/v1/jobs?status=waiting", Admin, PAGE),
    ("/v1/jobs", "/v1/jobs?status=running", Admin, PAGE),
    ("/v1/jobs", "/v1/jobs?status=failed", Admin, PAGE),
    ("/v1/webhooks", "/v1/webhooks?", Admin, PAGE),
    // With what was sent of each, and its attempts.
    ("/v1/webhooks/{id}/deliveries", "/v1/webhooks/{webhook}/deliveries?", Admin, 2 * PAGE),
    ("/v1/webhooks/{id}/deliveries", "/v1/webhooks/{webhook}/deliveries?status=failed", Admin, 2 * PAGE),
    ("/v1/notifications", "/v1/notifications?", Reader, PAGE + UNREAD),
    ("/v1/posts", "/v1/posts?", Anyone, PAGE),
    ("/v1/posts", "/v1/posts?sort=published_at", Anyone, PAGE),
    ("/v1/posts", "/v1/posts?sort=-likes", Anyone, PAGE),
    ("/v1/posts", "/v1/posts?sort=-comments", Anyone, PAGE),
    ("/v1/posts", "/v1/posts?sort=title", Anyone, PAGE),
    ("/v1/posts", "/v1/posts?author={author}", Anyone, PAGE),
    ("/v1/posts", "/v1/posts?author={author}&sort=published_at", Anyone, PAGE),
    ("/v1/posts", "/v1/posts?author={author}&sort=-likes", Anyone, SORTED),
    ("/v1/posts", "/v1/posts?author={author}&sort=-comments", Anyone, SORTED),
    ("/v1/posts", "/v1/posts?author={author}&sort=title", Anyone, PAGE),
    ("/v1/posts", "/v1/posts?language=german", Anyone, PAGE),
    ("/v1/posts", "/v1/posts?language=german&sort=-likes", Anyone, SORTED),
    ("/v1/posts", "/v1/posts?language=german&sort=title", Anyone, PAGE),
    ("/v1/posts", "/v1/posts?language=french&sort=-likes", Anyone, PAGE),
    ("/v1/posts", "/v1/posts?language=english&sort=-likes", Anyone, SORTED),
    ("/v1/posts", "/v1/posts?tag=tag7", Anyone, FILTERED),
    ("/v1/posts", "/v1/posts?tag=tag7&sort=published_at", Anyone, FILTERED),
    ("/v1/posts", "/v1/posts?tag=tag7&sort=-likes", Anyone, SORTED),
    ("/v1/posts", "/v1/posts?tag=tag7&sort=-comments", Anyone, SORTED),
    ("/v1/posts", "/v1/posts?tag=tag7&sort=title", Anyone, SORTED),
    ("/v1/posts", "/v1/posts?tag=tag5&author={author}", Anyone, PAGE),
    ("/v1/posts", "/v1/posts?tag=tag7&published_before={day}&sort=-likes", Anyone, SORTED),
    ("/v1/posts", "/v1/posts?tag=tag7&language=german&sort=title", Anyone, SORTED),
    ("/v1/posts", "/v1/posts?tag=oldest&published_after={day}&sort=-likes", Anyone, PAGE),
    ("/v1/posts", "/v1/posts?tag=rare7", Anyone, PAGE),
    ("/v1/posts", "/v1/posts?tag=rare7&sort=-likes", Anyone, PAGE),
    ("/v1/posts", "/v1/posts?published_after={day}", Anyone, PAGE),
    ("/v1/posts", "/v1/posts?published_before={day}", Anyone, PAGE),
    ("/v1/posts", "/v1/posts?published_before={day}&sort=-likes", Anyone, SORTED),
    ("/v1/posts", "/v1/posts?published_after={day}&sort=title", Anyone, FILTERED),
    ("/v1/posts", "/v1/posts?status=draft", Admin, PAGE),
    ("/v1/posts", "/v1/posts?status=draft&author={author}", Admin, 2 * PAGE),
    ("/v1/posts", "/v1/posts?status=draft&sort=title", Admin, PAGE),
    ("/v1/posts", "/v1/posts?status=draft&sort=-likes", Admin, FILTERED),
    ("/v1/posts", "/v1/posts?status=draft&tag=tag7", Admin, FILTERED),
    ("/v1/posts", "/v1/posts?status=draft", Reader, PAGE),
    ("/v1/posts", "/v1/posts?status=scheduled", Admin, PAGE),
    ("/v1/posts", "/v1/posts?status=scheduled&tag=tag7", Admin, PAGE),
    // All scheduled posts are sorted.
    ("/v1/posts", "/v1/posts?status=scheduled&sort=-likes", Admin, 2 * SORTED),
    ("/v1/posts", "/v1/posts?status=deleted", Admin, PAGE),
    ("/v1/posts", "/v1/posts?status=deleted&sort=-comments", Admin, FILTERED),
    ("/v1/posts", "/v1/posts?status=deleted&author={author}", Admin, 2 * PAGE),
    ("/v1/posts", "/v1/posts?q=rarely77", Anyone, SEARCH),
    ("/v1/posts", "/v1/posts?q=rarely77&sort=-likes", Anyone, SEARCH),
    ("/v1/posts", "/v1/posts?q=nowhere", Anyone, SEARCH),
    ("/v1/posts", "/v1/posts?q=common", Anyone, SEARCH),
    ("/v1/posts", "/v1/posts?q=common&sort=-published_at", Anyone, SEARCH),
    ("/v1/posts", "/v1/posts?q=common&sort=published_at", Anyone, SEARCH),
    ("/v1/posts", "/v1/posts?q=common&sort=-likes", Anyone, SEARCH),
    ("/v1/posts", "/v1/posts?q=common&sort=-comments", Anyone, SEARCH),
    ("/v1/posts", "/v1/posts?q=common&sort=title", Anyone, SEARCH),
    ("/v1/posts", "/v1/posts?q=common&published_before={day}", Anyone, SEARCH),
    ("/v1/posts", "/v1/posts?q=common&tag=tag17", Anyone, SEARCH),
    ("/v1/posts", "/v1/posts?q=common&author={author}&sort=-published_at", Anyone, SEARCH),
    ("/v1/posts", "/v1/posts?q=common&status=draft", Admin, SEARCH),
    ("/v1/posts", "/v1/posts?q=common+even", Anyone, SEARCH),
    ("/v1/posts", "/v1/posts?q=even+odd", Anyone, SEARCH),
    ("/v1/posts", "/v1/posts?q=even+odd&sort=published_at", Anyone, SEARCH),
    ("/v1/posts", "/v1/posts?q=even+or+word77&sort=title", Anyone, SEARCH),
    ("/v1/posts", "/v1/posts?q=%22common+even%22", Anyone, SEARCH),
    ("/v1/posts", "/v1/posts?q=%22common+even%22&sort=-published_at&tag=tag17", Anyone, SEARCH),
    ("/v1/posts", "/v1/posts?q=-even", Anyone, SEARCH),
    ("/v1/posts", "/v1/posts?q=-common&sort=-published_at", Anyone, SEARCH),
    ("/v1/tags", "/v1/tags?", Anyone, PAGE),
    ("/v1/tags", "/v1/tags?q=rare1", Anyone, PAGE),
    // With the tags of all scheduled posts, which are counted.
    ("/v1/tags", "/v1/tags?sort=-posts", Anyone, 3000),
    ("/v1/posts/{post}/revisions", "/v1/posts/{post}/revisions?", Admin, PAGE),
    ("/v1/posts/{post}/comments", "/v1/posts/{post}/comments?", Anyone, PAGE),
    ("/v1/posts/{post}/comments", "/v1/posts/{post}/comments?", Admin, PAGE),
    ("/v1/comments", "/v1/comments?status=pending", Admin, PAGE),
    ("/v1/comments", "/v1/comments?status=approved", Admin, PAGE),
    ("/v1/comments", "/v1/comments?status=approved&post={post}", Admin, FILTERED),
    ("/v1/comments", "/v1/comments?status=approved&author={author}", Admin, FILTERED),
    ("/v1/comments", "/v1/comments?status=pending&author={author}&post={post}", Admin, FILTERED),
    ("/v1/reports", "/v1/reports?", Admin, PAGE),
    ("/v1/reports", "/v1/reports?status=upheld", Admin, PAGE),
    ("/v1/audit", "/v1/audit?", Admin, PAGE),
    ("/v1/audit", "/v1/audit?action=post.deleted", Admin, PAGE),
    ("/v1/audit", "/v1/audit?action=site.updated", Admin, PAGE),
    ("/v1/audit", "/v1/audit?actor={author}", Admin, PAGE),
    ("/v1/audit", "/v1/audit?target={post}", Admin, PAGE),
    ("/v1/audit", "/v1/audit?actor={author}&target={post}", Admin, PAGE),
    ("/v1/users", "/v1/users?", Admin, PAGE),
    ("/v1/users", "/v1/users?q=user9", Admin, PAGE),
    ("/v1/sessions", "/v1/sessions?", Reader, PAGE),
    ("/v1/tokens", "/v1/tokens?", Reader, PAGE),
    ("/v1/tokens", "/v1/tokens?", Admin, PAGE),
    ("/v1/tokens", "/v1/tokens?user={author}", Admin, PAGE),
    ("/v1/invitations", "/v1/invitations?", Admin, PAGE),
    ("/v1/invitations", "/v1/invitations?", Editor, PAGE),
    // With two narrower copies of each, which are found in an index and then read.
    ("/v1/media", "/v1/media?", Reader, 2 * PAGE),
    ("/v1/media", "/v1/media?", Admin, 2 * PAGE),
    ("/v1/media", "/v1/media?owner={author}", Editor, 2 * PAGE),
    ("/v1/media", "/v1/media?unused=true", Reader, 2 * PAGE),
    ("/v1/media", "/v1/media?unused=true", Admin, 2 * PAGE),
    ("/v1/media", "/v1/media?owner={reader}&unused=true", Editor, 2 * PAGE),
    ("/v1/users/{id}/following", "/v1/users/{reader}/following?", Anyone, PAGE),
    ("/v1/users/{id}/followers", "/v1/users/{reader}/followers?", Anyone, PAGE),
    ("/v1/feed", "/v1/feed?", Reader, 3000),
];

/// The author and the post of the dataset that have most: the MD5 of `u1` and of `p1`.
const AUTHOR: &str = "e4774cdd-a079-3f86-414e-8b9140bb6db4";
const POST: &str = "ec6ef230-f182-8039-ee79-4566b9c58adc";

/// Every node of a plan.
fn nodes<'a>(plan: &'a Value, found: &mut Vec<&'a Value>) {
    found.push(plan);
    for child in plan["Plans"].as_array().into_iter().flatten() {
        nodes(child, found);
    }
}

/// How many rows a node has given and thrown away.
fn rows(node: &Value) -> u64 {
    let keys = ["Actual Rows", "Rows Removed by Filter", "Rows Removed by Index Recheck"];
    // Since PostgreSQL 18 it is the mean of all loops with its fraction.
    let each: f64 = keys.iter().filter_map(|key| node[key].as_f64()).sum();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of rows")]
    let rows = (each * node["Actual Loops"].as_f64().unwrap()).ceil() as u64;
    rows
}

/// What is wrong with the plans of one request.
fn objections(plans: &[Value], budget: u64) -> Vec<String> {
    let mut all = Vec::new();
    for plan in plans {
        nodes(plan, &mut all);
    }
    let mut objections = Vec::new();
    let mut touched = 0;
    for node in all {
        let kind = node["Node Type"].as_str().unwrap();
        // An alternative that was not taken.
        if node["Actual Loops"] == 0 {
            continue;
        }
        // A table of a few rows, such as the settings of the site, has no page but one.
        if kind == "Seq Scan" && rows(node) > PAGE {
            objections.push(format!("reads all of {}", node["Relation Name"]));
        }
        if node["Relation Name"].is_string() || kind == "Bitmap Index Scan" {
            touched += rows(node);
        }
        if kind.ends_with("Sort") {
            let sorted = rows(&node["Plans"][0]);
            if sorted > budget {
                objections.push(format!("sorts {sorted} rows by {}", node["Sort Key"]));
            }
        }
    }
    if touched > budget {
        objections.push(format!("touches {touched} rows, more than {budget}"));
    }
    objections
}

#[tokio::test]
async fn no_list_reads_or_sorts_a_whole_table() {
    let loaded = Loaded::start().await;
    // After five executions PostgreSQL may change to a plan for all values, the more so the more they cost. What
    // is judged comes after that, on the same connection.
    for _ in 0..6 {
        for &(_, path, who, _) in LISTS {
            loaded.get(&loaded.fill(path), who).await;
        }
    }
    let wrong = loaded.objections(objections).await;
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn no_list_is_missing() {
    let is_list = |operation: &Value| {
        let parameters = operation["parameters"].as_array();
        parameters.into_iter().flatten().any(|parameter| parameter["name"] == "cursor")
    };
    let lists: BTreeSet<_> = operations()
        .into_iter()
        .filter(|(.., operation)| is_list(operation))
        .map(|(_, path, _)| path)
        .collect();
    assert_eq!(lists, LISTS.iter().map(|(route, ..)| *route).collect());
}

#[test]
fn a_bad_plan_is_seen() {
    let scan = serde_json::json!({
        "Node Type": "Seq Scan", "Relation Name": "posts", "Actual Rows": 20, "Actual Loops": 2,
        "Rows Removed by Filter": 80,
    });
    let sort = serde_json::json!({
        "Node Type": "Sort", "Sort Key": ["title"], "Actual Rows": 20, "Actual Loops": 1, "Plans": [scan],
    });
    let expected =
        ["sorts 200 rows by [\"title\"]", "reads all of \"posts\"", "touches 200 rows, more than 199"];
    assert_eq!(objections(&[sort], 199), expected);
}
