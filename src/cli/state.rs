//! The service's state without the service, for commands that do one thing.

use blog_api::clock::Clock;
use blog_api::config::Config;
use blog_api::db::{self, Db, migrations};
use blog_api::lifecycle::Lifecycle;
use blog_api::state::AppState;

use super::database::Database;
use super::failure::{Failure, cannot, migration};

/// Does `work` on the configured database.
pub(crate) async fn with_state<T>(
    work: impl AsyncFnOnce(&AppState) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let config = Config::from_env().map_err(Failure::config)?;
    let database = Database::open(&config.database, false).await?;
    let done = with_database(&config, &database, work).await;
    database.close().await;
    done
}

async fn with_database<T>(
    config: &Config,
    database: &Database,
    work: impl AsyncFnOnce(&AppState) -> Result<T, Failure>,
) -> Result<T, Failure> {
    if config.migrate_on_start {
        migrations::run(&database.source.options()).await.map_err(|error| migration(&error))?;
    }
    let db = Db::new(&database.source, &config.database).map_err(Failure::config)?;
    let state = AppState::new(config, db, Clock::system(), Lifecycle::default()).map_err(Failure::config)?;
    let done = work(&state).await;
    state.db.close();
    done
}

impl From<db::Error> for Failure {
    fn from(error: db::Error) -> Self {
        cannot("use the database", error)
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        db::Error::from(error).into()
    }
}
