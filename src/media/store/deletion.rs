//! Deleting media: by their owners, with their owners, and once nothing has referred to them for long. What is stored of
//! them is deleted later, by a job.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::db::Connection;

/// Deletes the media `gone`, and with them what is counted of them. `$1` is what selects them.
macro_rules! delete {
    ($which:tt, $($argument:expr),+ $(,)?) => {
        sqlx::query_scalar!(
            r#"with gone as (
                 delete from media m where "# + $which + r#"
                 returning m.id, m.owner_id, m.object, m.stored_bytes),
               released as (
                 update media_objects set unused = true where name in (
                   select object from gone
                   union select v.object from gone join media_variants v on v.media_id = gone.id)),
               usage as (
                 update media_usage u set files = u.files - g.files, bytes = u.bytes - g.bytes
                 from (select owner_id, count(*) as files, sum(stored_bytes)::bigint as bytes from gone group by owner_id) g
                 where u.user_id = g.owner_id)
               select count(*) as "deleted!" from gone"#,
            $($argument),+
        )
    };
}

/// Deletes a picture or a file, of `owner` or of anybody; false if it is not there, or in none of the versions `if_match`. One that
/// something refers to violates a foreign key.
pub async fn delete(
    connection: &mut Connection,
    id: Uuid,
    owner: Option<Uuid>,
    if_match: Option<&[i64]>,
) -> sqlx::Result<bool> {
    let deleted = delete!(
        "m.id = $1 and ($2::uuid is null or m.owner_id = $2) and ($3::bigint[] is null or m.version = any($3))",
        id,
        owner,
        if_match
    );
    Ok(deleted.fetch_one(connection).await? > 0)
}

/// Deletes some of the media of a user that nothing refers to, and says how many.
pub async fn delete_unused_of(connection: &mut Connection, owner_id: Uuid, limit: i64) -> sqlx::Result<i64> {
    let deleted = delete!(
        "m.id in (
           select id from media where owner_id = $1
             and not exists (select from post_media p where p.media_id = media.id)
             and not exists (select from users u where u.avatar_id = media.id)
           limit $2 for update)",
        owner_id,
        limit
    );
    deleted.fetch_one(connection).await
}

/// Deletes some of the media that nothing has referred to since `before`, and says how many it has looked at.
pub async fn delete_unused(
    connection: &mut Connection,
    before: DateTime<Utc>,
    limit: i64,
) -> sqlx::Result<i64> {
    let used = sqlx::query!(
        "update media m set unused_since = null
         where m.id in (select id from media where unused_since <= $1 order by unused_since limit $2 for update skip locked)
           and (exists (select from post_media p where p.media_id = m.id)
             or exists (select from users u where u.avatar_id = m.id))",
        before,
        limit
    )
    .execute(&mut *connection)
    .await?;
    let deleted = delete!(
        "m.id in (
           select id from media where unused_since <= $1
             and not exists (select from post_media p where p.media_id = media.id)
             and not exists (select from users u where u.avatar_id = media.id)
           order by unused_since limit $2 for update skip locked)",
        before,
        limit
    );
    let deleted = deleted.fetch_one(connection).await?;
    Ok(deleted + i64::try_from(used.rows_affected()).unwrap_or_default())
}
