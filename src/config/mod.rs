//! The configuration: typed, all of it from the environment, checked at boot. Every variable the service
//! reads is read here, and an error names the variable and what is wrong with it.

pub mod egress;
pub mod mail;
pub mod media;
mod parse;
pub mod secrets;

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use axum::http::HeaderValue;
use secrecy::SecretString;
use sqlx::postgres::PgSslMode;

use crate::identity::Role;
use crate::language::Language;
use egress::Allow;
use mail::MailConfig;
use media::{MediaConfig, QuotaConfig};
use parse::Variables;

/// Where the service runs, which decides defaults and what is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Environment {
    /// On a developer's machine or in a test.
    Development,
    Production,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    Text,
    /// For CloudWatch and its like: one JSON object a line.
    Json,
}

/// `SIGN_UP`: who makes an account for themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignUp {
    /// Everybody, at once.
    Open,
    /// Who shows that they read the address; others do not learn whether it has an account.
    Verified,
    /// Who is invited.
    Closed,
}

/// Everything that can be configured. `Debug` shows no secret.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub struct Config {
    pub environment: Environment,
    pub port: u16,
    /// `METRICS_PORT`, never reached through the load balancer.
    pub metrics_port: u16,
    /// `METRICS_NAMESPACE`: where in CloudWatch the service's own numbers go, once a minute.
    pub metrics_namespace: Option<String>,
    /// `LOG_LEVEL`, in the syntax of `RUST_LOG`.
    pub log_level: String,
    pub log_format: LogFormat,
    pub database: DatabaseConfig,
    pub migrate_on_start: bool,
    /// `DRAIN_DELAY`: how long requests are still accepted after the signal to stop.
    pub drain_delay: Duration,
    /// `SHUTDOWN_TIMEOUT`: how long requests in flight may take after that.
    pub shutdown_timeout: Duration,
    /// `TRUSTED_PROXY_HOPS`: how many proxies append to `X-Forwarded-For` and write `X-Forwarded-Proto`.
    pub trusted_proxy_hops: usize,
    /// `PUBLIC_URL`: the address of the site that readers see, without a slash at its end.
    pub public_url: Option<String>,
    /// `MAIL_URL` and what belongs to it; `None` if there is no mail.
    pub mail: Option<MailConfig>,
    /// `MEDIA_URL` and what belongs to it; `None` if nothing can be uploaded.
    pub media: Option<MediaConfig>,
    pub media_quota: QuotaConfig,
    /// `WEBHOOKS`: whether there is a way to receivers.
    pub webhooks: bool,
    /// `WEBHOOK_ALLOW`: what may be called although it is not public.
    pub webhook_allow: Allow,
    /// `MAIL_EVENTS_TOKEN_SHA256`.
    pub mail_events_token_hash: Option<[u8; 32]>,
    /// `RATE_LIMIT_ADDRESS`: how many requests a minute each client address may make.
    pub rate_limit_address: Option<NonZeroU32>,
    /// `RATE_LIMIT_ACCOUNT`: how many requests a minute each account may make.
    pub rate_limit_account: Option<NonZeroU32>,
    /// `RATE_LIMIT_ACCOUNT_KIB`: how many KiB an hour each account may send.
    pub rate_limit_account_kib: Option<NonZeroU32>,
    /// `ADDRESS_CONCURRENCY`: how many connections each client address may have open, or behind proxies how
    /// many requests in flight.
    pub address_concurrency: Option<NonZeroU32>,
    /// `ATTEMPT_LIMITS`: whether sign-in and sign-up may be tried only so often.
    pub attempt_limits: bool,
    /// `CACHE_MAX_BYTES`: how much memory the cache of responses takes; 0 is no cache.
    pub cache_max_bytes: u64,
    pub cors_allowed_origins: Vec<HeaderValue>,
    pub default_role: Role,
    pub sign_up: SignUp,
    /// `DEFAULT_LANGUAGE` of a new post, and of a search that names none.
    pub default_language: Language,
    /// `PASSWORD_BLOCKLIST`: whether common passwords are refused.
    pub password_blocklist: bool,
    /// `REQUIRE_IF_MATCH`: whether a change must say which version it changes.
    pub require_if_match: bool,
}

#[derive(Clone, Debug)]
pub struct DatabaseConfig {
    /// Where it is and who connects; without it, development starts a private PostgreSQL.
    pub location: Option<Location>,
    /// `DB_APP_SECRET_ID`: the secret of the role that `migrate` makes for the service.
    pub app_secret_id: Option<String>,
    /// `DB_READER_HOST`: a replica that anonymous reads go to.
    pub reader_host: Option<String>,
    /// `DB_SSL_MODE`; wins over the URL's `sslmode`.
    pub ssl_mode: Option<PgSslMode>,
    pub ssl_roots: SslRoots,
    /// `DB_MAX_CONNECTIONS` of this process.
    pub max_connections: u32,
    /// `DB_ACQUIRE_TIMEOUT`: how long a request waits for a connection.
    pub acquire_timeout: Duration,
    /// `DB_STATEMENT_TIMEOUT`: how long PostgreSQL works on one statement.
    pub statement_timeout: Duration,
}

#[derive(Clone, Debug)]
pub enum Location {
    /// `DATABASE_URL`.
    Url(SecretString),
    /// `DB_SECRET_ID` and what fills its gaps.
    Secret {
        /// Its name or ARN.
        id: String,
        /// `DB_HOST`; else the secret's.
        host: Option<String>,
        /// `DB_PORT`; else the secret's, else 5432.
        port: Option<u16>,
        /// `DB_NAME`; else the secret's.
        name: Option<String>,
    },
}

/// The roots that a database's certificate may come from, beside the public ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SslRoots {
    Public,
    /// Those of Amazon RDS, which are in the binary.
    Rds,
    /// `DB_SSL_ROOT_CERT`: those in a PEM file.
    File(PathBuf),
}

/// Everything wrong with the environment, a line for each variable.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub struct ConfigError(Vec<String>);

impl Config {
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::from_variables(|name| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned()))
    }

    /// Reads the configuration from `variable`, which gives the value of a name.
    pub fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let mut env = Variables::new(variable);
        let environment = env.choice("ENVIRONMENT", &ENVIRONMENTS).unwrap_or(Environment::Development);
        let production = environment == Environment::Production;
        let by_environment = |production_secs, else_secs| {
            Duration::from_secs(if production { production_secs } else { else_secs })
        };
        let port = env.parse("PORT", "a port number").unwrap_or(8000);
        let mail = mail::read(&mut env, production, port);
        let media = media::read(&mut env, production, port);
        let sign_up = env.choice("SIGN_UP", &SIGN_UP).unwrap_or(SignUp::Open);
        if sign_up == SignUp::Verified && mail.is_none() && !env.has_error("MAIL_URL") {
            env.error("SIGN_UP", "cannot be `verified` without mail: set MAIL_URL");
        }
        let config = Self {
            environment,
            port,
            metrics_port: env.parse("METRICS_PORT", "a port number").unwrap_or(9000),
            metrics_namespace: env.namespace("METRICS_NAMESPACE"),
            log_level: env.log_filter("LOG_LEVEL").unwrap_or_else(|| "info".into()),
            log_format: env.choice("LOG_FORMAT", &LOG_FORMATS).unwrap_or(if production {
                LogFormat::Json
            } else {
                LogFormat::Text
            }),
            database: DatabaseConfig::read(&mut env, production),
            migrate_on_start: env.choice("MIGRATE_ON_START", &BOOLEANS).unwrap_or(!production),
            drain_delay: env.duration("DRAIN_DELAY").unwrap_or(by_environment(20, 0)),
            shutdown_timeout: env.duration("SHUTDOWN_TIMEOUT").unwrap_or(by_environment(60, 5)),
            trusted_proxy_hops: env.parse("TRUSTED_PROXY_HOPS", "a number of proxies").unwrap_or(0),
            public_url: env.public_url("PUBLIC_URL"),
            mail,
            media,
            media_quota: media::quota(&mut env),
            webhooks: env.choice("WEBHOOKS", &SWITCH).unwrap_or(true),
            webhook_allow: egress::read(&mut env),
            mail_events_token_hash: env.sha256("MAIL_EVENTS_TOKEN_SHA256"),
            rate_limit_address: env.number_or_off("RATE_LIMIT_ADDRESS", 600),
            rate_limit_account: env.number_or_off("RATE_LIMIT_ACCOUNT", 1200),
            rate_limit_account_kib: env.number_or_off("RATE_LIMIT_ACCOUNT_KIB", 64 * 1024),
            address_concurrency: env.number_or_off("ADDRESS_CONCURRENCY", 100),
            attempt_limits: env.choice("ATTEMPT_LIMITS", &SWITCH).unwrap_or(true),
            cache_max_bytes: env.parse("CACHE_MAX_BYTES", "a number of bytes").unwrap_or(64 * 1024 * 1024),
            cors_allowed_origins: env.origins("CORS_ALLOWED_ORIGINS"),
            default_role: env.choice("DEFAULT_ROLE", &SIGN_UP_ROLES).unwrap_or(Role::Author),
            sign_up,
            default_language: env.choice("DEFAULT_LANGUAGE", Language::ALL).unwrap_or(Language::English),
            password_blocklist: env.choice("PASSWORD_BLOCKLIST", &SWITCH).unwrap_or(true),
            require_if_match: env.choice("REQUIRE_IF_MATCH", &SWITCH).unwrap_or(false),
        };
        env.finish().map_err(ConfigError)?;
        Ok(config)
    }
}

impl DatabaseConfig {
    fn read(env: &mut Variables<'_>, production: bool) -> Self {
        let location = Location::read(env);
        if production && location.is_none() && !env.has_error("DATABASE_URL") {
            env.error("DB_SECRET_ID", "or DATABASE_URL is required in production");
        }
        let mut ssl_mode = env.choice("DB_SSL_MODE", &SSL_MODES);
        if production && !matches!(*ssl_mode.get_or_insert(PgSslMode::VerifyFull), PgSslMode::VerifyFull) {
            env.error("DB_SSL_MODE", "must be verify-full in production");
        }
        let ssl_roots = match env.pem_file("DB_SSL_ROOT_CERT") {
            Some(path) => SslRoots::File(path),
            None if production => SslRoots::Rds,
            None => SslRoots::Public,
        };
        Self {
            location,
            app_secret_id: env.text("DB_APP_SECRET_ID"),
            reader_host: env.text("DB_READER_HOST"),
            ssl_mode,
            ssl_roots,
            max_connections: env.positive("DB_MAX_CONNECTIONS").unwrap_or(10),
            acquire_timeout: env.duration("DB_ACQUIRE_TIMEOUT").unwrap_or(Duration::from_secs(3)),
            statement_timeout: env.duration("DB_STATEMENT_TIMEOUT").unwrap_or(Duration::from_secs(4)),
        }
    }
}

impl Location {
    fn read(env: &mut Variables<'_>) -> Option<Self> {
        let (url, id) = (env.database_url("DATABASE_URL"), env.text("DB_SECRET_ID"));
        let (host, name) = (env.text("DB_HOST"), env.text("DB_NAME"));
        let port = env.parse("DB_PORT", "a port number");
        if let Some(url) = url {
            return Some(Self::Url(url));
        }
        if let Some(id) = id {
            return Some(Self::Secret { id, host, port, name });
        }
        if host.is_some() && !env.has_error("DATABASE_URL") {
            env.error("DB_HOST", "needs DB_SECRET_ID, which has the credentials");
        }
        None
    }
}

const ENVIRONMENTS: [(&str, Environment); 2] =
    [("development", Environment::Development), ("production", Environment::Production)];
const LOG_FORMATS: [(&str, LogFormat); 2] = [("text", LogFormat::Text), ("json", LogFormat::Json)];
const BOOLEANS: [(&str, bool); 2] = [("true", true), ("false", false)];
const SWITCH: [(&str, bool); 2] = [("on", true), ("off", false)];
/// Nobody becomes an editor or an admin by signing up.
const SIGN_UP_ROLES: [(&str, Role); 2] = [("author", Role::Author), ("reader", Role::Reader)];
const SIGN_UP: [(&str, SignUp); 3] =
    [("open", SignUp::Open), ("verified", SignUp::Verified), ("closed", SignUp::Closed)];
const SSL_MODES: [(&str, PgSslMode); 6] = [
    ("disable", PgSslMode::Disable),
    ("allow", PgSslMode::Allow),
    ("prefer", PgSslMode::Prefer),
    ("require", PgSslMode::Require),
    ("verify-ca", PgSslMode::VerifyCa),
    ("verify-full", PgSslMode::VerifyFull),
];

#[cfg(test)]
mod tests;
