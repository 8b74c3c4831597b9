//! Bans, which are two columns of a user.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::auth::model::Ban;
use crate::db::Connection;

/// The ban of the user with `id`, unless it has ended.
pub async fn ban_of(connection: &mut Connection, id: Uuid, now: DateTime<Utc>) -> sqlx::Result<Option<Ban>> {
    sqlx::query_as!(
        Ban,
        r#"select banned_until as "until!", ban_reason as "reason!" from users where id = $1 and banned_until > $2"#,
        id,
        now
    )
    .fetch_optional(connection)
    .await
}

/// Bans the user with `id`, in place of a ban that there is; `None` if there is no such user.
pub async fn ban(
    connection: &mut Connection,
    id: Uuid,
    until: DateTime<Utc>,
    reason: &str,
    now: DateTime<Utc>,
) -> sqlx::Result<Option<Ban>> {
    sqlx::query_as!(
        Ban,
        r#"update users set banned_until = $2, ban_reason = $3, version = version + 1, updated_at = $4
           where id = $1
           returning banned_until as "until!", ban_reason as "reason!""#,
        id,
        until,
        reason,
        now
    )
    .fetch_optional(connection)
    .await
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
