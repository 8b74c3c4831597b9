//! Why there is no private PostgreSQL, in words for the person at the terminal.

use std::path::PathBuf;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(
        "No PostgreSQL server (15 or newer) is installed on this machine. Install one:\n\
         \x20 Debian, Ubuntu   apt-get install postgresql\n\
         \x20 Fedora, RHEL     dnf install postgresql-server postgresql-contrib\n\
         \x20 Alpine           apk add postgresql postgresql-contrib\n\
         \x20 Arch             pacman -S postgresql\n\
         \x20 macOS            brew install postgresql@17\n\
         or set DATABASE_URL to use a database of your own."
    )]
    NoBinaries,
    #[error(
        "The development database in {data} was made by PostgreSQL {major}, which is not installed. \
         Install it, or delete that folder to start anew."
    )]
    OtherVersion { data: PathBuf, major: u32 },
    #[error(
        "The development database in {dir} is in use by another blog-api (process {pid}). Stop that one, \
         or set DATABASE_URL to use a database of your own."
    )]
    InUse { dir: PathBuf, pid: String },
    #[error("PostgreSQL (process {0}) still runs on the development database. Stop it: kill -INT {0}")]
    Orphan(String),
    #[error("Cannot {action}: {cause}")]
    Failed { action: String, cause: String },
}

pub(crate) fn failed(action: impl Into<String>) -> impl FnOnce(std::io::Error) -> Error {
    move |cause| Error::Failed { action: action.into(), cause: cause.to_string() }
}
