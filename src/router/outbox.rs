//! `/outbox`: in development, the mails that would have been sent.

use askama::Template;
use axum::Router;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderValue, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use serde::Deserialize;
use uuid::Uuid;

use crate::cache::CachePolicy;
use crate::error::ApiError;
use crate::http::context::{X_FORWARDED_FOR, peer};
use crate::http::extract::Path;
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

/// The mails, if this client is shown them: newest first.
struct Mails(Vec<Kept>);

impl FromRequestParts<AppState> for Mails {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let outbox = state.mailer.outbox().ok_or(ApiError::NotFound)?;
        // Behind a proxy on this machine clients are elsewhere.
        let is_local = || {
            peer(&parts.extensions).is_some_and(|peer| peer.is_loopback())
                && !parts.headers.contains_key(X_FORWARDED_FOR)
        };
        if outbox.local && !is_local() {
            return Err(ApiError::NotFound);
        }
        Ok(Self(outbox.mails()))
    }
}

#[derive(Debug, Deserialize)]
struct MailPath {
    id: Uuid,
}

pub(super) fn routes() -> Router<AppState> {
    Router::new().route("/outbox", get(list)).route("/outbox/{id}", get(read))
}

async fn list(Mails(mails): Mails) -> Result<Response, ApiError> {
    Ok(page(Page { mails }.render().map_err(|error| ApiError::Internal(error.into()))?))
}

async fn read(Mails(mails): Mails, Path(MailPath { id }): Path<MailPath>) -> Result<Response, ApiError> {
    Ok(page(mails.into_iter().find(|mail| mail.id == id).ok_or(ApiError::NotFound)?.html))
}

fn page(html: String) -> Response {
    (CachePolicy::Private, [(header::CONTENT_SECURITY_POLICY, POLICY)], Html(html)).into_response()
}
