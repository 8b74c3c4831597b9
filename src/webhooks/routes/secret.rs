//! Giving a webhook another secret.

use axum::response::Response;
use chrono::{DateTime, Utc};
use secrecy::ExposeSecret;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use super::write::UNSEEN;
use crate::audit::model::{Action, Entry};
use crate::audit::store as audit;
use crate::auth::Admin;
use crate::auth::scope::WEBHOOKS;
use crate::error::ApiError;
use crate::http::extract::{Json, Path};
use crate::http::idempotency::{Idempotency, Write};
use crate::http::now::Now;
use crate::webhooks::model::WebhookPath;
use crate::webhooks::model::schedule::ROTATION;
use crate::webhooks::model::signature::{SECRET_BYTES, shown};
use crate::webhooks::store;

/// The new secret of a webhook, which is not shown again.
#[derive(Debug, Serialize, ToSchema)]
pub struct RotatedSecret {
    /// What its messages are signed with from now on.
    #[schema(example = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD2/bY0SmZ1wA=")]
    secret: String,
    /// Until when they are also signed with the one before.
    previous_secret_until: DateTime<Utc>,
}

/// Give a webhook another secret
///
/// For 24 hours its messages have two signatures, so that receivers change it in between.
#[utoipa::path(post, path = "/v1/webhooks/{id}/secret", operation_id = "rotate_webhook_secret", tag = "webhooks",
    params(WebhookPath), security(("token" = ["webhooks"])), responses(
    (status = 200, description = "The new secret", body = RotatedSecret),
    (status = 403, description = "Only for admins"),
    (status = 404, description = "No such webhook"),
))]
pub async fn rotate_secret(
    Admin(user): Admin<WEBHOOKS>,
    Now(now): Now,
    Path(WebhookPath { id }): Path<WebhookPath>,
    key: Idempotency,
) -> Result<Response, ApiError> {
    let (secret, until) = (rand::random::<[u8; SECRET_BYTES]>(), now + ROTATION);
    key.run(Some(user.id), async |write: &mut Write| {
        if !store::rotate(write, id, &secret, until, now).await? {
            return Err(ApiError::NotFound);
        }
        let entry = Entry::by(&user, Action::WebhookSecretRotated, id, json!({}));
        audit::record(write, &entry, now).await?;
        let secret = shown(&secret).expose_secret().to_owned();
        Ok((UNSEEN, Json(RotatedSecret { secret, previous_secret_until: until })))
    })
    .await
}
