//! All SQL about webhooks: what admins decide about them here, what is on its way and what is sent in their files.

mod deliveries;
pub mod export;
mod replay;
mod sending;

pub use deliveries::*;
pub use replay::*;
pub use sending::*;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::model::{DisabledReason, MAX_WEBHOOKS, Webhook};
use crate::db::{Connection, Outcome};

/// The webhooks that `$tail` selects.
macro_rules! select {
    ($tail:tt, $($argument:expr),+) => {
        sqlx::query_as!(
            Webhook,
            r#"select id, url, description, events, enabled, disabled_reason as "disabled_reason: DisabledReason",
                 failing_since, previous_secret_until, created_by, version, created_at, updated_at
               from webhooks "# + $tail,
            $($argument),+
        )
    };
}

pub async fn find(connection: &mut Connection, id: Uuid) -> sqlx::Result<Option<Webhook>> {
    select!("where id = $1", id).fetch_optional(connection).await
}

/// The webhooks, oldest first, after the one with id `after`.
pub async fn list(connection: &mut Connection, after: Option<Uuid>, rows: i64) -> sqlx::Result<Vec<Webhook>> {
    select!("where id > $1 order by id limit $2", after.unwrap_or(Uuid::nil()), rows)
        .fetch_all(connection)
        .await
}

#[derive(Debug)]
pub struct NewWebhook<'a> {
    pub url: &'a str,
    pub description: Option<&'a str>,
    pub events: &'a [String],
    pub secret: &'a [u8],
    pub enabled: bool,
}

/// Makes a webhook and gives its id; `None` if there are as many as there may be, or if another has just taken its place.
pub async fn insert(
    connection: &mut Connection,
    new: &NewWebhook<'_>,
    created_by: Uuid,
    now: DateTime<Utc>,
) -> sqlx::Result<Option<Uuid>> {
    let places = i32::try_from(MAX_WEBHOOKS).unwrap_or_default();
    sqlx::query_scalar!(
        "insert into webhooks (id, place, created_by, url, description, events, secret, enabled, created_at, updated_at)
         select $1, place, $2, $3, $4, $5, $6, $7, $8, $8 from generate_series(1, $9) as places (place)
         where not exists (select from webhooks w where w.place = places.place)
         order by place limit 1
         on conflict (place) do nothing
         returning id",
        Uuid::now_v7(),
        created_by,
        new.url,
        new.description,
        new.events,
        new.secret,
        new.enabled,
        now,
        places
    )
    .fetch_optional(connection)
    .await
}

/// What changes in a webhook; `None` stays as it is, `Some(None)` is taken away.
#[derive(Debug, Default)]
pub struct Changes<'a> {
    pub url: Option<&'a str>,
    pub description: Option<Option<&'a str>>,
    pub events: Option<&'a [String]>,
    pub enabled: Option<bool>,
}

/// Changes a webhook. Refused if it is not there, or in none of the versions `if_match`. One that is turned on has a clean
/// slate, and what has waited for that is due.
pub async fn update(
    connection: &mut Connection,
    id: Uuid,
    changes: &Changes<'_>,
    if_match: Option<&[i64]>,
    now: DateTime<Utc>,
) -> sqlx::Result<Outcome> {
    let result = sqlx::query!(
        r#"with old as (
             select id, url, description, events, enabled, disabled_reason from webhooks
             where id = $1 and ($7::bigint[] is null or version = any($7))
             for no key update),
           new as (
             select id, coalesce($2, url) as url, case when $3 then $4 else description end as description,
               coalesce($5, events) as events, coalesce($6, enabled) as enabled,
               case when $6 is null then disabled_reason end as disabled_reason
             from old),
           changed as (
             update webhooks w set
               url = new.url, description = new.description, events = new.events, enabled = new.enabled,
               disabled_reason = new.disabled_reason,
               failing_since = case when new.enabled and not old.enabled or new.url <> old.url then null
                 else w.failing_since end,
               version = w.version + 1, updated_at = $8
             from old join new on new.id = old.id
             where w.id = new.id and old is distinct from new
             returning w.id, w.enabled and not old.enabled as turned_on)
           select exists (select from old) as "found!", exists (select from changed) as "changed!",
             (select count(webhook_wake(array[id], $8)) from changed where turned_on) as woken"#,
        id,
        changes.url,
        changes.description.is_some(),
        changes.description.flatten(),
        changes.events,
        changes.enabled,
        if_match,
        now
    )
    .fetch_one(connection)
    .await?;
    Ok(Outcome::of(result.found, result.changed))
}

/// Gives a webhook another secret: the one that it has signs as well until `previous_until`. False if it is not there.
pub async fn rotate(
    connection: &mut Connection,
    id: Uuid,
    secret: &[u8],
    previous_until: DateTime<Utc>,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let rotated = sqlx::query!(
        "update webhooks set previous_secret = secret, previous_secret_until = $3, secret = $2, version = version + 1,
           updated_at = $4
         where id = $1",
        id,
        secret,
        previous_until,
        now
    )
    .execute(connection)
    .await?;
    Ok(rotated.rows_affected() > 0)
}

/// Deletes some of what was and is on its way to a webhook: how many messages. The rest goes with it.
pub async fn release(connection: &mut Connection, id: Uuid) -> sqlx::Result<u64> {
    let deleted = sqlx::query!(
        "delete from webhook_deliveries where id in (
           select id from webhook_deliveries where webhook_id = $1 order by created_at, id offset 5000 limit 5000)",
        id
    )
    .execute(connection)
    .await?;
    Ok(deleted.rows_affected())
}

/// Deletes a webhook and what is on its way to it; false if it is not there, or in none of the versions `if_match`.
pub async fn delete(connection: &mut Connection, id: Uuid, if_match: Option<&[i64]>) -> sqlx::Result<bool> {
    let deleted = sqlx::query_scalar!(
        r#"with gone as (
             delete from webhooks where id = $1 and ($2::bigint[] is null or version = any($2)) returning id),
           jobs as (
             delete from jobs where key in (select 'webhook ' || id from gone union all select 'replay ' || id from gone))
           select count(*) as "deleted!" from gone"#,
        id,
        if_match
    )
    .fetch_one(connection)
    .await?;
    Ok(deleted > 0)
}

/// Forgets what has happened before `before`, and what was on its way of it; gives the number of events.
pub async fn delete_expired(
    connection: &mut Connection,
    before: DateTime<Utc>,
    limit: i64,
) -> sqlx::Result<u64> {
    let deleted = sqlx::query!(
        "delete from webhook_events where id in (
           select id from webhook_events where occurred_at <= $1 order by occurred_at limit $2 for update skip locked)",
        before,
        limit
    )
    .execute(connection)
    .await?;
    Ok(deleted.rows_affected())
}

/// Forgets secrets that sign no more.
pub async fn forget_secrets(connection: &mut Connection, now: DateTime<Utc>) -> sqlx::Result<()> {
    sqlx::query!(
        "update webhooks set previous_secret = null, previous_secret_until = null where previous_secret_until <= $1",
        now
    )
    .execute(connection)
    .await?;
    Ok(())
}
