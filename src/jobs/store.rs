//! All SQL about jobs.

pub mod export;
mod standing;

pub use standing::*;

use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use super::model::{Claim, Kind};
use crate::db::Connection;

#[derive(Debug)]
pub struct NewJob {
    pub kind: Kind,
    pub payload: Value,
    /// Whom it is about: it goes with them.
    pub user_id: Option<Uuid>,
    pub run_at: DateTime<Utc>,
}

/// Asks for a job; wants the transaction of the act that asks for it. Gives its id.
pub async fn insert(connection: &mut Connection, new: NewJob, now: DateTime<Utc>) -> sqlx::Result<Uuid> {
    let id = Uuid::now_v7();
    sqlx::query!(
        "insert into jobs (id, kind, payload, user_id, due_at, run_at, created_at) values ($1, $2, $3, $4, $5, $5, $6)",
        id,
        new.kind.as_str(),
        new.payload,
        new.user_id,
        new.run_at,
        now
    )
    .execute(connection)
    .await?;
    Ok(id)
}

/// Asks for a job of which there is one at a time, by its `key`: it takes the place of that one. If that is at work, its lease
/// ends without its job, which is done by its new payload besides.
pub async fn replace(
    connection: &mut Connection,
    key: &str,
    new: NewJob,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into jobs (id, kind, key, payload, user_id, due_at, run_at, created_at)
         values ($1, $2, $3, $4, $5, $6, $6, $7)
         on conflict (key) do update set kind = excluded.kind, payload = excluded.payload, user_id = excluded.user_id,
           due_at = excluded.due_at, run_at = excluded.run_at, created_at = excluded.created_at, attempts = 0,
           holder = null, error = null, failed_at = null",
        Uuid::now_v7(),
        new.kind.as_str(),
        key,
        new.payload,
        new.user_id,
        new.run_at,
        now
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Makes the jobs of those `kinds` that are not there, of which there is one each.
pub async fn insert_periodic(
    connection: &mut Connection,
    kinds: &[Kind],
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    let ids: Vec<Uuid> = kinds.iter().map(|_| Uuid::now_v7()).collect();
    let kinds: Vec<String> = kinds.iter().map(|kind| kind.as_str().to_owned()).collect();
    sqlx::query!(
        "insert into jobs (id, kind, key, due_at, run_at, created_at)
         select id, kind, kind, $3, $3, $3 from unnest($1::uuid[], $2::text[]) as new (id, kind)
         on conflict (key) do nothing",
        &ids,
        &kinds,
        now
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Claims jobs that are due, of each kind as many as it is given `places`, for `holder` until `lease_end`; but none of
/// those that it has `in_hand`, whose leases it may have failed to extend.
pub async fn claim(
    connection: &mut Connection,
    holder: Uuid,
    in_hand: &[Uuid],
    places: &[(Kind, usize)],
    now: DateTime<Utc>,
    lease_end: DateTime<Utc>,
) -> sqlx::Result<Vec<Claim>> {
    let kinds: Vec<String> = places.iter().map(|(kind, _)| kind.as_str().to_owned()).collect();
    let numbers: Vec<i64> =
        places.iter().map(|(_, number)| i64::try_from(*number).unwrap_or(i64::MAX)).collect();
    sqlx::query_as!(
        Claim,
        r#"with due as (
             select job.id from unnest($2::text[], $3::bigint[]) as places (kind, number)
             cross join lateral (
               select id from jobs
               where kind = places.kind and failed_at is null and run_at <= $4 and id <> all($6)
               order by run_at limit places.number for update skip locked) job)
           update jobs set holder = $1, attempts = attempts + 1, run_at = $5
           where id in (select id from due)
           returning id, kind as "kind: Kind", payload, user_id, holder as "holder!", attempts"#,
        holder,
        &kinds,
        &numbers,
        now,
        lease_end,
        in_hand
    )
    .fetch_all(connection)
    .await
}

/// Moves the end of the leases of `holder`, also of one that has ended and that nobody has taken over.
pub async fn extend(
    connection: &mut Connection,
    holder: Uuid,
    ids: &[Uuid],
    lease_end: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!("update jobs set run_at = $3 where id = any($2) and holder = $1", holder, ids, lease_end)
        .execute(connection)
        .await?;
    Ok(())
}

/// Ends the leases of `holder`, whose jobs are as if they had not been tried.
pub async fn give_back(connection: &mut Connection, holder: Uuid, now: DateTime<Utc>) -> sqlx::Result<()> {
    sqlx::query!(
        "update jobs set holder = null, attempts = attempts - 1, run_at = $2 where holder = $1",
        holder,
        now
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// What a job's end is written under: nothing happens if the lease is another's by now.
#[derive(Clone, Copy, Debug)]
pub struct Lease {
    pub id: Uuid,
    pub holder: Uuid,
    /// Of which attempt: the same process may have claimed it anew.
    pub attempts: i32,
}

pub async fn finish(connection: &mut Connection, lease: Lease) -> sqlx::Result<()> {
    sqlx::query!(
        "delete from jobs where id = $1 and holder = $2 and attempts = $3",
        lease.id,
        lease.holder,
        lease.attempts
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Puts off a job until `run_at`: without an `error` it was done and is done anew, with one it is tried again.
pub async fn put_off(
    connection: &mut Connection,
    lease: Lease,
    run_at: DateTime<Utc>,
    error: Option<&str>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update jobs set holder = null, run_at = $4, error = $5,
           attempts = case when $5::text is null then 0 else attempts end,
           due_at = case when $5::text is null then $4 else due_at end
         where id = $1 and holder = $2 and attempts = $3",
        lease.id,
        lease.holder,
        lease.attempts,
        run_at,
        error
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Gives up a job.
pub async fn fail(
    connection: &mut Connection,
    lease: Lease,
    error: &str,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update jobs set holder = null, failed_at = $4, error = $5
         where id = $1 and holder = $2 and attempts = $3",
        lease.id,
        lease.holder,
        lease.attempts,
        now,
        error
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Deletes jobs that were given up before `before`.
pub async fn delete_failed(
    connection: &mut Connection,
    before: DateTime<Utc>,
    limit: i64,
) -> sqlx::Result<u64> {
    let deleted = sqlx::query!(
        "delete from jobs where id in (
           select id from jobs where failed_at <= $1 order by failed_at limit $2 for update skip locked)",
        before,
        limit
    )
    .execute(connection)
    .await?;
    Ok(deleted.rows_affected())
}
