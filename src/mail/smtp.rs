//! Mail by SMTP: a connection for each.

use std::time::Duration;

use lettre::transport::smtp::AsyncSmtpTransport;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{AsyncTransport, Message, Tokio1Executor};
use secrecy::ExposeSecret;
use tokio::time::timeout;

use super::{BuildError, SendError};
use crate::causes::causes;
use crate::config::mail::{Encryption, SmtpConfig};

/// How long the server may take over a mail, from the connection to its last answer: some look into it before that.
const TIMEOUT: Duration = Duration::from_mins(5);

pub(super) fn transport(config: &SmtpConfig) -> Result<AsyncSmtpTransport<Tokio1Executor>, BuildError> {
    let tls = match config.encryption {
        Encryption::Tls => Tls::Wrapper(parameters(config)?),
        Encryption::StartTls => Tls::Required(parameters(config)?),
        Encryption::None => Tls::None,
    };
    let mut builder =
        AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&config.host).port(config.port).tls(tls);
    if let Some((user, password)) = &config.credentials {
        builder = builder.credentials(Credentials::new(user.clone(), password.expose_secret().to_owned()));
    }
    Ok(builder.build())
}

fn parameters(config: &SmtpConfig) -> Result<TlsParameters, BuildError> {
    let mut parameters = TlsParameters::builder(config.host.clone());
    if let Some(path) = &config.root_certificates {
        let wrong = |error: String| BuildError(format!("MAIL_SSL_ROOT_CERT: {}: {error}", path.display()));
        let pem = std::fs::read(path).map_err(|error| wrong(error.to_string()))?;
        let certificate = Certificate::from_pem(&pem).map_err(|error| wrong(causes(&error)))?;
        parameters = parameters.add_root_certificate(certificate);
    }
    parameters.build().map_err(|error| BuildError(format!("MAIL_URL: {}", causes(&error))))
}

pub(super) async fn send(
    transport: &AsyncSmtpTransport<Tokio1Executor>,
    message: Message,
) -> Result<(), SendError> {
    // lettre's own timeout is for the connection alone.
    match timeout(TIMEOUT, transport.send(message)).await {
        Ok(sent) => sent.map(drop).map_err(|error| explain(&error)),
        Err(_elapsed) => Err(SendError::Unsure("the mail server does not answer".to_owned())),
    }
}

/// What the server says may repeat the address, so of that only the code is told.
fn explain(error: &lettre::transport::smtp::Error) -> SendError {
    // What is no answer by the protocol is quoted in the error.
    if error.is_response() {
        return SendError::Unsure("the mail server's answer was not understood".to_owned());
    }
    let Some(code) = error.status() else {
        let text = format!("the mail server cannot be reached: {}", causes(error));
        // Of this kind lettre tells in words alone.
        let is_unconnected = error.to_string().starts_with("Connection error");
        return if is_unconnected { SendError::Unsent(text) } else { SendError::Unsure(text) };
    };
    let answer = format!("the mail server answered {code}");
    // Whatever else is permanent to SMTP, such as a refused password or sender, is for somebody to mend, and then the
    // mail is sent.
    if error.is_permanent() && is_about_recipient(&causes(error)) {
        SendError::NoMailbox(answer)
    } else {
        SendError::Unsent(answer)
    }
}

/// Whether an answer has an enhanced status code (RFC 3463) of a mailbox that is not there or takes no mail.
fn is_about_recipient(answer: &str) -> bool {
    let about = ["5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"];
    answer.split_whitespace().any(|word| about.contains(&word.trim_matches(|c: char| !c.is_ascii_digit())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_about_the_recipient_is_given_up() {
        for answer in ["permanent error (550): 5.1.1 <a@b> unknown", "5.2.1 disabled", "5.1.10 null MX"] {
            assert!(is_about_recipient(answer), "{answer}");
        }
        for answer in
            ["550 no", "554 5.7.1 Relay access denied", "552 5.2.2 full", "553 5.1.8 sender", "15.1.1"]
        {
            assert!(!is_about_recipient(answer), "{answer}");
        }
    }
}
