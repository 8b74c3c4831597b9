//! How a command fails: a message for the person at the terminal and a code for the script.

use std::fmt::Display;

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
        Self { code: 78, message: message.to_string() }
    }

    /// `EX_UNAVAILABLE`: it may pass.
    pub(crate) fn unavailable(message: impl Display) -> Self {
        Self { code: 69, message: message.to_string() }
    }
}

/// It may pass: something outside stood in the way of `action`.
pub(crate) fn cannot(action: &str, error: impl Display) -> Failure {
    Failure::unavailable(format!("cannot {action}: {error}"))
}
