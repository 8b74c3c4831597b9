//! The part of comments in the export of a user's data.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::db::Connection;

/// A comment.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExportedComment {
    /// The comment's id.
    pub id: Uuid,
    /// The post it is on.
    pub post_id: Uuid,
    /// The comment it replies to.
    #[schema(required)]
    pub parent_id: Option<Uuid>,
    /// The text, in Markdown.
    pub body: String,
    /// The text as safe HTML.
    pub body_html: String,
    /// What moderation has decided: `pending`, `approved` or `spam`.
    #[schema(example = "approved")]
    pub status: String,
    /// When it was deleted.
    #[schema(required)]
    pub deleted_at: Option<DateTime<Utc>>,
    /// When it was written.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// Comments, oldest first.
pub async fn comments(
    connection: &mut Connection,
    user_id: Uuid,
    after: Option<Uuid>,
    rows: i64,
) -> sqlx::Result<Vec<ExportedComment>> {
    sqlx::query_as!(
        ExportedComment,
        "select id, post_id, parent_id, body, body_html, status, deleted_at, created_at, updated_at
         from comments
         where author_id = $1 and id > $2
         order by id limit $3",
        user_id,
        after.unwrap_or(Uuid::nil()),
        rows
    )
    .fetch_all(connection)
    .await
}
