//! The part of API tokens in the export of a user's data.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::db::Connection;

/// An API token, but for its hash.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExportedApiToken {
    /// The token's id.
    pub id: Uuid,
    /// What the user calls it.
    pub name: String,
    /// What it is for.
    pub scopes: Vec<String>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last used, to within 5 minutes.
    #[schema(required)]
    pub last_used_at: Option<DateTime<Utc>>,
    /// When it stops working.
    pub expires_at: DateTime<Utc>,
}

/// API tokens, newest first.
pub async fn api_tokens(
    connection: &mut Connection,
    user_id: Uuid,
    after: Option<Uuid>,
    rows: i64,
) -> sqlx::Result<Vec<ExportedApiToken>> {
    sqlx::query_as!(
        ExportedApiToken,
        "select id, name, scopes, created_at, last_used_at, expires_at from api_tokens
         where user_id = $1 and id < $2
         order by id desc limit $3",
        user_id,
        after.unwrap_or(Uuid::max()),
        rows
    )
    .fetch_all(connection)
    .await
}
