//! Objects in S3, with whatever credentials the AWS SDK finds: on ECS those of the task role. The bucket is private:
//! `MEDIA_PUBLIC_URL` is where they are delivered.

use std::time::Duration;

use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region};
use aws_sdk_s3::Client;
use aws_sdk_s3::config::RequestChecksumCalculation;
use aws_sdk_s3::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::ByteStream;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use tokio::sync::OnceCell;

use super::{CACHE_CONTROL, Object, StorageError};
use crate::config::media::S3Config;

/// With the SDK's retries.
const TIMEOUT: Duration = Duration::from_secs(30);
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(15);

pub(super) struct S3 {
    config: S3Config,
    client: OnceCell<Client>,
}

impl S3 {
    pub(super) fn new(config: S3Config) -> Self {
        Self { config, client: OnceCell::new() }
    }

    pub(super) async fn put(&self, object: Object) -> Result<(), StorageError> {
        let Object { name, content_type, bytes } = object;
        // S3 refuses what arrives with another.
        let checksum = STANDARD.encode(Sha256::digest(&bytes));
        let client = self.client().await;
        let request = client
            .put_object()
            .bucket(&self.config.bucket)
            .key(self.key(&name))
            .content_type(content_type)
            .cache_control(CACHE_CONTROL)
            .checksum_sha256(checksum)
            .body(ByteStream::from(bytes));
        request.send().await.map(drop).map_err(|error| explain(&error))
    }

    pub(super) async fn delete(&self, name: &str) -> Result<(), StorageError> {
        let client = self.client().await;
        let request = client.delete_object().bucket(&self.config.bucket).key(self.key(name));
        request.send().await.map(drop).map_err(|error| explain(&error))
    }

    fn key(&self, name: &str) -> String {
        match &*self.config.prefix {
            "" => name.to_owned(),
            prefix => format!("{prefix}/{name}"),
        }
    }

    async fn client(&self) -> &Client {
        self.client.get_or_init(|| client(&self.config)).await
    }
}

async fn client(config: &S3Config) -> Client {
    let timeouts = TimeoutConfig::builder()
        .operation_timeout(TIMEOUT)
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .build();
    let mut loader = aws_config::defaults(BehaviorVersion::latest()).timeout_config(timeouts);
    if let Some(region) = &config.region {
        loader = loader.region(Region::new(region.clone()));
    }
    let settings = aws_sdk_s3::config::Builder::from(&loader.load().await)
        .force_path_style(config.path_style)
        .request_checksum_calculation(RequestChecksumCalculation::WhenRequired);
    Client::from_conf(settings.build())
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
