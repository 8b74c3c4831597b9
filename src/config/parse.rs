//! Reads variables by kind and collects what is wrong with them. An empty variable counts as unset.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use axum::http::{HeaderValue, Uri};
use lettre::message::Mailbox;
use secrecy::SecretString;
use sqlx::postgres::PgConnectOptions;
use tracing_subscriber::EnvFilter;

type Lookup<'a> = dyn Fn(&str) -> Option<String> + 'a;

pub(super) struct Variables<'a> {
    variable: Box<Lookup<'a>>,
    errors: Vec<String>,
}

impl<'a> Variables<'a> {
    pub(super) fn new(variable: impl Fn(&str) -> Option<String> + 'a) -> Self {
        Self { variable: Box::new(variable), errors: Vec::new() }
    }

    pub(super) fn finish(self) -> Result<(), Vec<String>> {
        if self.errors.is_empty() { Ok(()) } else { Err(self.errors) }
    }

    pub(super) fn error(&mut self, name: &str, problem: &str) {
        self.errors.push(format!("{name} {problem}"));
    }

    pub(super) fn has_error(&self, name: &str) -> bool {
        self.errors.iter().any(|error| error.starts_with(name))
    }

    pub(super) fn text(&self, name: &str) -> Option<String> {
        (self.variable)(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
    }

    pub(super) fn parse<T: FromStr>(&mut self, name: &str, what: &str) -> Option<T> {
        let value = self.text(name)?;
        let parsed = value.parse().ok();
        if parsed.is_none() {
            self.error(name, &format!("must be {what}, not `{value}`"));
        }
        parsed
    }

    pub(super) fn positive(&mut self, name: &str) -> Option<u32> {
        let number = self.parse(name, "a number of at least 1")?;
        if number == 0 {
            self.error(name, "must be a number of at least 1, not `0`");
        }
        Some(number)
    }

    /// Requests a minute, or whatever else is counted; `off` is no limit.
    pub(super) fn number_or_off(&mut self, name: &str, default: u32) -> Option<NonZeroU32> {
        match self.text(name) {
            None => NonZeroU32::new(default),
            Some(value) if value.eq_ignore_ascii_case("off") => None,
            Some(_) => self.parse(name, "a number of at least 1, or off"),
        }
    }

    pub(super) fn choice<T: Clone>(&mut self, name: &str, choices: &[(&str, T)]) -> Option<T> {
        let value = self.text(name)?;
        let chosen = choices.iter().find(|(choice, _)| choice.eq_ignore_ascii_case(&value));
        if chosen.is_none() {
            let known: Vec<_> = choices.iter().map(|(choice, _)| *choice).collect();
            self.error(name, &format!("must be one of {}, not `{value}`", known.join(", ")));
        }
        chosen.map(|(_, choice)| choice.clone())
    }

    /// 64 hexadecimal digits.
    pub(super) fn sha256(&mut self, name: &str) -> Option<[u8; 32]> {
        let value = self.text(name)?;
        let digits: Option<Vec<u8>> =
            value.chars().map(|digit| digit.to_digit(16).and_then(|digit| digit.try_into().ok())).collect();
        let bytes = digits.map(|digits| {
            digits.chunks(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect()
        });
        let hash = bytes.filter(|_| value.len() == 64).and_then(|bytes: Vec<u8>| bytes.try_into().ok());
        if hash.is_none() {
            self.error(name, "must be a SHA-256 hash in 64 hexadecimal digits, as `sha256sum` writes it");
        }
        hash
    }

    /// Seconds (`20`) or a number with its unit (`500ms`, `2min`).
    pub(super) fn duration(&mut self, name: &str) -> Option<Duration> {
        let value = self.text(name)?;
        let seconds = value.parse().map(Duration::from_secs).ok();
        let duration = seconds.or_else(|| humantime::parse_duration(&value).ok());
        if duration.is_none() {
            self.error(name, &format!("must be a duration like `20s` or `500ms`, not `{value}`"));
        }
        duration
    }

    pub(super) fn namespace(&mut self, name: &str) -> Option<String> {
        let value = self.text(name)?;
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-/#".contains(&byte);
        if value.len() > 255 || !value.bytes().all(is_allowed) || value.starts_with("AWS/") {
            self.error(
                name,
                &format!("must be letters, digits and ._-/# and not begin with AWS/, not `{value}`"),
            );
        }
        Some(value)
    }

    pub(super) fn log_filter(&mut self, name: &str) -> Option<String> {
        let value = self.text(name)?;
        if let Err(error) = EnvFilter::try_new(&value) {
            self.error(name, &format!("must be a level or a RUST_LOG filter: {error}"));
        }
        Some(value)
    }

    /// The value is a secret: errors do not show it.
    pub(super) fn database_url(&mut self, name: &str) -> Option<SecretString> {
        let value = self.text(name)?;
        let scheme = ["postgres://", "postgresql://"].iter().any(|scheme| value.starts_with(scheme));
        if !scheme || PgConnectOptions::from_str(&value).is_err() {
            self.error(name, "must be a URL like postgres://user:password@host:5432/name");
            return None;
        }
        Some(value.into())
    }

    /// The path of a readable file with certificates.
    pub(super) fn pem_file(&mut self, name: &str) -> Option<PathBuf> {
        let path = PathBuf::from(self.text(name)?);
        let problem = match std::fs::read_to_string(&path) {
            Ok(text) if text.contains("-----BEGIN CERTIFICATE-----") => return Some(path),
            Ok(_) => "has no certificate in PEM format".to_owned(),
            Err(error) => format!("cannot be read: {error}"),
        };
        self.error(name, &format!("{}: {problem}", path.display()));
        None
    }

    pub(super) fn public_url(&mut self, name: &str) -> Option<String> {
        let value = self.text(name)?;
        let is_address = Uri::from_str(&value).is_ok_and(|uri| {
            matches!(uri.scheme_str(), Some("http" | "https"))
                && uri.authority().is_some_and(|authority| !authority.as_str().contains('@'))
                && !value.contains(['?', '#'])
                && !value.ends_with('/')
        });
        if !is_address {
            let problem = "must be a URL like https://blog.example, without a query or a slash at its end";
            self.error(name, &format!("{problem}, not `{value}`"));
        }
        Some(value)
    }

    pub(super) fn mailbox(&mut self, name: &str) -> Option<Mailbox> {
        self.parse(name, "an address like `My blog <blog@example.com>`")
    }

    pub(super) fn origins(&mut self, name: &str) -> Vec<HeaderValue> {
        let Some(value) = self.text(name) else {
            return Vec::new();
        };
        let mut origins = Vec::new();
        for origin in value.split(',').map(str::trim).filter(|origin| !origin.is_empty()) {
            let is_origin = Uri::from_str(origin).is_ok_and(|uri| {
                uri.scheme().is_some()
                    && uri.authority().is_some()
                    && !origin.ends_with('/')
                    && uri.path() == "/"
            });
            match HeaderValue::from_str(origin) {
                Ok(header) if is_origin => origins.push(header),
                _ => {
                    self.error(name, &format!("must list origins like https://blog.example, not `{origin}`"));
                }
            }
        }
        origins
    }
}
