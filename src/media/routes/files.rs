//! Files that are no pictures: announced here, uploaded to where objects are, and completed here.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::Response;
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::create::{Quota, over_quota};
use crate::auth::Author;
use crate::auth::scope::MEDIA_WRITE;
use crate::cache::{Invalidates, Scope};
use crate::db::Db;
use crate::error::ApiError;
use crate::http::conditional::Tagged;
use crate::http::extract::Path;
use crate::http::idempotency::{Idempotency, Idempotent, Write};
use crate::http::now::Now;
use crate::http::validation::{Validate, Violations};
use crate::media::model::Media;
use crate::media::model::file::{Checksum, File, FileType, FileUpload, FileUploadPath, Filename, MAX_BYTES};
use crate::media::storage::Storage;
use crate::media::store::{self, Announced};

/// A file that is to be uploaded.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AnnounceFile {
    /// What it is called.
    filename: Filename,
    /// Its type.
    content_type: FileType,
    /// How many bytes it has.
    #[schema(minimum = 1, maximum = 1_073_741_824, example = 48_213)]
    bytes: i64,
    /// Its SHA-256.
    sha256: Checksum,
}

impl Validate for AnnounceFile {
    fn validate(&self, violations: &mut Violations) {
        violations.check("filename", &self.filename);
        if !(1..=MAX_BYTES).contains(&self.bytes) {
            violations.add("bytes", "out_of_range", format!("must be from 1 to {MAX_BYTES}"));
        }
    }
}

/// Announce a file
///
/// A PDF, an archive, a recording or a film, of at most 1 GiB: upload it as the answer says, within an hour, and complete it
/// within a day. What is no picture is stored as it is, and saved by browsers instead of shown. It counts against the quota from now on.
#[utoipa::path(post, path = "/v1/media/uploads", tag = "media", request_body = AnnounceFile,
    security(("token" = ["media:write"])), responses(
    (status = 201, description = "Where and how to upload it", body = FileUpload),
    (status = 403, description = "Readers upload nothing"),
    (status = 409, description = "The caller has as many or as large files as the quota allows"),
    (status = 501, description = "No place for files is set up"),
))]
pub async fn announce(
    Author(user): Author<MEDIA_WRITE>,
    storage: Storage,
    State(Quota(quota)): State<Quota>,
    Now(now): Now,
    Idempotent(key, body): Idempotent<AnnounceFile>,
) -> Result<Response, ApiError> {
    let AnnounceFile { filename, content_type, bytes, sha256: Checksum(sha256) } = body;
    let file = File::new(filename.as_str().to_owned(), content_type, bytes, sha256);
    let id = Uuid::now_v7();
    let upload = storage.announce(id, &file, now).await?;
    // In a transaction: who is refused announces nothing.
    key.run(Some(user.id), async |write: &mut Write| {
        match store::announce_file(write, id, user.id, &file, quota, now).await? {
            Announced::Stored => Ok((StatusCode::CREATED, Invalidates(Scope::Nothing), axum::Json(upload))),
            Announced::OverQuota => Err(over_quota("bytes", quota)),
            Announced::Contended => Err(ApiError::Overloaded),
        }
    })
    .await
}

/// Complete a file
///
/// Once it is uploaded. Completed again, it is the same.
#[utoipa::path(post, path = "/v1/media/uploads/{id}/completion", tag = "media", params(FileUploadPath),
    security(("token" = ["media:write"])), responses(
    (status = 201, description = "The file", body = Media,
     headers(("Location" = String, description = "The path of the file"))),
    (status = 404, description = "No such upload, another user's, or one that was announced more than a day ago"),
    (status = 409, description = "The file has not arrived"),
    (status = 501, description = "No place for files is set up"),
))]
pub async fn complete(
    Author(user): Author<MEDIA_WRITE>,
    storage: Storage,
    State(db): State<Db>,
    Now(now): Now,
    Path(FileUploadPath { id }): Path<FileUploadPath>,
    key: Idempotency,
) -> Result<Response, ApiError> {
    let pending = store::pending_file(&mut db.acquire().await?, id, user.id, now).await?;
    if let Some(pending) = pending
        && !storage.has(&pending.object, pending.bytes).await?
    {
        return Err(ApiError::conflict("id", "not_uploaded", "has not arrived: upload it first"));
    }
    key.run(Some(user.id), async |write: &mut Write| {
        // If it was completed before, it is there.
        store::complete_file(write, id, user.id, now).await?;
        let media = store::find(write, id, Some(user.id)).await?.ok_or(ApiError::NotFound)?;
        let location = [(header::LOCATION, format!("/v1/media/{id}"))];
        // Nothing shows it yet.
        Ok((StatusCode::CREATED, location, Invalidates(Scope::Nothing), Tagged(media.shown(&storage))))
    })
    .await
}
