//! Mail: where it leaves, and where links in it lead.

use std::path::PathBuf;

use lettre::message::Mailbox;
use percent_encoding::percent_decode_str;
use secrecy::SecretString;
use url::Url;

use super::parse::Variables;

/// How mail leaves, if it does.
#[derive(Clone, Debug)]
pub struct MailConfig {
    /// `MAIL_URL`.
    pub transport: TransportConfig,
    /// `MAIL_FROM`.
    pub from: Mailbox,
    /// `API_URL`: where readers reach this service, without a slash at its end.
    pub api_url: String,
    /// `ACCOUNT_URL`: where the pages are that links in mails open, without a slash at its end.
    pub account_url: String,
}

#[derive(Clone, Debug)]
pub enum TransportConfig {
    /// Keeps mails in memory, for development.
    Outbox {
        /// Whether they are shown to clients on this machine alone.
        local: bool,
    },
    Smtp(SmtpConfig),
    Ses {
        configuration_set: Option<String>,
    },
}

#[derive(Clone, Debug)]
pub struct SmtpConfig {
    pub host: String,
    pub port: u16,
    pub encryption: Encryption,
    pub credentials: Option<(String, SecretString)>,
    /// `MAIL_SSL_ROOT_CERT`: a PEM file of roots to trust beside the public ones.
    pub root_certificates: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encryption {
    /// From the first byte.
    Tls,
    /// After `STARTTLS`, without which nothing is sent.
    StartTls,
    None,
}

const FORM: &str = "must be `smtp://user:password@host:587`, `smtps://…`, `ses:`, with a configuration set `ses:NAME`, or `off`; in development `outbox`";

/// `None` if there is no mail: in production without `MAIL_URL`. In development mails are shown: to everybody if that is
/// asked for, or if the database is the private one, in which there is nothing of others.
pub(super) fn read(env: &mut Variables<'_>, production: bool, port: u16) -> Option<MailConfig> {
    let is_private = env.text("DATABASE_URL").is_none() && env.text("DB_SECRET_ID").is_none();
    let roots = env.pem_file("MAIL_SSL_ROOT_CERT");
    let (url, from) = (env.text("MAIL_URL"), env.mailbox("MAIL_FROM"));
    let (api_url, account_url) = (env.public_url("API_URL"), env.public_url("ACCOUNT_URL"));
    let transport = match url.as_deref() {
        Some("off") => return None,
        None if production => return None,
        None => TransportConfig::Outbox { local: !is_private },
        Some("outbox") if !production => TransportConfig::Outbox { local: false },
        Some(url) => match transport(url) {
            Some(TransportConfig::Smtp(smtp)) => {
                TransportConfig::Smtp(SmtpConfig { root_certificates: roots, ..smtp })
            }
            Some(other) => other,
            None => {
                env.error("MAIL_URL", FORM);
                return None;
            }
        },
    };
    if from.is_none() && url.as_deref().is_some_and(|url| url != "outbox") && !env.has_error("MAIL_FROM") {
        env.error("MAIL_FROM", "is required with MAIL_URL, like `My blog <blog@example.com>`");
    }
    let api_url = match api_url {
        Some(url) => url,
        None if production => {
            env.error(
                "API_URL",
                "is required with MAIL_URL, like `https://api.blog.example`: links in mails lead there",
            );
            return None;
        }
        None => format!("http://localhost:{port}"),
    };
    Some(MailConfig {
        transport,
        from: from.or_else(|| "blog-api <blog@localhost>".parse().ok())?,
        account_url: account_url.unwrap_or_else(|| format!("{api_url}/account")),
        api_url,
    })
}

fn transport(text: &str) -> Option<TransportConfig> {
    let url = Url::parse(text).ok()?;
    if url.scheme() == "ses" {
        let is_plain = url.host().is_none() && url.query().is_none() && url.fragment().is_none();
        let is_name = url.path().bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
        let configuration_set = Some(url.path().to_owned()).filter(|name| !name.is_empty());
        return (is_plain && is_name).then_some(TransportConfig::Ses { configuration_set });
    }
    let (encryption, port) = match (url.scheme(), url.query()) {
        ("smtps", None) => (Encryption::Tls, 465),
        ("smtp", None) => (Encryption::StartTls, 587),
        // A password never goes in the clear.
        ("smtp", Some("tls=none")) if url.username().is_empty() => (Encryption::None, 25),
        _ => return None,
    };
    if !matches!(url.path(), "" | "/") || url.fragment().is_some() {
        return None;
    }
    let decoded = |text: &str| percent_decode_str(text).decode_utf8().ok().map(std::borrow::Cow::into_owned);
    let credentials = match (url.username(), url.password()) {
        ("", None) => None,
        ("", Some(_)) | (_, None) => return None,
        (user, Some(password)) => Some((decoded(user)?, decoded(password)?.into())),
    };
    let host = url.host_str().filter(|host| !host.is_empty())?.trim_matches(['[', ']']).to_owned();
    let port = url.port().unwrap_or(port);
    Some(TransportConfig::Smtp(SmtpConfig { host, port, encryption, credentials, root_certificates: None }))
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    fn smtp(url: &str) -> SmtpConfig {
        match transport(url) {
            Some(TransportConfig::Smtp(config)) => config,
            other => unreachable!("{url}: {other:?}"),
        }
    }

    #[test]
    fn smtp_is_encrypted_unless_it_is_said_otherwise() {
        for (url, host, port, encryption) in [
            ("smtp://mail.example", "mail.example", 587, Encryption::StartTls),
            ("smtps://mail.example/", "mail.example", 465, Encryption::Tls),
            ("smtp://[::1]:2525?tls=none", "::1", 2525, Encryption::None),
        ] {
            let read = smtp(url);
            assert_eq!((&*read.host, read.port, read.encryption), (host, port, encryption));
            assert!(read.credentials.is_none());
        }
        let read = smtp("smtps://ada%40example.com:p%3Ass@mail.example:2465");
        let (user, password) = read.credentials.unwrap();
        assert_eq!((read.port, &*user, password.expose_secret()), (2465, "ada@example.com", "p:ss"));
    }

    #[test]
    fn ses_may_have_a_configuration_set() {
        for (url, expected) in [("ses:", None), ("ses:blog-api", Some("blog-api"))] {
            let expected = expected.map(str::to_owned);
            assert!(
                matches!(transport(url), Some(TransportConfig::Ses { configuration_set }) if configuration_set == expected)
            );
        }
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for url in [
            "mail.example",
            "http://mail.example",
            "smtp://",
            "smtp:mail.example",
            "smtp://user@mail.example",
            "smtp://:password@mail.example",
            "smtp://user:password@mail.example?tls=none",
            "smtp://mail.example?tls=opportunistic",
            "smtps://mail.example?tls=none",
            "smtp://mail.example/path",
            "smtp://mail.example#fragment",
            "smtp://mail.example:99999",
            "ses://host",
            "ses:a/b",
            "ses:a?b",
        ] {
            assert!(transport(url).is_none(), "{url}");
        }
    }
}
