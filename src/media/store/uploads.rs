//! Files that are announced and not yet completed. Their bytes are counted from the beginning.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::config::media::QuotaConfig;
use crate::db::Connection;
use crate::media::model::file::{BEGINS_WITHIN, File, KEPT};

/// What became of an announcement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Announced {
    Stored,
    /// Its owner would have more than the quota.
    OverQuota,
    /// What is stored under that name is being deleted at this moment.
    Contended,
}

/// A file that may be uploaded.
#[derive(Debug)]
pub struct Pending {
    pub object: String,
    pub bytes: i64,
}

/// Announces a file of `owner_id`.
pub async fn announce_file(
    connection: &mut Connection,
    id: Uuid,
    owner_id: Uuid,
    file: &File,
    quota: QuotaConfig,
    now: DateTime<Utc>,
) -> sqlx::Result<Announced> {
    let row = sqlx::query!(
        r#"with announced as (
             insert into media_objects as o (name, announced_at) values ($3, $8)
             on conflict (name) do update set announced_at = greatest(o.announced_at, $8) where o.deleting_at is null
             returning name),
           usage as (
             insert into media_usage as u (user_id, files, bytes)
             select $2, 1, $5 from announced where $5 <= $10::bigint and 1 <= $9::bigint
             on conflict (user_id) do update set files = u.files + 1, bytes = u.bytes + $5
               where u.files + 1 <= $9 and u.bytes + $5 <= $10
             returning 1),
           new as (
             insert into media_uploads (id, owner_id, object, content_type, bytes, filename, created_at)
             select $1, $2, $3, $4, $5, $6, $7 from usage
             returning 1)
           select exists (select from announced) as "announced!", exists (select from new) as "stored!""#,
        id,
        owner_id,
        file.object,
        file.content_type.as_str(),
        file.bytes,
        file.filename,
        now,
        now + BEGINS_WITHIN,
        quota.files,
        quota.bytes
    )
    .fetch_one(connection)
    .await?;
    Ok(match (row.announced, row.stored) {
        (_, true) => Announced::Stored,
        (true, false) => Announced::OverQuota,
        (false, false) => Announced::Contended,
    })
}

/// The file that `owner_id` has announced with that id, if it may be completed.
pub async fn pending_file(
    connection: &mut Connection,
    id: Uuid,
    owner_id: Uuid,
    now: DateTime<Utc>,
) -> sqlx::Result<Option<Pending>> {
    sqlx::query_as!(
        Pending,
        "select object, bytes from media_uploads where id = $1 and owner_id = $2 and created_at > $3",
        id,
        owner_id,
        now - KEPT
    )
    .fetch_optional(connection)
    .await
}

/// The file that anybody has announced with that id, if its upload may begin.
pub async fn uploadable_file(
    connection: &mut Connection,
    id: Uuid,
    now: DateTime<Utc>,
) -> sqlx::Result<Option<Pending>> {
    sqlx::query_as!(
        Pending,
        "select object, bytes from media_uploads where id = $1 and created_at > $2",
        id,
        now - BEGINS_WITHIN
    )
    .fetch_optional(connection)
    .await
}

/// Makes media of an announced file, whose object is there; does nothing if it may not be completed any more.
pub async fn complete_file(
    connection: &mut Connection,
    id: Uuid,
    owner_id: Uuid,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "with done as (
           delete from media_uploads where id = $1 and owner_id = $2 and created_at > $4
           returning id, owner_id, object, content_type, bytes, filename),
         new as (
           insert into media (id, owner_id, object, content_type, bytes, filename, stored_bytes, created_at, updated_at,
             unused_since)
           select id, owner_id, object, content_type, bytes, filename, bytes, $3, $3, $3 from done
           returning object)
         update media_objects o set unused = false from new where o.name = new.object",
        id,
        owner_id,
        now,
        now - KEPT
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Forgets some of the files that were not completed in time, and says how many.
pub async fn forget_files(connection: &mut Connection, now: DateTime<Utc>, limit: i64) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"with gone as (
             delete from media_uploads where id in (
               select id from media_uploads where created_at <= $1 order by created_at limit $2 for update skip locked)
             returning owner_id, bytes),
           usage as (
             update media_usage u set files = u.files - g.files, bytes = u.bytes - g.bytes
             from (select owner_id, count(*) as files, sum(bytes)::bigint as bytes from gone group by owner_id) g
             where u.user_id = g.owner_id)
           select count(*) as "gone!" from gone"#,
        now - KEPT,
        limit
    )
    .fetch_one(connection)
    .await
}
