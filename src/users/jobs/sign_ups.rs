//! Mail to who is no user yet: to the address of a sign-up or an invitation.

use chrono::{DateTime, TimeDelta, Utc};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::{Notice, notify};
use crate::auth::login_throttle;
use crate::auth::store as sessions;
use crate::auth::token::{self, TokenKind};
use crate::db::{Connection, Db};
use crate::jobs::model::{Claim, Failure, Kind};
use crate::jobs::store::{self as jobs, NewJob};
use crate::mail::{Letter, Mail, Mailer, Recipient};
use crate::site::store as site;
use crate::users::model::{Email, INVITATION_LIFETIME};
use crate::users::store::{self, PendingSignUp};

/// How long a link makes an account.
const SIGN_UP_LIFETIME: TimeDelta = TimeDelta::days(1);

/// Which account is to be: the payload of the job that mails its address.
#[derive(Debug, Serialize, Deserialize)]
struct SignUpMail {
    sign_up_id: Uuid,
}

/// Asks for the mail to the address of a sign-up, or of an invitation by `inviter_id`. Wants the transaction that makes it.
pub async fn ask(
    connection: &mut Connection,
    sign_up_id: Uuid,
    inviter_id: Option<Uuid>,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    let payload = json!(SignUpMail { sign_up_id });
    let new = NewJob { kind: Kind::SignUp, payload, user_id: inviter_id, run_at: now };
    jobs::insert(connection, new, now).await.map(drop)
}

/// Mails a link to the address; but if it has an account by now, to its user that somebody has tried.
pub async fn mail_link(db: &Db, mailer: &Mailer, job: &Claim, now: DateTime<Utc>) -> Result<(), Failure> {
    let SignUpMail { sign_up_id } = job.payload()?;
    let mut transaction = db.begin().await?;
    let Some(pending) = store::lock_sign_up(&mut transaction, sign_up_id, now).await? else {
        return Ok(());
    };
    if !is_wanted(&mut transaction, &pending, now).await? {
        store::delete_sign_up(&mut transaction, sign_up_id).await?;
        return Ok(transaction.commit().await?);
    }
    let (token, hash) = token::generate(TokenKind::Session);
    let lifetime = if pending.inviter.is_some() { INVITATION_LIFETIME } else { SIGN_UP_LIFETIME };
    store::insert_sign_up_token(&mut transaction, sign_up_id, &hash, now + lifetime).await?;
    let site = site::read(&mut transaction).await?.title;
    // Not held while this waits for the network.
    transaction.commit().await?;
    let letter = letter(mailer, &pending, &token);
    let PendingSignUp { email, language, .. } = pending;
    // Nothing of what strangers say of themselves is mailed, not even a username, which may look like a link.
    let to = Recipient { email, username: None, display_name: None, language };
    let mail = Mail { id: job.id, to, site: &site, letter, date: now, unsubscribe: None };
    Ok(mailer.send(&mail).await?)
}

/// Whether the address has no account, and not had too many of these mails. The user of an account is told.
async fn is_wanted(
    connection: &mut Connection,
    pending: &PendingSignUp,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let email = Email::from(pending.email.clone());
    let is_invitation = pending.inviter.is_some();
    if store::is_taken(connection, &email, None, now).await? {
        if !is_invitation {
            tell_owner(connection, &email, now).await?;
        }
        return Ok(false);
    }
    // Who invites is told of the limit; and what is sent again was counted.
    Ok(is_invitation
        || pending.has_token
        || login_throttle::may_mail_sign_up(connection, &email.key(), now).await?)
}

/// Who can only have the address again has no account with it, and was told of the change.
async fn tell_owner(connection: &mut Connection, email: &Email, now: DateTime<Utc>) -> sqlx::Result<()> {
    let Some(owner) = sessions::credentials_by_email(connection, email.as_str()).await? else {
        return Ok(());
    };
    let account = store::account(connection, owner.user_id).await?;
    // Not what they ask for.
    if account.is_some_and(|account| account.email_undeliverable.is_none()) {
        notify(connection, owner.user_id, Notice::SignUpRefused, now).await?;
    }
    Ok(())
}

fn letter(mailer: &Mailer, pending: &PendingSignUp, token: &SecretString) -> Letter {
    match &pending.inviter {
        Some(inviter) => Letter::Invitation {
            inviter: inviter.clone(),
            role: pending.role,
            link: mailer.link("invitation", token),
        },
        None => Letter::SignUp { link: mailer.link("sign-up", token) },
    }
}
