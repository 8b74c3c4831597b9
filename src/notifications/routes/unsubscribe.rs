//! Ending mails by the link in them, without being signed in.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::cache::{CachePolicy, Invalidates, Scope};
use crate::error::ApiError;
use crate::http::extract::Query;
use crate::http::idempotency::Idempotency;
use crate::http::validation::{Validate, Violations};
use crate::mail::Mailer;
use crate::notifications::model::Subscription;
use crate::notifications::store::{self, Changes};

/// Which mails.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Unsubscribe {
    /// What stands in the link.
    #[param(example = "3q2-7wKDhLpXbN0vYtRfZsGmUcJ5eAi8oQxW1kB6nEY.reply")]
    token: String,
}

/// Any text that is not a token of ours is unknown.
impl Validate for Unsubscribe {
    fn validate(&self, _violations: &mut Violations) {}
}

/// Unsubscribe
///
/// Ends the mails like the one that the link stands in, as `List-Unsubscribe` has it (RFC 8058): with no session, and whatever
/// the body is. Settings have them again.
#[utoipa::path(post, path = "/v1/unsubscriptions", tag = "notifications", params(Unsubscribe), responses(
    (status = 204, description = "There are no more mails like that"),
))]
pub async fn unsubscribe(
    Query(Unsubscribe { token }): Query<Unsubscribe>,
    key: Idempotency,
) -> Result<Response, ApiError> {
    let subscription = Subscription::of(token.trim()).ok_or_else(invalid)?;
    key.run(None, async |write| {
        let user_id = store::subscriber(write, &subscription.key).await?.ok_or_else(invalid)?;
        write.belongs_to(user_id);
        store::update(write, user_id, Changes::never(subscription.kind), None).await?;
        Ok((StatusCode::NO_CONTENT, Invalidates(Scope::Nothing)))
    })
    .await
}

/// The page to unsubscribe on
///
/// For who opens the address that is meant for programs. It changes nothing: the page has a button.
#[utoipa::path(get, path = "/v1/unsubscriptions", operation_id = "unsubscription_page", tag = "notifications",
    params(Unsubscribe), responses(
    (status = 501, description = "The operator has not set up mail"),
    (status = 303, description = "Where the page is", headers(("Location" = String, description = "Its address"))),
))]
pub async fn unsubscription_page(
    State(mailer): State<Mailer>,
    Query(Unsubscribe { token }): Query<Unsubscribe>,
) -> Result<Response, ApiError> {
    if !mailer.is_on() {
        return Err(ApiError::MailOff);
    }
    // What is not a token of ours is not repeated.
    let subscription = Subscription::of(token.trim()).ok_or_else(invalid)?;
    let location = mailer.link("unsubscribe", &subscription.token());
    Ok((StatusCode::SEE_OTHER, CachePolicy::Private, [(header::LOCATION, location)]).into_response())
}

fn invalid() -> ApiError {
    ApiError::invalid(
        "token",
        "invalid",
        "stands in no mail of this service, or in one to an account that is gone",
    )
}
