//! `/health` and `/ready`, with the database up, down, and behind.

use std::time::Duration;

use sqlx::{ConnectOptions, Connection};

use crate::support::TestApp;

#[tokio::test]
async fn a_task_that_can_serve_is_ready() {
    let app = TestApp::start().await;
    let health = app.get("/health").expect(200).await;
    assert_eq!(health.body, r#"{"status":"ok"}"#);
    assert_eq!(app.get("/ready").expect(200).await.json()["status"], "ready");
}

#[tokio::test]
async fn a_draining_task_is_healthy_but_not_ready() {
    let app = TestApp::start().await;
    app.lifecycle.drain();
    app.get("/health").expect(200).await;
    assert_eq!(app.get("/ready").expect(503).await.json()["reason"], "draining");
}

#[tokio::test]
async fn a_read_only_or_outdated_database_is_not_ready() {
    let app = TestApp::start().await;
    let execute = async |sql: &'static str| {
        let mut connection = app.db.acquire().await.unwrap();
        sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
    };
    execute("update _sqlx_migrations set success = false where version = (select max(version) from _sqlx_migrations)")
        .await;
    assert_eq!(app.get("/ready").expect(503).await.json()["reason"], "schema_behind");
    execute("alter table _sqlx_migrations rename to elsewhere").await;
    assert_eq!(app.get("/ready").expect(503).await.json()["reason"], "schema_behind");
    execute("alter table elsewhere rename to _sqlx_migrations; update _sqlx_migrations set success = true")
        .await;
    app.get("/ready").expect(200).await;
}

/// The database refuses connections and ends those there are, then takes them again.
#[tokio::test]
async fn an_outage_of_the_database_is_survived() {
    let app = TestApp::start_with(&[("DB_ACQUIRE_TIMEOUT", "1s")]).await;
    let user = app.author().await;
    let database = app.database_name();
    let mut admin = app.admin_options().connect().await.unwrap();
    let allow = |yes: bool| format!("alter database {database} allow_connections {yes}");
    let kill = format!("select pg_terminate_backend(pid) from pg_stat_activity where datname = '{database}'");
    sqlx::raw_sql(sqlx::AssertSqlSafe(allow(false))).execute(&mut admin).await.unwrap();
    sqlx::raw_sql(sqlx::AssertSqlSafe(kill)).execute(&mut admin).await.unwrap();

    app.get("/health").expect(200).await;
    let ready = tokio::time::timeout(Duration::from_secs(2), app.get("/ready").send()).await.unwrap();
    assert_eq!(ready.status, 503, "{ready}");
    assert_eq!(ready.json()["reason"], "database_unreachable");
    let reply = app.get("/v1/posts").expect_problem(503, "unavailable").await;
    assert_eq!(reply.header("retry-after"), "1");
    app.get("/v1/users/me").by(&user).expect_problem(503, "unavailable").await;

    sqlx::raw_sql(sqlx::AssertSqlSafe(allow(true))).execute(&mut admin).await.unwrap();
    admin.close().await.unwrap();
    app.get("/ready").expect(200).await;
    app.get("/v1/users/me").by(&user).expect(200).await;
}
