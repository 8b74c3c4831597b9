//! What is on its way to a webhook: looking at it, and having it sent again.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::json;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::write::{UNSEEN, WebhooksOn};
use crate::audit::model::{Action, Entry};
use crate::audit::store as audit;
use crate::auth::Admin;
use crate::auth::scope::WEBHOOKS;
use crate::db::channel::Wake;
use crate::db::{Connection, Db};
use crate::error::ApiError;
use crate::http::extract::{Json, Path};
use crate::http::idempotency::{Idempotency, Idempotent, Write};
use crate::http::now::Now;
use crate::http::pagination::{Page, PageQuery, PageRequest};
use crate::http::timestamp::Timestamp;
use crate::http::validation::{Validate, Violations};
use crate::jobs::model::Kind;
use crate::jobs::store::{self as jobs, NewJob};
use crate::webhooks::model::{DeliveryPath, DeliveryStatus, WebhookDelivery, WebhookPath};
use crate::webhooks::store;

/// Which page of which deliveries.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListDeliveries {
    /// Those with this status; all if absent.
    #[param(inline, value_type = Option<DeliveryStatus>)]
    status: Option<DeliveryStatus>,
}

impl Validate for ListDeliveries {
    fn validate(&self, _violations: &mut Violations) {}
}

/// Deliveries to a webhook
///
/// Of the last 30 days, newest first, with the last attempts of each. What the receiver answered is not kept but for its status.
#[utoipa::path(get, path = "/v1/webhooks/{id}/deliveries", operation_id = "list_webhook_deliveries", tag = "webhooks",
    params(WebhookPath, ListDeliveries, PageQuery), security(("token" = ["webhooks"])), responses(
    (status = 200, description = "A page of deliveries", body = Page<WebhookDelivery>),
    (status = 403, description = "Only for admins"),
    (status = 404, description = "No such webhook"),
))]
pub async fn list_deliveries(
    _: Admin<WEBHOOKS>,
    State(db): State<Db>,
    Path(WebhookPath { id }): Path<WebhookPath>,
    request: PageRequest<ListDeliveries>,
) -> Result<Page<WebhookDelivery>, ApiError> {
    let status = request.filter.status;
    let order = format!("deliveries-{}", status.map_or("all", DeliveryStatus::as_str));
    let after: Option<(Timestamp, Uuid)> = request.after(&order)?;
    let after = after.map(|(at, id)| (at.into(), id));
    let mut connection = db.acquire().await?;
    store::find(&mut connection, id).await?.ok_or(ApiError::NotFound)?;
    let rows = store::deliveries(&mut connection, id, status, after, request.rows()).await?;
    request.page(rows, &order, |delivery: &WebhookDelivery| (delivery.created_at, delivery.id))
}

/// An error unless the webhook is there and turned on.
async fn require_enabled(connection: &mut Connection, id: Uuid) -> Result<(), ApiError> {
    let webhook = store::find(connection, id).await?.ok_or(ApiError::NotFound)?;
    if webhook.enabled {
        Ok(())
    } else {
        Err(ApiError::conflict("id", "disabled", "is of a webhook that is turned off: turn it on first"))
    }
}

/// Send a message again
///
/// Whatever came of it: now, and as often as a new one. It has the same id, so that a receiver that has it already knows.
#[utoipa::path(post, path = "/v1/webhooks/{id}/deliveries/{delivery}/retry", operation_id = "retry_webhook_delivery",
    tag = "webhooks", params(DeliveryPath), security(("token" = ["webhooks"])), responses(
    (status = 200, description = "The delivery, which is due now", body = WebhookDelivery),
    (status = 403, description = "Only for admins"),
    (status = 404, description = "No such webhook or delivery"),
    (status = 409, description = "The webhook is turned off"),
    (status = 501, description = "The service has no way to receivers"),
))]
pub async fn retry_delivery(
    Admin(user): Admin<WEBHOOKS>,
    State(on): State<WebhooksOn>,
    State(wake): State<Wake>,
    Now(now): Now,
    Path(DeliveryPath { id, delivery }): Path<DeliveryPath>,
    key: Idempotency,
) -> Result<Response, ApiError> {
    on.require()?;
    let response = key
        .run(Some(user.id), async |write: &mut Write| {
            require_enabled(write, id).await?;
            if !store::retry(write, id, delivery, now).await? {
                return Err(ApiError::NotFound);
            }
            let details = json!({"delivery_id": delivery});
            audit::record(write, &Entry::by(&user, Action::WebhookRetried, id, details), now).await?;
            let delivery = store::delivery(write, id, delivery).await?.ok_or(ApiError::NotFound)?;
            Ok((UNSEEN, Json(delivery)))
        })
        .await?;
    wake.here();
    Ok(response)
}

/// Send a test
///
/// A message of the type `webhook.test`, signed like every other. Whether it arrived is in the deliveries.
#[utoipa::path(post, path = "/v1/webhooks/{id}/test", operation_id = "test_webhook", tag = "webhooks", params(WebhookPath),
    security(("token" = ["webhooks"])), responses(
    (status = 202, description = "The delivery, which is due now", body = WebhookDelivery),
    (status = 403, description = "Only for admins"),
    (status = 404, description = "No such webhook"),
    (status = 409, description = "The webhook is turned off"),
    (status = 501, description = "The service has no way to receivers"),
))]
pub async fn test(
    Admin(user): Admin<WEBHOOKS>,
    State(on): State<WebhooksOn>,
    State(wake): State<Wake>,
    Now(now): Now,
    Path(WebhookPath { id }): Path<WebhookPath>,
    key: Idempotency,
) -> Result<Response, ApiError> {
    on.require()?;
    let response = key
        .run(Some(user.id), async |write: &mut Write| {
            require_enabled(write, id).await?;
            let delivery = store::insert_test(write, id, now).await?;
            let delivery = store::delivery(write, id, delivery).await?.ok_or(ApiError::NotFound)?;
            Ok((StatusCode::ACCEPTED, UNSEEN, Json(delivery)))
        })
        .await?;
    wake.here();
    Ok(response)
}

/// What is to be sent again.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReplayWebhook {
    /// What has happened since then; what happened more than 30 days ago is not kept.
    since: Timestamp,
}

impl Validate for ReplayWebhook {
    fn validate(&self, _violations: &mut Violations) {}
}

/// Send again what has happened
///
/// All that the webhook wants and that has happened since then, also what it was not told because it was turned off or not there
/// yet. What it has had already has the id that it had. It is done in parts, a little later.
#[utoipa::path(post, path = "/v1/webhooks/{id}/replay", operation_id = "replay_webhook", tag = "webhooks",
    params(WebhookPath), request_body = ReplayWebhook, security(("token" = ["webhooks"])), responses(
    (status = 202, description = "It will be sent"),
    (status = 403, description = "Only for admins"),
    (status = 404, description = "No such webhook"),
    (status = 409, description = "The webhook is turned off"),
    (status = 501, description = "The service has no way to receivers"),
))]
pub async fn replay(
    Admin(user): Admin<WEBHOOKS>,
    State(on): State<WebhooksOn>,
    State(wake): State<Wake>,
    Now(now): Now,
    Path(WebhookPath { id }): Path<WebhookPath>,
    Idempotent(key, body): Idempotent<ReplayWebhook>,
) -> Result<Response, ApiError> {
    on.require()?;
    let since: DateTime<Utc> = body.since.into();
    if since > now {
        return Err(ApiError::invalid("since", "in_future", "must not be in the future"));
    }
    let response = key
        .run(Some(user.id), async |write: &mut Write| {
            require_enabled(write, id).await?;
            let payload = json!({"webhook_id": id, "since": since, "until": now});
            let new = NewJob { kind: Kind::WebhookReplay, payload, user_id: None, run_at: now };
            jobs::replace(write, &format!("replay {id}"), new, now).await?;
            let details = json!({"since": since});
            audit::record(write, &Entry::by(&user, Action::WebhookReplayed, id, details), now).await?;
            Ok((StatusCode::ACCEPTED, UNSEEN))
        })
        .await?;
    wake.here();
    Ok(response)
}
