//! The part of jobs in the export of a user's data.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::db::Connection;

/// Something that is still to be done for the user, or that could not be done.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExportedJob {
    /// The job's id.
    pub id: Uuid,
    /// What is to be done.
    pub kind: String,
    /// How often it was tried.
    pub attempts: i32,
    /// When it is tried next.
    pub run_at: DateTime<Utc>,
    /// Why it failed the last time.
    #[schema(required)]
    pub error: Option<String>,
    /// When it was given up.
    #[schema(required)]
    pub failed_at: Option<DateTime<Utc>>,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
}

pub async fn jobs(
    connection: &mut Connection,
    user_id: Uuid,
    after: Option<Uuid>,
    rows: i64,
) -> sqlx::Result<Vec<ExportedJob>> {
    sqlx::query_as!(
        ExportedJob,
        "select id, kind, attempts, run_at, error, failed_at, created_at from jobs
         where user_id = $1 and id > $2
         order by id limit $3",
        user_id,
        after.unwrap_or(Uuid::nil()),
        rows
    )
    .fetch_all(connection)
    .await
}
