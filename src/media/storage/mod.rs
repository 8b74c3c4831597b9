//! Where the bytes of media are: objects that never change, each named by the SHA-256 of its bytes, in a folder of this
//! machine or in S3.

mod directory;
mod s3;

use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::Arc;

use axum::extract::{FromRef, FromRequestParts};
use axum::http::request::Parts;
use sha2::{Digest, Sha256};

use crate::config::media::{MediaConfig, PlaceConfig};
use crate::error::ApiError;
use crate::media::picture::Format;
use s3::S3;

/// How long everybody may keep an object: a year, in seconds, as long as HTTP knows.
pub const CACHE_CONTROL: &str = "public, max-age=31536000, immutable";

/// Why an object was not stored or deleted. It names no object, so that it can be logged.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    #[error("the folder of media: {0}")]
    Directory(#[from] io::Error),
    #[error("S3 answered {0}")]
    Refused(String),
    #[error("S3 cannot be reached: {0}")]
    Unreachable(String),
}

impl From<StorageError> for ApiError {
    fn from(error: StorageError) -> Self {
        Self::StorageUnavailable(error.into())
    }
}

/// What is to be stored.
#[derive(Debug)]
pub struct Object {
    /// The SHA-256 of its bytes in hexadecimal digits, and the extension of its type.
    pub name: String,
    pub content_type: &'static str,
    pub bytes: Vec<u8>,
}

impl Object {
    #[must_use]
    pub fn new(bytes: Vec<u8>, content_type: &'static str, extension: &str) -> Self {
        let hash = hex::encode(Sha256::digest(&bytes));
        Self { name: format!("{hash}.{extension}"), content_type, bytes }
    }
}

/// The place of the objects, for handlers that need one: without `MEDIA_URL` they are not reached. Cheap to clone.
#[derive(Clone)]
pub struct Storage(Arc<Inner>);

struct Inner {
    place: Place,
    public_url: String,
}

enum Place {
    Directory(Box<Path>),
    S3(S3),
}

impl Storage {
    #[must_use]
    pub fn new(config: &MediaConfig) -> Self {
        let place = match &config.place {
            PlaceConfig::Directory(path) => Place::Directory(path.as_path().into()),
            PlaceConfig::S3(config) => Place::S3(S3::new(config.clone())),
        };
        Self(Arc::new(Inner { place, public_url: config.public_url.clone() }))
    }

    /// Where everybody reads the object.
    #[must_use]
    pub fn url(&self, name: &str) -> String {
        format!("{}/{name}", self.0.public_url)
    }

    /// The bytes of an object in a folder. Those in S3 are delivered by others, and not found.
    pub async fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        match &self.0.place {
            Place::Directory(path) => directory::read(path, name).await,
            Place::S3(_) => Err(ErrorKind::NotFound.into()),
        }
    }

    /// Stores an object; one that is there already is the same.
    pub async fn put(&self, object: Object) -> Result<(), StorageError> {
        let result = match &self.0.place {
            Place::Directory(path) => directory::put(path, &object).await.map_err(StorageError::from),
            Place::S3(s3) => s3.put(object).await,
        };
        result.inspect_err(|_| count_error("put"))
    }

    /// Deletes an object; one that is not there is gone already.
    pub async fn delete(&self, name: &str) -> Result<(), StorageError> {
        let result = match &self.0.place {
            Place::Directory(path) => directory::delete(path, name).await.map_err(StorageError::from),
            Place::S3(s3) => s3.delete(name).await,
        };
        result.inspect_err(|_| count_error("delete"))
    }
}

/// The type of the object with that name.
#[must_use]
pub fn content_type(name: &str) -> Option<&'static str> {
    let (_, extension) = name.rsplit_once('.')?;
    Format::ALL.into_iter().find(|format| format.extension() == extension).map(Format::content_type)
}

fn count_error(operation: &'static str) {
    metrics::counter!("media_storage_errors_total", "operation" => operation).increment(1);
}

/// [`Storage`], if there is one. A type of its own, since `Option` is axum's.
#[derive(Clone)]
pub struct MaybeStorage(pub Option<Storage>);

impl<S: Send + Sync> FromRequestParts<S> for Storage
where
    MaybeStorage: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request_parts(_parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        MaybeStorage::from_ref(state).0.ok_or(ApiError::MediaOff)
    }
}
