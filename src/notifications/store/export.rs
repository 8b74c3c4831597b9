//! The part of notifications in the export of a user's data.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::db::Connection;
use crate::notifications::model::{Delivery, NotificationKind};

/// Something that the user was told.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExportedNotification {
    /// The notification's id.
    pub id: Uuid,
    /// What it is about.
    pub kind: NotificationKind,
    /// The post.
    #[schema(required)]
    pub post_id: Option<Uuid>,
    /// The comment.
    #[schema(required)]
    pub comment_id: Option<Uuid>,
    /// The report.
    #[schema(required)]
    pub report_id: Option<Uuid>,
    /// When the user was told.
    pub created_at: DateTime<Utc>,
    /// When the user has read it.
    #[schema(required)]
    pub read_at: Option<DateTime<Utc>>,
    /// When it was mailed.
    #[schema(required)]
    pub mailed_at: Option<DateTime<Utc>>,
}

pub async fn notifications(
    connection: &mut Connection,
    user_id: Uuid,
    after: Option<Uuid>,
    rows: i64,
) -> sqlx::Result<Vec<ExportedNotification>> {
    sqlx::query_as!(
        ExportedNotification,
        r#"select id, kind as "kind: NotificationKind", post_id, comment_id, report_id, created_at, read_at, mailed_at
           from notifications where user_id = $1 and id > $2 order by id limit $3"#,
        user_id,
        after.unwrap_or(Uuid::nil()),
        rows
    )
    .fetch_all(connection)
    .await
}

/// What the user has chosen about mail, but for the key that ends it.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExportedNotificationSettings {
    /// The user.
    pub user_id: Uuid,
    /// Of a reply to a comment of theirs.
    pub reply: Delivery,
    /// Of a comment on a post of theirs.
    pub comment: Delivery,
    /// Of a comment that waits for an editor.
    pub held_comment: Delivery,
    /// Of a report.
    pub report: Delivery,
    /// Of a post of someone whom they follow.
    pub post: Delivery,
}

/// One row at most.
pub async fn notification_settings(
    connection: &mut Connection,
    user_id: Uuid,
    after: Option<Uuid>,
    rows: i64,
) -> sqlx::Result<Vec<ExportedNotificationSettings>> {
    sqlx::query_as!(
        ExportedNotificationSettings,
        r#"select user_id, reply as "reply: Delivery", comment as "comment: Delivery",
             held_comment as "held_comment: Delivery", report as "report: Delivery", post as "post: Delivery"
           from notification_settings where user_id = $1 and user_id > $2 limit $3"#,
        user_id,
        after.unwrap_or(Uuid::nil()),
        rows
    )
    .fetch_all(connection)
    .await
}
