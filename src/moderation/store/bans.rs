//! Bans, which are two columns of a user.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::auth::model::Ban;
use crate::db::Connection;
use crate::moderation::model::UserBan;

/// The ban of the user with `id`, unless it has ended.
pub async fn ban_of(
    connection: &mut Connection,
    id: Uuid,
    now: DateTime<Utc>,
) -> sqlx::Result<Option<UserBan>> {
    let row = sqlx::query!(
        r#"select banned_until as "until!", ban_reason as "reason!", version
           from users where id = $1 and banned_until > $2"#,
        id,
        now
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|row| UserBan { ban: Ban { until: row.until, reason: row.reason }, version: row.version }))
}

/// Bans the user with `id`, in place of a ban that there is; false if that is the same.
pub async fn ban(
    connection: &mut Connection,
    id: Uuid,
    until: DateTime<Utc>,
    reason: &str,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let banned = sqlx::query!(
        "update users set banned_until = $2, ban_reason = $3, version = version + 1, updated_at = $4
         where id = $1 and (banned_until, ban_reason) is distinct from ($2, $3)",
        id,
        until,
        reason,
        now
    )
    .execute(connection)
    .await?;
    Ok(banned.rows_affected() > 0)
}

/// Lifts the ban of the user with `id`; false if there is none, or if it has ended.
pub async fn unban(connection: &mut Connection, id: Uuid, now: DateTime<Utc>) -> sqlx::Result<bool> {
    let unbanned = sqlx::query!(
        "update users set banned_until = null, ban_reason = null, version = version + 1, updated_at = $2
         where id = $1 and banned_until > $2",
        id,
        now
    )
    .execute(connection)
    .await?;
    Ok(unbanned.rows_affected() > 0)
}
