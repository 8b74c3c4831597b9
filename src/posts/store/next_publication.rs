//! Until when a list holds by itself: the next scheduled post appears in it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};

use crate::cache::{Cache, Generation};
use crate::db::Connection;

/// How long it is believed when the next post appears, as a cached response is: somebody may have changed it by
/// other means.
const MAX_AGE: TimeDelta = TimeDelta::seconds(10);

/// When the next scheduled post appears: asked of the database again only once something has changed. Cheap to
/// clone.
#[derive(Clone)]
pub struct NextPublication {
    cache: Cache,
    known: Arc<Mutex<Option<Known>>>,
}

#[derive(Clone, Copy, Debug)]
struct Known {
    generation: Generation,
    asked: DateTime<Utc>,
    at: Option<DateTime<Utc>>,
}

impl Known {
    fn holds(&self, generation: Option<Generation>, now: DateTime<Utc>) -> bool {
        generation == Some(self.generation)
            && (self.asked..self.asked + MAX_AGE).contains(&now)
            && self.at.is_none_or(|at| now < at)
    }
}

impl NextPublication {
    /// `cache` tells what has changed.
    #[must_use]
    pub fn new(cache: Cache) -> Self {
        Self { cache, known: Arc::default() }
    }

    /// The time of the first after `now`, if any is scheduled.
    pub async fn after(
        &self,
        now: DateTime<Utc>,
        connection: &mut Connection,
    ) -> sqlx::Result<Option<DateTime<Utc>>> {
        // Before the query: what changes meanwhile makes its answer void.
        let generation = self.cache.generation();
        let known = *self.known();
        if let Some(known) = known.filter(|known| known.holds(generation, now)) {
            return Ok(known.at);
        }
        let at = sqlx::query_scalar!(
            "select min(published_at) from posts where published_at > $1 and deleted_at is null",
            now
        )
        .fetch_one(connection)
        .await?;
        let known = generation.map(|generation| Known { generation, asked: now, at });
        *self.known() = known;
        Ok(at)
    }

    fn known(&self) -> MutexGuard<'_, Option<Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
