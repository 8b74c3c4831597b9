//! The request's parts as typed, validated values; each failure is an [`ApiError`] that names the field.
//! These are the only extractors handlers use: `clippy.toml` bans axum's own.

use axum::body::Body;
use axum::extract::path::ErrorKind;
use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};

use super::body_budget::reserve;
use super::context::RequestContext;
use super::rate_limit::RequestLimits;
use super::validation::{Validate, refused};
use crate::error::{ApiError, FieldError, FieldErrors, abridged};
use crate::workers::{BODIES, LARGE};

/// The largest body that is read, in bytes.
pub const MAX_BODY: usize = 1024 * 1024;

/// How many characters of the parser's message a response shows.
const MAX_MESSAGE: usize = 300;

/// How much of an oversized body is read and thrown away, in bytes, so that a client that is still
/// sending gets to read the response instead of a reset connection.
const MAX_DISCARDED: usize = 8 * MAX_BODY;

/// A JSON body: read, parsed and validated; or a JSON response.
#[derive(Debug)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned + Validate + Send + 'static, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _state: &S) -> Result<Self, ApiError> {
        let (parts, body) = request.into_parts();
        parse_json(read_json(&parts, body).await?).await.map(Self)
    }
}

/// The body, if it is said to be JSON.
pub(super) async fn read_json(parts: &Parts, body: Body) -> Result<Vec<u8>, ApiError> {
    if !is_json(&parts.headers) {
        return Err(ApiError::UnsupportedMediaType);
    }
    let bytes = read_body(parts, body).await?;
    // Known by now if the handler wants a user.
    if let Some(user_id) = parts.extensions.get().and_then(|context: &RequestContext| context.user_id.get()) {
        RequestLimits::of(parts).count_bytes(*user_id, bytes.len())?;
    }
    Ok(bytes)
}

pub(super) async fn parse_json<T>(bytes: Vec<u8>) -> Result<T, ApiError>
where
    T: DeserializeOwned + Validate + Send + 'static,
{
    if bytes.len() < LARGE {
        return parsed(&bytes);
    }
    BODIES.run(bytes.len(), move || parsed(&bytes)).await?
}

fn parsed<T: DeserializeOwned + Validate>(bytes: &[u8]) -> Result<T, ApiError> {
    // Serde would take an array for a struct, field by field.
    if !bytes.trim_ascii_start().starts_with(b"{") {
        serde_json::from_slice::<IgnoredAny>(bytes).map_err(|error| unreadable(&error))?;
        return Err(ApiError::invalid("body", "wrong_type", "must be a JSON object"));
    }
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let body: T = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        // Serde takes what cannot name an enum's case, such as null, for broken JSON.
        if error.inner().is_data() || is_well_formed(bytes) {
            ApiError::Invalid(
                field_error(&error.path().to_string(), without_position(&error.inner().to_string()), &[])
                    .into(),
            )
        } else {
            unreadable(error.inner())
        }
    })?;
    json.end().map_err(|error| unreadable(&error))?;
    Ok(body.validated()?)
}

/// The parser's message without the line and column at its end: the field is named beside it.
fn without_position(message: &str) -> &str {
    message.rsplit_once(" at line ").map_or(message, |(message, _position)| message)
}

fn is_well_formed(json: &[u8]) -> bool {
    str::from_utf8(json).is_ok_and(|json| serde_json::from_str::<IgnoredAny>(json).is_ok())
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

fn unreadable(error: &serde_json::Error) -> ApiError {
    ApiError::Unreadable(abridged(format!("The body is not JSON: {error}."), MAX_MESSAGE))
}

fn is_json(headers: &HeaderMap) -> bool {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = value.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
}

async fn read_body(parts: &Parts, body: Body) -> Result<Vec<u8>, ApiError> {
    let headers = &parts.headers;
    let waits_for_continue = headers.contains_key(header::EXPECT);
    let announced =
        headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if waits_for_continue && announced.is_some_and(|length| length > MAX_BODY) {
        return Err(ApiError::TooLarge(MAX_BODY));
    }
    let mut stream = body.into_data_stream();
    // Grows with what arrives, not with what was announced: announcing costs a client nothing.
    let mut bytes = Vec::new();
    let mut read = 0;
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|_| ApiError::Unreadable("The body ended early.".into()))?;
        read += chunk.len();
        if read <= MAX_BODY {
            reserve(parts, read)?;
            bytes.extend_from_slice(&chunk);
        } else if read > MAX_DISCARDED {
            break;
        }
    }
    if read > MAX_BODY { Err(ApiError::TooLarge(MAX_BODY)) } else { Ok(bytes) }
}

/// The query string, with no parameter that `T` does not know.
#[derive(Debug)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned + Validate, S: Sync> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ApiError> {
        let query: T = parse_query(parts.uri.query().unwrap_or_default(), &[])?;
        Ok(Self(query.validated()?))
    }
}

/// Reads a query string. Beside the fields of `T`, somebody else reads those `elsewhere`.
pub(super) fn parse_query<T: DeserializeOwned>(query: &str, elsewhere: &[&str]) -> Result<T, FieldErrors> {
    let pairs = form_urlencoded::parse(query.as_bytes());
    // PostgreSQL's text cannot hold a NUL, whatever the parameter is for.
    if let Some((name, _)) = pairs.clone().find(|(_, value)| value.contains('\0')) {
        let detail = "must not have control characters";
        return Err(FieldError::new(name, "control_character", detail).into());
    }
    serde_path_to_error::deserialize(serde_urlencoded::Deserializer::new(pairs))
        .map_err(|error| field_error(&error.path().to_string(), &error.inner().to_string(), elsewhere).into())
}

/// A parameter that is as if absent when it is blank, as forms send it:
/// `#[serde(default, deserialize_with = "not_blank")]`.
pub fn not_blank<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let text = String::deserialize(deserializer)?;
    Ok(Some(text).filter(|text| !text.trim().is_empty()))
}

#[derive(Debug)]
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        #[expect(clippy::disallowed_types, reason = "the one place where the raw type reads the path")]
        match axum::extract::Path::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(path)) => Ok(Self(path)),
            Err(PathRejection::FailedToDeserializePathParams(error)) => {
                let field = path_field(error.kind()).unwrap_or("path");
                Err(ApiError::Malformed(FieldError::new(field, "malformed", "is not an id")))
            }
            Err(error) => Err(ApiError::Internal(error.into())),
        }
    }
}

fn path_field(kind: &ErrorKind) -> Option<&str> {
    match kind {
        ErrorKind::ParseErrorAtKey { key, .. }
        | ErrorKind::InvalidUtf8InPathParam { key }
        | ErrorKind::DeserializeError { key, .. } => Some(key),
        _ => None,
    }
}

/// Names the field that serde stumbled over. Its messages are stable, and the only place where it says
/// which field is missing, unknown or given twice.
fn field_error(path: &str, message: &str, elsewhere: &[&str]) -> FieldError {
    let path = if path == "." { "" } else { path };
    let quoted = message.split('`').nth(1).unwrap_or_default();
    let (field, code, detail) = if message.starts_with("missing field") {
        (join(path, quoted), "required", "is required".to_owned())
    } else if message.starts_with("unknown field") {
        let field = join(path.strip_suffix(quoted).unwrap_or(path), quoted);
        (field, "unknown", format!("is not known here{}", known_fields(message, elsewhere)))
    } else if message.starts_with("duplicate field") {
        (join(path.strip_suffix(quoted).unwrap_or(path), quoted), "duplicate", "is given twice".to_owned())
    } else if let Some((code, detail)) = refused(message) {
        (path.to_owned(), code, detail.to_owned())
    } else {
        (path.to_owned(), "wrong_type", message.to_owned())
    };
    FieldError::new(if field.is_empty() { "body".into() } else { field }, code, detail)
}

/// What could have been meant, in serde's words.
fn known_fields(message: &str, elsewhere: &[&str]) -> String {
    let named = message.split_once(", ").map_or("", |(_, named)| named);
    let fields: Vec<_> = named.split('`').skip(1).step_by(2).chain(elsewhere.iter().copied()).collect();
    match fields.as_slice() {
        [] => String::new(),
        [one] => format!(": expected `{one}`"),
        [one, other] => format!(": expected `{one}` or `{other}`"),
        many => format!(": expected one of `{}`", many.join("`, `")),
    }
}

fn join(path: &str, field: &str) -> String {
    let path = path.trim_end_matches('.');
    if path.is_empty() { field.to_owned() } else { format!("{path}.{field}") }
}
