//! The database: one pool for its writer and one for its reader, reached only through [`Db`]; and migrations.

pub mod channel;
pub mod connect_source;
mod connection;
mod connector;
mod costly;
pub mod locale;
pub mod migrations;
mod pool;
pub mod service_role;
mod violation;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use crate::config::DatabaseConfig;
use connect_source::ConnectSource;
pub use connection::{Connection, OverLimit, Transaction};
pub use connector::is_refused_sign_in;
use costly::Costly;
pub use pool::AcquireError;
use pool::Pool;
pub use violation::{Violation, ViolationKind, violation};

/// How long a request waits for the reader before it turns to the writer.
const READER_MAX_WAIT: Duration = Duration::from_secs(1);
/// How long requests go to the writer at once after the reader has failed one.
const READER_PAUSE: Duration = Duration::from_secs(10);

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Unavailable(#[from] AcquireError),
    /// The share of reads whose cost the client chooses is in use.
    #[error("too many costly reads wait")]
    Overloaded,
    #[error(transparent)]
    Statement(#[from] sqlx::Error),
}

/// What became of a change to a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Changed,
    /// It was so already: not even its version has changed.
    Unchanged,
    /// It is not there, or not as the change expects it.
    Refused,
}

impl Outcome {
    #[must_use]
    pub fn of(found: bool, changed: bool) -> Self {
        match (found, changed) {
            (_, true) => Self::Changed,
            (true, false) => Self::Unchanged,
            (false, false) => Self::Refused,
        }
    }
}

/// The pools of the writer and of the reader. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Db {
    writer: Pool,
    reader: Option<Reader>,
    costly: Costly,
}

/// A replica, for reads that may be a moment behind.
#[derive(Clone, Debug)]
struct Reader {
    pool: Pool,
    paused_until: Arc<Mutex<Option<Instant>>>,
}

impl Db {
    /// Pools that connect when first used: a task boots, and answers `/health`, without a database.
    pub fn new(
        source: &Arc<ConnectSource>,
        config: &DatabaseConfig,
    ) -> Result<Self, deadpool::managed::BuildError> {
        let writer = Pool::new("writer", source.clone(), None, config)?;
        let reader = match &config.reader_host {
            None => None,
            Some(host) => Some(Reader {
                pool: Pool::new("reader", source.clone(), Some(host.clone()), config)?,
                paused_until: Arc::default(),
            }),
        };
        Ok(Self { writer, reader, costly: Costly::new(config) })
    }

    /// A connection to the writer; [`Error::Unavailable`] when there is none within the acquire timeout.
    pub async fn acquire(&self) -> Result<Connection, Error> {
        Ok(self.writer.acquire().await?)
    }

    /// A connection for reads that may lag: to the reader if there is one and it answers, else to the writer.
    pub async fn acquire_reader(&self) -> Result<Connection, Error> {
        if let Some(reader) = &self.reader
            && let Some(connection) = reader.acquire().await
        {
            return Ok(connection);
        }
        self.acquire().await
    }

    /// A transaction on the writer; it is rolled back when dropped.
    pub async fn begin(&self) -> Result<Transaction, Error> {
        Ok(Transaction::begin(self.acquire().await?, "begin").await?)
    }

    /// A read-only transaction on the writer, all of whose statements see the state at the first one.
    pub async fn begin_snapshot(&self) -> Result<Transaction, Error> {
        let how = "begin isolation level repeatable read read only";
        Ok(Transaction::begin(self.acquire().await?, how).await?)
    }

    /// As [`begin_costly_reader`](Self::begin_costly_reader), but on the writer.
    pub async fn begin_costly(&self) -> Result<Transaction, Error> {
        let permit = self.costly.permit().await?;
        self.limited(self.acquire().await?, permit).await
    }

    /// A transaction for reads whose cost the client chooses, and that may lag. They have a share of the
    /// connections, or fail with [`Error::Overloaded`], and a time limit, or fail with [`OverLimit`].
    pub async fn begin_costly_reader(&self) -> Result<Transaction, Error> {
        let permit = self.costly.permit().await?;
        self.limited(self.acquire_reader().await?, permit).await
    }

    /// A connection of the same share without its time limit, for reads that are long whoever asks.
    pub async fn acquire_long_reader(&self) -> Result<Connection, Error> {
        let permit = self.costly.permit().await?;
        Ok(self.acquire_reader().await?.within_share(permit))
    }

    async fn limited(
        &self,
        connection: Connection,
        permit: OwnedSemaphorePermit,
    ) -> Result<Transaction, Error> {
        let connection = connection.limited(self.costly.time_limit, permit);
        Ok(Transaction::begin(connection, self.costly.begin).await?)
    }

    /// Connects once, to tell at boot what is wrong with the configuration.
    pub async fn check(&self) -> Result<(), AcquireError> {
        self.writer.acquire().await.map(drop)
    }

    /// Gives out no more connections; each is closed after its work.
    pub fn close(&self) {
        self.writer.close();
        if let Some(reader) = &self.reader {
            reader.pool.close();
        }
    }

    pub fn observe(&self) {
        self.costly.observe();
        self.writer.observe();
        if let Some(reader) = &self.reader {
            reader.pool.observe();
        }
    }
}

impl Reader {
    /// `None` while it is down or busy.
    async fn acquire(&self) -> Option<Connection> {
        let paused_until = *self.lock();
        if paused_until.is_some_and(|until| Instant::now() < until) {
            return None;
        }
        match self.pool.acquire_within(READER_MAX_WAIT).await {
            Ok(connection) => Some(connection),
            Err(error) => {
                *self.lock() = Some(Instant::now() + READER_PAUSE);
                tracing::warn!(cause = %error, pause = ?READER_PAUSE, "reads go to the writer");
                None
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        self.paused_until.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub async fn is_read_only(connection: &mut Connection) -> sqlx::Result<bool> {
    sqlx::query_scalar!(r#"select current_setting('transaction_read_only') = 'on' as "read_only!""#)
        .fetch_one(connection)
        .await
}
