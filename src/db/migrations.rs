//! The schema's migrations: `migrations/`, embedded in the binary.

use std::collections::HashSet;
use std::time::Duration;

use sqlx::Connection as _;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use tokio::time::{Instant, sleep};

use super::connection::{Connection, connect};

/// How long a migration waits for a lock. While it waits, everything else that wants the table waits behind
/// it, so it gives up soon and is run again.
const LOCK_TIMEOUT: &str = "4s";

/// How long to wait for another process that migrates, and how often to look.
const TURN_TIMEOUT: Duration = Duration::from_mins(15);
const TURN_INTERVAL: Duration = Duration::from_millis(250);

#[derive(Debug, thiserror::Error)]
pub enum MigrationError {
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    /// A migration failed; those before it are applied, it is not.
    #[error(transparent)]
    Migrate(#[from] MigrateError),
    #[error("another process has been migrating this database for {TURN_TIMEOUT:?}")]
    Busy,
}

/// Ignores newer migrations than it knows: after a rollback the previous image runs on the schema of the next.
fn migrator() -> Migrator {
    let mut migrator = sqlx::migrate!();
    migrator.set_ignore_missing(true).set_locking(false);
    migrator
}

/// Brings the schema up to date, one process at a time, on a connection of its own that holds the lock of
/// migrations and is closed whatever happens, so that the lock never outlives a failure.
/// After an error, running it again goes on where it failed.
pub async fn run(options: &PgConnectOptions) -> Result<(), MigrationError> {
    let options = options.clone().application_name("blog-api migrate").options([
        ("lock_timeout", LOCK_TIMEOUT),
        // An index on a large table takes its time.
        ("statement_timeout", "0"),
    ]);
    let mut connection = connect(&options).await?;
    let result = run_on(&mut connection).await;
    connection.close().await.ok();
    result
}

async fn run_on(connection: &mut PgConnection) -> Result<(), MigrationError> {
    let started = Instant::now();
    // Not with a statement that waits: `create index concurrently` waits for all those that run.
    while !try_lock(connection).await? {
        if started.elapsed() > TURN_TIMEOUT {
            return Err(MigrationError::Busy);
        }
        sleep(TURN_INTERVAL).await;
    }
    drop_unfinished_indexes(connection).await?;
    Ok(migrator().run(connection).await?)
}

async fn try_lock(connection: &mut PgConnection) -> sqlx::Result<bool> {
    sqlx::query_scalar!(r#"select pg_try_advisory_lock(hashtext('blog-api migrations')) as "locked!""#)
        .fetch_one(connection)
        .await
}

/// Drops the invalid indexes of a failed `create index concurrently`, which would make a second run fail.
async fn drop_unfinished_indexes(connection: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query!(
        "do $$
         declare unfinished text;
         begin
           for unfinished in
             select indexrelid::regclass::text from pg_index i join pg_class c on c.oid = i.indexrelid
             where not i.indisvalid and c.relnamespace = current_schema()::regnamespace
           loop
             execute 'drop index ' || unfinished;
           end loop;
         end $$"
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Whether every migration that this version needs has been applied.
pub async fn are_applied(connection: &mut Connection) -> sqlx::Result<bool> {
    let applied =
        sqlx::query_scalar!("select version from _sqlx_migrations where success").fetch_all(connection).await;
    match applied {
        Ok(versions) => {
            let versions: HashSet<i64> = versions.into_iter().collect();
            Ok(migrator().iter().all(|migration| versions.contains(&migration.version)))
        }
        // The table is not there: nothing has ever been applied.
        Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some("42P01") => Ok(false),
        Err(error) => Err(error),
    }
}
