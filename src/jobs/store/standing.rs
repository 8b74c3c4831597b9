//! How jobs stand, and what is done about those that were given up.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::db::Connection;
use crate::jobs::model::{Job, JobStatus, Kind};

/// The jobs that `$tail` selects, as they stand at `$now`, which is `$1`.
macro_rules! select {
    ($tail:tt, $now:expr, $($argument:expr),*) => {
        sqlx::query_as!(
            Job,
            r#"select id, kind,
                 case when failed_at is not null then 'failed'
                      when holder is not null and run_at > $1 then 'running'
                      else 'waiting' end as "status!: JobStatus",
                 user_id, attempts, run_at, error, failed_at, created_at from jobs "# + $tail,
            $now,
            $($argument),*
        )
    };
}

/// The jobs with `status`, by id, after the one with id `after`.
pub async fn list(
    connection: &mut Connection,
    status: JobStatus,
    after: Option<Uuid>,
    rows: i64,
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<Job>> {
    let after = after.unwrap_or(Uuid::nil());
    match status {
        JobStatus::Waiting => select!(
            "where failed_at is null and (holder is null or run_at <= $1) and id > $2 order by id limit $3",
            now,
            after,
            rows
        )
        .fetch_all(connection)
        .await,
        JobStatus::Running => {
            select!(
                "where holder is not null and run_at > $1 and id > $2 order by id limit $3",
                now,
                after,
                rows
            )
            .fetch_all(connection)
            .await
        }
        JobStatus::Failed => {
            select!("where failed_at is not null and id > $2 order by id limit $3", now, after, rows)
                .fetch_all(connection)
                .await
        }
    }
}

pub async fn find(connection: &mut Connection, id: Uuid, now: DateTime<Utc>) -> sqlx::Result<Option<Job>> {
    select!("where id = $2", now, id).fetch_optional(connection).await
}

/// Lets a job that was given up be tried anew, from now on; false if there is no such job.
pub async fn retry(connection: &mut Connection, id: Uuid, now: DateTime<Utc>) -> sqlx::Result<bool> {
    let retried = sqlx::query!(
        "update jobs set failed_at = null, attempts = 0, due_at = $2, run_at = $2 where id = $1 and failed_at is not null",
        id,
        now
    )
    .execute(connection)
    .await?;
    Ok(retried.rows_affected() > 0)
}

/// How many jobs of a kind there are; [`MAX_COUNTED`] at most.
#[derive(Debug)]
pub struct Count {
    pub kind: Kind,
    /// Those that are not done, with those that are worked on.
    pub unfinished: i64,
    /// Those that were given up.
    pub failed: i64,
}

/// Up to how many jobs are counted.
pub const MAX_COUNTED: i64 = 10_000;

pub async fn counts(connection: &mut Connection, kinds: &[Kind]) -> sqlx::Result<Vec<Count>> {
    let kinds: Vec<String> = kinds.iter().map(|kind| kind.as_str().to_owned()).collect();
    sqlx::query_as!(
        Count,
        r#"select kinds.kind as "kind!: Kind",
             (select count(*) from (
                select from jobs where kind = kinds.kind and failed_at is null limit $2) counted) as "unfinished!",
             (select count(*) from (
                select from jobs where kind = kinds.kind and failed_at is not null limit $2) counted) as "failed!"
           from unnest($1::text[]) as kinds (kind)"#,
        &kinds,
        MAX_COUNTED
    )
    .fetch_all(connection)
    .await
}

/// When the job was to be done first that has waited longest and was not given up.
pub async fn oldest(connection: &mut Connection) -> sqlx::Result<Option<DateTime<Utc>>> {
    sqlx::query_scalar!("select min(due_at) from jobs where failed_at is null").fetch_one(connection).await
}
