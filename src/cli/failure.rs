//! How a command fails: a message for the person at the terminal and a code for the script.

use std::fmt::Display;
use std::io;

use blog_api::config::secrets::SecretError;
use blog_api::db::is_refused_sign_in;
use blog_api::db::migrations::MigrationError;

const EX_CONFIG: u8 = 78;

/// Why the process ends: a message, and an exit code of sysexits.h.
pub(crate) struct Failure {
    pub(crate) code: u8,
    pub(crate) message: String,
}

impl Failure {
    /// `EX_USAGE`: what was typed is wrong.
    pub(crate) fn usage(message: impl Display) -> Self {
        Self { code: 64, message: message.to_string() }
    }

    /// `EX_CONFIG`: it will not pass by itself.
    pub(crate) fn config(message: impl Display) -> Self {
        Self { code: EX_CONFIG, message: message.to_string() }
    }

    pub(crate) fn is_about_configuration(&self) -> bool {
        self.code == EX_CONFIG
    }

    /// It stopped when it was told to, but not in order.
    pub(crate) fn cut_off(message: impl Display) -> Self {
        Self { code: 1, message: message.to_string() }
    }

    /// `EX_SOFTWARE`: a fault of the program.
    pub(crate) fn software(message: impl Display) -> Self {
        Self { code: 70, message: message.to_string() }
    }

    /// `EX_UNAVAILABLE`: it may pass.
    pub(crate) fn unavailable(message: impl Display) -> Self {
        Self { code: 69, message: message.to_string() }
    }
}

/// Wrong credentials, an untrusted certificate or a wrong setting will not pass by itself; all else may.
pub(crate) fn database(action: &str, error: &sqlx::Error) -> Failure {
    let failure = cannot(action, error);
    match error {
        error if is_refused_sign_in(error) => Failure::config(format!(
            "{}: check the user and the password of DATABASE_URL, or of the secret of DB_SECRET_ID",
            failure.message
        )),
        sqlx::Error::Database(database) if database.code().as_deref() == Some("3D000") => {
            Failure::config(format!("{}: check DB_NAME, or the secret, or the URL", failure.message))
        }
        error if is_about_tls(error) => Failure::config(format!(
            "{}: check DB_SSL_MODE and DB_SSL_ROOT_CERT, and that the host is the one of the certificate",
            failure.message
        )),
        sqlx::Error::Configuration(_) => Failure::config(failure.message),
        _ => failure,
    }
}

/// TLS is refused, or the certificate is not one to trust, which comes as an I/O error.
fn is_about_tls(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Tls(_) => true,
        sqlx::Error::Io(error) => error.kind() == io::ErrorKind::InvalidData,
        _ => false,
    }
}

/// Why the secret that `named_by` names cannot be had.
pub(crate) fn secret(named_by: &str, error: &SecretError) -> Failure {
    let message = format!("{named_by} {error}");
    if error.is_transient { Failure::unavailable(message) } else { Failure::config(message) }
}

pub(crate) fn migration(error: &MigrationError) -> Failure {
    const ACTION: &str = "migrate the database";
    match error {
        MigrationError::Database(error) => database(ACTION, error),
        error => cannot(ACTION, error),
    }
}

/// It may pass: something outside stood in the way of `action`.
pub(crate) fn cannot(action: &str, error: impl Display) -> Failure {
    Failure::unavailable(format!("cannot {action}: {error}"))
}
