//! Messages between tasks: `NOTIFY` and `LISTEN`, on a connection of its own. It is not of the pool, where it
//! would take a place for ever.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::{PgListener, PgPool, PgPoolOptions};
use sqlx::{Error, Result};
use tokio::sync::Notify;
use tokio::time::timeout;

use super::connect_source::ConnectSource;
use super::connection::unanswered;

/// Of messages about changes.
const CHANGES: &str = "blog_api";
/// Of messages that jobs wait, which have no text.
const JOBS: &str = "blog_api_jobs";

const RESPONSE_TIMEOUT: Duration = Duration::from_secs(3);

/// What another task tells.
#[derive(Debug)]
pub enum Message {
    /// What has changed.
    Changes(String),
    /// Jobs wait, more than it can take.
    Jobs,
}

/// Tells those who work on jobs that some wait, in this task and in the others. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Wake(Arc<Sleepers>);

#[derive(Debug, Default)]
struct Sleepers {
    here: Notify,
    elsewhere: Notify,
}

impl Wake {
    /// In this task. Call it after the commit: what is not committed cannot be claimed.
    pub fn here(&self) {
        self.0.here.notify_one();
    }

    pub async fn woken(&self) {
        self.0.here.notified().await;
    }

    /// In the other tasks.
    pub fn others(&self) {
        self.0.elsewhere.notify_one();
    }

    /// Waits until the other tasks are to be told.
    pub async fn asked_for_others(&self) {
        self.0.elsewhere.notified().await;
    }
}

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
            listener.listen_all([CHANGES, JOBS]).await?;
            let process_id = sqlx::query_scalar!(r#"select pg_backend_pid() as "process_id!""#)
                .fetch_one(&mut listener)
                .await?;
            Ok(Self { listener, pool, process_id: process_id.unsigned_abs() })
        })
        .await
    }

    /// Waits for the next message of another task. Cancel safe. After an error, messages may have been missed.
    pub async fn recv(&mut self) -> Result<Message> {
        loop {
            let notification = self.listener.try_recv().await?.ok_or_else(lost)?;
            if notification.process_id() != self.process_id {
                return Ok(match notification.channel() {
                    JOBS => Message::Jobs,
                    _ => Message::Changes(notification.payload().to_owned()),
                });
            }
        }
    }

    /// Sends to the other tasks. The text of a message has less than 8,000 bytes.
    pub async fn send(&mut self, message: &Message) -> Result<()> {
        let (name, text) = match message {
            Message::Changes(text) => (CHANGES, text.as_str()),
            Message::Jobs => (JOBS, ""),
        };
        in_time(async {
            sqlx::query!("select pg_notify($1, $2)", name, text).execute(&mut self.listener).await.map(drop)
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
