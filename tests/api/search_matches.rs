//! Which of many posts a search finds, and in which order: what the service answers is what reading all of them gives.

use serde_json::Value;
use sqlx::{AssertSqlSafe, ConnectOptions, PgConnection};

use crate::support::{TestApp, TestUser};

/// How many of the matches are ordered by anything but their time: `MAX_CONSIDERED`.
const CONSIDERED: usize = 500;

/// 25,000 posts, a minute after the other but for 3,000 at one time and some years without any.
const POSTS: &str = r#"
set session_replication_role = replica;
insert into users (id, username, email, password_hash, role, created_at, updated_at)
  select md5('u' || i)::uuid, 'user' || i, 'user' || i || '@example.com', 'x', 'author', now(), now() from generate_series(0, 9) i;
insert into posts (id, author_id, slug, title, title_key, body, body_html, excerpt, search_text, tags, language, published_at, deleted_at,
                   created_at, updated_at, search, renderer)
  select md5('p' || i)::uuid, md5('u' || case when i % 100 = 0 then 9 else i % 9 end)::uuid, 'post-' || i, title, lower(title), text, text, text, text,
    array['tag' || i % 7, 'rare' || i % 5000] || case when i % 90 = 0 then array['it''s a \ "tag"'] else '{}' end,
    case when i % 50 = 0 then 'german' else 'english' end,
    case when i % 20 = 1 then null when i % 20 = 3 then now() + i * interval '1 hour' else at end,
    case when i % 20 = 2 then now() end, at, at,
    setweight(to_tsvector('english', title), 'A') || setweight(to_tsvector('english', text), 'C'), 100
  from generate_series(1, 25000) i
    cross join lateral (
      select date_trunc('second', now()) - interval '1 minute' * case when i between 2000 and 4999 then 2000 else i end
          - case when i > 9000 then interval '3 years' else interval '0' end as at,
        'Title ' || i * 7919 % 1000 as title,
        concat_ws(' ', 'every', case when i % 2 = 0 then 'even' else 'odd' end, case when i % 3 = 0 then 'third' end, 'sparse' || i % 250,
          'single' || i, case when i > 17000 then 'antique' end, case when i < 300 then 'fresh' end,
          case when i % 400 = 0 then 'red fox' else 'fox or red' end) as text) t;
insert into post_stats (post_id, likes, comments)
  select md5('p' || i)::uuid, i * 7919 % 50, i * 7907 % 40 from generate_series(1, 25000) i;
analyze;
"#;

/// Searches, and whether they have a phrase.
const SEARCHES: [(&str, bool); 18] = [
    ("every", false),
    ("even odd", false),
    ("even third", false),
    ("sparse7", false),
    ("sparse7 or single11", false),
    ("every single12345", false),
    ("single12345 -every", false),
    ("antique", false),
    ("antique third -even", false),
    ("fresh", false),
    ("fresh or antique", false),
    ("-even", false),
    ("-even -odd", false),
    ("nowhere", false),
    ("title", false),
    (r#""red fox""#, true),
    (r#""red fox" or single100"#, true),
    (r#"every -"fox red""#, true),
];

const FILTERS: [(&str, &str); 12] = [
    ("", "true"),
    ("&tag=tag3", "'tag3' = any (tags)"),
    ("&tag=rare77", "'rare77' = any (tags)"),
    ("&tag=it%27s+a+%5C+%22tag%22", r#"'it''s a \ "tag"' = any (tags)"#),
    ("&author={author}", "author_id = '{author}'"),
    ("&language=english", "language = 'english'"),
    ("&published_after={day}", "published_at >= '{day}'"),
    ("&published_before={day}", "published_at < '{day}'"),
    ("&published_before={year}&author={author}", "published_at < '{year}' and author_id = '{author}'"),
    ("&status=draft", "published_at is null and deleted_at is null"),
    ("&status=scheduled", "published_at > '{now}' and deleted_at is null"),
    ("&status=deleted", "deleted_at is not null"),
];

const ORDERS: [(&str, &str); 6] = [
    ("-published_at", "at desc, id desc"),
    ("published_at", "at, id"),
    ("-likes", "likes desc, id desc"),
    ("-comments", "comments desc, id desc"),
    ("title", r#"title_key collate "C", id"#),
    ("relevance", "rank desc, id desc"),
];

struct Library {
    app: TestApp,
    admin: TestUser,
    connection: PgConnection,
}

impl Library {
    async fn open() -> Self {
        let app = TestApp::start_with(&[("CACHE_MAX_BYTES", "0")]).await;
        let admin = app.admin().await;
        let mut connection = app.admin_options().database(app.database_name()).connect().await.unwrap();
        sqlx::raw_sql(POSTS).execute(&mut connection).await.unwrap();
        Self { app, admin, connection }
    }

    fn fill(&self, text: &str) -> String {
        let before =
            |days| (self.app.now() - chrono::TimeDelta::days(days)).format("%Y-%m-%dT%H:%M:%SZ").to_string();
        text.replace("{author}", "e4774cdd-a079-3f86-414e-8b9140bb6db4")
            .replace("{now}", &before(0))
            .replace("{day}", &before(1))
            .replace("{year}", &before(365))
    }

    /// At most three pages of a list.
    async fn pages(&self, path: &str) -> Vec<String> {
        let (mut ids, mut next) = (Vec::new(), path.to_owned());
        for _ in 0..3 {
            let page = self.app.get(&next).by(&self.admin).expect(200).await;
            ids.extend(page.items("id"));
            let Value::String(cursor) = &page.json()["next_cursor"] else { break };
            next = format!("{path}&cursor={cursor}");
        }
        ids
    }

    /// The beginning of the list, from all posts.
    async fn expected(
        &mut self,
        (q, is_phrase): (&str, bool),
        filter: &str,
        order: (&str, &str),
    ) -> Vec<String> {
        let is_by_time = order.0.ends_with("published_at");
        let status = if filter.contains("deleted_at") {
            ""
        } else {
            "and deleted_at is null and published_at <= '{now}'"
        };
        let limit = if is_by_time && !is_phrase { "all".to_owned() } else { CONSIDERED.to_string() };
        let sql = format!(
            "select id::text from (
               select p.*, ts_rank(search, query || query, 1) * case when search @@ beside then 2 else 1 end as rank
               from (
                 select p.*, s.likes, s.comments, post_time(published_at, created_at) as at, parts.*
                 from posts p join (select post_id, likes, comments from post_stats) s on s.post_id = p.id cross join search_parts('english', '{}') parts
                 where {filter} {status} and search @@ terms
                 order by post_time(published_at, created_at) desc, id desc limit {limit}) p
               where search @@ query) p
             order by {} limit 75",
            q.replace('\'', "''"),
            order.1
        );
        let sql = self.fill(&sql);
        sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(&mut self.connection).await.unwrap()
    }
}

#[tokio::test]
async fn a_search_finds_what_reading_all_posts_would() {
    let mut library = Library::open().await;
    let mut wrong = Vec::new();
    for (n, search) in SEARCHES.into_iter().enumerate() {
        for (m, order) in ORDERS.into_iter().enumerate() {
            // Each search in each order, half with a filter, so that each filter is beside each search.
            for (parameters, filter) in [FILTERS[0], FILTERS[(2 * n + m) % FILTERS.len()]] {
                let q: String = url::form_urlencoded::byte_serialize(search.0.as_bytes()).collect();
                let path = library.fill(&format!("/v1/posts?q={q}&sort={}&limit=25{parameters}", order.0));
                let found = library.pages(&path).await;
                let expected = library.expected(search, filter, order).await;
                if found != expected {
                    wrong.push(format!("{path}: {} of {}", found.len(), expected.len()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn every_page_of_a_search_has_posts_that_no_other_has() {
    let library = Library::open().await;
    for (search, order, matches) in [
        ("every", "relevance", CONSIDERED),
        ("every", "-likes", CONSIDERED),
        ("antique", "title", CONSIDERED),
        ("sparse7", "relevance", 100),
    ] {
        let path = format!("/v1/posts?q={search}&sort={order}&limit=100");
        let (mut ids, mut next) = (Vec::new(), Some(path.clone()));
        while let Some(asked) = next {
            let page = library.app.get(&asked).expect(200).await;
            ids.extend(page.items("id"));
            next = page.json()["next_cursor"].as_str().map(|cursor| format!("{path}&cursor={cursor}"));
        }
        let all = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!((all, ids.len()), (matches, matches), "{path}");
    }
}

#[tokio::test]
async fn what_statistics_know_says_how_far_the_index_reaches() {
    let mut library = Library::open().await;
    for (words, filters, reach) in [
        ("'everi'", "{}", 24_000..=26_000),
        ("'even' & 'odd'", "{}", 11_500..=13_500),
        ("'even' & 'single11'", "{}", 0..=0),
        ("'third' | 'single11' | 'even' & 'odd'", "{}", 19_000..=23_000),
        ("!'even'", "{}", 25_000..=25_000),
        ("'everi'", r#"{" tag tag3"}"#, 3_000..=4_000),
        ("'everi'", r#"{" tag nowhere"," language english"}"#, 0..=0),
    ] {
        let sql = "select search_reach($1::text::tsquery, $2::text::text[])";
        let found: i64 = sqlx::query_scalar(sql)
            .bind(words)
            .bind(filters)
            .fetch_one(&mut library.connection)
            .await
            .unwrap();
        assert!(reach.contains(&found), "{words} {filters}: {found}");
    }
}
