//! Secrets from AWS Secrets Manager, above all the database's credentials, found as every AWS SDK finds its way there: region,
//! endpoint and credentials from the usual variables, on ECS those of the task role.

use std::error::Error;
use std::time::Duration;

use aws_config::imds::client::error::ImdsError;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region};
use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::{ProvideErrorMetadata, SdkError};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer};

use crate::causes::{causes, chain};

/// One attempt; then retries with exponential back-off and jitter; then the whole call.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(3);
const ATTEMPTS: u32 = 4;
const CALL_TIMEOUT: Duration = Duration::from_secs(12);

/// What RDS writes into a secret. A secret that RDS manages itself holds only the first two.
#[derive(Clone, Debug, Deserialize)]
pub struct DatabaseSecret {
    pub username: String,
    pub password: SecretString,
    pub host: Option<String>,
    /// The server's port, which some write as text.
    #[serde(default, deserialize_with = "port")]
    pub port: Option<u16>,
    #[serde(alias = "dbName")]
    pub dbname: Option<String>,
}

impl PartialEq for DatabaseSecret {
    fn eq(&self, other: &Self) -> bool {
        (&self.username, self.password.expose_secret(), &self.host, self.port, &self.dbname)
            == (&other.username, other.password.expose_secret(), &other.host, other.port, &other.dbname)
    }
}

/// Why a secret could not be had, in words that say what to change. It never holds the secret's value.
#[derive(Debug, thiserror::Error)]
#[error("{id}: {problem}")]
pub struct SecretError {
    id: String,
    problem: String,
    /// Whether it may pass by itself; if not, someone has to change something.
    pub is_transient: bool,
}

#[derive(Clone, Debug)]
pub struct SecretReader {
    client: Client,
    id: String,
}

impl SecretReader {
    /// A reader of the secret with this name or ARN. Asks nothing yet.
    pub async fn new(id: &str) -> Self {
        let timeouts = TimeoutConfig::builder()
            .operation_attempt_timeout(ATTEMPT_TIMEOUT)
            .operation_timeout(CALL_TIMEOUT)
            .build();
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .timeout_config(timeouts)
            .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS));
        if let Some(region) = region_of_arn(id) {
            loader = loader.region(Region::new(region.to_owned()));
        }
        Self { client: Client::new(&loader.load().await), id: id.to_owned() }
    }

    /// A reader of whatever secret the server at `endpoint` gives.
    #[cfg(test)]
    pub(crate) fn at(endpoint: &str) -> Self {
        use aws_sdk_secretsmanager::config::{Builder, Credentials};

        let config = Builder::new()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::from_static("eu-central-1"))
            .credentials_provider(Credentials::new("key", "secret", None, None, "test"))
            .endpoint_url(endpoint);
        Self { client: Client::from_conf(config.build()), id: "test".to_owned() }
    }

    pub async fn read(&self) -> Result<DatabaseSecret, SecretError> {
        let text = self.text().await?;
        parse(text.expose_secret()).map_err(|problem| self.permanent(problem))
    }

    /// A password: the whole text of the secret, or its `password` if that is a JSON object, as RDS writes it and
    /// the console.
    pub async fn password(&self) -> Result<SecretString, SecretError> {
        let text = self.text().await?;
        password(text.expose_secret()).map_err(|problem| self.permanent(problem))
    }

    async fn text(&self) -> Result<SecretString, SecretError> {
        if self.client.config().region().is_none() {
            return Err(self.permanent("no AWS region is set: set AWS_REGION, or give the secret's ARN"));
        }
        let response = self.client.get_secret_value().secret_id(&self.id).send().await;
        let value = response.map_err(|error| self.explain(&error))?;
        let text = value.secret_string().ok_or_else(|| self.permanent("is binary: it must be text"))?;
        Ok(text.into())
    }

    fn permanent(&self, problem: impl Into<String>) -> SecretError {
        SecretError { id: self.id.clone(), problem: problem.into(), is_transient: false }
    }

    fn explain<E>(&self, error: &SdkError<E>) -> SecretError
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let (problem, is_transient) = match error {
            SdkError::ServiceError(context) => {
                let (error, status) = (context.err(), context.raw().status());
                let code = error.code().map_or_else(|| format!("HTTP {status}"), str::to_owned);
                let said = error.message().unwrap_or("no reason given");
                match remedy(&code) {
                    Some(remedy) => (format!("{remedy} ({code}: {said})"), false),
                    None => (format!("Secrets Manager failed: {code}: {said}"), true),
                }
            }
            error => match chain(error).find_map(<dyn Error>::downcast_ref) {
                Some(
                    CredentialsError::CredentialsNotLoaded(_) | CredentialsError::InvalidConfiguration(_),
                ) => (NO_CREDENTIALS.to_owned(), false),
                // The instance metadata is what the chain ends with, and ECS has none.
                Some(error) if chain(error).any(<dyn Error>::is::<ImdsError>) => {
                    (format!("{NO_CREDENTIALS} ({})", causes(error)), false)
                }
                Some(error) => (format!("AWS gives no credentials now: {}", causes(error)), true),
                None => (format!("{UNREACHABLE} ({})", causes(error)), true),
            },
        };
        SecretError { id: self.id.clone(), problem, is_transient }
    }
}

const NO_CREDENTIALS: &str = "there are no AWS credentials to ask with: on ECS set `taskRoleArn` in the task \
    definition (the execution role is not what the container uses); elsewhere set AWS_PROFILE or AWS_ACCESS_KEY_ID \
    and AWS_SECRET_ACCESS_KEY";
const UNREACHABLE: &str = "Secrets Manager cannot be reached: a private subnet needs a NAT gateway or the \
    interface endpoint `secretsmanager`, whose security group lets the task in on 443";

/// What to change, for the errors that do not pass.
fn remedy(code: &str) -> Option<&'static str> {
    Some(match code {
        "AccessDeniedException" | "AccessDenied" => {
            "access denied: allow the task role `secretsmanager:GetSecretValue` on this secret, and `kms:Decrypt` \
             on its key if the key is your own"
        }
        "ResourceNotFoundException" => {
            "not found: it must be the name or ARN of a secret in this region and account"
        }
        "DecryptionFailure" => {
            "cannot be decrypted: allow the task role `kms:Decrypt` on the secret's key, and enable the key"
        }
        "InvalidRequestException" => "cannot be read: it has no current version, or is marked for deletion",
        "ValidationException" | "InvalidParameterException" => "is not the name or ARN of a secret",
        "UnrecognizedClientException"
        | "InvalidClientTokenId"
        | "InvalidSignatureException"
        | "SignatureDoesNotMatch"
        | "IncompleteSignature"
        | "ExpiredTokenException" => {
            "the AWS credentials are not valid: check the task role, or the AWS variables"
        }
        _ => return None,
    })
}

/// The text is a secret: errors of serde show parts of it, so they are put in other words.
fn parse(text: &str) -> Result<DatabaseSecret, String> {
    let value: serde_json::Value = serde_json::from_str(text)
        .map_err(|_| "is not JSON: RDS writes {\"username\": …, \"password\": …}")?;
    for key in ["username", "password"] {
        if value[key].as_str().is_none_or(str::is_empty) {
            return Err(format!("has no `{key}`, or it is not text"));
        }
    }
    serde_json::from_value(value)
        .map_err(|_| "`host` and `dbname` must be text and `port` a port number".to_owned())
}

fn password(text: &str) -> Result<SecretString, &'static str> {
    let password = match serde_json::from_str(text) {
        Ok(serde_json::Value::Object(fields)) => {
            let password = fields.get("password").and_then(|password| password.as_str());
            password.ok_or("has no `password`, or it is not text")?.to_owned()
        }
        // A file that was made with `echo` ends with a line break.
        _ => text.trim_end_matches(['\r', '\n']).to_owned(),
    };
    if password.is_empty() { Err("is empty") } else { Ok(password.into()) }
}

fn port<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u16>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Port {
        Number(u16),
        Text(String),
    }
    Ok(match Option::deserialize(deserializer)? {
        None => None,
        Some(Port::Number(number)) => Some(number),
        Some(Port::Text(text)) => Some(text.parse().map_err(serde::de::Error::custom)?),
    })
}

/// `arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME`.
fn region_of_arn(id: &str) -> Option<&str> {
    id.strip_prefix("arn:")?.split(':').nth(2).filter(|region| !region.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shapes_that_rds_writes_are_read() {
        let managed = parse(r#"{"username": "blog", "password": "p\"w"}"#).unwrap();
        assert_eq!((managed.username.as_str(), managed.password.expose_secret()), ("blog", "p\"w"));
        assert!(managed.host.is_none() && managed.port.is_none() && managed.dbname.is_none());
        for port in ["5432", "\"5432\""] {
            let full = parse(&format!(
                r#"{{"engine": "postgres", "host": "db.example", "username": "u", "password": "p", "dbname": "blog", "port": {port}}}"#
            ));
            let full = full.unwrap();
            assert_eq!(
                (full.host.as_deref(), full.port, full.dbname.as_deref()),
                (Some("db.example"), Some(5432), Some("blog"))
            );
        }
    }

    #[test]
    fn a_password_is_the_text_or_a_field_of_it() {
        for text in ["correct horse", "correct horse\n", r#"{"password": "correct horse"}"#] {
            assert_eq!(password(text).unwrap().expose_secret(), "correct horse", "{text}");
        }
        // A password may look like JSON.
        assert_eq!(password("[1234567890]").unwrap().expose_secret(), "[1234567890]");
        for text in ["", "\n", r#"{"password": ""}"#, r#"{"password": 1}"#, r#"{"secret": "hunter2"}"#] {
            assert!(!password(text).unwrap_err().contains("hunter2"), "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_without_the_value() {
        for (text, said) in [
            ("hunter2", "is not JSON"),
            ("[\"hunter2\"]", "`username`"),
            (r#"{"username": "u", "pasword": "hunter2"}"#, "`password`"),
            (r#"{"username": "u", "password": ""}"#, "`password`"),
            (r#"{"username": "u", "password": "hunter2", "port": "hunter2"}"#, "`port`"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(said) && !error.contains("hunter2"), "{text}: {error}");
        }
    }

    #[test]
    fn an_arn_says_its_region() {
        let arn = "arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:blog-api/database-AbCdEf";
        assert_eq!(region_of_arn(arn), Some("ap-northeast-2"));
        assert_eq!(region_of_arn("blog-api/database"), None);
    }

    #[test]
    fn a_secret_is_not_in_debug_output() {
        let secret = parse(r#"{"username": "blog", "password": "hunter2"}"#).unwrap();
        assert!(!format!("{secret:?}").contains("hunter2"));
    }
}
