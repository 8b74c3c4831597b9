//! A connection as the service uses it: every statement on it has a deadline, and it goes back to the pool
//! only if its work was completed.
//!
//! A peer that falls silent (a failover whose packets vanish) is noticed neither by TCP nor by PostgreSQL's
//! own `statement_timeout`, which ends on the other side. And a statement that was cancelled here still has
//! a response coming. Such a connection is closed when it is dropped, and so is one whose server is going
//! away or was demoted.

use std::io;
use std::ops::{Deref, DerefMut};
use std::time::Duration;

use deadpool::managed::Object;
use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream, StreamExt};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgQueryResult, PgRow, PgStatement, PgTypeInfo};
use sqlx::{ConnectOptions, Describe, Either, Error, Execute, Executor, Postgres, SqlStr};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::connector::{Connector, ENDED_AFTER_CLOSE};

/// How much longer the response to a statement may take than PostgreSQL may work on it.
const ANSWER_MARGIN: Duration = Duration::from_millis(500);

/// How long the server may take to let in a connection that no request waits for.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// A connection outside the pools, without deadlines for its statements.
pub(super) async fn connect(options: &PgConnectOptions) -> Result<PgConnection, Error> {
    timeout(CONNECT_TIMEOUT, options.connect()).await.unwrap_or_else(|_elapsed| Err(unanswered()))
}

/// A connection of the pool. Run queries on it as on any connection of sqlx.
#[derive(Debug)]
pub struct Connection {
    /// `None` only while this is dropped.
    object: Option<Object<Connector>>,
    work: Work,
    statement_timeout: Duration,
    /// Its place in the share of costly reads, if it is of these.
    permit: Option<OwnedSemaphorePermit>,
}

/// A statement of a costly read that PostgreSQL has cut at the time limit of these.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the statement took longer than a costly read may")]
pub struct OverLimit;

/// What became of the last statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Work {
    Completed,
    /// It runs, or its future was dropped.
    Running,
    /// It broke the connection, or showed that the server is not to be used.
    Failed,
}

impl Work {
    fn after(error: Option<&Error>) -> Self {
        if error.is_some_and(is_fatal) { Self::Failed } else { Self::Completed }
    }
}

/// Whether the connection is broken, or its server starts, stops or has become read-only.
fn is_fatal(error: &Error) -> bool {
    match error {
        Error::Database(error) => error
            .code()
            .is_some_and(|code| code == "25006" || code.starts_with("08") || code.starts_with("57P")),
        Error::Io(_) | Error::Tls(_) | Error::Protocol(_) | Error::WorkerCrashed => true,
        _ => false,
    }
}

pub(super) fn unanswered() -> Error {
    Error::Io(io::Error::new(io::ErrorKind::TimedOut, "the database did not answer in time"))
}

impl Connection {
    pub(super) fn new(object: Object<Connector>, statement_timeout: Duration) -> Self {
        Self { object: Some(object), work: Work::Completed, statement_timeout, permit: None }
    }

    /// The same connection in the share of costly reads, whose statements have `limit`.
    pub(super) fn limited(mut self, limit: Duration, permit: OwnedSemaphorePermit) -> Self {
        self.statement_timeout = limit;
        self.within_share(permit)
    }

    /// The same connection in the share of costly reads, with the usual time limit for each statement.
    pub(super) fn within_share(mut self, permit: OwnedSemaphorePermit) -> Self {
        self.permit = Some(permit);
        self
    }

    fn start(&mut self) -> (&mut PgConnection, Statement<'_>) {
        let Self { object: Some(object), work, statement_timeout, permit } = self else {
            unreachable!("a connection that is being dropped starts no statement");
        };
        *work = Work::Running;
        let deadline = Instant::now() + *statement_timeout + ANSWER_MARGIN;
        (&mut object.raw, Statement { work, deadline, is_costly: permit.is_some() })
    }
}

struct Statement<'c> {
    work: &'c mut Work,
    deadline: Instant,
    is_costly: bool,
}

impl Statement<'_> {
    /// Awaits one response and notes what became of the statement.
    async fn response<T>(self, response: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        let result = timeout_at(self.deadline, response).await.unwrap_or_else(|_elapsed| Err(unanswered()));
        *self.work = Work::after(result.as_ref().err());
        result.map_err(|error| self.explained(error))
    }

    fn explained(&self, error: Error) -> Error {
        match &error {
            Error::Database(cause) if self.is_costly && cause.code().is_some_and(|code| code == "57014") => {
                Error::Io(io::Error::other(OverLimit))
            }
            _ => error,
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let Some(mut object) = self.object.take() else {
            return;
        };
        match self.work {
            Work::Completed => object.last_used = Instant::now(),
            Work::Running => {
                Object::take(object).close("cancelled");
                self.hold_permit();
            }
            Work::Failed => {
                if let Some(pool) = Object::pool(&object) {
                    pool.manager().retire_generation(&object);
                }
                Object::take(object).close("failed");
            }
        }
    }
}

impl Connection {
    /// PostgreSQL works on a cancelled statement until it sees that the connection was closed; until then it has its place.
    fn hold_permit(&mut self) {
        if let Some(permit) = self.permit.take()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            runtime.spawn(async move {
                sleep(ENDED_AFTER_CLOSE).await;
                drop(permit);
            });
        }
    }
}

impl<'c> Executor<'c> for &'c mut Connection {
    type Database = Postgres;

    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> BoxStream<'e, Result<Either<PgQueryResult, PgRow>, Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        let (connection, statement) = self.start();
        let responses = connection.fetch_many(query);
        Box::pin(stream::unfold(Some((responses, statement)), move |state| async move {
            let (mut responses, statement) = state?;
            match timeout_at(statement.deadline, responses.next()).await {
                Ok(Some(Ok(response))) => Some((Ok(response), Some((responses, statement)))),
                Ok(None) => {
                    *statement.work = Work::Completed;
                    None
                }
                Ok(Some(Err(error))) => {
                    *statement.work = Work::after(Some(&error));
                    Some((Err(statement.explained(error)), None))
                }
                Err(_elapsed) => {
                    *statement.work = Work::Failed;
                    Some((Err(unanswered()), None))
                }
            }
        }))
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<Option<PgRow>, Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        let (connection, statement) = self.start();
        Box::pin(statement.response(connection.fetch_optional(query)))
    }

    fn prepare_with<'e>(
        self,
        sql: SqlStr,
        parameters: &'e [PgTypeInfo],
    ) -> BoxFuture<'e, Result<PgStatement, Error>>
    where
        'c: 'e,
    {
        let (connection, statement) = self.start();
        Box::pin(statement.response(connection.prepare_with(sql, parameters)))
    }

    fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, Result<Describe<Postgres>, Error>>
    where
        'c: 'e,
    {
        let (connection, statement) = self.start();
        Box::pin(statement.response(connection.describe(sql)))
    }
}

/// A transaction; rolled back unless it is committed.
#[derive(Debug)]
pub struct Transaction {
    /// `None` once it is committed or being rolled back.
    connection: Option<Connection>,
}

impl Transaction {
    pub(super) async fn begin(mut connection: Connection, how: &'static str) -> Result<Self, Error> {
        connection.execute(how).await?;
        Ok(Self { connection: Some(connection) })
    }

    /// After an error other than a refusal by the database, it is unknown whether the writes last.
    pub async fn commit(mut self) -> Result<(), Error> {
        if let Some(mut connection) = self.connection.take() {
            connection.execute("commit").await?;
        }
        Ok(())
    }
}

impl Drop for Transaction {
    /// The rollback is sent at once, so that locks are released; a connection on which it fails is closed.
    fn drop(&mut self) {
        let Some(mut connection) = self.connection.take() else {
            return;
        };
        // What was cancelled or broken is closed, which rolls back as well.
        if connection.work == Work::Completed
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            runtime.spawn(async move { connection.execute("rollback").await });
        }
    }
}

impl Deref for Transaction {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        let Some(connection) = &self.connection else { unreachable!("a transaction in use is open") };
        connection
    }
}

impl DerefMut for Transaction {
    fn deref_mut(&mut self) -> &mut Connection {
        let Some(connection) = &mut self.connection else { unreachable!("a transaction in use is open") };
        connection
    }
}
