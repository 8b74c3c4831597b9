//! The database: one pool, reached only through [`Db`]; migrations; and in development a private server.

#[cfg(feature = "embedded-db")]
pub mod embedded;
pub mod migrations;

use std::str::FromStr;
use std::time::Duration;

use secrecy::ExposeSecret;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{PgConnection, Postgres, Transaction};

use crate::config::DatabaseConfig;
use crate::error::ApiError;

/// A connection is replaced at this age, so that a fail-over or a resize reaches every one in time.
const MAX_LIFETIME: Duration = Duration::from_mins(8);

/// The database as the service sees it. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Db {
    pool: PgPool,
}

impl Db {
    /// A pool that connects when it is first asked to: a task boots, and answers `/health`, without a
    /// database.
    #[must_use]
    pub fn connect_lazy(options: PgConnectOptions, config: &DatabaseConfig) -> Self {
        let statement_timeout = config.statement_timeout.as_millis().to_string();
        let options = options.options([("statement_timeout", statement_timeout.as_str())]);
        let pool = PgPoolOptions::new()
            .max_connections(config.max_connections)
            .acquire_timeout(config.acquire_timeout)
            .max_lifetime(MAX_LIFETIME)
            .connect_lazy_with(options);
        Self { pool }
    }

    /// A connection, once one is free.
    ///
    /// # Errors
    /// [`ApiError::Unavailable`] when none is free or can be made within the acquire timeout.
    pub async fn acquire(&self) -> Result<PoolConnection<Postgres>, ApiError> {
        self.pool.acquire().await.map_err(unavailable)
    }

    /// A transaction; it is rolled back when dropped.
    ///
    /// # Errors
    /// As [`acquire`](Self::acquire).
    pub async fn begin(&self) -> Result<Transaction<'static, Postgres>, ApiError> {
        self.pool.begin().await.map_err(unavailable)
    }

    /// Closes every connection, after its work.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// Whether the database would refuse a write.
///
/// # Errors
/// When the database does not answer.
pub async fn is_read_only(connection: &mut PgConnection) -> sqlx::Result<bool> {
    sqlx::query_scalar!(r#"select current_setting('transaction_read_only') = 'on' as "read_only!""#)
        .fetch_one(connection)
        .await
}

/// Whatever stands in the way of a connection, also a refusal by the database, is about the database and
/// not about the request.
fn unavailable(error: sqlx::Error) -> ApiError {
    ApiError::Unavailable(error.into())
}

/// The connection options that `url` and the TLS settings of `config` make.
///
/// # Errors
/// When the URL cannot be read.
pub fn connect_options(
    url: &impl ExposeSecret<str>,
    config: &DatabaseConfig,
) -> sqlx::Result<PgConnectOptions> {
    let mut options = PgConnectOptions::from_str(url.expose_secret())?.application_name("blog-api");
    if let Some(mode) = config.ssl_mode {
        options = options.ssl_mode(mode);
    }
    if let Some(path) = &config.ssl_root_cert {
        options = options.ssl_root_cert(path);
    }
    Ok(options)
}
