//! Mail to users, and what is found out before it.

pub mod sign_ups;

use chrono::{DateTime, TimeDelta, Utc};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::store::{self, NewToken, Purpose};
use crate::auth::login_throttle;
use crate::auth::store as sessions;
use crate::auth::token::{self, TokenKind};
use crate::cache::{Cache, Scope};
use crate::db::channel::Wake;
use crate::db::{self, Connection, Db};
use crate::error::ApiError;
use crate::jobs::model::{Claim, Failure, Kind};
use crate::jobs::store::{self as jobs, NewJob};
use crate::mail::{Letter, Mail, Mailer};
use crate::media::jobs::Described;
use crate::media::store as media;
use crate::site::store as site;
use crate::text;

/// How long a link for a new password works.
const RESET_LIFETIME: TimeDelta = TimeDelta::minutes(30);
/// How long a link and a code work that show that an address is read.
const VERIFICATION_LIFETIME: TimeDelta = TimeDelta::days(1);
/// How long a change of address can be undone.
pub const UNDO_LIFETIME: TimeDelta = TimeDelta::days(7);

/// What a mail to a user is about: the payload of its job, which goes with the user.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "letter", rename_all = "snake_case")]
pub enum Notice {
    PasswordReset,
    PasswordChanged,
    EmailVerification,
    /// Somebody has tried to sign up with the user's address.
    SignUpRefused,
    /// To admins.
    WebhookDisabled {
        id: Uuid,
        gone: bool,
    },
    /// To the address that was replaced.
    EmailChanged {
        email: String,
    },
}

/// For whom a new password is asked: the payload of a job that looks for the account.
#[derive(Debug, Serialize, Deserialize)]
pub struct ResetRequest {
    /// As it was typed.
    pub email: String,
}

/// Where handlers ask for mail.
#[derive(Clone)]
pub struct MailQueue {
    mailer: Mailer,
    wake: Wake,
}

impl MailQueue {
    #[must_use]
    pub fn new(mailer: Mailer, wake: Wake) -> Self {
        Self { mailer, wake }
    }

    #[must_use]
    pub fn is_on(&self) -> bool {
        self.mailer.is_on()
    }

    /// An error if there is no mail, for what makes no sense without it.
    pub fn require(&self) -> Result<(), ApiError> {
        if self.is_on() { Ok(()) } else { Err(ApiError::MailOff) }
    }

    /// Has what was asked for sent soon: call it after the commit.
    pub fn wake(&self) {
        self.wake.here();
    }
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

/// Asks for a mail to each admin who reads theirs. Wants the transaction of what it tells.
pub async fn notify_admins(
    connection: &mut Connection,
    notice: &Notice,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    for admin in store::mailable_admins(connection, now).await? {
        notify(connection, admin, notice.clone(), now).await?;
    }
    Ok(())
}

/// Asks for a mail with a link to the account with that address, if there is one and it has not had too many.
pub async fn look_up(db: &Db, job: &Claim, now: DateTime<Utc>) -> Result<(), Failure> {
    let ResetRequest { email } = job.payload()?;
    let mut transaction = db.begin().await?;
    if let Some(account) = sessions::credentials_by_email(&mut transaction, &email).await?
        && login_throttle::may_mail_reset(&mut transaction, account.user_id, now).await?
    {
        notify(&mut transaction, account.user_id, Notice::PasswordReset, now).await?;
    }
    Ok(transaction.commit().await?)
}

/// Sends a mail to the user whom the job is about.
pub async fn send(db: &Db, mailer: &Mailer, job: &Claim, now: DateTime<Utc>) -> Result<(), Failure> {
    let (id, user_id, is_first) = (job.id, job.user_id.unwrap_or_default(), job.attempts == 1);
    let notice: Notice = job.payload()?;
    // The token is for the address that it is sent to: nobody changes that in between.
    let mut transaction = db.begin().await?;
    let at_pending = matches!(notice, Notice::EmailVerification);
    let Some(mut to) = store::lock_recipient(&mut transaction, user_id, at_pending).await? else {
        return Ok(());
    };
    match &notice {
        Notice::EmailChanged { email } => to.email.clone_from(email),
        Notice::EmailVerification => {
            // Whoever reads the address may not have asked for it, nor for what others say in it.
            to.display_name = None;
            let key = text::fold(&to.email);
            if is_first && !login_throttle::may_mail_verification(&mut transaction, &key, now).await? {
                return Ok(transaction.commit().await?);
            }
        }
        Notice::SignUpRefused => {
            let key = text::fold(&to.email);
            if is_first && !login_throttle::may_mail_sign_up(&mut transaction, &key, now).await? {
                return Ok(transaction.commit().await?);
            }
        }
        Notice::PasswordReset | Notice::PasswordChanged | Notice::WebhookDisabled { .. } => {}
    }
    let site = site::read(&mut transaction).await?.title;
    let letter = write(&mut transaction, mailer, user_id, &notice, now).await?;
    // Not held while this waits for the network.
    transaction.commit().await?;
    Ok(mailer.send(&Mail { id, to, site: &site, letter, date: now, unsubscribe: None }).await?)
}

/// The letter of a notice, with a new token if it has a link.
async fn write(
    connection: &mut Connection,
    mailer: &Mailer,
    user_id: Uuid,
    notice: &Notice,
    now: DateTime<Utc>,
) -> sqlx::Result<Letter> {
    let (token, hash) = token::generate(TokenKind::Session);
    let new = |purpose, lifetime| NewToken {
        purpose,
        hash: &hash,
        code_hash: None,
        email: None,
        expires_at: now + lifetime,
    };
    Ok(match notice {
        Notice::PasswordChanged => Letter::PasswordChanged,
        Notice::SignUpRefused => Letter::SignUpRefused,
        Notice::WebhookDisabled { id, gone } => Letter::WebhookDisabled { id: id.to_string(), gone: *gone },
        Notice::PasswordReset => {
            store::insert_token(connection, user_id, &new(Purpose::PasswordReset, RESET_LIFETIME)).await?;
            Letter::PasswordReset { link: mailer.link("password-reset", &token) }
        }
        Notice::EmailVerification => {
            let (code, code_hash) = token::generate_code(user_id);
            let new = new(Purpose::EmailVerification, VERIFICATION_LIFETIME);
            store::insert_token(connection, user_id, &NewToken { code_hash: Some(&code_hash), ..new })
                .await?;
            let (link, code) = (mailer.link("email-verification", &token), code.expose_secret().to_owned());
            Letter::EmailVerification { link, code }
        }
        Notice::EmailChanged { email } => {
            let new = new(Purpose::EmailUndo, UNDO_LIFETIME);
            store::insert_token(connection, user_id, &NewToken { email: Some(email), ..new }).await?;
            Letter::EmailChanged { link: mailer.link("email-undo", &token) }
        }
    })
}

/// Gives avatars the present alternative text of their picture.
pub async fn describe_avatars(db: &Db, cache: &Cache, job: &Claim) -> Result<(), Failure> {
    let Described { media_id } = job.payload()?;
    let described = async {
        let mut transaction = db.begin().await?;
        let Some(alt) = media::alt(&mut transaction, media_id).await? else { return Ok(()) };
        let is_shown = store::describe_avatars(&mut transaction, media_id, alt.as_deref()).await?;
        transaction.commit().await?;
        if is_shown {
            cache.invalidate(Scope::Everything);
        }
        Ok::<_, db::Error>(())
    };
    described.await.map_err(|error| Failure::Passing(error.into()))
}
