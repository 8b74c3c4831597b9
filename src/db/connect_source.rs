//! Where new connections go, and as whom: fixed for `DATABASE_URL`, read again from Secrets Manager when
//! the password has been rotated.

use std::str::FromStr;
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use metrics::{Counter, counter};
use secrecy::ExposeSecret;
use sqlx::postgres::PgConnectOptions;
use tokio::sync::Mutex;

use crate::config::secrets::{DatabaseSecret, SecretError, SecretReader};
use crate::config::{DatabaseConfig, Location, SslRoots};

/// How often a new version of the secret is looked for, beside whenever the database refuses this one.
pub const REFRESH_INTERVAL: Duration = Duration::from_mins(5);

/// AWS publishes this set of roots as its "global bundle".
const RDS_ROOTS: &[u8] = include_bytes!("../../certs/rds-global-bundle.pem");

#[derive(Debug, thiserror::Error)]
pub enum ConnectSourceError {
    #[error("DATABASE_URL: {0}")]
    Url(sqlx::Error),
    #[error("DB_SECRET_ID {0}")]
    Secret(#[from] SecretError),
    #[error("{variable} is required: the secret of DB_SECRET_ID has no `{key}`")]
    Missing { variable: &'static str, key: &'static str },
}

impl ConnectSourceError {
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Secret(error) if error.is_transient)
    }
}

/// Host, port, database, TLS, role and password of new connections. `Debug` shows no secret.
#[derive(Debug)]
pub struct ConnectSource {
    current: RwLock<Version>,
    secret: Option<Secret>,
}

/// The options, and how many versions there were before them.
#[derive(Clone, Debug)]
pub(super) struct Version {
    pub(super) number: u64,
    pub(super) options: PgConnectOptions,
}

#[derive(Debug)]
struct Secret {
    reader: SecretReader,
    location: Location,
    config: DatabaseConfig,
    /// What the current options were made of; held while the secret is read, so that it is read once for
    /// all connections that were refused.
    last: Mutex<DatabaseSecret>,
}

impl ConnectSource {
    pub async fn load(location: &Location, config: &DatabaseConfig) -> Result<Self, ConnectSourceError> {
        match location {
            Location::Url(url) => {
                let options =
                    PgConnectOptions::from_str(url.expose_secret()).map_err(ConnectSourceError::Url)?;
                Ok(Self::fixed(with_tls(options, config)))
            }
            Location::Secret { id, .. } => Self::read(SecretReader::new(id).await, location, config).await,
        }
    }

    async fn read(
        reader: SecretReader,
        location: &Location,
        config: &DatabaseConfig,
    ) -> Result<Self, ConnectSourceError> {
        let secret = reader.read().await?;
        for outcome in ["changed", "unchanged", "failed"] {
            refreshes(outcome).increment(0);
        }
        let options = with_tls(options(location, &secret)?, config);
        let current = RwLock::new(Version { number: 0, options });
        let last = Mutex::new(secret);
        let (location, config) = (location.clone(), config.clone());
        Ok(Self { current, secret: Some(Secret { reader, location, config, last }) })
    }

    #[must_use]
    pub fn fixed(options: PgConnectOptions) -> Self {
        Self { current: RwLock::new(Version { number: 0, options }), secret: None }
    }

    #[must_use]
    pub fn options(&self) -> PgConnectOptions {
        self.current().options
    }

    pub(super) fn current(&self) -> Version {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    #[must_use]
    pub fn can_rotate(&self) -> bool {
        self.secret.is_some()
    }

    /// Reads the secret again, unless that has been done since version `refused` was taken. True if there are
    /// newer credentials now; after an error, the credentials stay as they are.
    pub(super) async fn refresh(&self, refused: u64) -> Result<bool, ConnectSourceError> {
        let Some(secret) = &self.secret else {
            return Ok(false);
        };
        let mut last = secret.last.lock().await;
        if self.current().number != refused {
            return Ok(true);
        }
        let result = secret.changed_since(&last).await;
        let outcome = match &result {
            Ok(Some(_)) => "changed",
            Ok(None) => "unchanged",
            Err(_) => "failed",
        };
        refreshes(outcome).increment(1);
        let Some((read, options)) = result? else {
            return Ok(false);
        };
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        *current = Version { number: refused + 1, options };
        *last = read;
        tracing::info!("the database credentials have been rotated");
        Ok(true)
    }

    /// Looks for a new version of the secret each `interval`, for ever. A rotation that no new connection has
    /// noticed yet is found before the old password stops working.
    pub async fn keep_fresh(&self, interval: Duration) {
        loop {
            tokio::time::sleep(interval).await;
            if let Err(error) = self.refresh(self.current().number).await {
                tracing::warn!(cause = %error, "cannot look for new database credentials");
            }
        }
    }
}

fn refreshes(outcome: &'static str) -> Counter {
    counter!("db_secret_refreshes_total", "result" => outcome)
}

impl Secret {
    /// The secret and the options it makes, if it is another than `last`.
    async fn changed_since(
        &self,
        last: &DatabaseSecret,
    ) -> Result<Option<(DatabaseSecret, PgConnectOptions)>, ConnectSourceError> {
        let secret = self.reader.read().await?;
        if secret == *last {
            return Ok(None);
        }
        let options = with_tls(options(&self.location, &secret)?, &self.config);
        Ok(Some((secret, options)))
    }
}

/// The environment wins over the secret, which has what the environment does not say.
fn options(location: &Location, secret: &DatabaseSecret) -> Result<PgConnectOptions, ConnectSourceError> {
    let (host, port, name) = match location {
        Location::Secret { host, port, name, .. } => (host.as_deref(), *port, name.as_deref()),
        Location::Url(_) => (None, None, None),
    };
    let missing = |variable, key| ConnectSourceError::Missing { variable, key };
    let host = host.or(secret.host.as_deref()).ok_or_else(|| missing("DB_HOST", "host"))?;
    let name = name.or(secret.dbname.as_deref()).ok_or_else(|| missing("DB_NAME", "dbname"))?;
    Ok(PgConnectOptions::new_without_pgpass()
        .host(host)
        .port(port.or(secret.port).unwrap_or(5432))
        .database(name)
        .username(&secret.username)
        .password(secret.password.expose_secret()))
}

fn with_tls(options: PgConnectOptions, config: &DatabaseConfig) -> PgConnectOptions {
    let mode = config.ssl_mode.unwrap_or(options.get_ssl_mode());
    let options = options.ssl_mode(mode);
    match &config.ssl_roots {
        SslRoots::Public => options,
        SslRoots::Rds => options.ssl_root_cert_from_pem(RDS_ROOTS.to_vec()),
        SslRoots::File(path) => options.ssl_root_cert(path),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use axum::Router;
    use axum::response::IntoResponse;
    use axum::routing::post;
    use serde_json::json;
    use sqlx::ConnectOptions;

    use super::*;
    use crate::config::Config;

    /// By the timer alone, and also after a reading that has failed.
    #[tokio::test]
    async fn a_new_version_is_found_by_looking_from_time_to_time() {
        let secret = |password: &str| {
            json!({"username": "blog", "password": password, "host": "db.example", "dbname": "blog"})
                .to_string()
        };
        let text = Arc::new(std::sync::Mutex::new(secret("first")));
        let response = {
            let text = text.clone();
            async move || axum::Json(json!({"SecretString": *text.lock().unwrap()})).into_response()
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(axum::serve(listener, Router::new().route("/", post(response))).into_future());

        let config = Config::from_variables(|name| (name == "DB_SECRET_ID").then(|| "blog".into())).unwrap();
        let location = config.database.location.clone().unwrap();
        let reader = SecretReader::at(&endpoint);
        let credentials = Arc::new(ConnectSource::read(reader, &location, &config.database).await.unwrap());
        let password = || credentials.options().to_url_lossy().password().unwrap().to_owned();
        assert_eq!(password(), "first");
        tokio::spawn({
            let credentials = credentials.clone();
            async move { credentials.keep_fresh(Duration::from_millis(1)).await }
        });
        *text.lock().unwrap() = "no JSON".to_owned();
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert_eq!(password(), "first");
        *text.lock().unwrap() = secret("second");
        let found = async {
            while password() != "second" {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), found).await.unwrap();
        assert_eq!(credentials.current().number, 1);
    }
}
