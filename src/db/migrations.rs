//! The schema's migrations: `migrations/`, embedded in the binary.

use std::collections::HashSet;

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, PgConnection};

/// Newer migrations than this version knows are no error: after a rollback the previous image runs on the
/// schema of the next.
fn migrator() -> Migrator {
    let mut migrator = sqlx::migrate!();
    migrator.set_ignore_missing(true);
    migrator
}

/// Brings the schema up to date, on a connection of its own that holds the migration lock and is closed
/// whatever happens, so that the lock never outlives a failure.
///
/// # Errors
/// When the database cannot be reached or a migration fails.
pub async fn run(options: &PgConnectOptions) -> Result<(), MigrateError> {
    let mut connection = options.connect().await?;
    let result = migrator().run(&mut connection).await;
    connection.close().await.ok();
    result
}

/// Whether every migration that this version needs has been applied.
///
/// # Errors
/// When the database does not answer.
pub async fn are_applied(connection: &mut PgConnection) -> sqlx::Result<bool> {
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
