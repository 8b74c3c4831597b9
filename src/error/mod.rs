//! What can go wrong, once: [`ApiError`] is every error a client can see, with one status map, and
//! [`Problem`] is the one shape it is seen in (RFC 9457). The errors of the layers below become one in
//! `conversions`.

mod conversions;
mod fields;

use std::sync::Arc;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;
use utoipa::ToSchema;

pub use fields::{FieldError, FieldErrors, MAX_ERRORS, abridged};

type Cause = Box<dyn std::error::Error + Send + Sync>;

#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// The request's own syntax is broken: JSON, an encoding, a body that ends early.
    #[error("{0}")]
    Unreadable(String),
    /// An id or a cursor that is not one.
    #[error("`{}` {}", .0.field, .0.detail)]
    Malformed(FieldError),
    /// A value that the database cannot hold or compare. The types of a request let none through; if one of them
    /// is too wide, the log has the cause.
    #[error("The request has a value that cannot be stored or compared.")]
    Unacceptable(#[source] Cause),
    /// No token, or one that is unknown, revoked or expired.
    #[error("{0}")]
    Unauthenticated(&'static str),
    /// Signed in, but not allowed to.
    #[error("{0}")]
    Forbidden(&'static str),
    /// An API token that is not for this; the scopes of which it needs one.
    #[error("{}", Self::describe_scopes(.0))]
    InsufficientScope(Vec<&'static str>),
    /// The operator lets nobody make an account for themselves.
    #[error("Nobody signs up here without an invitation.")]
    SignUpClosed,
    /// Signed in, but banned: reads, and writes nothing until then.
    #[error("You are banned until {}. The reason: {reason}", until.to_rfc3339_opts(SecondsFormat::AutoSi, true))]
    Banned { until: DateTime<Utc>, reason: String },
    /// There is nothing here, or nothing that the caller may know of.
    #[error("There is nothing here.")]
    NotFound,
    #[error("This resource does not have that method; `Allow` lists those it has.")]
    MethodNotAllowed,
    /// The state of things forbids it: a name is taken, comments are closed.
    #[error("`{}` {}", .0.field, .0.detail)]
    Conflict(FieldError),
    /// `If-Match` names another version; the current entity tag.
    #[error("It has changed: read it again, and send `If-Match` with the new `ETag`.")]
    PreconditionFailed(String),
    #[error("Send `If-Match` with the `ETag` of what you change.")]
    PreconditionRequired,
    /// Longer than what hyper reads.
    #[error("The address of the request is too long.")]
    TargetTooLong,
    /// More or longer headers than hyper reads.
    #[error("The request has too many headers, or too long ones.")]
    HeadTooLarge,
    #[error("The body may have at most {0} bytes.")]
    TooLarge(usize),
    #[error("The body must be JSON: send `Content-Type: application/json`.")]
    UnsupportedMediaType,
    /// No file that is taken here: what is.
    #[error("{0}")]
    UnsupportedMedia(&'static str),
    /// Readable, but these fields are not acceptable.
    #[error("{0}")]
    Invalid(FieldErrors),
    #[error("Too many requests for the limit `{policy}`; try again after {retry_after} seconds.")]
    RateLimited {
        /// The limit's name in the `RateLimit` headers.
        policy: &'static str,
        /// Whole seconds.
        retry_after: u64,
    },
    /// More work than this task takes on at once.
    #[error("The service is busy; try again shortly.")]
    Overloaded,
    #[error("The request took too long and was given up.")]
    Timeout,
    /// A read whose cost the client chose took longer than such a read may.
    #[error("This takes too long to find: use rarer words or fewer filters.")]
    TooCostly,
    /// The database cannot be reached, or is too busy to answer.
    #[error("The service cannot reach its database; try again shortly.")]
    Unavailable(#[source] Cause),
    /// The database gave up this transaction for another that writes the same; nothing was written.
    #[error("Others are changing the same at this moment; try again shortly.")]
    Contended(#[source] Cause),
    /// It needs mail, and the operator has set up none.
    #[error("This needs mail, which is not set up here.")]
    MailOff,
    /// It needs a place for files, and the operator has set up none.
    #[error("Nothing can be uploaded here: no place for it is set up.")]
    MediaOff,
    /// The service has no way to what it would tell of what happens.
    #[error("There are no webhooks here: the service reaches nothing outside of its network.")]
    WebhooksOff,
    /// The place for files cannot be reached, or refuses them.
    #[error("The service cannot store files at this moment; try again shortly.")]
    StorageUnavailable(#[source] Cause),
    /// A defect of the service.
    #[error("The service failed; the request id finds the cause in its log.")]
    Internal(#[source] Cause),
    /// A handler panicked; the panic hook has logged where.
    #[error("The service failed; the request id finds the cause in its log.")]
    Panicked,
}

impl ApiError {
    /// A request that is valid but for this field.
    pub fn invalid(field: impl Into<String>, code: &str, detail: impl Into<String>) -> Self {
        Self::Invalid(FieldError::new(field, code, detail).into())
    }

    pub fn conflict(field: impl Into<String>, code: &str, detail: impl Into<String>) -> Self {
        Self::Conflict(FieldError::new(field, code, detail))
    }

    fn describe_scopes(scopes: &[&str]) -> String {
        if scopes.is_empty() {
            return "No API token may do this: sign in.".into();
        }
        format!("The API token may not do this: it needs the scope `{}`.", scopes.join("` or `"))
    }

    #[must_use]
    pub fn status_and_code(&self) -> (StatusCode, &'static str) {
        match self {
            Self::Unreadable(_) => (StatusCode::BAD_REQUEST, "unreadable"),
            Self::Malformed(_) | Self::Unacceptable(_) => (StatusCode::BAD_REQUEST, "malformed_parameter"),
            Self::Unauthenticated(_) => (StatusCode::UNAUTHORIZED, "unauthenticated"),
            Self::Forbidden(_) => (StatusCode::FORBIDDEN, "forbidden"),
            Self::InsufficientScope(_) => (StatusCode::FORBIDDEN, "insufficient_scope"),
            Self::SignUpClosed => (StatusCode::FORBIDDEN, "sign_up_closed"),
            Self::Banned { .. } => (StatusCode::FORBIDDEN, "banned"),
            Self::NotFound => (StatusCode::NOT_FOUND, "not_found"),
            Self::MethodNotAllowed => (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed"),
            Self::Conflict(_) => (StatusCode::CONFLICT, "conflict"),
            Self::PreconditionFailed(_) => (StatusCode::PRECONDITION_FAILED, "precondition_failed"),
            Self::PreconditionRequired => (StatusCode::PRECONDITION_REQUIRED, "precondition_required"),
            Self::TargetTooLong => (StatusCode::URI_TOO_LONG, "target_too_long"),
            Self::HeadTooLarge => (StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "head_too_large"),
            Self::TooLarge(_) => (StatusCode::PAYLOAD_TOO_LARGE, "body_too_large"),
            Self::UnsupportedMediaType | Self::UnsupportedMedia(_) => {
                (StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type")
            }
            Self::Invalid(_) => (StatusCode::UNPROCESSABLE_ENTITY, "invalid"),
            Self::RateLimited { .. } => (StatusCode::TOO_MANY_REQUESTS, "rate_limited"),
            Self::Overloaded => (StatusCode::SERVICE_UNAVAILABLE, "overloaded"),
            Self::Timeout => (StatusCode::SERVICE_UNAVAILABLE, "timeout"),
            Self::Contended(_) => (StatusCode::SERVICE_UNAVAILABLE, "contended"),
            Self::TooCostly => (StatusCode::SERVICE_UNAVAILABLE, "too_costly"),
            Self::Unavailable(_) => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
            Self::MailOff => (StatusCode::NOT_IMPLEMENTED, "mail_off"),
            Self::MediaOff => (StatusCode::NOT_IMPLEMENTED, "media_off"),
            Self::WebhooksOff => (StatusCode::NOT_IMPLEMENTED, "webhooks_off"),
            Self::StorageUnavailable(_) => (StatusCode::SERVICE_UNAVAILABLE, "storage_unavailable"),
            Self::Internal(_) | Self::Panicked => (StatusCode::INTERNAL_SERVER_ERROR, "internal"),
        }
    }

    #[must_use]
    pub fn problem(&self, request_id: &str) -> Problem {
        let (status, code) = self.status_and_code();
        let errors = match self {
            Self::Malformed(error) | Self::Conflict(error) => vec![error.clone()],
            Self::Invalid(errors) => errors.shown().to_vec(),
            _ => Vec::new(),
        };
        Problem {
            kind: "about:blank".into(),
            title: status.canonical_reason().unwrap_or_default().into(),
            status: status.as_u16(),
            detail: self.to_string(),
            code: code.into(),
            request_id: request_id.into(),
            errors,
        }
    }
}

/// The status and headers; the middleware that knows the request id writes the body from the error it
/// finds in the response's extensions, and logs the cause there.
impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = self.status_and_code().0;
        let mut response = status.into_response();
        let header = match (&self, status) {
            (Self::RateLimited { retry_after, .. }, _) => Some((header::RETRY_AFTER, (*retry_after).into())),
            // RFC 6750.
            (Self::InsufficientScope(scopes), _) if !scopes.is_empty() => {
                let challenge =
                    format!("Bearer error=\"insufficient_scope\", scope=\"{}\"", scopes.join(" "));
                HeaderValue::try_from(challenge).ok().map(|value| (header::WWW_AUTHENTICATE, value))
            }
            (_, StatusCode::UNAUTHORIZED) => {
                Some((header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")))
            }
            (_, StatusCode::SERVICE_UNAVAILABLE) => {
                Some((header::RETRY_AFTER, HeaderValue::from_static("1")))
            }
            _ => None,
        };
        response.headers_mut().extend(header);
        if let Self::PreconditionFailed(etag) = &self
            && let Ok(etag) = HeaderValue::try_from(etag)
        {
            response.headers_mut().insert(header::ETAG, etag);
        }
        response.extensions_mut().insert(Arc::new(self));
        response
    }
}

/// An error as the client sees it: `application/problem+json`, RFC 9457.
#[derive(Debug, Serialize, ToSchema)]
pub struct Problem {
    /// Always `about:blank`: the status and `code` say what kind of problem it is.
    #[serde(rename = "type")]
    #[schema(example = "about:blank")]
    pub kind: String,
    /// The status in words.
    #[schema(example = "Unprocessable Entity")]
    pub title: String,
    /// The HTTP status.
    #[schema(example = 422, minimum = 400, maximum = 599)]
    pub status: u16,
    /// What happened, for people.
    #[schema(example = "The request has fields that are not acceptable; `errors` names each.")]
    pub detail: String,
    /// What happened, for programs.
    #[schema(example = "invalid")]
    pub code: String,
    /// The id under which the service logged this request.
    #[schema(example = "0199f4a2-7d1c-7a52-9c53-0f9b6c1e2d3a")]
    pub request_id: String,
    /// The fields at fault, if it is about fields.
    pub errors: Vec<FieldError>,
}
