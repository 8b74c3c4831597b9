//! The part of reports in the export of a user's data.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::db::Connection;

/// A report.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExportedReport {
    /// The report's id.
    pub id: Uuid,
    /// The post it is about.
    #[schema(required)]
    pub post_id: Option<Uuid>,
    /// The comment it is about.
    #[schema(required)]
    pub comment_id: Option<Uuid>,
    /// What is wrong.
    #[schema(example = "spam")]
    pub reason: String,
    /// In the reporter's words.
    #[schema(required)]
    pub note: Option<String>,
    /// What became of it: `open`, `upheld` or `dismissed`.
    #[schema(example = "open")]
    pub status: String,
    /// When it was decided.
    #[schema(required)]
    pub resolved_at: Option<DateTime<Utc>>,
    /// When it was filed.
    pub created_at: DateTime<Utc>,
}

/// A decision about a report.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExportedDecision {
    /// The report's id.
    pub id: Uuid,
    /// The post it is about.
    #[schema(required)]
    pub post_id: Option<Uuid>,
    /// The comment it is about.
    #[schema(required)]
    pub comment_id: Option<Uuid>,
    /// The decision: `upheld` or `dismissed`.
    #[schema(example = "upheld")]
    pub status: String,
    /// When it was made.
    #[schema(required)]
    pub resolved_at: Option<DateTime<Utc>>,
}

/// Reports that the user filed, oldest first.
pub async fn reports(
    connection: &mut Connection,
    user_id: Uuid,
    after: Option<Uuid>,
    rows: i64,
) -> sqlx::Result<Vec<ExportedReport>> {
    sqlx::query_as!(
        ExportedReport,
        "select id, post_id, comment_id, reason, note, status, resolved_at, created_at from reports
         where reporter_id = $1 and id > $2
         order by id limit $3",
        user_id,
        after.unwrap_or(Uuid::nil()),
        rows
    )
    .fetch_all(connection)
    .await
}

/// Reports that the user decided, oldest first.
pub async fn decided_reports(
    connection: &mut Connection,
    user_id: Uuid,
    after: Option<Uuid>,
    rows: i64,
) -> sqlx::Result<Vec<ExportedDecision>> {
    sqlx::query_as!(
        ExportedDecision,
        "select id, post_id, comment_id, status, resolved_at from reports
         where resolver_id = $1 and id > $2
         order by id limit $3",
        user_id,
        after.unwrap_or(Uuid::nil()),
        rows
    )
    .fetch_all(connection)
    .await
}
