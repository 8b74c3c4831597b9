//! One database for each test, cloned from a migrated template: on a throwaway server of the test process,
//! or on the server that `DATABASE_URL` names.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::str::FromStr;

use blog_api::db::migrations;
use blog_api_dev_database::Server;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, PgConnection};
use tokio::sync::OnceCell;
use uuid::Uuid;

/// A migrated, empty database; dropped with this.
pub(crate) struct TestDatabase {
    pub(crate) options: PgConnectOptions,
    name: String,
}

/// The server, and the template on it.
struct Cluster {
    options: PgConnectOptions,
    template: String,
    /// Stops when the test process ends.
    _server: Option<Server>,
}

static CLUSTER: OnceCell<Cluster> = OnceCell::const_new();

impl TestDatabase {
    pub(crate) async fn create() -> Self {
        let cluster = CLUSTER.get_or_init(Cluster::start).await;
        let name = format!("blog_api_test_{}", Uuid::now_v7().simple());
        let mut connection = cluster.options.connect().await.expect("connect to the test server");
        execute(&mut connection, &format!("create database {name} template {}", cluster.template)).await;
        connection.close().await.unwrap();
        Self { options: cluster.options.clone().database(&name), name }
    }
}

impl TestDatabase {
    /// What the server asks for, if it does.
    pub(crate) fn password(&self) -> String {
        let url = self.options.to_url_lossy();
        url.password().unwrap_or_default().to_owned()
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// For the command line, that of `psql` too, which refuses what only sqlx knows.
    pub(crate) fn url(&self) -> String {
        let mut url = self.options.to_url_lossy();
        let pairs = url.query_pairs().filter(|(name, _)| name != "statement-cache-capacity");
        let known: Vec<_> = pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
        url.query_pairs_mut().clear().extend_pairs(known);
        url.into()
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let (options, name) = (self.options.clone(), self.name.clone());
        // A drop can't wait on the test's own runtime.
        let dropped = std::thread::spawn(move || {
            tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
                let mut connection = options.database("postgres").connect().await.unwrap();
                execute(&mut connection, &format!("drop database {name} with (force)")).await;
            });
        })
        .join();
        if !std::thread::panicking() {
            dropped.expect("drop the test database");
        }
    }
}

impl Cluster {
    async fn start() -> Self {
        let (options, server) = if let Ok(url) = std::env::var("DATABASE_URL") {
            (PgConnectOptions::from_str(&url).expect("DATABASE_URL is a URL"), None)
        } else {
            // RDS has a locale of libc; with ICU nothing may be different.
            let icu = std::env::var("TEST_LOCALE").is_ok_and(|locale| locale == "icu");
            let options: &[&str] = if icu { &["--locale-provider=icu", "--icu-locale=und"] } else { &[] };
            let server = Server::start_temporary(options).await.unwrap_or_else(|error| panic!("{error}"));
            (server.options(), Some(server))
        };
        // The name holds the schema's hash, so that a server that is kept has a template for each schema.
        let template = format!("blog_api_test_template_{:016x}", schema_hash());
        let mut connection = options.connect().await.expect("connect to the test server");
        execute(&mut connection, "select pg_advisory_lock(4004)").await;
        let exists: bool = sqlx::query_scalar("select exists (select from pg_database where datname = $1)")
            .bind(&template)
            .fetch_one(&mut connection)
            .await
            .unwrap();
        if !exists {
            let building = format!("{template}_building");
            execute(&mut connection, &format!("drop database if exists {building}")).await;
            execute(&mut connection, &format!("create database {building}")).await;
            migrations::run(&options.clone().database(&building)).await.unwrap();
            execute(&mut connection, &format!("alter database {building} rename to {template}")).await;
        }
        connection.close().await.unwrap();
        Self { options, template, _server: server }
    }
}

fn schema_hash() -> u64 {
    let mut files: Vec<_> =
        std::fs::read_dir("migrations").unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    let mut hasher = DefaultHasher::new();
    for file in files {
        std::fs::read(file).unwrap().hash(&mut hasher);
    }
    hasher.finish()
}

async fn execute(connection: &mut PgConnection, sql: &str) {
    let sql = sqlx::AssertSqlSafe(sql.to_owned());
    sqlx::raw_sql(sql).execute(connection).await.unwrap_or_else(|error| panic!("{error}"));
}
