//! Makes connections from the current source, and judges those that come back to the pool: it hands
//! out only those it has reason to trust.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use deadpool::managed::{Manager, Metrics, RecycleError, RecycleResult};
use metrics::counter;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions, Connection as _};
use tokio::time::{Instant, sleep, timeout};

use super::connect_source::ConnectSource;

/// A connection is replaced at this age, so that a resize or a new address reaches every one in time.
const MAX_LIFETIME: Duration = Duration::from_mins(8);
/// Spread over this much, so that they are not all replaced at once.
const LIFETIME_SPREAD: Duration = Duration::from_mins(1);

/// A connection that has rested for longer than this is asked whether it still lives.
const TRUSTED_REST: Duration = Duration::from_secs(1);
const PING_TIMEOUT: Duration = Duration::from_secs(1);

/// How often PostgreSQL looks whether the connection of a running statement was closed.
const CLOSED_CHECK_INTERVAL: &str = "250ms";
/// A statement whose connection was closed has ended after this.
pub(super) const ENDED_AFTER_CLOSE: Duration = Duration::from_millis(500);

/// The pause before connecting again after a refusal that may pass.
const RETRY_DELAY: Duration = Duration::from_millis(200);

#[derive(Debug)]
pub(super) struct Live {
    pub(super) raw: PgConnection,
    pub(super) last_used: Instant,
    expires: Instant,
    generation: u64,
    pool: &'static str,
}

impl Live {
    /// Closes it at once. PostgreSQL treats the end of the stream as an orderly disconnect.
    pub(super) fn close(self, reason: &'static str) {
        self.count_as_closed(reason);
    }

    fn count_as_closed(&self, reason: &'static str) {
        counter!("db_connections_closed_total", "pool" => self.pool, "reason" => reason).increment(1);
    }

    /// Refuses it to the pool, which then drops it.
    fn refuse(&self, reason: &'static str) -> RecycleError<Arc<sqlx::Error>> {
        self.count_as_closed(reason);
        RecycleError::message(reason)
    }
}

#[derive(Debug)]
pub(super) struct Connector {
    name: &'static str,
    source: Arc<ConnectSource>,
    host: Option<String>,
    statement_timeout: Duration,
    /// Connections of an earlier generation than this are not used again.
    generation: AtomicU64,
    last_failure: Mutex<Option<Arc<sqlx::Error>>>,
}

impl Connector {
    /// Makes connections for the pool of this name, to `host` instead of that of the source if there is one.
    pub(super) fn new(
        name: &'static str,
        source: Arc<ConnectSource>,
        host: Option<String>,
        statement_timeout: Duration,
    ) -> Self {
        Self {
            name,
            source,
            host,
            statement_timeout,
            generation: AtomicU64::default(),
            last_failure: Mutex::default(),
        }
    }

    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    /// After a failure that may concern every connection: the others of its generation are replaced too.
    pub(super) fn retire_generation(&self, failed: &Live) {
        let next = failed.generation + 1;
        self.generation.compare_exchange(failed.generation, next, Ordering::Relaxed, Ordering::Relaxed).ok();
    }

    pub(super) fn last_failure(&self) -> Option<Arc<sqlx::Error>> {
        self.last_failure.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set_last_failure(&self, failure: Option<Arc<sqlx::Error>>) {
        *self.last_failure.lock().unwrap_or_else(PoisonError::into_inner) = failure;
    }

    fn complete(&self, options: PgConnectOptions) -> PgConnectOptions {
        let options = match &self.host {
            Some(host) => options.host(host),
            None => options,
        };
        let statement_timeout = self.statement_timeout.as_millis().to_string();
        options.application_name("blog-api").options([
            ("statement_timeout", statement_timeout.as_str()),
            // The cost of a random page read, in sequential ones. PostgreSQL's default of 4 is for spinning
            // disks, and has it scan whole tables where an index would give the few rows of a list.
            ("random_page_cost", "1.1"),
            // What a statement that is cut after a second could gain by either takes as long to start.
            ("jit", "off"),
            ("max_parallel_workers_per_gather", "0"),
            // A statement whose request was given up ends soon, instead of at its time limit.
            ("client_connection_check_interval", CLOSED_CHECK_INTERVAL),
            // Frees what the server holds for a task that vanished without closing its connection.
            ("idle_in_transaction_session_timeout", "15s"),
            ("tcp_keepalives_idle", "60"),
            ("tcp_keepalives_interval", "10"),
            ("tcp_keepalives_count", "3"),
        ])
    }
}

impl Manager for Connector {
    type Type = Live;
    type Error = Arc<sqlx::Error>;

    /// Retries until it is dropped, while the cause may pass: a server that starts, or a password just rotated.
    async fn create(&self) -> Result<Live, Arc<sqlx::Error>> {
        loop {
            let generation = self.generation.load(Ordering::Relaxed);
            let current = self.source.current();
            let error = match self.complete(current.options).connect().await {
                Ok(raw) => {
                    self.set_last_failure(None);
                    counter!("db_connections_opened_total", "pool" => self.name).increment(1);
                    let now = Instant::now();
                    let expires = now + MAX_LIFETIME - LIFETIME_SPREAD.mul_f64(rand::random());
                    return Ok(Live { raw, last_used: now, expires, generation, pool: self.name });
                }
                Err(error) => Arc::new(error),
            };
            self.set_last_failure(Some(error.clone()));
            if is_refused_sign_in(&error) && self.source.can_rotate() {
                // Boxed: the SDK's futures are large, and this is rare.
                match Box::pin(self.source.refresh(current.number)).await {
                    Ok(true) => continue,
                    Ok(false) => {}
                    Err(error) => {
                        tracing::warn!(cause = %error, "cannot read the database credentials again");
                    }
                }
            } else if !is_starting(&error) {
                return Err(error);
            }
            sleep(RETRY_DELAY).await;
        }
    }

    async fn recycle(&self, live: &mut Live, _: &Metrics) -> RecycleResult<Arc<sqlx::Error>> {
        let now = Instant::now();
        if live.generation != self.generation.load(Ordering::Relaxed) {
            return Err(live.refuse("suspect"));
        }
        if now >= live.expires {
            return Err(live.refuse("expired"));
        }
        if now - live.last_used > TRUSTED_REST
            && !matches!(timeout(PING_TIMEOUT, live.raw.ping()).await, Ok(Ok(())))
        {
            self.retire_generation(live);
            return Err(live.refuse("unanswered"));
        }
        Ok(())
    }
}

/// The password, or the role, is not right.
#[must_use]
pub fn is_refused_sign_in(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Database(error) if error.code().is_some_and(|code| code.starts_with("28")))
}

fn is_starting(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(error) => error.kind() == std::io::ErrorKind::ConnectionRefused,
        sqlx::Error::Database(error) => error.code().is_some_and(|code| code == "57P03"),
        _ => false,
    }
}
