//! Where mails go in development: into the log and a page, the newest of them.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::Mail;
use super::message::Written;

/// How many mails are kept.
const MAX_MAILS: usize = 100;

/// A mail that was not sent.
#[derive(Clone, Debug)]
pub struct Kept {
    pub id: Uuid,
    pub to: String,
    pub subject: String,
    pub text: String,
    pub html: String,
    pub date: DateTime<Utc>,
}

#[derive(Debug)]
pub struct Outbox {
    mails: Mutex<VecDeque<Kept>>,
    /// Whether they are shown to clients on this machine alone.
    pub local: bool,
}

impl Outbox {
    pub(super) fn new(local: bool) -> Self {
        Self { mails: Mutex::default(), local }
    }

    pub(super) fn put(&self, mail: &Mail<'_>, Written { subject, text, html, .. }: Written) {
        let to = mail.to.email.clone();
        tracing::info!("a mail, which /outbox shows, to {to}: {subject}\n\n{text}");
        let mut mails = self.mails.lock().unwrap_or_else(PoisonError::into_inner);
        mails.push_front(Kept { id: mail.id, to, subject, text, html, date: mail.date });
        mails.truncate(MAX_MAILS);
    }

    /// Newest first.
    #[must_use]
    pub fn mails(&self) -> Vec<Kept> {
        self.mails.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}
