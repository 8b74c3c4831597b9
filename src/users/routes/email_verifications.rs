//! Showing that an address is read: by a link or a code that is mailed to it. A new address counts once it is, and the
//! reader of the old one can undo that.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::audit::model::{Action, Entry};
use crate::audit::store as audit;
use crate::auth::login_throttle::LoginThrottle;
use crate::auth::password::{Password, Passwords};
use crate::auth::scope::SESSION;
use crate::auth::token::{self, TokenKind};
use crate::auth::{Anyone, SignedIn, store as sessions};
use crate::cache::{Invalidates, Scope};
use crate::db::Db;
use crate::error::ApiError;
use crate::http::idempotency::{Idempotency, Idempotent};
use crate::http::now::Now;
use crate::http::validation::{Validate, Violations};
use crate::users::jobs::{MailQueue, Notice, UNDO_LIFETIME, notify};
use crate::users::store::{self, NewToken, Purpose};

/// An account is shown to its user and to admins.
const UNSEEN: Invalidates = Invalidates(Scope::Nothing);

/// Have an address verified
///
/// Mails a link and a code to the caller's address, or to the one that is to take its place: again, since a new account and
/// a new address are mailed them anyway.
#[utoipa::path(post, path = "/v1/email-verifications", tag = "users", security(("token" = [])), responses(
    (status = 202, description = "The mail is on its way"),
    (status = 409, description = "The address is verified"),
    (status = 501, description = "The operator has not set up mail"),
))]
pub async fn create_email_verification(
    SignedIn(user): SignedIn<SESSION>,
    State(mail): State<MailQueue>,
    Now(now): Now,
    throttle: LoginThrottle,
    key: Idempotency,
) -> Result<Response, ApiError> {
    mail.require()?;
    throttle.verification_mail(user.id).await?;
    let response = key
        .run(Some(user.id), async |write| {
            let account = store::account(write, user.id).await?.ok_or(ApiError::NotFound)?;
            let is_known = account.email_verified_at.is_some() && account.email_undeliverable.is_none();
            if is_known && account.pending_email.is_none() {
                return Err(ApiError::conflict("email", "verified", "is verified"));
            }
            notify(write, user.id, Notice::EmailVerification, now).await?;
            Ok((StatusCode::ACCEPTED, UNSEEN))
        })
        .await?;
    mail.wake();
    Ok(response)
}

/// A link or a code.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfirmEmailVerification {
    /// What stands behind the `#` of the link.
    #[schema(example = "blog_3q2-7wKDhLpXbN0vYtRfZsGmUcJ5eAi8oQxW1kB6nEY")]
    token: Option<String>,
    /// The six digits, by who is signed in; they can be tried five times.
    #[schema(example = "012345")]
    code: Option<String>,
}

impl Validate for ConfirmEmailVerification {
    fn validate(&self, violations: &mut Violations) {
        match (&self.token, &self.code) {
            (None, None) => violations.add("token", "required", "is required, or `code`"),
            (Some(_), Some(_)) => violations.add("code", "one_of", "must be absent if `token` is there"),
            _ => {}
        }
    }
}

/// Verify an address
///
/// By a mailed link, or signed in by the code beside it. A new address takes the place of the old one, which is mailed
/// a link that undoes that, for seven days.
#[utoipa::path(post, path = "/v1/email-verifications/confirmation", tag = "users",
    request_body = ConfirmEmailVerification, security((), ("token" = [])), responses(
    (status = 204, description = "The address is verified"),
    (status = 409, description = "Somebody else has the address by now"),
))]
pub async fn confirm_email_verification(
    Anyone(viewer): Anyone<SESSION>,
    State(db): State<Db>,
    State(mail): State<MailQueue>,
    Now(now): Now,
    throttle: LoginThrottle,
    Idempotent(key, body): Idempotent<ConfirmEmailVerification>,
) -> Result<Response, ApiError> {
    throttle.verification().await?;
    let (field, hash) = match body.code {
        None => ("token", Some(token::hash(body.token.unwrap_or_default().trim()).to_vec())),
        Some(code) => {
            let user =
                viewer.0.ok_or(ApiError::Unauthenticated("Sign in to use the code, or open the link."))?;
            throttle.code(user.id).await?;
            let code_hash = token::code_hash(user.id, code.trim());
            // Outside the transaction: a wrong one is to be counted.
            ("code", store::try_code(&mut db.acquire().await?, user.id, &code_hash, now).await?)
        }
    };
    let invalid = || ApiError::invalid(field, "invalid", "is wrong, used or expired: have a new one mailed");
    let hash = hash.ok_or_else(invalid)?;
    let response = key
        .run(viewer.id(), async |write| {
            let verified = store::verify_email(write, &hash, now).await?.ok_or_else(invalid)?;
            if let Some(email) = verified.replaced {
                // Nobody else takes the old address while it can be had again, from before its reader is told.
                let (_, hash) = token::generate(TokenKind::Session);
                let (purpose, expires_at) = (Purpose::EmailUndo, now + UNDO_LIFETIME);
                let kept =
                    NewToken { purpose, hash: &hash, code_hash: None, email: Some(&email), expires_at };
                store::insert_token(write, verified.user_id, &kept).await?;
                notify(write, verified.user_id, Notice::EmailChanged { email }, now).await?;
            }
            Ok((StatusCode::NO_CONTENT, UNSEEN))
        })
        .await?;
    mail.wake();
    Ok(response)
}

/// A link that undoes a change of address.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UndoEmailChange {
    /// What stands behind the `#` of the link.
    #[schema(example = "blog_3q2-7wKDhLpXbN0vYtRfZsGmUcJ5eAi8oQxW1kB6nEY")]
    token: String,
}

/// Any text that is not a token of ours is unknown.
impl Validate for UndoEmailChange {
    fn validate(&self, _violations: &mut Violations) {}
}

/// Undo a change of address
///
/// By the link that was mailed to the old one. It is the account's address again, every device is signed out, every API token is revoked, and the
/// password is one that nobody knows: ask for a new one.
#[utoipa::path(post, path = "/v1/email-verifications/undo", tag = "users", request_body = UndoEmailChange, responses(
    (status = 204, description = "The account has its old address again"),
    (status = 409, description = "Somebody else has the address by now"),
))]
pub async fn undo_email_change(
    State(db): State<Db>,
    State(passwords): State<Passwords>,
    Now(now): Now,
    throttle: LoginThrottle,
    Idempotent(key, body): Idempotent<UndoEmailChange>,
) -> Result<Response, ApiError> {
    throttle.verification().await?;
    let hash = token::hash(body.token.trim());
    let invalid = || ApiError::invalid("token", "invalid", "is unknown, used or expired");
    if !store::is_live(&mut db.acquire().await?, Purpose::EmailUndo, &hash, now).await? {
        return Err(invalid());
    }
    // Who has changed the address had to know the password.
    let (unknown, _) = token::generate(TokenKind::Session);
    let password = Password::from(unknown.expose_secret().to_owned());
    let password_hash = passwords.hash(Some(throttle.address()), password).await?;
    key.run(None, async |write| {
        let user_id = store::restore_email(write, &hash, &password_hash, now).await?.ok_or_else(invalid)?;
        write.belongs_to(user_id);
        sessions::delete_others(write, user_id, None).await?;
        let (actor, action) = (Some(user_id), Action::UserEmailRestored);
        audit::record(write, &Entry::unsigned(actor, action, actor, json!({})), now).await?;
        Ok((StatusCode::NO_CONTENT, UNSEEN))
    })
    .await
}
