//! Mail to users, and what is found out before it.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::store::{self, Purpose};
use crate::auth::login_throttle;
use crate::auth::store as sessions;
use crate::auth::token;
use crate::db::{Connection, Db};
use crate::jobs::model::{Claim, Failure, Kind};
use crate::jobs::store::{self as jobs, NewJob};
use crate::mail::{Letter, Mail, Mailer};
use crate::site::store as site;

/// How long the link in a mail works.
pub const RESET_LIFETIME: TimeDelta = TimeDelta::minutes(30);

/// What a mail to a user is about: the payload of its job, which holds nothing about the user.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(tag = "letter", rename_all = "snake_case")]
pub enum Notice {
    PasswordReset,
    PasswordChanged,
}

/// For whom a new password is asked: the payload of a job that looks for the account.
#[derive(Debug, Serialize, Deserialize)]
pub struct ResetRequest {
    /// As it was typed.
    pub email: String,
}

/// Asks for a mail to a user. Wants the transaction of what it tells.
pub async fn notify(
    connection: &mut Connection,
    user_id: Uuid,
    notice: Notice,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    let new = NewJob { kind: Kind::Mail, payload: json!(notice), user_id: Some(user_id), run_at: now };
    jobs::insert(connection, new, now).await.map(drop)
}

/// Asks for a mail with a link to the account with that address, if there is one and it has not had too many.
pub async fn look_up(db: &Db, job: Claim, now: DateTime<Utc>) -> Result<(), Failure> {
    let ResetRequest { email } = payload(job)?;
    let mut transaction = db.begin().await?;
    if let Some(account) = sessions::credentials_by_email(&mut transaction, &email).await?
        && login_throttle::may_mail_reset(&mut transaction, account.user_id, now).await?
    {
        notify(&mut transaction, account.user_id, Notice::PasswordReset, now).await?;
    }
    Ok(transaction.commit().await?)
}

/// Sends a mail to the user whom the job is about.
pub async fn send(db: &Db, mailer: &Mailer, job: Claim, now: DateTime<Utc>) -> Result<(), Failure> {
    let (id, user_id) = (job.id, job.user_id.unwrap_or_default());
    let notice: Notice = payload(job)?;
    let mut connection = db.acquire().await?;
    let Some(to) = store::recipient(&mut connection, user_id).await? else {
        return Ok(());
    };
    let site = site::read(&mut connection).await?.title;
    let letter = match notice {
        Notice::PasswordReset => {
            let (token, hash) = token::generate();
            let expires_at = now + RESET_LIFETIME;
            store::insert_token(&mut connection, user_id, Purpose::PasswordReset, &hash, expires_at).await?;
            Letter::PasswordReset { link: mailer.link("password-reset", &token) }
        }
        Notice::PasswordChanged => Letter::PasswordChanged,
    };
    // Others use it while this waits for the network.
    drop(connection);
    Ok(mailer.send(&Mail { id, to, site: &site, letter, date: now }).await?)
}

fn payload<T: for<'de> Deserialize<'de>>(job: Claim) -> Result<T, Failure> {
    serde_json::from_value(job.payload).map_err(|error| Failure::Lasting(error.into()))
}
