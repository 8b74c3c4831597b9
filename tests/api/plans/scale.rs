//! The same at a million posts and ten million comments, the data set of the benchmark: a list that reads more pages there
//! than its page is made of grows with what is stored. `make test-scale` runs it; it takes about half an hour.

use std::process::Command;

use serde_json::Value;
use sqlx::{AssertSqlSafe, ConnectOptions};

use super::LISTS;
use super::loaded::{Loaded, reporting};
use crate::support::TestUser;

/// How many pages PostgreSQL may read for each row that a list may touch: those of the index that finds it, and its own.
const PAGES_OF_ROW: u64 = 4;
/// And beside them: the page's posts, their stats and authors, and what is looked for in vain.
const PAGES_OF_LIST: u64 = 500;

/// A webhook that has been told a hundred thousand things.
const WEBHOOK: &str = "
  insert into webhooks (id, place, url, events, secret, enabled, created_at, updated_at)
    values ('00000000-0000-7000-8000-000000000001', 1, 'https://receiver.example/', '{site.updated}',
      decode(repeat('00', 32), 'hex'), false, now(), now());
  insert into webhook_events (id, type, data, occurred_at)
    select md5('e' || i)::uuid, 'site.updated', '{}', now() - interval '1 second' * i from generate_series(1, 100000) i;
  insert into webhook_deliveries (id, webhook_id, event_id, status, attempts, tries, created_at)
    select id, '00000000-0000-7000-8000-000000000001', id, case when ascii(id::text) % 3 = 0 then 'failed' else 'delivered' end,
      1, 1, occurred_at
    from webhook_events;
  insert into webhook_attempts (delivery_id, number, at, milliseconds, status)
    select id, 1, created_at, 10, 500 from webhook_deliveries;
  analyze webhooks, webhook_events, webhook_deliveries, webhook_attempts";

/// Loads the data set into the service's database, as many posts as `SCALE_POSTS` says.
async fn start() -> Loaded {
    let app = reporting().await;
    let posts = std::env::var("SCALE_POSTS").unwrap_or_else(|_| "1000000".to_owned());
    let mut load = Command::new("bench/dataset/load");
    load.arg(&posts).env("DATABASE_URL", app.database_url());
    assert!(load.status().unwrap().success(), "the data set is not loaded");

    let mut connection = app.admin_options().database(app.database_name()).connect().await.unwrap();
    sqlx::raw_sql(WEBHOOK).execute(&mut connection).await.unwrap();
    let mut value = async |sql: &str| {
        let sql = AssertSqlSafe(format!("select ({sql})::text"));
        sqlx::query_scalar::<_, String>(sql).fetch_one(&mut connection).await.unwrap()
    };
    let mut user = async |number: i32| TestUser {
        id: value(&format!("bench.user_id({number})")).await.parse().unwrap(),
        username: format!("user{number}"),
        email: format!("user{number}@example.com"),
        token: format!("blog_bench{number}"),
    };
    // The first has most of everything and follows a thousand, the second is an admin, the third an editor.
    let (reader, admin, editor) = (user(1).await, user(2).await, user(3).await);
    let names = vec![
        ("{reader}", reader.id.to_string()),
        ("{author}", reader.id.to_string()),
        ("{post}", value(&format!("bench.post_id({posts} / 2)")).await),
        ("{day}", "2025-12-01T00:00:00Z".to_owned()),
        ("{webhook}", "00000000-0000-7000-8000-000000000001".to_owned()),
        ("{month}", "2020-06".to_owned()),
        // Words that all posts have, or half of them, one in a hundred or one.
        ("common", "blog".to_owned()),
        ("even", "granite".to_owned()),
        ("odd", "meadow".to_owned()),
        ("word77", "quartz".to_owned()),
        ("rarely77", "onlyin777".to_owned()),
    ];
    Loaded { app, reader, editor, admin, names }
}

/// What is wrong with the number of pages that the plans of one request have read.
fn too_many_pages(plans: &[Value], rows: u64) -> Vec<String> {
    let read = |plan: &Value, key: &str| plan[key].as_u64().unwrap_or_default();
    let pages = plans.iter().map(|plan| read(plan, "Shared Hit Blocks") + read(plan, "Shared Read Blocks"));
    let (pages, budget) = (pages.sum::<u64>(), PAGES_OF_LIST + PAGES_OF_ROW * rows);
    if pages > budget { vec![format!("reads {pages} pages, more than {budget}")] } else { Vec::new() }
}

#[tokio::test]
#[ignore = "loads a million posts: make test-scale"]
async fn no_list_grows_with_what_is_stored() {
    let loaded = start().await;
    for _ in 0..6 {
        for &(_, path, who, _) in LISTS {
            loaded.get(&loaded.fill(path), who).await;
        }
    }
    let wrong = loaded.objections(too_many_pages).await;
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn too_many_pages_are_seen() {
    let plan =
        |hit: u64, read: u64| serde_json::json!({"Shared Hit Blocks": hit, "Shared Read Blocks": read});
    assert_eq!(too_many_pages(&[plan(800, 50), plan(50, 0)], 100), Vec::<String>::new());
    assert_eq!(too_many_pages(&[plan(800, 50), plan(51, 0)], 100), ["reads 901 pages, more than 900"]);
}
