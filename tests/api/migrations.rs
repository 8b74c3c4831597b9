//! `blog-api migrate` as a step of a deployment: several at once, again after a failure, and under an image
//! that is older than the schema.

use std::process::{Child, Command, Stdio};

use sqlx::{AssertSqlSafe, ConnectOptions};
use uuid::Uuid;

use crate::support::{TestApp, TestDatabase};

/// A database in which nothing has been done.
struct Empty {
    beside: TestDatabase,
    name: String,
    url: String,
}

impl Empty {
    async fn create() -> Self {
        let beside = TestDatabase::create().await;
        let name = format!("blog_api_test_{}", Uuid::now_v7().simple());
        let mut admin = beside.options.connect().await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(format!("create database {name}"))).execute(&mut admin).await.unwrap();
        let url = beside.options.clone().database(&name).to_url_lossy().to_string();
        Self { beside, name, url }
    }

    async fn execute(&self, sql: &'static str) {
        let mut admin = self.beside.options.clone().database(&self.name).connect().await.unwrap();
        sqlx::raw_sql(sql).execute(&mut admin).await.unwrap();
    }

    async fn count(&self, sql: &'static str) -> i64 {
        let mut admin = self.beside.options.clone().database(&self.name).connect().await.unwrap();
        sqlx::query_scalar(sql).fetch_one(&mut admin).await.unwrap()
    }

    async fn drop(self) {
        let mut admin = self.beside.options.connect().await.unwrap();
        let sql = format!("drop database {} with (force)", self.name);
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut admin).await.unwrap();
    }

    fn migrate(&self) -> Child {
        let mut command = Command::new(env!("CARGO_BIN_EXE_blog-api"));
        command.arg("migrate").env_clear().env("DATABASE_URL", &self.url);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }
}

fn finish(child: Child) -> (Option<i32>, String) {
    let output = child.wait_with_output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

const APPLIED: &str = "select count(*) from _sqlx_migrations where success";

fn known() -> i64 {
    std::fs::read_dir("migrations").unwrap().count().try_into().unwrap()
}

#[tokio::test]
async fn five_at_once_are_as_good_as_one() {
    let database = Empty::create().await;
    let running: Vec<_> = (0..5).map(|_| database.migrate()).collect();
    for child in running {
        assert_eq!(finish(child), (Some(0), String::new()));
    }
    assert_eq!(database.count(APPLIED).await, known());
    database.drop().await;
}

#[tokio::test]
async fn a_failure_half_way_is_mended_by_running_it_again() {
    let database = Empty::create().await;
    database.execute("create table comments (in_the_way int)").await;
    let (code, message) = finish(database.migrate());
    assert_eq!(code, Some(69), "{message}");
    assert!(message.contains("relation \"comments\" already exists"), "{message}");
    let applied = database.count(APPLIED).await;
    assert!(applied > 0 && applied < known(), "{applied}");

    database.execute("drop table comments").await;
    assert_eq!(finish(database.migrate()), (Some(0), String::new()));
    assert_eq!(database.count(APPLIED).await, known());
    database.drop().await;
}

/// `create index concurrently` leaves one behind when it fails, which would block the next attempt.
#[tokio::test]
async fn an_unfinished_index_is_cleared_away() {
    let database = Empty::create().await;
    assert_eq!(finish(database.migrate()).0, Some(0));
    database.execute("create table two (a int); insert into two values (1), (1)").await;
    let mut admin = database.beside.options.clone().database(&database.name).connect().await.unwrap();
    sqlx::raw_sql("create unique index concurrently two_a_key on two (a)")
        .execute(&mut admin)
        .await
        .expect_err("the rows are not unique");
    let unfinished = "select count(*) from pg_index where not indisvalid";
    assert_eq!(database.count(unfinished).await, 1);
    assert_eq!(finish(database.migrate()), (Some(0), String::new()));
    assert_eq!(database.count(unfinished).await, 0);
    drop(admin);
    database.drop().await;
}

/// After a rollback the previous image runs on the schema of the next, which has expanded.
#[tokio::test]
async fn an_image_runs_on_the_schema_of_the_next_one() {
    let app = TestApp::start().await;
    let author = app.author().await;
    let next = "
        alter table posts add column subtitle text;
        create table reactions (id uuid primary key, post_id uuid references posts);
        insert into _sqlx_migrations (version, description, success, checksum, execution_time)
        values (29990101000000, 'of the next version', true, '', 0)";
    sqlx::raw_sql(next).execute(&mut app.db.acquire().await.unwrap()).await.unwrap();

    let mut command = Command::new(env!("CARGO_BIN_EXE_blog-api"));
    command.arg("migrate").env_clear().env("DATABASE_URL", app.database_url());
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    app.get("/ready").expect(200).await;
    let post = app.post_by(&author).await;
    app.comment_by(&author, &post, None).await;
    app.get(&format!("/v1/posts/{post}")).expect(200).await;
}
