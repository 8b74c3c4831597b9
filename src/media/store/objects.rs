//! What is stored outside the database: announced before it is written, and forgotten after it is deleted.

use chrono::{DateTime, TimeDelta, Utc};

use crate::db::Connection;

/// After how long an announced object that nothing refers to is of an upload that has failed: much longer than one takes.
const ABANDONED: TimeDelta = TimeDelta::hours(1);
/// After how long a deletion that was begun is of a task that is gone: longer than the objects take that one chooses at once.
const RETRIED: TimeDelta = TimeDelta::minutes(10);

/// Says that objects are about to be written; false if one of them is being deleted at this moment.
pub async fn announce_objects(
    connection: &mut Connection,
    names: &[String],
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    // In an order that all follow.
    let announced = sqlx::query_scalar!(
        r#"with names as (select distinct name from unnest($1::text[]) name),
           announced as (
             insert into media_objects as o (name, announced_at) select name, $2 from names order by name
             on conflict (name) do update set announced_at = greatest(o.announced_at, $2) where o.deleting_at is null
             returning 1)
           select (select count(*) from announced) = (select count(*) from names) as "all!""#,
        names,
        now
    )
    .fetch_one(connection)
    .await?;
    Ok(announced)
}

/// Chooses objects that nothing refers to, for them to be deleted: nothing will refer to them until they are forgotten.
/// Those of which a deletion was begun and not ended are among them.
pub async fn take_unused_objects(
    connection: &mut Connection,
    now: DateTime<Utc>,
    limit: i64,
) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar!(
        "with due as (
           select name from media_objects
           where unused and announced_at <= $1 and (deleting_at is null or deleting_at <= $2)
             and not exists (select from media_uploads u where u.object = name)
           order by announced_at limit $3 for update skip locked),
         used as (
           update media_objects o set unused = false from due
           where o.name = due.name and (exists (select from media m where m.object = o.name)
             or exists (select from media_variants v where v.object = o.name)))
         update media_objects o set deleting_at = $4 from due
         where o.name = due.name and not exists (select from media m where m.object = o.name)
           and not exists (select from media_variants v where v.object = o.name)
         returning o.name",
        now - ABANDONED,
        now - RETRIED,
        limit,
        now
    )
    .fetch_all(connection)
    .await
}

/// Forgets an object that was deleted.
pub async fn forget_object(connection: &mut Connection, name: &str) -> sqlx::Result<()> {
    sqlx::query!("delete from media_objects where name = $1 and deleting_at is not null", name)
        .execute(connection)
        .await?;
    Ok(())
}
