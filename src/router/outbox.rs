//! `/outbox`: in development, the mails that would have been sent.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use serde::Deserialize;
use uuid::Uuid;

use crate::cache::CachePolicy;
use crate::error::ApiError;
use crate::http::extract::Path;
use crate::mail::Mailer;
use crate::mail::outbox::Kept;
use crate::state::AppState;

/// Mails bring their own styles.
const POLICY: HeaderValue =
    HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'");

#[derive(Template)]
#[template(path = "outbox.html")]
struct Page {
    mails: Vec<Kept>,
}

#[derive(Debug, Deserialize)]
struct MailPath {
    id: Uuid,
}

pub(super) fn routes() -> Router<AppState> {
    Router::new().route("/outbox", get(list)).route("/outbox/{id}", get(read))
}

async fn list(State(mailer): State<Mailer>) -> Result<Response, ApiError> {
    let mails = mailer.outbox().ok_or(ApiError::NotFound)?.mails();
    Ok(page(Page { mails }.render().map_err(|error| ApiError::Internal(error.into()))?))
}

async fn read(
    State(mailer): State<Mailer>,
    Path(MailPath { id }): Path<MailPath>,
) -> Result<Response, ApiError> {
    let mails = mailer.outbox().ok_or(ApiError::NotFound)?.mails();
    Ok(page(mails.into_iter().find(|mail| mail.id == id).ok_or(ApiError::NotFound)?.html))
}

fn page(html: String) -> Response {
    (CachePolicy::Private, [(header::CONTENT_SECURITY_POLICY, POLICY)], Html(html)).into_response()
}
