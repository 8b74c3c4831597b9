//! The time, injected: tests move it instead of sleeping.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, SubsecRound, Utc};

/// Tells the current time, in UTC and in whole microseconds, which is what PostgreSQL keeps.
#[derive(Clone)]
pub struct Clock {
    now: Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>,
    passes: bool,
}

impl Clock {
    #[must_use]
    pub fn system() -> Self {
        #[expect(clippy::disallowed_methods, reason = "this is the one home of the system's time")]
        Self { passes: true, ..Self::new(Utc::now) }
    }

    /// A clock that asks `now`, for tests.
    pub fn new(now: impl Fn() -> DateTime<Utc> + Send + Sync + 'static) -> Self {
        Self { now: Arc::new(now), passes: false }
    }

    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        (self.now)().trunc_subsecs(6)
    }

    /// Waits for `duration`; on a clock for tests for ever, since a test runs periodic work itself.
    pub async fn sleep(&self, duration: Duration) {
        if self.passes {
            tokio::time::sleep(duration).await;
        } else {
            pending::<()>().await;
        }
    }
}
