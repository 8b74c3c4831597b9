//! Sending again what has happened.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::db::Connection;
use crate::jobs::model::Claim;

/// The last event of a part of a replay.
#[derive(Debug)]
pub struct Last {
    pub occurred_at: DateTime<Utc>,
    pub id: Uuid,
}

/// What is sent again.
#[derive(Debug)]
pub struct Part {
    pub webhook_id: Uuid,
    /// When it was asked for: what was delivered since is not sent again if this begins anew.
    pub until: DateTime<Utc>,
    /// How many events at once.
    pub limit: i64,
}

/// Has those of the next events that the webhook wants sent to it, after the one at that time with that id: what it has had
/// already under the same id. Gives the last of them, or `None` if there are no more or `job` is another task's by now.
pub async fn replay(
    connection: &mut Connection,
    job: &Claim,
    part: &Part,
    after: &Last,
    now: DateTime<Utc>,
) -> sqlx::Result<Option<Last>> {
    sqlx::query_as!(
        Last,
        "with part as (
           select id, type, occurred_at from webhook_events
           where (occurred_at, id) > ($2, $3) and occurred_at <= $4
             and exists (select from jobs j where j.id = $7 and j.holder = $8 and j.attempts = $9)
           order by occurred_at, id limit $5),
         sent as (
           insert into webhook_deliveries as d (id, webhook_id, event_id, next_attempt_at, created_at)
           select gen_random_uuid(), w.id, part.id, $6, $6
           from part join webhooks w on w.id = $1 and part.type = any(w.events)
           on conflict (webhook_id, event_id) do update
             set status = 'pending', tries = 0, next_attempt_at = $6, delivered_at = null
             where d.status <> 'pending' and (d.delivered_at is null or d.delivered_at <= $4))
         select occurred_at, id from part order by occurred_at desc, id desc limit 1",
        part.webhook_id,
        after.occurred_at,
        after.id,
        part.until,
        part.limit,
        now,
        job.id,
        job.holder,
        job.attempts
    )
    .fetch_optional(connection)
    .await
}

/// Has what is due sent to a webhook.
pub async fn wake(connection: &mut Connection, webhook_id: Uuid, now: DateTime<Utc>) -> sqlx::Result<()> {
    sqlx::query!("select webhook_wake(array[$1::uuid], $2)", webhook_id, now).execute(connection).await?;
    Ok(())
}
