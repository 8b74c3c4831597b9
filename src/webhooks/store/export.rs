//! The part of webhooks in the export of a user's data.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::db::Connection;
use crate::webhooks::model::WebhookEventType;

/// A webhook that the user has made, but for its secret.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExportedWebhook {
    /// The webhook's id.
    pub id: Uuid,
    /// Where messages are posted.
    pub url: String,
    /// What it is for.
    #[schema(required)]
    pub description: Option<String>,
    /// What it is told of.
    #[schema(value_type = Vec<WebhookEventType>)]
    pub events: Vec<String>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

pub async fn webhooks(
    connection: &mut Connection,
    user_id: Uuid,
    after: Option<Uuid>,
    rows: i64,
) -> sqlx::Result<Vec<ExportedWebhook>> {
    sqlx::query_as!(
        ExportedWebhook,
        "select id, url, description, events, created_at, updated_at from webhooks
         where created_by = $1 and id > $2 order by id limit $3",
        user_id,
        after.unwrap_or(Uuid::nil()),
        rows
    )
    .fetch_all(connection)
    .await
}
