//! Webhooks as admins see them: never with a secret.

use axum::extract::State;
use uuid::Uuid;

use crate::auth::Admin;
use crate::auth::scope::WEBHOOKS;
use crate::db::Db;
use crate::error::ApiError;
use crate::http::conditional::Tagged;
use crate::http::extract::Path;
use crate::http::pagination::{Page, PageQuery, PageRequest};
use crate::webhooks::model::{Webhook, WebhookPath};
use crate::webhooks::store;

const ORDER: &str = "webhooks";

/// Webhooks
///
/// Oldest first. Their secrets are not shown.
#[utoipa::path(get, path = "/v1/webhooks", operation_id = "list_webhooks", tag = "webhooks", params(PageQuery),
    security(("token" = ["webhooks"])), responses(
    (status = 200, description = "A page of webhooks", body = Page<Webhook>),
    (status = 403, description = "Only for admins"),
))]
pub async fn list(
    _: Admin<WEBHOOKS>,
    State(db): State<Db>,
    request: PageRequest,
) -> Result<Page<Webhook>, ApiError> {
    let after: Option<Uuid> = request.after(ORDER)?;
    let rows = store::list(&mut db.acquire().await?, after, request.rows()).await?;
    request.page(rows, ORDER, |webhook: &Webhook| webhook.id)
}

/// A webhook
#[utoipa::path(get, path = "/v1/webhooks/{id}", operation_id = "read_webhook", tag = "webhooks", params(WebhookPath),
    security(("token" = ["webhooks"])), responses(
    (status = 200, description = "The webhook, without its secret", body = Webhook),
    (status = 403, description = "Only for admins"),
    (status = 404, description = "No such webhook"),
))]
pub async fn read(
    _: Admin<WEBHOOKS>,
    State(db): State<Db>,
    Path(WebhookPath { id }): Path<WebhookPath>,
) -> Result<Tagged<Webhook>, ApiError> {
    store::find(&mut db.acquire().await?, id).await?.map(Tagged).ok_or(ApiError::NotFound)
}
