//! Mail by Amazon SES, with whatever credentials the AWS SDK finds: on ECS those of the task role.

use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_sesv2::Client;
use aws_sdk_sesv2::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_sesv2::operation::send_email::SendEmailError;
use aws_sdk_sesv2::primitives::Blob;
use aws_sdk_sesv2::types::{EmailContent, RawMessage};
use lettre::Message;
use tokio::sync::OnceCell;

use super::SendError;

/// With the SDK's retries.
const TIMEOUT: Duration = Duration::from_secs(20);

pub(super) struct Ses {
    client: OnceCell<Client>,
    configuration_set: Option<String>,
}

impl Ses {
    pub(super) fn new(configuration_set: Option<String>) -> Self {
        Self { client: OnceCell::new(), configuration_set }
    }

    pub(super) async fn send(&self, message: &Message) -> Result<(), SendError> {
        let client = self.client.get_or_init(client).await;
        let raw = RawMessage::builder().data(Blob::new(message.formatted())).build();
        let raw = raw.map_err(|error| SendError::Lasting(error.to_string()))?;
        let request = client
            .send_email()
            .content(EmailContent::builder().raw(raw).build())
            .set_configuration_set_name(self.configuration_set.clone());
        request.send().await.map(drop).map_err(|error| explain(&error))
    }
}

async fn client() -> Client {
    let timeouts = TimeoutConfig::builder().operation_timeout(TIMEOUT).build();
    Client::new(&aws_config::defaults(BehaviorVersion::latest()).timeout_config(timeouts).load().await)
}

/// Of an answer only the code is told: its words may repeat the address.
fn explain(error: &SdkError<SendEmailError>) -> SendError {
    let context = match error {
        SdkError::ServiceError(context) => context,
        SdkError::ResponseError(_) => {
            return SendError::Unsure("the answer of SES was not understood".to_owned());
        }
        _ => return SendError::Unsure(format!("SES cannot be reached: {}", DisplayErrorContext(error))),
    };
    let answer = format!("SES answered {}", context.err().code().unwrap_or("without a code"));
    // A message that is rejected is one of an identity that somebody has to verify, and is sent then.
    match context.err() {
        SendEmailError::BadRequestException(_) => SendError::Lasting(answer),
        _ => SendError::Unsent(answer),
    }
}
