//! What is done from time to time, as jobs: forgetting what has expired, and rendering anew what an earlier version
//! rendered.

use chrono::{DateTime, TimeDelta, Utc};

use crate::auth::login_throttle::store as login_throttle;
use crate::auth::store as sessions;
use crate::cache::{Cache, Scope};
use crate::comments::jobs as comments;
use crate::db::{self, Db};
use crate::http::idempotency::store as idempotency;
use crate::jobs::store as jobs;
use crate::markdown::Renderer;
use crate::notifications::store as notifications;
use crate::posts::jobs as posts;
use crate::tokens::store as tokens;
use crate::users::store as users;
use crate::webhooks::jobs as webhook_jobs;
use crate::webhooks::model::schedule::EVENTS_KEPT;
use crate::webhooks::store as webhooks;

/// How many rows one statement takes, which keeps it and its locks short.
const BATCH: i64 = 500;
/// The same of events, which take up to 20 deliveries each with them.
const WEBHOOK_BATCH: i64 = 50;

/// How long jobs that were given up can be looked at and tried anew.
const FAILED_JOBS_KEPT: TimeDelta = TimeDelta::days(30);
/// How long users are told what they were told.
const NOTIFICATIONS_KEPT: TimeDelta = TimeDelta::days(90);

/// Deletes what has expired. After an error, what was done until then lasts.
pub async fn expire(db: &Db, now: DateTime<Utc>) -> Result<(), db::Error> {
    while idempotency::delete_expired(&mut db.acquire().await?, now, BATCH).await? > 0 {}
    while login_throttle::delete_expired(&mut db.acquire().await?, now, BATCH).await? > 0 {}
    while sessions::delete_expired(&mut db.acquire().await?, now, BATCH).await? > 0 {}
    while tokens::delete_expired(&mut db.acquire().await?, now, BATCH).await? > 0 {}
    while users::delete_expired_tokens(&mut db.acquire().await?, now, BATCH).await? > 0 {}
    while notifications::delete_expired(&mut db.acquire().await?, now - NOTIFICATIONS_KEPT, BATCH).await? > 0
    {
    }
    while users::delete_expired_sign_ups(&mut db.acquire().await?, now, BATCH).await? > 0 {}
    webhooks::forget_secrets(&mut db.acquire().await?, now).await?;
    // With each go its deliveries.
    while webhooks::delete_expired(&mut db.acquire().await?, now - EVENTS_KEPT, WEBHOOK_BATCH).await? > 0 {}
    while jobs::delete_failed(&mut db.acquire().await?, now - FAILED_JOBS_KEPT, BATCH).await? > 0 {}
    webhook_jobs::observe(db, now).await?;
    Ok(())
}

/// Renders anew what an earlier version rendered. After an error, what was done until then lasts.
pub async fn rerender(db: &Db, cache: &Cache, render: &Renderer) -> Result<(), db::Error> {
    if posts::rerender(db, render).await? + comments::rerender(db, render).await? > 0 {
        cache.invalidate(Scope::Everything);
    }
    Ok(())
}
