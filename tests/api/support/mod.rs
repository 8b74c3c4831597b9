//! What every test starts from: the service on a database of its own, a client, users.

mod app;
mod client;
mod contract;
mod database;
pub(crate) mod logs;
mod process;
mod proxy;
mod secrets;

pub(crate) use app::{PASSWORD, TestApp, TestUser, no_cache};
pub(crate) use client::{Call, Reply};
pub(crate) use contract::operations;
pub(crate) use database::TestDatabase;
pub(crate) use process::{Process, read_answer};
pub(crate) use proxy::Proxy;
pub(crate) use secrets::{Answer, SecretsManager};

use serde_json::{Value, json};

/// That mail to `email` came back for good, as Amazon SES says it.
pub(crate) fn bounce(email: &str) -> Value {
    let bounce = json!({"bounceType": "Permanent", "bouncedRecipients": [{"emailAddress": email}]});
    json!({"source": "aws.ses", "detail": {"eventType": "Bounce", "bounce": bounce}})
}
