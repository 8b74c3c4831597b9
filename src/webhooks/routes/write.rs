//! Making, changing and deleting webhooks.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::Response;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use crate::audit::model::{Action, Entry, changed_fields};
use crate::audit::store as audit;
use crate::auth::Admin;
use crate::auth::scope::WEBHOOKS;
use crate::cache::{Invalidates, Scope};
use crate::db::channel::Wake;
use crate::db::{Db, Outcome};
use crate::egress::Client;
use crate::error::ApiError;
use crate::http::conditional::{Tagged, Versioned};
use crate::http::extract::{Json, Path};
use crate::http::idempotency::{Idempotent, Write};
use crate::http::now::Now;
use crate::http::preconditions::IfMatch;
use crate::http::validation::{Validate, Violations, check_set, items, items_if_given, not_null, nullable};
use crate::webhooks::model::signature::{SECRET_BYTES, shown};
use crate::webhooks::model::{MAX_WEBHOOKS, Webhook, WebhookDescription, WebhookEventType, WebhookPath};
use crate::webhooks::store;

/// Nobody but admins sees them.
pub(super) const UNSEEN: Invalidates = Invalidates(Scope::Nothing);

/// A new webhook.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateWebhook {
    /// Where messages are posted: `https`, to an address that is public.
    #[schema(max_length = 2048, example = "https://receiver.example/hook")]
    url: String,
    /// What it is for.
    description: Option<WebhookDescription>,
    /// What it is told of, each once.
    #[serde(deserialize_with = "items")]
    #[schema(min_items = 1, max_items = 13, example = json!(["post.published", "post.updated"]))]
    events: Vec<WebhookEventType>,
    /// Whether it is told anything yet; it is if absent.
    #[serde(default = "yes")]
    enabled: bool,
}

fn yes() -> bool {
    true
}

impl Validate for CreateWebhook {
    fn validate(&self, violations: &mut Violations) {
        violations.check("description", &self.description);
        check_set(violations, "events", &self.events, WebhookEventType::ALL.len());
    }
}

fn words(events: &[WebhookEventType]) -> Vec<String> {
    events.iter().map(|event| event.as_str().to_owned()).collect()
}

/// Whether there is a way to receivers: `WEBHOOKS`.
#[derive(Clone, Copy, Debug)]
pub struct WebhooksOn(pub bool);

impl WebhooksOn {
    pub(super) fn require(self) -> Result<(), ApiError> {
        if self.0 { Ok(()) } else { Err(ApiError::WebhooksOff) }
    }
}

/// The URL as it is stored, if it may be called.
fn checked(client: &Client, url: &str) -> Result<String, ApiError> {
    let destination = client.check(url);
    let destination =
        destination.map_err(|refusal| ApiError::invalid("url", "not_allowed", refusal.to_string()))?;
    Ok(destination.as_str().to_owned())
}

/// A webhook with its secret, which is not shown again.
#[derive(Debug, Serialize, ToSchema)]
pub struct WebhookWithSecret {
    /// The webhook.
    #[serde(flatten)]
    webhook: Webhook,
    /// What its messages are signed with.
    #[schema(example = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD2/bY0SmZ1wA=")]
    secret: String,
}

impl Versioned for WebhookWithSecret {
    fn version(&self) -> i64 {
        self.webhook.version
    }
}

/// Make a webhook
///
/// Its messages are those of the [Standard Webhooks](https://www.standardwebhooks.com) specification: verify
/// `webhook-signature` with the `secret`, which is shown here and never again. There are at most 20 webhooks.
#[utoipa::path(post, path = "/v1/webhooks", operation_id = "create_webhook", tag = "webhooks", request_body = CreateWebhook,
    security(("token" = ["webhooks"])), responses(
    (status = 201, description = "The new webhook", body = WebhookWithSecret,
     headers(("Location" = String, description = "The path of the new webhook"))),
    (status = 403, description = "Only for admins"),
    (status = 409, description = "There are as many webhooks as there may be"),
    (status = 501, description = "The service has no way to receivers"),
))]
pub async fn create(
    Admin(user): Admin<WEBHOOKS>,
    State(on): State<WebhooksOn>,
    State(client): State<Client>,
    Now(now): Now,
    Idempotent(key, body): Idempotent<CreateWebhook>,
) -> Result<Response, ApiError> {
    on.require()?;
    let url = checked(&client, &body.url)?;
    let (secret, events) = (rand::random::<[u8; SECRET_BYTES]>(), words(&body.events));
    key.run(Some(user.id), async |write: &mut Write| {
        let new = store::NewWebhook {
            url: &url,
            description: body.description.as_ref().map(WebhookDescription::as_str),
            events: &events,
            secret: &secret,
            enabled: body.enabled,
        };
        let id = store::insert(write, &new, user.id, now).await?.ok_or_else(|| {
            ApiError::conflict(
                "id",
                "too_many",
                format!("would be one more than the {MAX_WEBHOOKS} that there may be"),
            )
        })?;
        let details = json!({"events": body.events});
        audit::record(write, &Entry::by(&user, Action::WebhookCreated, id, details), now).await?;
        let webhook = store::find(write, id).await?.ok_or(ApiError::NotFound)?;
        let location = [(header::LOCATION, format!("/v1/webhooks/{id}"))];
        let secret = shown(&secret).expose_secret().to_owned();
        Ok((StatusCode::CREATED, location, UNSEEN, Tagged(WebhookWithSecret { webhook, secret })))
    })
    .await
}

/// What changes in a webhook. What is absent stays; null takes away.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateWebhook {
    /// Where messages are posted from now on, also those that wait.
    #[serde(default, deserialize_with = "not_null")]
    #[schema(max_length = 2048, nullable = false)]
    url: Option<String>,
    /// What it is for.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<WebhookDescription>)]
    description: Option<Option<WebhookDescription>>,
    /// What it is told of from now on, each once.
    #[serde(default, deserialize_with = "items_if_given")]
    #[schema(min_items = 1, max_items = 13, nullable = false)]
    events: Option<Vec<WebhookEventType>>,
    /// Whether it is told anything. Messages wait for one that is turned off, and are sent when it is turned on.
    #[serde(default, deserialize_with = "not_null")]
    #[schema(nullable = false)]
    enabled: Option<bool>,
}

impl Validate for UpdateWebhook {
    fn validate(&self, violations: &mut Violations) {
        violations.check("description", &self.description.clone().flatten());
        if let Some(events) = &self.events {
            check_set(violations, "events", events, WebhookEventType::ALL.len());
        }
    }
}

/// Change a webhook
#[utoipa::path(patch, path = "/v1/webhooks/{id}", operation_id = "update_webhook", tag = "webhooks",
    params(WebhookPath, IfMatch), request_body = UpdateWebhook, security(("token" = ["webhooks"])), responses(
    (status = 200, description = "The webhook as it is now", body = Webhook),
    (status = 403, description = "Only for admins"),
    (status = 404, description = "No such webhook"),
    (status = 501, description = "It would be turned on, and the service has no way to receivers"),
))]
pub async fn update(
    Admin(user): Admin<WEBHOOKS>,
    State(db): State<Db>,
    State(on): State<WebhooksOn>,
    State(client): State<Client>,
    State(wake): State<Wake>,
    Now(now): Now,
    Path(WebhookPath { id }): Path<WebhookPath>,
    if_match: IfMatch,
    Json(body): Json<UpdateWebhook>,
) -> Result<(Invalidates, Tagged<Webhook>), ApiError> {
    if body.enabled == Some(true) {
        on.require()?;
    }
    let url = body.url.as_deref().map(|url| checked(&client, url)).transpose()?;
    let events = body.events.as_deref().map(words);
    let changes = store::Changes {
        url: url.as_deref(),
        description: body.description.as_ref().map(|text| text.as_ref().map(WebhookDescription::as_str)),
        events: events.as_deref(),
        enabled: body.enabled,
    };
    let mut transaction = db.begin().await?;
    let outcome = store::update(&mut transaction, id, &changes, if_match.versions(), now).await?;
    let webhook = store::find(&mut transaction, id).await?;
    if outcome == Outcome::Refused {
        return Err(if_match.refusal(webhook));
    }
    if outcome == Outcome::Changed {
        // Of a URL not even the host is written: whoever gives it may have put a secret into it.
        let fields = changed_fields(&[
            ("url", body.url.is_some()),
            ("description", body.description.is_some()),
            ("events", body.events.is_some()),
            ("enabled", body.enabled.is_some()),
        ]);
        let entry = Entry::by(&user, Action::WebhookUpdated, id, json!({"fields": fields}));
        audit::record(&mut transaction, &entry, now).await?;
    }
    transaction.commit().await?;
    wake.here();
    Ok((UNSEEN, Tagged(webhook.ok_or(ApiError::NotFound)?)))
}

/// Delete a webhook
///
/// And what is on its way to it. Where that is very much it takes more than one request: after a 503 ask again, which goes
/// on from there.
#[utoipa::path(delete, path = "/v1/webhooks/{id}", operation_id = "delete_webhook", tag = "webhooks",
    params(WebhookPath, IfMatch), security(("token" = ["webhooks"])), responses(
    (status = 204, description = "It is told nothing more"),
    (status = 403, description = "Only for admins"),
    (status = 404, description = "No such webhook"),
))]
pub async fn delete(
    Admin(user): Admin<WEBHOOKS>,
    State(db): State<Db>,
    Now(now): Now,
    Path(WebhookPath { id }): Path<WebhookPath>,
    if_match: IfMatch,
) -> Result<(StatusCode, Invalidates), ApiError> {
    let webhook = store::find(&mut db.acquire().await?, id).await?.ok_or(ApiError::NotFound)?;
    if if_match.check(webhook.version).is_err() {
        return Err(if_match.refusal(Some(webhook)));
    }
    while store::release(&mut db.acquire().await?, id).await? > 0 {}
    let mut transaction = db.begin().await?;
    if !store::delete(&mut transaction, id, if_match.versions()).await? {
        return Err(if_match.refusal(store::find(&mut transaction, id).await?));
    }
    audit::record(&mut transaction, &Entry::by(&user, Action::WebhookDeleted, id, json!({})), now).await?;
    transaction.commit().await?;
    Ok((StatusCode::NO_CONTENT, UNSEEN))
}
