//! Uploading.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::Response;
use uuid::Uuid;

use super::body::{Upload, UploadForm, UploadQuery};
use crate::auth::Author;
use crate::auth::scope::MEDIA_WRITE;
use crate::cache::{Invalidates, Scope};
use crate::config::media::QuotaConfig;
use crate::db::Db;
use crate::error::ApiError;
use crate::http::conditional::Tagged;
use crate::http::idempotency::Write;
use crate::http::now::Now;
use crate::media::model::Media;
use crate::media::storage::Storage;
use crate::media::{store, upload};

/// How much of media each user may have.
#[derive(Clone, Copy)]
pub struct Quota(pub QuotaConfig);

/// Upload a picture
///
/// JPEG, PNG, GIF or WebP, of at most 20 MiB and 40 megapixels. It is turned upright, made at most 4096 pixels wide and
/// high, and stored without what its file says of camera, place and time; animations keep their size. The same picture
/// uploaded twice is stored once. Authors have a quota.
#[utoipa::path(post, path = "/v1/media", tag = "media", params(UploadQuery), security(("token" = ["media:write"])),
    request_body(content(
        ("image/jpeg"), ("image/png"), ("image/gif"), ("image/webp"), (UploadForm = "multipart/form-data"),
    )),
    responses(
    (status = 201, description = "The picture", body = Media,
     headers(("Location" = String, description = "The path of the picture"))),
    (status = 403, description = "Readers upload nothing"),
    (status = 409, description = "The caller has as many or as large files as the quota allows"),
    (status = 413, description = "The file is too large"),
    (status = 415, description = "The file is no JPEG, PNG, GIF or WebP"),
    (status = 501, description = "No place for files is set up"),
))]
pub async fn create(
    Author(user): Author<MEDIA_WRITE>,
    storage: Storage,
    State(db): State<Db>,
    State(Quota(quota)): State<Quota>,
    Now(now): Now,
    Upload { key, file, alt, place }: Upload,
) -> Result<Response, ApiError> {
    let stored = upload::store(&db, &storage, file, now).await?;
    drop(place);
    let id = Uuid::now_v7();
    let new = stored.into_new(id, user.id, alt.map(|alt| alt.as_str().to_owned()));
    key.run_statement(Some(user.id), async |write: &mut Write| {
        if !store::insert(write, &new, quota, now).await? {
            return Err(over_quota("file", quota));
        }
        let location = [(header::LOCATION, format!("/v1/media/{id}"))];
        // Nothing shows it yet.
        Ok((StatusCode::CREATED, location, Invalidates(Scope::Nothing), Tagged(new.shown(&storage, now))))
    })
    .await
}

pub(super) fn over_quota(field: &str, quota: QuotaConfig) -> ApiError {
    let mib = quota.bytes / (1024 * 1024);
    let detail = format!("is more than you may have: {} files, and {mib} MiB together", quota.files);
    ApiError::conflict(field, "quota_exceeded", detail)
}
