//! The share of the connections that statements get whose cost the client chooses: searches, lists by filter,
//! feeds. However many are asked for, what is read by key finds a connection.

use std::sync::Arc;
use std::time::Duration;

use metrics::{counter, gauge};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::Error;
use crate::config::DatabaseConfig;
use crate::telemetry::metrics::set;

/// How long PostgreSQL may work on one of these statements.
const TIME_LIMIT: Duration = Duration::from_secs(1);
/// Begins a transaction whose statements are planned for their values each time: which index is right for a list depends on
/// which filters it has, and on how rare what they ask for is.
const BEGIN: &str = "begin read only; set local plan_cache_mode = force_custom_plan";
/// The same with that limit.
const BEGIN_LIMITED: &str =
    "begin read only; set local plan_cache_mode = force_custom_plan; set local statement_timeout = '1s'";

const MAX_WAIT: Duration = Duration::from_secs(1);

/// How many wait for each that runs; more are refused at once.
const WAITING_PER_RUNNING: usize = 16;

#[derive(Clone, Debug)]
pub(super) struct Costly {
    running: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
    size: usize,
    pub(super) time_limit: Duration,
    pub(super) begin: &'static str,
}

impl Costly {
    /// A third of the connections, and at least one.
    pub(super) fn new(config: &DatabaseConfig) -> Self {
        let size = usize::try_from(config.max_connections / 3).unwrap_or(usize::MAX).clamp(1, 1000);
        let is_shorter = config.statement_timeout < TIME_LIMIT;
        counter!("db_costly_refused_total").increment(0);
        Self {
            running: Arc::new(Semaphore::new(size)),
            waiting: Arc::new(Semaphore::new(size * WAITING_PER_RUNNING)),
            size,
            time_limit: TIME_LIMIT.min(config.statement_timeout),
            begin: if is_shorter { BEGIN } else { BEGIN_LIMITED },
        }
    }

    /// Waits for a place in the share, held until the permit is dropped, or fails with [`Error::Overloaded`].
    pub(super) async fn permit(&self) -> Result<OwnedSemaphorePermit, Error> {
        if let Ok(permit) = self.running.clone().try_acquire_owned() {
            return Ok(permit);
        }
        let permit = match self.waiting.try_acquire() {
            Ok(_place) => timeout(MAX_WAIT, self.running.clone().acquire_owned()).await.ok(),
            Err(_full) => None,
        };
        permit.and_then(Result::ok).ok_or_else(|| {
            counter!("db_costly_refused_total").increment(1);
            Error::Overloaded
        })
    }

    pub(super) fn observe(&self) {
        set(&gauge!("db_costly_running"), self.size.saturating_sub(self.running.available_permits()));
        set(&gauge!("db_costly_max"), self.size);
    }
}
