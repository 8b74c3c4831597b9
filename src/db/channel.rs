//! Messages between tasks: `NOTIFY` and `LISTEN`, on a connection of its own. It is not of the pool, where it
//! would take a place for ever.

use std::io;
use std::time::Duration;

use sqlx::postgres::{PgListener, PgPool, PgPoolOptions};
use sqlx::{Error, Result};
use tokio::time::timeout;

use super::connect_source::ConnectSource;
use super::connection::unanswered;

const NAME: &str = "blog_api";

const RESPONSE_TIMEOUT: Duration = Duration::from_secs(3);

pub struct Channel {
    listener: PgListener,
    pool: PgPool,
    /// Of the connection: a task receives its own messages too.
    process_id: u32,
}

impl Channel {
    pub async fn open(source: &ConnectSource) -> Result<Self> {
        in_time(async {
            let options = source.options().application_name("blog-api-listener");
            let pool = PgPoolOptions::new().max_connections(1).connect_with(options).await?;
            let mut listener = PgListener::connect_with(&pool).await?;
            listener.eager_reconnect(false);
            listener.listen(NAME).await?;
            let process_id = sqlx::query_scalar!(r#"select pg_backend_pid() as "process_id!""#)
                .fetch_one(&mut listener)
                .await?;
            Ok(Self { listener, pool, process_id: process_id.unsigned_abs() })
        })
        .await
    }

    /// Waits for the next message of another task. Cancel safe. After an error, messages may have been missed.
    pub async fn recv(&mut self) -> Result<String> {
        loop {
            let notification = self.listener.try_recv().await?.ok_or_else(lost)?;
            if notification.process_id() != self.process_id {
                return Ok(notification.payload().to_owned());
            }
        }
    }

    /// Sends to the other tasks. `message` has less than 8,000 bytes.
    pub async fn send(&mut self, message: &str) -> Result<()> {
        in_time(async {
            sqlx::query!("select pg_notify($1, $2)", NAME, message)
                .execute(&mut self.listener)
                .await
                .map(drop)
        })
        .await
    }

    pub async fn check(&mut self) -> Result<()> {
        in_time(async { sqlx::query!("select").execute(&mut self.listener).await.map(drop) }).await
    }
}

/// An open pool would test the connection that it gets back, and warn if the database has gone meanwhile.
impl Drop for Channel {
    fn drop(&mut self) {
        drop(self.pool.close());
    }
}

async fn in_time<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    timeout(RESPONSE_TIMEOUT, work).await.unwrap_or_else(|_elapsed| Err(unanswered()))
}

fn lost() -> Error {
    Error::Io(io::Error::other("lost the connection"))
}
