//! `/media`: where media are in a folder of this machine, the service delivers them itself, and takes the files that S3 takes
//! elsewhere.

use std::io::{self, ErrorKind};

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, put};
use axum::{Extension, Router};
use serde::Deserialize;
use tokio_util::io::ReaderStream;

use crate::cache::{CachePolicy, Invalidates, Scope};
use crate::db::Db;
use crate::error::ApiError;
use crate::http::concurrency::Streamed;
use crate::http::default_headers::CROSS_ORIGIN_RESOURCE_POLICY;
use crate::http::extract::Path;
use crate::http::now::Now;
use crate::media::model::file::FileUploadPath;
use crate::media::storage::{ObjectType, Storage};
use crate::media::store;
use crate::state::AppState;

/// Where files are uploaded to, as [`crate::media::storage`] says it.
pub(super) const UPLOAD: &str = "/media/uploads/{id}";

/// Nothing in a file is run, whatever it is taken for.
const POLICY: HeaderValue = HeaderValue::from_static("default-src 'none'; sandbox; frame-ancestors 'none'");

#[derive(Debug, Deserialize)]
struct PicturePath {
    name: String,
}

#[derive(Debug, Deserialize)]
struct FilePath {
    hash: String,
    name: String,
}

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/media/{name}", get(picture))
        .route("/media/{hash}/{name}", get(file))
        .route(UPLOAD, put(receive))
}

async fn picture(storage: Storage, Path(path): Path<PicturePath>) -> Result<Response, ApiError> {
    read(&storage, &path.name).await
}

async fn file(storage: Storage, Path(FilePath { hash, name }): Path<FilePath>) -> Result<Response, ApiError> {
    read(&storage, &format!("{hash}/{name}")).await
}

async fn read(storage: &Storage, name: &str) -> Result<Response, ApiError> {
    let object_type = ObjectType::of(name).ok_or(ApiError::NotFound)?;
    let file = storage.open(name).await.map_err(unavailable)?;
    let length = file.metadata().await.map_err(unavailable)?.len();
    let etag =
        HeaderValue::try_from(format!("\"{name}\"")).map_err(|error| ApiError::Internal(error.into()))?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(object_type.content_type())),
        (header::CONTENT_LENGTH, length.into()),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::ETAG, etag),
        // Pages of other origins show them.
        (CROSS_ORIGIN_RESOURCE_POLICY, HeaderValue::from_static("cross-origin")),
    ];
    let attachment = matches!(object_type, ObjectType::File(_))
        .then(|| [(header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment"))]);
    let body = Body::from_stream(ReaderStream::new(file));
    Ok((CachePolicy::Immutable, headers, attachment, Extension(Streamed), body).into_response())
}

/// Who knows the id of an upload may store that file, as with an address that S3 has signed.
async fn receive(
    storage: Storage,
    State(db): State<Db>,
    Now(now): Now,
    Path(FileUploadPath { id }): Path<FileUploadPath>,
    body: Body,
) -> Result<(StatusCode, Invalidates), ApiError> {
    let pending = store::uploadable_file(&mut db.acquire().await?, id, now).await?;
    let pending = pending.ok_or(ApiError::NotFound)?;
    if !storage.receive(&pending.object, pending.bytes, body).await.map_err(unavailable)? {
        return Err(ApiError::invalid("body", "another_file", "is not the file that was announced"));
    }
    Ok((StatusCode::OK, Invalidates(Scope::Nothing)))
}

fn unavailable(error: io::Error) -> ApiError {
    match error.kind() {
        ErrorKind::NotFound => ApiError::NotFound,
        _ => ApiError::StorageUnavailable(error.into()),
    }
}
