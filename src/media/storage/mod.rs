//! Where the bytes of media are: objects that never change, each named by the SHA-256 of its bytes, in a folder of this
//! machine or in S3.

mod directory;
mod s3;

use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{FromRef, FromRequestParts};
use axum::http::request::Parts;
use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::config::media::{MediaConfig, PlaceConfig};
use crate::error::ApiError;
use crate::media::model::file::{BEGINS_WITHIN, File, FileType, FileUpload};
use crate::media::picture::Format;
use s3::S3;

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
    pub sha256: [u8; 32],
    pub content_type: &'static str,
    pub bytes: Vec<u8>,
}

impl Object {
    #[must_use]
    pub fn new(bytes: Vec<u8>, content_type: &'static str, extension: &str) -> Self {
        let sha256 = Sha256::digest(&bytes).into();
        Self { name: format!("{}.{extension}", hex::encode(sha256)), sha256, content_type, bytes }
    }
}

/// The place of the objects, for handlers that need one: without `MEDIA_URL` they are not reached. Cheap to clone.
#[derive(Clone)]
pub struct Storage(Arc<Inner>);

struct Inner {
    place: Place,
    public_url: String,
    api_url: String,
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
        let (public_url, api_url) = (config.public_url.clone(), config.api_url.clone());
        Self(Arc::new(Inner { place, public_url, api_url }))
    }

    /// Where everybody reads the object.
    #[must_use]
    pub fn url(&self, name: &str) -> String {
        format!("{}/{name}", self.0.public_url)
    }

    /// An object in a folder. Those in S3 are delivered by others, and not found.
    pub async fn open(&self, name: &str) -> io::Result<tokio::fs::File> {
        match &self.0.place {
            Place::Directory(path) => directory::open(path, name).await,
            Place::S3(_) => Err(ErrorKind::NotFound.into()),
        }
    }

    /// How a file gets to its place without passing through memory: S3 takes it itself, and of a folder the service does.
    pub async fn announce(
        &self,
        id: Uuid,
        file: &File,
        now: DateTime<Utc>,
    ) -> Result<FileUpload, StorageError> {
        let expires_at = now + BEGINS_WITHIN;
        let (url, headers, expires_at) = match &self.0.place {
            Place::Directory(_) => {
                (format!("{}/media/uploads/{id}", self.0.api_url), directory::headers(file), expires_at)
            }
            Place::S3(s3) => {
                let signed = s3.sign(file, BEGINS_WITHIN).await.inspect_err(|_| count_error("sign"))?;
                let end = signed.expires_at.map_or(expires_at, |end| end.min(expires_at));
                (signed.url, signed.headers, end)
            }
        };
        Ok(FileUpload { id, method: "PUT", url, headers, expires_at })
    }

    /// Takes the file of an object into a folder, as S3 takes it elsewhere; false if it is not that file.
    pub async fn receive(&self, name: &str, bytes: i64, body: Body) -> io::Result<bool> {
        match &self.0.place {
            Place::Directory(path) => directory::receive(path, name, bytes, body).await,
            Place::S3(_) => Err(ErrorKind::NotFound.into()),
        }
    }

    /// Whether an object of so many bytes has arrived.
    pub async fn has(&self, name: &str, bytes: i64) -> Result<bool, StorageError> {
        let found = match &self.0.place {
            Place::Directory(path) => directory::has(path, name, bytes).await.map_err(StorageError::from),
            Place::S3(s3) => s3.has(name, bytes).await,
        };
        found.inspect_err(|_| count_error("head"))
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

/// What the object with that name is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObjectType {
    Picture(Format),
    File(FileType),
}

impl ObjectType {
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        let (_, extension) = name.rsplit_once('.')?;
        let format = Format::ALL.into_iter().find(|format| format.extension() == extension);
        format.map(Self::Picture).or_else(|| FileType::of_extension(extension).map(Self::File))
    }

    #[must_use]
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Picture(format) => format.content_type(),
            Self::File(content_type) => content_type.as_str(),
        }
    }
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
