//! A connection as the service uses it: every statement on it has a deadline, and it goes back to the pool
//! only if its work was completed.
//!
//! A peer that falls silent (a failover whose packets vanish) is noticed neither by TCP nor by PostgreSQL's
//! own `statement_timeout`, which ends on the other side. And a statement that was cancelled here still has
//! an answer coming. Such a connection is closed when it is dropped, and so is one whose server is going
//! away or was demoted.

use std::io;
use std::ops::{Deref, DerefMut};
use std::time::Duration;

use deadpool::managed::Object;
use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream, StreamExt};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgQueryResult, PgRow, PgStatement, PgTypeInfo};
use sqlx::{ConnectOptions, Describe, Either, Error, Execute, Executor, Postgres, SqlStr};
use tokio::time::{Instant, timeout, timeout_at};

use super::pool::Connector;

/// How much longer the answer to a statement may take than PostgreSQL may work on it.
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
}

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

/// Whether the connection should not be used again: it is broken, or the server is starting, stopping, or
/// has become read-only.
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
        Self { object: Some(object), work: Work::Completed, statement_timeout }
    }

    /// The parts of a connection that starts a statement: itself, the note of what becomes of the
    /// statement, and when the answer must be here.
    fn start(&mut self) -> (&mut PgConnection, &mut Work, Instant) {
        let Self { object: Some(object), work, statement_timeout } = self else {
            unreachable!("a connection that is being dropped starts no statement");
        };
        *work = Work::Running;
        (&mut object.raw, work, Instant::now() + *statement_timeout + ANSWER_MARGIN)
    }
}

/// Awaits one answer and notes what became of the statement.
async fn answer<T>(
    statement: impl Future<Output = Result<T, Error>>,
    work: &mut Work,
    deadline: Instant,
) -> Result<T, Error> {
    let result = timeout_at(deadline, statement).await.unwrap_or_else(|_elapsed| Err(unanswered()));
    *work = Work::after(result.as_ref().err());
    result
}

impl Drop for Connection {
    fn drop(&mut self) {
        let Some(mut object) = self.object.take() else {
            return;
        };
        match self.work {
            Work::Completed => object.last_used = Instant::now(),
            Work::Running => Object::take(object).close("cancelled"),
            Work::Failed => {
                if let Some(pool) = Object::pool(&object) {
                    pool.manager().suspect(&object);
                }
                Object::take(object).close("failed");
            }
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
        let (connection, work, deadline) = self.start();
        let answers = connection.fetch_many(query);
        Box::pin(stream::unfold(Some((answers, work)), move |state| async move {
            let (mut answers, work) = state?;
            match timeout_at(deadline, answers.next()).await {
                Ok(Some(Ok(answer))) => Some((Ok(answer), Some((answers, work)))),
                Ok(None) => {
                    *work = Work::Completed;
                    None
                }
                Ok(Some(Err(error))) => {
                    *work = Work::after(Some(&error));
                    Some((Err(error), None))
                }
                Err(_elapsed) => {
                    *work = Work::Failed;
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
        let (connection, work, deadline) = self.start();
        Box::pin(answer(connection.fetch_optional(query), work, deadline))
    }

    fn prepare_with<'e>(
        self,
        sql: SqlStr,
        parameters: &'e [PgTypeInfo],
    ) -> BoxFuture<'e, Result<PgStatement, Error>>
    where
        'c: 'e,
    {
        let (connection, work, deadline) = self.start();
        Box::pin(answer(connection.prepare_with(sql, parameters), work, deadline))
    }

    fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, Result<Describe<Postgres>, Error>>
    where
        'c: 'e,
    {
        let (connection, work, deadline) = self.start();
        Box::pin(answer(connection.describe(sql), work, deadline))
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

    /// Makes its writes last.
    ///
    /// # Errors
    /// When the database refuses, or does not answer: then nobody knows whether they last.
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
