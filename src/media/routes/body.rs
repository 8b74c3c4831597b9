//! The body of an upload: the bytes of a picture alone, or a form with it.

use axum::body::{Body, BodyDataStream};
use axum::extract::{FromRef, FromRequest, FromRequestParts, Request};
use axum::http::header;
use axum::http::request::Parts;
use futures_util::StreamExt;
use multer::{Constraints, Multipart, SizeLimit};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use utoipa::{IntoParams, ToSchema};

use super::queue::{MAX_FILE, MAX_FORM, Place, Uploads};
use crate::clock::Clock;
use crate::db::Db;
use crate::error::ApiError;
use crate::http::context::RequestContext;
use crate::http::extract::Query;
use crate::http::idempotency::{Idempotency, Refusal};
use crate::http::validation::{Validate, Violations};
use crate::media::model::AltText;

/// How much of a body is read into memory.
const MAX_BODY: usize = MAX_FILE + MAX_FORM;
/// The most of a field that is not the file.
const MAX_FIELD: usize = 16 * 1024;

/// A picture that is uploaded. Stands after the extractor that says who uploads.
#[derive(Debug)]
pub struct Upload {
    pub(super) key: Idempotency,
    pub(super) file: Vec<u8>,
    pub(super) alt: Option<AltText>,
    pub(super) place: Place,
}

/// What can be said of a picture whose bytes are the body.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct UploadQuery {
    /// What it shows, for those who do not see it; of a form, a field.
    alt: Option<AltText>,
}

impl Validate for UploadQuery {
    fn validate(&self, violations: &mut Violations) {
        violations.check("alt", &self.alt);
    }
}

/// A picture as a form sends it.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "it describes what is read field by field")]
pub(super) struct UploadForm {
    /// The picture.
    #[schema(value_type = String, format = Binary, content_media_type = "application/octet-stream")]
    file: Vec<u8>,
    /// What it shows, for those who do not see it.
    alt: Option<AltText>,
}

impl<S: Send + Sync> FromRequest<S> for Upload
where
    Uploads: FromRef<S>,
    Db: FromRef<S>,
    Clock: FromRef<S>,
{
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        let (mut parts, body) = request.into_parts();
        let kind = BodyKind::of(&parts)?;
        let Query(UploadQuery { alt }) = Query::from_request_parts(&mut parts, state).await?;
        check_length(&parts)?;
        let user = parts.extensions.get().and_then(|context: &RequestContext| context.user_id.get().copied());
        let user = user.ok_or(ApiError::Unauthenticated("Sign in first: this needs a bearer token."))?;
        let length = announced(&parts).map(|length| length.min(MAX_BODY));
        let place = Uploads::from_ref(state).enter(user, length.unwrap_or(MAX_BODY)).await?;
        // What grows while it is read takes twice as much.
        let capacity = length.unwrap_or_default();
        let (file, alt) = match kind {
            BodyKind::File => (read_file(body, capacity).await?, alt),
            BodyKind::Form(boundary) => {
                let mut stream = body.into_data_stream();
                let read = read_form(&mut stream, boundary, alt, capacity).await;
                if read.is_err() {
                    discard(stream).await;
                }
                read?
            }
        };
        // A form is written with another boundary each time.
        let mut identity = Sha256::digest(&file).to_vec();
        identity.extend_from_slice(alt.as_ref().map_or("", AltText::as_str).as_bytes());
        let key = Idempotency::of_body(&mut parts, &identity, state).await?;
        Ok(Self { key, file, alt, place })
    }
}

enum BodyKind {
    File,
    /// With that boundary.
    Form(String),
}

impl BodyKind {
    fn of(parts: &Parts) -> Result<Self, ApiError> {
        let value = parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let value = value.unwrap_or_default();
        if let Ok(boundary) = multer::parse_boundary(value) {
            return Ok(Self::Form(boundary));
        }
        let essence = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        // What it really is, its first bytes say.
        let is_file = essence == "application/octet-stream" || essence.starts_with("image/");
        if is_file && essence != "image/svg+xml" { Ok(Self::File) } else { Err(unsupported()) }
    }
}

fn unsupported() -> ApiError {
    ApiError::UnsupportedMedia(
        "The body must be a picture (JPEG, PNG, GIF or WebP) with its type in `Content-Type`, or `multipart/form-data` \
         with the field `file`.",
    )
}

fn announced(parts: &Parts) -> Option<usize> {
    parts.headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Clients that ask first send nothing in vain.
fn check_length(parts: &Parts) -> Result<(), ApiError> {
    let waits_for_continue = parts.headers.contains_key(header::EXPECT);
    if waits_for_continue && announced(parts).is_some_and(|length| length > MAX_BODY) {
        return Err(ApiError::TooLarge(MAX_FILE));
    }
    Ok(())
}

async fn read_file(body: Body, capacity: usize) -> Result<Vec<u8>, ApiError> {
    let mut stream = body.into_data_stream();
    let mut file = Vec::with_capacity(capacity);
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|_| ApiError::Unreadable("The body ended early.".into()))?;
        if file.len() + chunk.len() > MAX_FILE {
            drop(file);
            discard(stream).await;
            return Err(ApiError::TooLarge(MAX_FILE));
        }
        file.extend_from_slice(&chunk);
    }
    Ok(file)
}

/// Throws away what still comes, up to a limit, so that a client that is sending gets to read the response instead of a
/// reset connection.
async fn discard(mut stream: BodyDataStream) {
    let mut left = MAX_FILE;
    while let Some(Ok(chunk)) = stream.next().await {
        match left.checked_sub(chunk.len()) {
            Some(rest) => left = rest,
            None => return,
        }
    }
}

async fn read_form(
    stream: &mut BodyDataStream,
    boundary: String,
    mut alt: Option<AltText>,
    capacity: usize,
) -> Result<(Vec<u8>, Option<AltText>), ApiError> {
    let limits = SizeLimit::new()
        .whole_stream(MAX_BODY as u64)
        .for_field("file", MAX_FILE as u64)
        .per_field(MAX_FIELD as u64);
    let constraints = Constraints::new().size_limit(limits);
    let mut form = Multipart::with_constraints(stream, boundary, constraints);
    let mut file = None;
    while let Some(mut field) = form.next_field().await.map_err(unreadable)? {
        let name = field.name().unwrap_or_default().to_owned();
        match &*name {
            "file" if file.is_some() => return Err(duplicate("file")),
            "file" => {
                let mut bytes = Vec::with_capacity(capacity);
                while let Some(chunk) = field.chunk().await.map_err(unreadable)? {
                    bytes.extend_from_slice(&chunk);
                }
                file = Some(bytes);
            }
            "alt" if alt.is_some() => return Err(duplicate("alt")),
            "alt" => {
                let text = field.bytes().await.map_err(unreadable)?;
                let text = str::from_utf8(&text)
                    .map_err(|_| ApiError::invalid("alt", "wrong_type", "must be text in UTF-8"))?;
                // As forms send what was left blank.
                alt = Some(AltText::from(text)).filter(|alt| !alt.as_str().is_empty());
                let mut violations = Violations::default();
                violations.check("alt", &alt);
                violations.into_result()?;
            }
            _ => {
                let detail = "is not known here: expected `file` or `alt`";
                let field = if name.is_empty() { "body".to_owned() } else { name };
                return Err(ApiError::invalid(field, "unknown", detail));
            }
        }
    }
    let file = file.ok_or_else(|| ApiError::invalid("file", "required", "is required"))?;
    Ok((file, alt))
}

fn duplicate(field: &str) -> ApiError {
    ApiError::invalid(field, "duplicate", "is given twice")
}

fn unreadable(error: multer::Error) -> ApiError {
    match error {
        multer::Error::FieldSizeExceeded { field_name: Some(name), .. } if name != "file" => {
            ApiError::invalid(name, "too_long", format!("must have at most {MAX_FIELD} bytes"))
        }
        multer::Error::FieldSizeExceeded { .. } | multer::Error::StreamSizeExceeded { .. } => {
            ApiError::TooLarge(MAX_FILE)
        }
        error => ApiError::Unreadable(format!("The body is not a form: {error}.")),
    }
}
