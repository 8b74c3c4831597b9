//! What one client sends takes no more than its share of the service's memory, of its responses and of its
//! database, and nothing that is long comes back whole.

use chrono::TimeDelta;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Reply, TestApp, TestUser};

const MIB: usize = 1024 * 1024;

/// How large the response to a request that is refused may be.
const MAX_PROBLEM: usize = 32 * 1024;

#[tokio::test]
async fn a_hundred_errors_are_named_and_the_rest_is_counted() {
    let app = TestApp::start().await;
    let author = app.author().await;
    let tags = vec![""; 300_000];
    let reply = app.post("/v1/posts").by(&author).json(&json!({"title": "", "body": "", "tags": tags}));
    let reply = reply.expect(422).await;
    let fields = reply.fields();
    assert_eq!(fields.len(), 100);
    assert_eq!(
        fields[..4],
        [("title", "too_short"), ("body", "too_short"), ("tags", "too_many"), ("tags[0]", "too_short")]
    );
    assert!(reply.json()["detail"].as_str().unwrap().ends_with("there are 4 more."), "{reply}");
    assert!(reply.body.len() < MAX_PROBLEM, "{} bytes", reply.body.len());

    let ids = vec!["not an id"; 60_000];
    let editor = app.editor().await;
    let body = json!({"ids": ids, "action": "approve"});
    app.post("/v1/comments/moderation").by(&editor).json(&body).expect(422).await;
    let ids: Vec<_> = (0..20_000).map(|_| Uuid::now_v7()).collect();
    let body = json!({"ids": ids, "action": "approve"});
    let call = app.post("/v1/comments/moderation").by(&editor).json(&body);
    call.expect_fields(422, &[("ids", "too_many")]).await;
}

#[tokio::test]
async fn what_is_long_does_not_come_back_whole() {
    let app = TestApp::start().await;
    let author = app.author().await;
    let long = "é".repeat(MIB / 2 - 100);
    let deep = |open: &str, close: &str| {
        let levels = 100;
        open.repeat(levels) + "1" + &close.repeat(levels)
    };
    let bodies = [
        format!("{{\"{long}\": 1}}"),
        format!("{{\"email\": {{\"{long}\": 1}}}}"),
        format!("{{\"email\": \"{long}\"}}"),
        format!("{{\"email\": [\"{long}\"]}}"),
        format!("[\"{long}\"]"),
        format!("\"{long}\""),
        format!("{{\"email\": \"{long}"),
        "{\"email\": ".to_owned() + &deep("[", "]") + "}",
        "{\"email\": ".to_owned() + &deep("{\"a\":", "}") + "}",
        "{\"email\": ".to_owned() + &"1".repeat(MIB / 2) + "}",
        format!("{{\"email\": \"{}\"}}", "\\u0000".repeat(MIB / 8)),
        format!("{{{}\"email\": \"x\"}}", "\"email\": \"x\", ".repeat(MIB / 16)),
        "[".repeat(MIB),
        "{\"a\":".repeat(MIB / 5),
    ];
    for body in &bodies {
        for path in ["/v1/sessions", "/v1/users"] {
            assert_short(&app.post(path).body("application/json", body.clone()).send().await);
        }
    }
    for field in ["status", "language", "comments_policy", "published_at", "comments_open", "tags"] {
        let body = json!({"title": "x", "body": "x", field: long});
        let reply = app.post("/v1/posts").by(&author).json(&body).expect(422).await;
        assert_eq!(reply.fields(), [(field, "wrong_type")], "{reply}");
        assert_short(&reply);
    }
    let long = "x".repeat(30_000);
    for path in [
        format!("/v1/posts?{long}=1"),
        format!("/v1/posts?sort={long}"),
        format!("/v1/posts?language={long}"),
        format!("/v1/posts?limit={long}"),
        format!("/v1/posts?cursor={long}"),
        format!("/v1/posts?author={long}"),
        format!("/v1/posts?q={long}"),
        format!("/v1/posts/{long}"),
        format!("/v1/users/{long}"),
        format!("/{long}"),
    ] {
        assert_short(&app.get(&path).send().await);
    }
    let body = json!({"title": "x", "body": "x"});
    assert_short(
        &app.post("/v1/posts").by(&author).header("idempotency-key", &long).json(&body).send().await,
    );
    assert_short(&app.get("/v1/posts").header("x-request-id", &long).send().await);
}

/// Refused, or not, in few words.
fn assert_short(reply: &Reply) {
    assert!(reply.status.as_u16() < 500, "{}", reply.status);
    assert!(reply.body.len() < 4096, "{}: {} bytes", reply.status, reply.body.len());
    let headers: usize = reply.headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    assert!(headers < 4096, "{headers} bytes of headers");
}

#[tokio::test]
async fn the_detail_of_a_wrong_value_says_what_is_right() {
    let app = TestApp::start().await;
    let author = app.author().await;
    let body = json!({"title": "x", "body": "x", "language": "x".repeat(MIB / 2)});
    let reply = app.post("/v1/posts").by(&author).json(&body).expect(422).await.json();
    let detail = reply["errors"][0]["detail"].as_str().unwrap();
    assert!(detail.starts_with("unknown variant `xxx") && detail.contains("`yiddish`"), "{detail}");
}

/// Comments by `user` on `post` whose HTML has so many bytes, as an earlier version may have stored them.
async fn long_comments(app: &TestApp, user: &TestUser, post: &str, sizes: &[usize]) -> Vec<String> {
    let mut ids = Vec::new();
    for size in sizes {
        let id = app.comment_by(user, post, None).await;
        let mut connection = app.db.acquire().await.unwrap();
        sqlx::query("update comments set body_html = $2, status = 'approved' where id = $1")
            .bind(id.parse::<Uuid>().unwrap())
            .bind("x".repeat(*size))
            .execute(&mut connection)
            .await
            .unwrap();
        ids.push(id);
    }
    ids
}

/// The ids on each page of a list.
async fn pages(app: &TestApp, user: &TestUser, path: &str) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = app.get(&format!("{path}{cursor}")).by(user).expect(200).await;
        assert!(page.body.len() < 5 * MIB / 2, "{} bytes", page.body.len());
        pages.push(page.items("id"));
        let Value::String(next) = &page.json()["next_cursor"] else { return pages };
        assert!(page.header("link").contains(next));
        cursor = format!("&cursor={next}");
    }
}

#[tokio::test]
async fn a_page_of_long_comments_ends_early() {
    let app = TestApp::start().await;
    let editor = app.editor().await;
    let post = app.post_by(&editor).await;
    let third = MIB / 3 - 100;
    let sizes = [third, third, third, third, 2 * MIB, 10, 10, third];
    let ids = long_comments(&app, &editor, &post, &sizes).await;
    let lengths = |pages: &[Vec<String>]| pages.iter().map(Vec::len).collect::<Vec<_>>();
    for (path, expected) in [
        (format!("/v1/posts/{post}/comments?limit=100"), vec![4, 1, 3]),
        (format!("/v1/posts/{post}/comments?limit=2"), vec![2, 2, 1, 2, 1]),
        (format!("/v1/comments?status=approved&post={post}&limit=100"), vec![4, 1, 3]),
    ] {
        let pages = pages(&app, &editor, &path).await;
        assert_eq!(pages.concat(), ids, "{path}");
        assert_eq!(lengths(&pages), expected, "{path}");
    }
}

#[tokio::test]
async fn an_account_sends_only_so_much() {
    let app = TestApp::start_with(&[("RATE_LIMIT_ACCOUNT_KIB", "100")]).await;
    let (author, other) = (app.author().await, app.author().await);
    let write = |by, kib: usize| {
        app.post("/v1/posts").by(by).json(&json!({"title": "x", "body": "x".repeat(kib * 1024)}))
    };
    write(&author, 60).expect(201).await;
    let refused = write(&author, 60).expect_problem(429, "rate_limited").await;
    assert!(refused.header("ratelimit").starts_with("\"account-kib\";r=0;t="), "{:?}", refused.headers);
    assert!(refused.header("retry-after").parse::<u64>().unwrap() <= 3600);
    write(&author, 20).expect(201).await;
    write(&other, 60).expect(201).await;
    app.advance(TimeDelta::hours(1));
    write(&author, 60).expect(201).await;
}

/// A transaction that does not find a deadlock, so that it is never the one that is given up.
const PATIENT: &str = "begin; set local deadlock_timeout = '1h'";

#[tokio::test]
async fn a_write_that_loses_in_a_deadlock_is_tried_again() {
    let app = TestApp::start().await;
    let editor = app.editor().await;
    let post = app.post_by(&editor).await;
    let comment = app.comment_by(&editor, &post, None).await;
    let (post, id) = (post.parse::<Uuid>().unwrap(), comment.parse::<Uuid>().unwrap());

    let mut other = app.db.acquire().await.unwrap();
    sqlx::raw_sql(PATIENT).execute(&mut other).await.unwrap();
    sqlx::query("select from post_stats where post_id = $1 for update")
        .bind(post)
        .execute(&mut other)
        .await
        .unwrap();
    let body = json!({"ids": [comment], "action": "spam"});
    let moderation =
        app.post("/v1/comments/moderation").by(&editor).header("idempotency-key", "once").json(&body).send();
    let deadlock = async {
        // The service has locked the comment, and waits for the counts of its post.
        let mut watch = app.db.acquire().await.unwrap();
        let waits = "select exists (select from pg_stat_activity
                     where datname = current_database() and wait_event_type = 'Lock')";
        while !sqlx::query_scalar::<_, bool>(waits).fetch_one(&mut watch).await.unwrap() {}
        sqlx::query("update comments set updated_at = now() where id = $1")
            .bind(id)
            .execute(&mut other)
            .await
            .unwrap();
        sqlx::raw_sql("commit").execute(&mut other).await.unwrap();
    };
    let (reply, ()) = futures_util::future::join(moderation, deadlock).await;
    assert_eq!(reply.status, 200, "{reply}");
    assert_eq!(reply.json()["changed"], json!([comment]));
    let actions = app.get("/v1/audit").by(&app.admin().await).expect(200).await;
    assert_eq!(actions.json()["items"].as_array().unwrap().len(), 1, "{actions}");
}
