//! The part of sessions in the export of a user's data.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::db::Connection;

/// A device, but for the token's hash.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExportedSession {
    /// The session's id.
    pub id: Uuid,
    /// What the device called itself.
    #[schema(required)]
    pub user_agent: Option<String>,
    /// Where the sign-in came from.
    #[schema(required)]
    pub ip_address: Option<String>,
    /// When the sign-in happened.
    pub created_at: DateTime<Utc>,
    /// When the token was last used, to within 5 minutes.
    pub last_used_at: DateTime<Utc>,
    /// When the token stops working.
    pub expires_at: DateTime<Utc>,
}

/// Sessions, newest first.
pub async fn sessions(
    connection: &mut Connection,
    user_id: Uuid,
    after: Option<Uuid>,
    rows: i64,
) -> sqlx::Result<Vec<ExportedSession>> {
    sqlx::query_as!(
        ExportedSession,
        "select id, user_agent, ip_address, created_at, last_used_at, expires_at from sessions
         where user_id = $1 and id < $2
         order by id desc limit $3",
        user_id,
        after.unwrap_or(Uuid::max()),
        rows
    )
    .fetch_all(connection)
    .await
}
