//! From the event to its deliveries, and from a delivery to what came of it.
//!
//! What a job does it writes together with its end, by its lease: a job that another task has taken over meanwhile writes
//! nothing, and what it has written is not done again.

use chrono::{DateTime, Utc};
use secrecy::SecretSlice;
use serde_json::Value;
use uuid::Uuid;

use crate::db::{Connection, Transaction};
use crate::jobs::model::Claim;
use crate::webhooks::model::DisabledReason;

/// How many attempts are kept of a delivery.
const ATTEMPTS_KEPT: i32 = 20;

/// Writes that a post is published, whose time has come. Whatever has changed the post has moved the job or deleted it.
pub async fn publish(connection: &mut Connection, job: &Claim, now: DateTime<Utc>) -> sqlx::Result<()> {
    sqlx::query!(
        "with job as (delete from jobs where id = $1 and holder = $2 and attempts = $3 returning payload)
         select webhook_emit(
           array['post.published'],
           array[jsonb_build_object('post_id', p.id, 'slug', p.slug, 'version', p.version)], p.published_at)
         from job join posts p on p.id = (job.payload ->> 'post_id')::uuid
         where p.deleted_at is null and p.published_at <= $4",
        job.id,
        job.holder,
        job.attempts,
        now
    )
    .fetch_optional(connection)
    .await?;
    Ok(())
}

/// Writes to which webhooks the events of a job are delivered, and has that done.
pub async fn fan_out(connection: &mut Connection, job: &Claim, now: DateTime<Utc>) -> sqlx::Result<()> {
    sqlx::query!(
        r#"with job as (delete from jobs where id = $1 and holder = $2 and attempts = $3 returning payload),
           event as (
             select e.id, e.type
             from job cross join lateral jsonb_array_elements_text(job.payload -> 'events') as listed (id)
             join webhook_events e on e.id = listed.id::uuid),
           new as (
             insert into webhook_deliveries (id, webhook_id, event_id, next_attempt_at, created_at)
             select gen_random_uuid(), w.id, event.id, $4, $4
             from event join webhooks w on w.enabled and event.type = any(w.events)
             on conflict (webhook_id, event_id) do nothing
             returning webhook_id)
           select webhook_wake(array_agg(webhook_id), $4) from new having count(*) > 0"#,
        job.id,
        job.holder,
        job.attempts,
        now
    )
    .fetch_optional(connection)
    .await?;
    Ok(())
}

/// Where messages of a webhook go, and what signs them.
pub struct Endpoint {
    pub url: String,
    pub secret: SecretSlice<u8>,
    pub previous_secret: Option<SecretSlice<u8>>,
}

/// That of a webhook that is not turned off, if `job` still is this task's.
pub async fn endpoint(
    connection: &mut Connection,
    id: Uuid,
    job: &Claim,
    now: DateTime<Utc>,
) -> sqlx::Result<Option<Endpoint>> {
    let row = sqlx::query!(
        "select url, secret, case when previous_secret_until > $2 then previous_secret end as previous_secret
         from webhooks where id = $1 and enabled
           and exists (select from jobs j where j.id = $3 and j.holder = $4 and j.attempts = $5)",
        id,
        now,
        job.id,
        job.holder,
        job.attempts
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|row| Endpoint {
        url: row.url,
        secret: row.secret.into(),
        previous_secret: row.previous_secret.map(Into::into),
    }))
}

/// A message that is due.
#[derive(Debug)]
pub struct Due {
    pub id: Uuid,
    /// How often it was tried, and how often since it was last asked for.
    pub attempts: i32,
    pub tries: i32,
    pub event_type: String,
    pub occurred_at: DateTime<Utc>,
    pub data: Value,
}

/// Some of the messages to a webhook that are due.
pub async fn due(
    connection: &mut Connection,
    webhook_id: Uuid,
    limit: i64,
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<Due>> {
    sqlx::query_as!(
        Due,
        "select d.id, d.attempts, d.tries, e.type as event_type, e.occurred_at, e.data
         from webhook_deliveries d join webhook_events e on e.id = d.event_id
         where d.webhook_id = $1 and d.status = 'pending' and d.next_attempt_at <= $2
         order by d.next_attempt_at limit $3",
        webhook_id,
        now,
        limit
    )
    .fetch_all(connection)
    .await
}

/// What came of an attempt.
#[derive(Clone, Copy, Debug)]
pub struct Attempt {
    pub at: DateTime<Utc>,
    pub milliseconds: i32,
    pub status: Option<i16>,
    pub error: Option<&'static str>,
}

/// Writes that the receiver has a message: nothing if another attempt is written already.
pub async fn delivered(
    connection: &mut Connection,
    webhook_id: Uuid,
    due: &Due,
    attempt: Attempt,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "with done as (
           update webhook_deliveries set status = 'delivered', delivered_at = $3, next_attempt_at = null,
             attempts = attempts + 1, tries = tries + 1
           where id = $1 and attempts = $2 and status = 'pending'
           returning id, attempts),
         works as (
           update webhooks set failing_since = null where id = $4 and failing_since is not null),
         forgotten as (
           delete from webhook_attempts where delivery_id = $1 and number <= $2 + 1 - $8::integer)
         insert into webhook_attempts (delivery_id, number, at, milliseconds, status)
         select id, attempts, $5, $6, $7 from done",
        due.id,
        due.attempts,
        now,
        webhook_id,
        attempt.at,
        attempt.milliseconds,
        attempt.status,
        ATTEMPTS_KEPT
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Writes that a message could not be delivered, and is tried again at `next`, if it is: or when somebody has asked for that
/// meanwhile.
pub async fn failed(
    transaction: &mut Transaction,
    due: &Due,
    attempt: Attempt,
    next: Option<DateTime<Utc>>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "with done as (
           update webhook_deliveries set attempts = attempts + 1,
             status = case when tries = $9 and $3::timestamptz is null then 'failed' else 'pending' end,
             next_attempt_at = case when tries = $9 then $3 else next_attempt_at end,
             tries = case when tries = $9 then tries + 1 else tries end
           where id = $1 and attempts = $2 and status = 'pending'
           returning id, attempts),
         forgotten as (
           delete from webhook_attempts where delivery_id = $1 and number <= $2 + 1 - $8::integer)
         insert into webhook_attempts (delivery_id, number, at, milliseconds, status, error)
         select id, attempts, $4, $5, $6, $7 from done",
        due.id,
        due.attempts,
        next,
        attempt.at,
        attempt.milliseconds,
        attempt.status,
        attempt.error,
        ATTEMPTS_KEPT,
        due.tries
    )
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

/// Notes that a webhook fails, and turns it off if it is `gone` or has failed since `failing_before`: says why, if it was that.
pub async fn note_failure(
    transaction: &mut Transaction,
    webhook_id: Uuid,
    gone: bool,
    failing_before: DateTime<Utc>,
    now: DateTime<Utc>,
) -> sqlx::Result<Option<DisabledReason>> {
    let reason = sqlx::query_scalar!(
        r#"with why as (
             select id, case when $2 then 'gone' when failing_since <= $3 then 'failing' end as reason
             from webhooks
             where id = $1 and enabled and ($2 or failing_since is null or failing_since <= $3)
             for no key update)
           update webhooks w set failing_since = coalesce(failing_since, $4), enabled = reason is null,
             disabled_reason = reason,
             version = w.version + case when reason is null then 0 else 1 end,
             updated_at = case when reason is null then w.updated_at else $4 end
           from why where w.id = why.id
           returning disabled_reason as "reason: DisabledReason""#,
        webhook_id,
        gone,
        failing_before,
        now
    )
    .fetch_optional(&mut **transaction)
    .await?;
    Ok(reason.flatten())
}

/// Ends the work of `job` on a webhook, until the next message is due.
pub async fn rest(transaction: &mut Transaction, webhook_id: Uuid, job: &Claim) -> sqlx::Result<()> {
    // In a statement of its own: the next one sees what whoever held this lock has written.
    let held = sqlx::query_scalar!(
        "select id from jobs where id = $1 and holder = $2 and attempts = $3 for update",
        job.id,
        job.holder,
        job.attempts
    )
    .fetch_optional(&mut **transaction)
    .await?;
    if held.is_some() {
        sqlx::query!(
            "with next as (
               select (
                 select d.next_attempt_at from webhook_deliveries d
                 where d.webhook_id = $2 and d.status = 'pending' and exists (select from webhooks w where w.id = $2 and w.enabled)
                 order by d.next_attempt_at limit 1) as at),
             done as (
               delete from jobs where id = $1 and (select at from next) is null)
             update jobs set holder = null, attempts = 0, error = null, due_at = next.at, run_at = next.at
             from next where id = $1 and next.at is not null",
            job.id,
            webhook_id
        )
        .execute(&mut **transaction)
        .await?;
    }
    Ok(())
}

/// Since when the oldest message waits that is not delivered, to a webhook that is not turned off.
pub async fn oldest_pending(connection: &mut Connection) -> sqlx::Result<Option<DateTime<Utc>>> {
    sqlx::query_scalar!(
        // Of each webhook by its index: what waits for those that are turned off is not read.
        "select min(d.created_at) from webhooks w cross join lateral (
           select created_at from webhook_deliveries where webhook_id = w.id and status = 'pending'
           order by created_at limit 1) d
         where w.enabled"
    )
    .fetch_one(connection)
    .await
}
