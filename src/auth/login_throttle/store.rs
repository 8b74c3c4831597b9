//! All SQL about attempts.

use chrono::{DateTime, TimeDelta, Utc};

use crate::db::Connection;

#[derive(Clone, Copy, Debug)]
pub struct Counted {
    /// How often, this time included; one more than the quota if it was more.
    pub count: i32,
    pub ends_at: DateTime<Utc>,
}

/// Counts an attempt at `subject`, of which only a hash is kept.
pub async fn count(
    connection: &mut Connection,
    subject: &str,
    quota: i32,
    window: TimeDelta,
    now: DateTime<Utc>,
) -> sqlx::Result<Counted> {
    sqlx::query_as!(
        Counted,
        "insert into attempts (key, count, ends_at)
         values (sha256(convert_to($1::text, 'UTF8')), 1, $2)
         on conflict (key) do update set
           count = case when attempts.ends_at > $3 then least(attempts.count, $4) + 1 else 1 end,
           ends_at = case when attempts.ends_at > $3 then attempts.ends_at else excluded.ends_at end
         returning count, ends_at",
        subject,
        now + window,
        now,
        quota
    )
    .fetch_one(connection)
    .await
}

pub async fn reset(connection: &mut Connection, subject: &str) -> sqlx::Result<()> {
    sqlx::query!("delete from attempts where key = sha256(convert_to($1::text, 'UTF8'))", subject)
        .execute(connection)
        .await?;
    Ok(())
}

pub async fn delete_expired(
    connection: &mut Connection,
    now: DateTime<Utc>,
    limit: i64,
) -> sqlx::Result<u64> {
    let deleted = sqlx::query!(
        "delete from attempts where key in (
           select key from attempts where ends_at <= $1 order by ends_at limit $2 for update skip locked)",
        now,
        limit
    )
    .execute(connection)
    .await?;
    Ok(deleted.rows_affected())
}
