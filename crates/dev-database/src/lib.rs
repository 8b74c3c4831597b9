//! A private PostgreSQL for development and tests, started from the binaries on this machine.
//!
//! The server runs under a small shell that holds the other end of a pipe: however this process ends, even
//! by `kill -9`, the pipe closes and the shell stops the server. It listens on a socket in a folder that
//! only its owner can enter, so it needs neither a port nor a password.

mod binaries;
mod data_dir;
mod error;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::{Duration, Instant};

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection};

use binaries::Binaries;
use data_dir::{DataDir, STOP_TIMEOUT, USER};
pub use error::Error;

const DATABASE: &str = "blog";

/// How long starting may take, crash recovery included.
const START_TIMEOUT: Duration = Duration::from_mins(1);

/// A running private server. It stops when this is dropped or the process ends.
#[derive(Debug)]
pub struct Server {
    supervisor: Child,
    socket_dir: PathBuf,
    /// Held while the server runs; the system releases it however the process ends.
    _lock: Option<File>,
}

impl Server {
    /// Starts the development server on the data in `dir`, which is made if need be.
    pub async fn start(dir: &Path) -> Result<Self, Error> {
        let data_dir = DataDir::prepare(dir)?;
        let lock = data_dir.lock()?;
        let binaries = Binaries::find(&data_dir.pgdata())?;
        data_dir.wait_for_previous().await?;
        data_dir.init(&binaries, &[])?;
        let supervisor = data_dir.spawn(&binaries, &[], false)?;
        let mut server = Self { supervisor, socket_dir: data_dir.socket_dir()?, _lock: Some(lock) };
        server.wait_until_ready(&data_dir).await?;
        Ok(server)
    }

    /// Starts a server for tests: nothing survives a crash of the machine, nor the end of the process. `options` are
    /// those of `initdb` beside its own.
    pub async fn start_temporary(options: &[&str]) -> Result<Self, Error> {
        let dir = std::env::temp_dir().join(format!("blog-api-test-{}", std::process::id()));
        let data_dir = DataDir::prepare(&dir)?;
        let binaries = Binaries::find(&data_dir.pgdata())?;
        data_dir.init(&binaries, &[&["--no-sync"], options].concat())?;
        let settings = [
            "fsync=off",
            "synchronous_commit=off",
            "full_page_writes=off",
            "max_connections=500",
            "autovacuum=off",
        ];
        let supervisor = data_dir.spawn(&binaries, &settings, true)?;
        let mut server = Self { supervisor, socket_dir: data_dir.socket_dir()?, _lock: None };
        server.wait_until_ready(&data_dir).await?;
        Ok(server)
    }

    #[must_use]
    pub fn options(&self) -> PgConnectOptions {
        options(&self.socket_dir)
    }

    /// The same as [`options`](Self::options), for `psql`.
    #[must_use]
    pub fn url(&self) -> String {
        let host = self.socket_dir.display().to_string().replace('%', "%25").replace(' ', "%20");
        format!("postgresql://{USER}@/{DATABASE}?host={host}")
    }

    pub async fn stop(mut self) {
        drop(self.supervisor.stdin.take());
        let started = Instant::now();
        while started.elapsed() < STOP_TIMEOUT && matches!(self.supervisor.try_wait(), Ok(None)) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn wait_until_ready(&mut self, data_dir: &DataDir) -> Result<(), Error> {
        let action = || "start PostgreSQL".to_owned();
        let started = Instant::now();
        let mut connection = loop {
            if let Ok(connection) = self.options().database("postgres").connect().await {
                break connection;
            }
            let ended = self.supervisor.try_wait().ok().flatten();
            if ended.is_some() || started.elapsed() > START_TIMEOUT {
                return Err(Error::Failed { action: action(), cause: data_dir.log_tail() });
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        };
        let created = sqlx::query("create database blog").execute(&mut connection).await;
        connection.close().await.ok();
        match created {
            Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some("42P04") => Ok(()),
            Err(error) => Err(Error::Failed { action: action(), cause: error.to_string() }),
            Ok(_) => Ok(()),
        }
    }
}

/// How to connect to the server that another process runs on `dir`, if one does.
#[must_use]
pub fn running(dir: &Path) -> Option<PgConnectOptions> {
    let data_dir = DataDir::prepare(dir).ok()?;
    let socket_dir = data_dir.socket_dir().ok()?;
    matches!(data_dir.lock(), Err(Error::InUse { .. })).then(|| options(&socket_dir))
}

fn options(socket_dir: &Path) -> PgConnectOptions {
    PgConnectOptions::new_without_pgpass().socket(socket_dir).port(5432).username(USER).database(DATABASE)
}
