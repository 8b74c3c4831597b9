//! Objects in S3, with whatever credentials the AWS SDK finds: on ECS those of the task role. The bucket is private:
//! `MEDIA_PUBLIC_URL` is where they are delivered.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region};
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_sdk_s3::Client;
use aws_sdk_s3::config::RequestChecksumCalculation;
use aws_sdk_s3::error::{BoxError, DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::ChecksumMode;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use tokio::sync::OnceCell;

use super::{Object, StorageError};
use crate::cache::IMMUTABLE;
use crate::config::media::S3Config;
use crate::media::model::file::File;

/// With the SDK's retries.
const TIMEOUT: Duration = Duration::from_secs(30);
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(15);

pub(super) struct S3 {
    config: S3Config,
    access: OnceCell<Access>,
}

struct Access {
    client: Client,
    credentials: Option<SharedCredentialsProvider>,
}

/// A request that whoever has it may send.
pub(super) struct SignedPut {
    pub(super) url: String,
    pub(super) headers: BTreeMap<String, String>,
    /// When the credentials expire that it is signed with.
    pub(super) expires_at: Option<DateTime<Utc>>,
}

impl S3 {
    pub(super) fn new(config: S3Config) -> Self {
        Self { config, access: OnceCell::new() }
    }

    pub(super) async fn put(&self, object: Object) -> Result<(), StorageError> {
        let Object { name, sha256, content_type, bytes } = object;
        let client = self.client().await;
        let request = client
            .put_object()
            .bucket(&self.config.bucket)
            .key(self.key(&name))
            .content_type(content_type)
            .cache_control(IMMUTABLE)
            // S3 refuses what arrives with another.
            .checksum_sha256(STANDARD.encode(sha256))
            .body(ByteStream::from(bytes));
        request.send().await.map(drop).map_err(|error| explain(&error))
    }

    pub(super) async fn delete(&self, name: &str) -> Result<(), StorageError> {
        let client = self.client().await;
        let request = client.delete_object().bucket(&self.config.bucket).key(self.key(name));
        request.send().await.map(drop).map_err(|error| explain(&error))
    }

    /// A request that stores `file` if it begins `within` that time.
    pub(super) async fn sign(&self, file: &File, within: Duration) -> Result<SignedPut, StorageError> {
        let unsigned = |error: BoxError| StorageError::Unreachable(DisplayErrorContext(&*error).to_string());
        let presigning = PresigningConfig::expires_in(within).map_err(|error| unsigned(error.into()))?;
        let Access { client, credentials } = self.access().await;
        let credentials = credentials.as_ref().ok_or_else(|| unsigned("there are no credentials".into()))?;
        let credentials = credentials.provide_credentials().await.map_err(|error| unsigned(error.into()))?;
        let expires_at = credentials.expiry().map(DateTime::from);
        let settings = client.config().to_builder().credentials_provider(credentials);
        let request = Client::from_conf(settings.build())
            .put_object()
            .bucket(&self.config.bucket)
            .key(self.key(&file.object))
            .content_type(file.content_type.as_str())
            .content_length(file.bytes)
            .content_disposition("attachment")
            // Or somebody could add one to what others have.
            .content_encoding("identity")
            .cache_control(IMMUTABLE)
            .checksum_sha256(STANDARD.encode(file.sha256));
        let request = request.presigned(presigning).await.map_err(|error| explain(&error))?;
        let headers = request.headers().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Ok(SignedPut { url: request.uri().to_owned(), headers, expires_at })
    }

    /// Whether there is an object with so many bytes and the SHA-256 that its name begins with. That it is not there S3 tells
    /// those alone who may list the bucket.
    pub(super) async fn has(&self, name: &str, bytes: i64) -> Result<bool, StorageError> {
        let Some(sha256) = name.get(..64).and_then(|digits| hex::decode(digits).ok()) else {
            return Ok(false);
        };
        let client = self.client().await;
        let request = client.head_object().bucket(&self.config.bucket).key(self.key(name));
        match request.checksum_mode(ChecksumMode::Enabled).send().await {
            Ok(head) => {
                let is_checked = head.checksum_sha256() == Some(STANDARD.encode(sha256).as_str());
                Ok(is_checked && head.content_length() == Some(bytes))
            }
            Err(SdkError::ServiceError(context)) if context.err().is_not_found() => Ok(false),
            Err(error) => Err(explain(&error)),
        }
    }

    fn key(&self, name: &str) -> String {
        match &*self.config.prefix {
            "" => name.to_owned(),
            prefix => format!("{prefix}/{name}"),
        }
    }

    async fn client(&self) -> &Client {
        &self.access().await.client
    }

    async fn access(&self) -> &Access {
        self.access.get_or_init(|| access(&self.config)).await
    }
}

async fn access(config: &S3Config) -> Access {
    let timeouts = TimeoutConfig::builder()
        .operation_timeout(TIMEOUT)
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .build();
    let mut loader = aws_config::defaults(BehaviorVersion::latest()).timeout_config(timeouts);
    if let Some(region) = &config.region {
        loader = loader.region(Region::new(region.clone()));
    }
    let shared = loader.load().await;
    let settings = aws_sdk_s3::config::Builder::from(&shared)
        .force_path_style(config.path_style)
        .request_checksum_calculation(RequestChecksumCalculation::WhenRequired);
    Access { client: Client::from_conf(settings.build()), credentials: shared.credentials_provider() }
}

fn explain<E: ProvideErrorMetadata + std::error::Error + 'static>(error: &SdkError<E>) -> StorageError {
    match error {
        SdkError::ServiceError(context) => {
            let status = context.raw().status().as_u16();
            StorageError::Refused(format!("{status} {}", context.err().code().unwrap_or("without a code")))
        }
        SdkError::ResponseError(_) => StorageError::Refused("what was not understood".to_owned()),
        _ => StorageError::Unreachable(DisplayErrorContext(error).to_string()),
    }
}
