//! The part of stored responses in the export of a user's data.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::db::Connection;

/// An answer that is kept for a day.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExportedIdempotencyKey {
    /// The answer's status.
    #[schema(example = 201)]
    pub status: i16,
    /// When it was given.
    pub created_at: DateTime<Utc>,
    /// Where the next batch goes on.
    #[serde(skip)]
    #[schema(ignore)]
    pub key_hash: Vec<u8>,
}

pub async fn idempotency_keys(
    connection: &mut Connection,
    user_id: Uuid,
    after: Option<Vec<u8>>,
    rows: i64,
) -> sqlx::Result<Vec<ExportedIdempotencyKey>> {
    sqlx::query_as!(
        ExportedIdempotencyKey,
        "select status, created_at, key_hash from idempotency_keys
         where user_id = $1 and key_hash > coalesce($2, ''::bytea) order by key_hash limit $3",
        user_id,
        after,
        rows
    )
    .fetch_all(connection)
    .await
}
