//! `blog-api migrate`: the step of a deployment before the rollout.

use blog_api::config::Config;
use blog_api::config::secrets::SecretReader;
use blog_api::db::locale::unfit_locale;
use blog_api::db::{migrations, service_role};

use super::database::Database;
use super::failure::{self, Failure};
use crate::print;

pub(crate) async fn migrate() -> Result<(), Failure> {
    let config = Config::from_env().map_err(Failure::config)?;
    let database = Database::open(&config.database, false).await?;
    let migrated = migrate_in(&database, &config).await;
    database.close().await;
    migrated
}

async fn migrate_in(database: &Database, config: &Config) -> Result<(), Failure> {
    let owner = database.source.options();
    // Read first: nothing is begun that cannot be finished.
    let service = match &config.database.app_secret_id {
        Some(id) => {
            let secret = SecretReader::new(id).await.read().await;
            Some(secret.map_err(|error| failure::secret("DB_APP_SECRET_ID", &error))?)
        }
        None => None,
    };
    migrations::run(&owner).await.map_err(|error| failure::migration(&error))?;
    print("The database schema is up to date.\n")?;
    let unfit =
        unfit_locale(&owner).await.map_err(|error| failure::database("ask for the locale", &error))?;
    if let Some(unfit) = unfit {
        eprintln!("Warning: {unfit}.");
    }
    if let Some(secret) = service {
        let granted = service_role::grant(&owner, &secret).await;
        granted.map_err(|error| failure::database("grant the service its role", &error))?;
        print(&format!("The role {} may read and write.\n", secret.username))?;
    }
    Ok(())
}
