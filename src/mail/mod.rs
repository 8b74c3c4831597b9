//! Mail that the service sends: composed in the user's language as text and HTML, and handed to an SMTP server or to
//! Amazon SES; in development to an outbox in memory. Whoever sends does it as a job, never while a request waits.

mod language;
mod letter;
mod message;
pub mod outbox;
mod ses;
mod smtp;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use lettre::Tokio1Executor;
use lettre::message::Mailbox;
use lettre::transport::smtp::AsyncSmtpTransport;
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

use crate::config::mail::{MailConfig, TransportConfig};
pub use language::{MailLanguage, PreferredLanguage};
pub use letter::{Letter, News, NewsItem};
pub use message::is_mailable;
use message::{Unsubscribe, Written};
use outbox::Outbox;
use ses::Ses;

/// Why mail cannot be sent with this configuration.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct BuildError(String);

/// Why a mail was not sent. It names no address, so that it can be logged.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// It may have been sent; it is tried again.
    #[error("{0}")]
    Unsure(String),
    /// It was not sent, and is tried again.
    #[error("{0}")]
    Unsent(String),
    /// It never will be.
    #[error("{0}")]
    Lasting(String),
    /// Nor will any other to this address.
    #[error("{0}")]
    NoMailbox(String),
}

/// Sends mail, or knows that there is none. Cheap to clone.
#[derive(Clone)]
pub struct Mailer(Option<Arc<Sender>>);

struct Sender {
    transport: Transport,
    from: Mailbox,
    api_url: String,
    account_url: String,
}

enum Transport {
    Outbox(Outbox),
    Smtp(Box<AsyncSmtpTransport<Tokio1Executor>>),
    Ses(Ses),
}

/// A mail to one person.
#[derive(Debug)]
pub struct Mail<'a> {
    /// Of the job, the same each time it is tried: mail servers and clients know a duplicate by it.
    pub id: Uuid,
    pub to: Recipient,
    /// The title of the site that it comes from.
    pub site: &'a str,
    pub letter: Letter,
    pub date: DateTime<Utc>,
    /// The token that ends mails like this one, unless the user has asked for it.
    pub unsubscribe: Option<SecretString>,
}

/// Whom a mail is for.
#[derive(Clone, Debug)]
pub struct Recipient {
    pub email: String,
    /// Of who has an account, or will have one.
    pub username: Option<String>,
    pub display_name: Option<String>,
    pub language: MailLanguage,
}

impl Recipient {
    fn name(&self) -> Option<&str> {
        self.display_name.as_deref().or(self.username.as_deref())
    }
}

impl Mailer {
    pub fn new(config: Option<&MailConfig>) -> Result<Self, BuildError> {
        let Some(config) = config else { return Ok(Self(None)) };
        let transport = match &config.transport {
            TransportConfig::Outbox { local } => Transport::Outbox(Outbox::new(*local)),
            TransportConfig::Smtp(config) => Transport::Smtp(Box::new(smtp::transport(config)?)),
            TransportConfig::Ses { configuration_set } => Transport::Ses(Ses::new(configuration_set.clone())),
        };
        let from = config.from.clone();
        let (api_url, account_url) = (config.api_url.clone(), config.account_url.clone());
        Ok(Self(Some(Arc::new(Sender { transport, from, api_url, account_url }))))
    }

    #[must_use]
    pub fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// The address of one of the account's pages. What is secret is in the fragment, which no server is sent.
    #[must_use]
    pub fn link(&self, page: &str, token: &SecretString) -> String {
        let base = self.0.as_ref().map_or("", |sender| &sender.account_url);
        format!("{base}/{page}#{}", token.expose_secret())
    }

    /// Where readers reach this service, without a slash at its end.
    #[must_use]
    pub fn api_url(&self) -> &str {
        self.0.as_ref().map_or("", |sender| &sender.api_url)
    }

    #[must_use]
    pub fn outbox(&self) -> Option<&Outbox> {
        match &self.0.as_ref()?.transport {
            Transport::Outbox(outbox) => Some(outbox),
            _ => None,
        }
    }

    pub async fn send(&self, mail: &Mail<'_>) -> Result<(), SendError> {
        let Some(sender) = &self.0 else {
            return Err(SendError::Unsent("MAIL_URL is not set any more".to_owned()));
        };
        let username = mail.to.username.as_deref().unwrap_or_default();
        let content = mail.letter.content(mail.to.language, username, mail.site);
        let unsubscribe = mail.unsubscribe.as_ref().map(|token| Unsubscribe {
            page: self.link("unsubscribe", token),
            endpoint: format!("{}/v1/unsubscriptions?token={}", sender.api_url, token.expose_secret()),
        });
        let written = Written::new(mail, content, unsubscribe)?;
        let message = written.message(mail, &sender.from)?;
        match &sender.transport {
            Transport::Outbox(outbox) => {
                outbox.put(mail, written);
                Ok(())
            }
            Transport::Smtp(transport) => smtp::send(transport, message).await,
            Transport::Ses(ses) => ses.send(&message).await,
        }
    }
}
