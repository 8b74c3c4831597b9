//! What lists of posts are made of follows the posts: whatever becomes of one, each list has it or has it no more.

use chrono::TimeDelta;
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use crate::support::{TestApp, TestUser};

const SORTS: [&str; 5] = ["-published_at", "published_at", "-likes", "-comments", "title"];

async fn write(app: &TestApp, author: &TestUser, fields: Value) -> String {
    let mut body = json!({"title": "T", "body": "B", "status": "published"});
    body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    app.post("/v1/posts").by(author).json(&body).expect(201).await.id()
}

async fn execute(app: &TestApp, sql: &str) {
    let mut connection = app.db.acquire().await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await.unwrap();
}

/// Fails unless the list that `query` asks for has `posts`, and no others, in each order.
async fn assert_listed(app: &TestApp, query: &str, posts: &[&str]) {
    for sort in SORTS {
        let mut listed = app.get(&format!("/v1/posts?{query}&sort={sort}")).expect(200).await.items("id");
        let mut expected: Vec<_> = posts.iter().map(ToString::to_string).collect();
        listed.sort();
        expected.sort();
        assert_eq!(listed, expected, "{query} {sort}");
    }
}

/// The lists of what everybody reads that are limited to one of these, and the feed.
async fn assert_everywhere(app: &TestApp, tag: &str, author: &TestUser, posts: &[&str]) {
    let id = author.id;
    for query in [
        format!("tag={tag}"),
        format!("tag={tag}&author={id}"),
        format!("tag={tag}&language=english"),
        format!("author={id}"),
        format!("author={id}&language=english"),
        "language=english".to_owned(),
        "published_before=2999-01-01T00:00:00Z".to_owned(),
        String::new(),
    ] {
        assert_listed(app, &query, posts).await;
    }
    for limit in [format!("tag={tag}"), format!("author={id}"), format!("tag={tag}&author={id}")] {
        let feed = app.get(&format!("/feed.json?{limit}")).expect(200).await.json();
        assert_eq!(feed["items"].as_array().unwrap().len(), posts.len(), "{limit}");
    }
}

#[tokio::test]
async fn lists_follow_what_becomes_of_a_post() {
    let app = TestApp::start().await;
    let (author, editor) = (app.author().await, app.editor().await);
    let post = write(&app, &author, json!({"tags": ["Rust", "web"]})).await;
    let path = format!("/v1/posts/{post}");
    let change = async |fields: Value| {
        app.patch(&path).by(&author).json(&fields).expect(200).await;
    };
    assert_everywhere(&app, "rust", &author, &[&post]).await;
    assert_listed(&app, "tag=RUST", &[&post]).await;
    assert_listed(&app, "tag=ruby", &[]).await;

    change(json!({"tags": ["web", "new"]})).await;
    assert_listed(&app, "tag=rust", &[]).await;
    assert_everywhere(&app, "new", &author, &[&post]).await;

    change(json!({"language": "german"})).await;
    assert_listed(&app, "tag=new&language=english", &[]).await;
    assert_listed(&app, "tag=new&language=german", &[&post]).await;
    change(json!({"language": "english"})).await;

    change(json!({"status": "draft"})).await;
    assert_everywhere(&app, "new", &author, &[]).await;
    let drafts = app.get("/v1/posts?status=draft&tag=new").by(&author).expect(200).await;
    assert_eq!(drafts.items("id"), *std::slice::from_ref(&post));

    let at = app.now() + TimeDelta::hours(1);
    change(json!({"status": "scheduled", "published_at": at})).await;
    assert_everywhere(&app, "new", &author, &[]).await;
    for sort in SORTS {
        let path = format!("/v1/posts?status=scheduled&tag=new&sort={sort}");
        assert_eq!(
            app.get(&path).by(&author).expect(200).await.items("id"),
            *std::slice::from_ref(&post),
            "{sort}"
        );
    }
    app.advance(TimeDelta::hours(1));
    assert_everywhere(&app, "new", &author, &[&post]).await;

    app.delete(&path).by(&author).expect(204).await;
    assert_everywhere(&app, "new", &author, &[]).await;
    let deleted = app.get("/v1/posts?status=deleted&tag=new").by(&editor).expect(200).await;
    assert_eq!(deleted.items("id"), *std::slice::from_ref(&post));
    app.post(&format!("{path}/restore")).by(&editor).expect(200).await;
    assert_everywhere(&app, "new", &author, &[&post]).await;

    app.delete(&format!("/v1/users/{}", author.id)).by(&author).expect(204).await;
    assert_listed(&app, "tag=new", &[&post]).await;
    assert_listed(&app, &format!("tag=new&author={}", author.id), &[]).await;
    assert_listed(&app, &format!("author={}", author.id), &[]).await;
}

#[tokio::test]
async fn what_is_withheld_is_not_listed() {
    let app = TestApp::start().await;
    let (author, editor) = (app.author().await, app.editor().await);
    let at = app.now() + TimeDelta::days(1);
    let post =
        write(&app, &author, json!({"tags": ["later"], "status": "scheduled", "published_at": at})).await;
    let ban = json!({"until": app.now() + TimeDelta::days(2), "reason": "Advertising."});
    let path = format!("/v1/users/{}/ban", author.id);
    app.put(&path).by(&editor).json(&ban).expect(200).await;
    let scheduled = async || app.get("/v1/posts?status=scheduled&tag=later").by(&editor).expect(200).await;
    assert_eq!(scheduled().await.items("id"), Vec::<String>::new());
    app.delete(&path).by(&editor).expect(204).await;
    assert_eq!(scheduled().await.items("id"), *std::slice::from_ref(&post));
    app.advance(TimeDelta::days(1));
    assert_everywhere(&app, "later", &author, &[&post]).await;
}

/// Of what has a common tag, by likes, comments or title, a page is looked for in the order of all posts, and else
/// sorted: by either way it is the same list.
#[tokio::test]
async fn a_common_tag_has_the_list_of_a_rare_one() {
    let app = TestApp::start_with(&[("CACHE_MAX_BYTES", "0")]).await;
    let author = app.author().await;
    for n in 0..24 {
        let tags: &[&str] = if n % 4 == 3 { &["other"] } else { &["some"] };
        write(&app, &author, json!({"title": format!("Title {}", n % 7), "tags": tags})).await;
    }
    execute(
        &app,
        "update post_stats set likes = abs(hashtext(post_id::text) % 5), comments = abs(hashtext(post_id::text) % 3)",
    )
    .await;
    let walk = async |query: &str, limit: usize| {
        let (mut ids, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = app.get(&format!("/v1/posts?{query}&limit={limit}{cursor}")).expect(200).await;
            ids.extend(page.items("id"));
            let Some(next) = page.json()["next_cursor"].as_str().map(ToOwned::to_owned) else { break ids };
            cursor = format!("&cursor={next}");
        }
    };
    let tagged = walk("tag=some", 100).await;
    assert_eq!(tagged.len(), 18);
    for sort in ["-likes", "-comments", "title"] {
        let all = walk(&format!("sort={sort}"), 100).await;
        let expected: Vec<_> = all.into_iter().filter(|id| tagged.contains(id)).collect();
        for posts in [18, 5001] {
            execute(&app, &format!("update tags set posts = {posts} where name = 'some'")).await;
            assert_eq!(walk(&format!("tag=some&sort={sort}"), 5).await, expected, "{sort} of {posts}");
        }
    }
}

/// What every list by tag shows, from the table.
async fn rows(app: &TestApp) -> Vec<(String, String)> {
    let mut connection = app.db.acquire().await.unwrap();
    let rows = "select p.slug, t.tag from post_tags t join posts p on p.id = t.post_id
                where (t.listed_at, t.author_id, t.language) is not distinct from (p.published_at, p.author_id, p.language)
                order by 1, 2";
    sqlx::query_as(rows).fetch_all(&mut connection).await.unwrap()
}

#[tokio::test]
async fn what_was_there_before_is_filled_in() {
    let app = TestApp::start().await;
    execute(
        &app,
        "set session_replication_role = replica;
         insert into posts (id, slug, title, body, body_html, search, tags, published_at, deleted_at, created_at, updated_at)
         select gen_random_uuid(), slug, 'x', 'x', 'x', '', tags, published, deleted, '2020-01-01', '2020-01-01'
         from (values ('both', '{a,b,a}'::text[], timestamptz '2020-01-02', null::timestamptz), ('later', '{a}', '9999-01-01', null),
                      ('draft', '{a}', null, null), ('deleted', '{a}', '2020-01-01', now()), ('none', '{}', '2020-01-01', null))
           p (slug, tags, published, deleted);
         insert into post_stats (post_id) select id from posts;
         set session_replication_role = default",
    )
    .await;
    for _ in 0..2 {
        execute(&app, "call posts_list_all()").await;
        let expected = [("both", "a"), ("both", "b"), ("later", "a")];
        assert_eq!(rows(&app).await, expected.map(|(slug, tag)| (slug.to_owned(), tag.to_owned())));
    }
    let listed = app.get("/v1/posts?sort=-published_at&tag=a").expect(200).await.items("slug");
    assert_eq!(listed, ["both"]);
    assert_eq!(app.get("/v1/posts?sort=-likes").expect(200).await.items("slug").len(), 2);
}

/// A change that waits for the filling, and one that the filling waits for: both are seen.
#[tokio::test]
async fn what_changes_while_it_is_filled_in_is_listed_as_it_is() {
    let app = TestApp::start().await;
    let author = app.author().await;
    for filling_is_first in [true, false] {
        let post: Uuid = write(&app, &author, json!({"tags": ["before"]})).await.parse().unwrap();
        execute(&app, "delete from post_tags").await;
        let [mut filling, mut changing, mut watch] = [
            app.db.acquire().await.unwrap(),
            app.db.acquire().await.unwrap(),
            app.db.acquire().await.unwrap(),
        ];
        let lock = format!("begin; select from post_stats where post_id = '{post}' for no key update");
        let fill = format!("select posts_list(array['{post}'::uuid]); commit");
        let change = format!("update posts set tags = '{{after}}' where id = '{post}'");
        let sql = |sql: String| sqlx::raw_sql(AssertSqlSafe(sql));
        let waits = "select exists (select from pg_stat_activity
                     where datname = current_database() and wait_event_type = 'Lock')";
        let mut is_waiting =
            async || while !sqlx::query_scalar::<_, bool>(waits).fetch_one(&mut watch).await.unwrap() {};
        if filling_is_first {
            sql(lock).execute(&mut filling).await.unwrap();
            let first = async {
                is_waiting().await;
                sql(fill).execute(&mut filling).await.unwrap();
            };
            let (changed, ()) = futures_util::future::join(sql(change).execute(&mut changing), first).await;
            changed.unwrap();
        } else {
            sql(format!("begin; {change}")).execute(&mut changing).await.unwrap();
            let second = async {
                sql(lock).execute(&mut filling).await.unwrap();
                sql(fill).execute(&mut filling).await.unwrap();
            };
            let first = async {
                is_waiting().await;
                sql("commit".to_owned()).execute(&mut changing).await.unwrap();
            };
            futures_util::future::join(second, first).await;
        }
        let tags: Vec<_> = rows(&app).await.into_iter().map(|(_, tag)| tag).collect();
        assert_eq!(tags, ["after"], "{filling_is_first}");
    }
}
