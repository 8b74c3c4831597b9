//! How the caller wants to be told.

use axum::extract::State;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::auth::SignedIn;
use crate::auth::scope::{NOTIFICATIONS_READ, NOTIFICATIONS_WRITE};
use crate::cache::{Invalidates, Scope};
use crate::db::{Db, Outcome};
use crate::error::ApiError;
use crate::http::conditional::Tagged;
use crate::http::extract::Json;
use crate::http::preconditions::IfMatch;
use crate::http::validation::{Validate, Violations, not_null};
use crate::notifications::model::{Delivery, NotificationSettings};
use crate::notifications::store;

/// How the caller is notified
///
/// By mail: in `/v1/notifications` all of them are. Only to an address that is verified.
#[utoipa::path(get, path = "/v1/users/me/notifications", tag = "notifications", security(("token" = ["notifications:read"])), responses(
    (status = 200, description = "What the caller has chosen, or else the defaults", body = NotificationSettings),
))]
pub async fn read_notification_settings(
    SignedIn(user): SignedIn<NOTIFICATIONS_READ>,
    State(db): State<Db>,
) -> Result<Tagged<NotificationSettings>, ApiError> {
    Ok(Tagged(store::settings(&mut db.acquire().await?, user.id).await?))
}

/// What changes. What is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateNotificationSettings {
    /// Of a reply to a comment of the caller.
    #[serde(default, deserialize_with = "not_null")]
    #[schema(nullable = false)]
    reply: Option<Delivery>,
    /// Of a comment on a post of the caller.
    #[serde(default, deserialize_with = "not_null")]
    #[schema(nullable = false)]
    comment: Option<Delivery>,
    /// Of a comment that waits for an editor.
    #[serde(default, deserialize_with = "not_null")]
    #[schema(nullable = false)]
    held_comment: Option<Delivery>,
    /// Of a report.
    #[serde(default, deserialize_with = "not_null")]
    #[schema(nullable = false)]
    report: Option<Delivery>,
    /// Of a post of someone whom the caller follows.
    #[serde(default, deserialize_with = "not_null")]
    #[schema(nullable = false)]
    post: Option<Delivery>,
}

/// Its fields are enums: there is nothing more to check.
impl Validate for UpdateNotificationSettings {
    fn validate(&self, _violations: &mut Violations) {}
}

/// Change how the caller is notified
///
/// What already waits to be mailed is not, if it is not wanted any more.
#[utoipa::path(patch, path = "/v1/users/me/notifications", tag = "notifications", params(IfMatch),
    request_body = UpdateNotificationSettings, security(("token" = ["notifications:write"])), responses(
    (status = 200, description = "What is chosen now", body = NotificationSettings),
))]
pub async fn update_notification_settings(
    SignedIn(user): SignedIn<NOTIFICATIONS_WRITE>,
    State(db): State<Db>,
    if_match: IfMatch,
    Json(body): Json<UpdateNotificationSettings>,
) -> Result<(Invalidates, Tagged<NotificationSettings>), ApiError> {
    let UpdateNotificationSettings { reply, comment, held_comment, report, post } = body;
    let changes = store::Changes { reply, comment, held_comment, report, post };
    let mut transaction = db.begin().await?;
    let outcome = store::update(&mut transaction, user.id, changes, if_match.versions()).await?;
    let settings = store::settings(&mut transaction, user.id).await?;
    if outcome == Outcome::Refused {
        return Err(if_match.refusal(Some(settings)));
    }
    transaction.commit().await?;
    Ok((Invalidates(Scope::Nothing), Tagged(settings)))
}
