//! Mails in English.

use super::{Content, Frame, Letter, Link};

pub(super) const FRAME: Frame = Frame {
    hello: "Hello",
    account_at: "You get this mail because of your account at",
    or_open: "Or open this address:",
};

pub(super) fn content(letter: &Letter, username: &str, site: &str) -> Content {
    match letter {
        Letter::PasswordReset { link } => Content {
            subject: format!("Choose a new password for {site}"),
            paragraphs: vec![format!(
                "Somebody asked for a new password for your account “{username}”. If it was you, choose one now:"
            )],
            link: Some(Link { label: "Choose a new password", url: link.clone() }),
            notes: vec![
                "The link works once, within 30 minutes.".into(),
                "If it was not you, do nothing: your password stays as it is.".into(),
            ],
        },
        Letter::PasswordChanged => Content {
            subject: format!("Your password for {site} was changed"),
            paragraphs: vec![
                format!("A new password was just chosen for your account “{username}”, by a link that we had sent to this address. All devices were signed out."),
                "If it was not you, somebody else reads your mail: change the password of your mailbox first, and then this one.".into(),
            ],
            link: None,
            notes: Vec::new(),
        },
    }
}
