//! The pool: hands out connections, and waits for one no longer than it may.

use std::sync::Arc;
use std::time::Duration;

use deadpool::Runtime;
use deadpool::managed::{self, BuildError, PoolConfig, PoolError, QueueMode, Timeouts};
use metrics::{counter, gauge, histogram};
use tokio::time::{Instant, timeout};

use super::connect_source::ConnectSource;
use super::connection::Connection;
use super::connector::Connector;
use crate::config::DatabaseConfig;
use crate::telemetry::metrics::set;

#[derive(Debug, thiserror::Error)]
pub enum AcquireError {
    #[error("no connection within {waited:?}{}", .last_failure.as_ref().map_or_else(String::new, |error| format!("; connecting failed: {error}")))]
    TimedOut {
        waited: Duration,
        /// Why the last attempt to connect failed, if none has succeeded since.
        last_failure: Option<Arc<sqlx::Error>>,
    },
    #[error("connecting failed: {0}")]
    Refused(Arc<sqlx::Error>),
    #[error("the pool is closed")]
    Closed,
}

impl AcquireError {
    #[must_use]
    pub fn failure(&self) -> Option<&sqlx::Error> {
        match self {
            Self::TimedOut { last_failure, .. } => last_failure.as_deref(),
            Self::Refused(error) => Some(error),
            Self::Closed => None,
        }
    }
}

/// A pool of connections to one server. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Pool {
    inner: managed::Pool<Connector>,
    acquire_timeout: Duration,
    statement_timeout: Duration,
}

impl Pool {
    /// Connects when first used. `name` is its label in metrics; `host` replaces that of the source.
    pub(super) fn new(
        name: &'static str,
        source: Arc<ConnectSource>,
        host: Option<String>,
        config: &DatabaseConfig,
    ) -> Result<Self, BuildError> {
        let connector = Connector::new(name, source, host, config.statement_timeout);
        let size = config.max_connections.try_into().unwrap_or(usize::MAX);
        let inner = managed::Pool::builder(connector)
            // Last in, first out: what a burst has opened stays idle and expires.
            .config(PoolConfig { max_size: size, timeouts: Timeouts::new(), queue_mode: QueueMode::Lifo })
            .runtime(Runtime::Tokio1)
            .build()?;
        counter!("db_pool_timeouts_total", "pool" => name).increment(0);
        let (acquire_timeout, statement_timeout) = (config.acquire_timeout, config.statement_timeout);
        Ok(Self { inner, acquire_timeout, statement_timeout })
    }

    pub(super) async fn acquire(&self) -> Result<Connection, AcquireError> {
        self.acquire_within(self.acquire_timeout).await
    }

    pub(super) async fn acquire_within(&self, max_wait: Duration) -> Result<Connection, AcquireError> {
        let name = self.inner.manager().name();
        let started = Instant::now();
        let got = timeout(max_wait, self.inner.get()).await;
        histogram!("db_pool_wait_seconds", "pool" => name).record(started.elapsed());
        match got {
            Ok(Ok(object)) => Ok(Connection::new(object, self.statement_timeout)),
            Ok(Err(PoolError::Backend(error))) => Err(AcquireError::Refused(error)),
            Ok(Err(_closed)) => Err(AcquireError::Closed),
            Err(_elapsed) => {
                counter!("db_pool_timeouts_total", "pool" => name).increment(1);
                let last_failure = self.inner.manager().last_failure();
                Err(AcquireError::TimedOut { waited: max_wait, last_failure })
            }
        }
    }

    pub(super) fn close(&self) {
        self.inner.close();
    }

    pub(super) fn observe(&self) {
        let name = self.inner.manager().name();
        let status = self.inner.status();
        let in_use = status.size.saturating_sub(status.available);
        set(&gauge!("db_pool_connections", "pool" => name, "state" => "idle"), status.available);
        set(&gauge!("db_pool_connections", "pool" => name, "state" => "in_use"), in_use);
        set(&gauge!("db_pool_connections_max", "pool" => name), status.max_size);
        set(&gauge!("db_pool_waiting", "pool" => name), status.waiting);
    }
}
