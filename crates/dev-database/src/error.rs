//! Why there is no private PostgreSQL, in words for the person at the terminal.

use std::path::PathBuf;

/// Why there is no private PostgreSQL.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No server binaries were found.
    #[error(
        "No PostgreSQL server (15 or newer) is installed on this machine. Install one:\n\
         \x20 Debian, Ubuntu   apt-get install postgresql\n\
         \x20 Fedora, RHEL     dnf install postgresql-server\n\
         \x20 Alpine           apk add postgresql\n\
         \x20 Arch             pacman -S postgresql\n\
         \x20 macOS            brew install postgresql@17\n\
         or set DATABASE_URL to use a database of your own."
    )]
    NoBinaries,
    /// The data was made by a version that is not installed.
    #[error(
        "The development database in {data} was made by PostgreSQL {major}, which is not installed. \
         Install it, or delete that folder to start anew."
    )]
    OtherVersion {
        /// The data folder.
        data: PathBuf,
        /// The major version that made it.
        major: u32,
    },
    /// Another process uses the data.
    #[error(
        "The development database in {dir} is in use by another blog-api (process {pid}). Stop that one, \
         or set DATABASE_URL to use a database of your own."
    )]
    InUse {
        /// The folder.
        dir: PathBuf,
        /// The other process.
        pid: String,
    },
    /// A server of an earlier run does not end.
    #[error("PostgreSQL (process {0}) still runs on the development database. Stop it: kill -INT {0}")]
    Orphan(String),
    /// Something else.
    #[error("Cannot {action}: {cause}")]
    Failed {
        /// What was tried.
        action: String,
        /// What came of it.
        cause: String,
    },
}

pub(crate) fn failed(action: impl Into<String>) -> impl FnOnce(std::io::Error) -> Error {
    move |cause| Error::Failed { action: action.into(), cause: cause.to_string() }
}
