//! The database that a command works on: the configured one, or the private one of development.

use std::sync::Arc;

use blog_api::config::{DatabaseConfig, Location};
use blog_api::db::connect_source::ConnectSource;

use super::development;
use super::failure::Failure;

pub(crate) struct Database {
    pub(crate) source: Arc<ConnectSource>,
    /// The private server, if this started it.
    server: Option<development::Server>,
}

impl Database {
    /// `exclusive` wants the private server for itself; else one that is running will do.
    pub(crate) async fn open(config: &DatabaseConfig, exclusive: bool) -> Result<Self, Failure> {
        if let Some(location) = &config.location {
            return Ok(Self { source: configured(location, config).await?, server: None });
        }
        let (options, server) = development::open(exclusive).await?;
        Ok(Self { source: Arc::new(ConnectSource::fixed(options)), server })
    }

    pub(crate) async fn close(self) {
        if let Some(server) = self.server {
            server.stop().await;
        }
    }
}

async fn configured(location: &Location, config: &DatabaseConfig) -> Result<Arc<ConnectSource>, Failure> {
    match ConnectSource::load(location, config).await {
        Ok(source) => Ok(Arc::new(source)),
        Err(error) if error.is_transient() => Err(Failure::unavailable(error)),
        Err(error) => Err(Failure::config(error)),
    }
}
