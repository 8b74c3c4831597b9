//! The database that a command works on: the configured one, or the private one of development.

#[cfg(feature = "embedded-db")]
use std::path::Path;
use std::sync::Arc;

use blog_api::config::{DatabaseConfig, Location};
use blog_api::db::connect_source::ConnectSource;
#[cfg(feature = "embedded-db")]
use blog_api::db::embedded;

use super::failure::Failure;

/// The configured database, or the private one of development.
pub(crate) struct Database {
    pub(crate) source: Arc<ConnectSource>,
    #[cfg(feature = "embedded-db")]
    server: Option<embedded::Server>,
}

/// Where the private server keeps its data, in the working directory.
#[cfg(feature = "embedded-db")]
const DEVELOPMENT_DIR: &str = ".blog-api";

async fn configured(location: &Location, config: &DatabaseConfig) -> Result<Arc<ConnectSource>, Failure> {
    match ConnectSource::load(location, config).await {
        Ok(source) => Ok(Arc::new(source)),
        Err(error) if error.is_transient() => Err(Failure::unavailable(error)),
        Err(error) => Err(Failure::config(error)),
    }
}

impl Database {
    /// `exclusive` wants the private server for itself; else one that is running will do.
    #[cfg(feature = "embedded-db")]
    pub(crate) async fn open(config: &DatabaseConfig, exclusive: bool) -> Result<Self, Failure> {
        if let Some(location) = &config.location {
            return Ok(Self { source: configured(location, config).await?, server: None });
        }
        let dir = Path::new(DEVELOPMENT_DIR);
        let fixed = |options| Arc::new(ConnectSource::fixed(options));
        if let Some(options) = embedded::running(dir).filter(|_| !exclusive) {
            return Ok(Self { source: fixed(options), server: None });
        }
        let server = embedded::Server::start(dir).await.map_err(Failure::unavailable)?;
        eprintln!("Private PostgreSQL: psql '{}'", server.url());
        Ok(Self { source: fixed(server.options()), server: Some(server) })
    }

    #[cfg(not(feature = "embedded-db"))]
    pub(crate) async fn open(config: &DatabaseConfig, _exclusive: bool) -> Result<Self, Failure> {
        let location = config.location.as_ref();
        let location = location.ok_or_else(|| Failure::config("DB_SECRET_ID or DATABASE_URL is required"))?;
        Ok(Self { source: configured(location, config).await? })
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
