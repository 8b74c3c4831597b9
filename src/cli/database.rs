//! The database that a command works on: the configured one, or the private one of development.

#[cfg(feature = "embedded-db")]
use std::path::Path;

use blog_api::config::DatabaseConfig;
use blog_api::db;
#[cfg(feature = "embedded-db")]
use blog_api::db::embedded;
use sqlx::postgres::PgConnectOptions;

use super::failure::Failure;

/// The configured database, or the private one of development.
pub(crate) struct Database {
    pub(crate) options: PgConnectOptions,
    #[cfg(feature = "embedded-db")]
    server: Option<embedded::Server>,
}

/// Where the private server keeps its data, in the working directory.
#[cfg(feature = "embedded-db")]
const DEVELOPMENT_DIR: &str = ".blog-api";

impl Database {
    /// `exclusive` wants the private server for itself; else one that is running will do.
    #[cfg(feature = "embedded-db")]
    pub(crate) async fn open(config: &DatabaseConfig, exclusive: bool) -> Result<Self, Failure> {
        if let Some(url) = &config.url {
            let options = db::connect_options(url, config)
                .map_err(|error| Failure::config(format!("DATABASE_URL: {error}")))?;
            return Ok(Self { options, server: None });
        }
        let dir = Path::new(DEVELOPMENT_DIR);
        if let Some(options) = embedded::running(dir).filter(|_| !exclusive) {
            return Ok(Self { options, server: None });
        }
        let server = embedded::Server::start(dir).await.map_err(Failure::unavailable)?;
        eprintln!("Private PostgreSQL: psql '{}'", server.url());
        Ok(Self { options: server.options(), server: Some(server) })
    }

    #[cfg(not(feature = "embedded-db"))]
    #[expect(clippy::unused_async, reason = "waits only with the development database")]
    pub(crate) async fn open(config: &DatabaseConfig, _exclusive: bool) -> Result<Self, Failure> {
        let url = config.url.as_ref().ok_or_else(|| Failure::config("DATABASE_URL is required"))?;
        let options = db::connect_options(url, config)
            .map_err(|error| Failure::config(format!("DATABASE_URL: {error}")))?;
        Ok(Self { options })
    }

    /// Stops the private server, if this started it.
    #[cfg_attr(
        not(feature = "embedded-db"),
        expect(clippy::unused_async, reason = "waits only with the development database")
    )]
    pub(crate) async fn close(self) {
        #[cfg(feature = "embedded-db")]
        if let Some(server) = self.server {
            server.stop().await;
        }
    }
}
