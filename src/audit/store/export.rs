//! The part of the audit log in the export of a user's data.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::db::Connection;

/// A line of the audit log.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExportedAction {
    /// The line's id.
    pub id: Uuid,
    /// What was done.
    #[schema(example = "user.ban")]
    pub action: String,
    /// To what kind of thing.
    #[schema(example = "user")]
    pub target_type: String,
    /// To which one.
    #[schema(required)]
    pub target_id: Option<Uuid>,
    /// With which API token, if with one.
    #[schema(required)]
    pub token_id: Option<Uuid>,
    /// What else there is to say.
    #[schema(value_type = Object)]
    pub details: Value,
    /// When.
    pub created_at: DateTime<Utc>,
}

/// Lines of the audit log about what the user did, newest first.
pub async fn actions(
    connection: &mut Connection,
    user_id: Uuid,
    after: Option<Uuid>,
    rows: i64,
) -> sqlx::Result<Vec<ExportedAction>> {
    sqlx::query_as!(
        ExportedAction,
        "select id, action, target_type, target_id, token_id, details, created_at from audit_log
         where actor_id = $1 and id < $2
         order by id desc limit $3",
        user_id,
        after.unwrap_or(Uuid::max()),
        rows
    )
    .fetch_all(connection)
    .await
}

/// Lines of the audit log about what others did to the user's account, newest first.
pub async fn actions_on_account(
    connection: &mut Connection,
    user_id: Uuid,
    after: Option<Uuid>,
    rows: i64,
) -> sqlx::Result<Vec<ExportedAction>> {
    sqlx::query_as!(
        ExportedAction,
        r#"select id, action, target_type, target_id, null::uuid as "token_id?", details, created_at from audit_log
         where target_id = $1 and target_type = 'user' and actor_id is distinct from $1
           and id < $2
         order by id desc limit $3"#,
        user_id,
        after.unwrap_or(Uuid::max()),
        rows
    )
    .fetch_all(connection)
    .await
}
