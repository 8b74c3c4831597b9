//! What is scheduled appears only if its author still may write posts when it is due. Whether they may is known
//! beforehand: a role changes by an act, and a ban says when it ends.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::db::Connection;

/// Withholds the scheduled posts of `author_id` that would appear while they may not write, deleted ones too, as
/// drafts that keep their plan; and schedules again those withheld that may appear now. To be called in the
/// transaction of whatever changes the author's role or ban, which locks the author before.
pub async fn review_schedule(
    connection: &mut Connection,
    author_id: Uuid,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update posts p set published_at = null, planned_at = p.published_at, version = p.version + 1, updated_at = $2
         from users u
         where u.id = $1 and p.author_id = $1 and (u.role = 'reader' or p.published_at < u.banned_until)
           and post_time(p.published_at, p.created_at) > $2 and p.published_at is not null",
        author_id,
        now
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query!(
        "update posts p set published_at = p.planned_at, planned_at = null, version = p.version + 1, updated_at = $2
         from users u
         where u.id = $1 and p.author_id = $1 and p.planned_at > $2 and p.published_at is null
           and u.role <> 'reader' and (u.banned_until is null or p.planned_at >= u.banned_until)",
        author_id,
        now
    )
    .execute(connection)
    .await?;
    Ok(())
}
