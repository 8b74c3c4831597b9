//! What is done in the background while the service serves: forgetting what has expired, and rendering anew
//! what an earlier version rendered. Each task does it; rows that another one has in hand are skipped.

use std::time::Duration;

use crate::auth::login_throttle::store as login_throttle;
use crate::auth::store as sessions;
use crate::cache::{Cache, Scope};
use crate::clock::Clock;
use crate::comments::jobs as comments;
use crate::db::{self, Db};
use crate::http::idempotency::store as idempotency;
use crate::markdown::Renderer;
use crate::posts::jobs as posts;

/// Between two rounds; half of it to all of it, so that tasks started together do not run in step.
const INTERVAL: Duration = Duration::from_mins(10);

/// Before the first round, at most: what an earlier version rendered waits for it.
const FIRST: Duration = Duration::from_secs(30);

/// How many rows one statement takes, which keeps it and its locks short.
const BATCH: i64 = 500;

/// Rounds, for ever.
pub async fn run(db: &Db, cache: &Cache, clock: &Clock, render: &Renderer) {
    let mut pause = FIRST.mul_f64(rand::random());
    loop {
        clock.sleep(pause).await;
        pause = INTERVAL.mul_f64(0.5 + 0.5 * rand::random::<f64>());
        match round(db, cache, clock, render).await {
            Ok(()) => tracing::debug!("maintenance done"),
            // The next round makes up for it.
            Err(error) => tracing::warn!(cause = ?error, "maintenance failed"),
        }
    }
}

/// One round. After an error, what was done until then lasts.
pub async fn round(db: &Db, cache: &Cache, clock: &Clock, render: &Renderer) -> Result<(), db::Error> {
    let now = clock.now();
    while idempotency::delete_expired(&mut db.acquire().await?, now, BATCH).await? > 0 {}
    while login_throttle::delete_expired(&mut db.acquire().await?, now, BATCH).await? > 0 {}
    while sessions::delete_expired(&mut db.acquire().await?, now, BATCH).await? > 0 {}
    if posts::rerender(db, render).await? + comments::rerender(db, render).await? > 0 {
        cache.invalidate(Scope::Everything);
    }
    Ok(())
}
