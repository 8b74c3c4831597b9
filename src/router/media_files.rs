//! `/media`: where media are in a folder of this machine, the service delivers them itself.

use std::io::ErrorKind;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Deserialize;

use crate::cache::CachePolicy;
use crate::error::ApiError;
use crate::http::default_headers::CROSS_ORIGIN_RESOURCE_POLICY;
use crate::http::extract::Path;
use crate::media::storage::{self, Storage};
use crate::state::AppState;

/// Nothing in a file is run, whatever it is taken for.
const POLICY: HeaderValue = HeaderValue::from_static("default-src 'none'; sandbox; frame-ancestors 'none'");

#[derive(Debug, Deserialize)]
struct FilePath {
    name: String,
}

pub(super) fn routes() -> Router<AppState> {
    Router::new().route("/media/{name}", get(read))
}

async fn read(storage: Storage, Path(FilePath { name }): Path<FilePath>) -> Result<Response, ApiError> {
    let content_type = storage::content_type(&name).ok_or(ApiError::NotFound)?;
    let bytes = storage.read(&name).await.map_err(|error| match error.kind() {
        ErrorKind::NotFound => ApiError::NotFound,
        _ => ApiError::StorageUnavailable(error.into()),
    })?;
    let etag =
        HeaderValue::try_from(format!("\"{name}\"")).map_err(|error| ApiError::Internal(error.into()))?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(content_type)),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::ETAG, etag),
        // Pages of other origins show them.
        (CROSS_ORIGIN_RESOURCE_POLICY, HeaderValue::from_static("cross-origin")),
    ];
    Ok((CachePolicy::Immutable, headers, Body::from(bytes)).into_response())
}
