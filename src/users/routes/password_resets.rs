//! A new password for who has forgotten theirs, by a link that is mailed to them.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::create::SignUpPolicy;
use super::credentials::check_for_account;
use crate::audit::model::{Action, Entry};
use crate::audit::store as audit;
use crate::auth::login_throttle::LoginThrottle;
use crate::auth::password::{Password, Passwords};
use crate::auth::store as sessions;
use crate::auth::token;
use crate::cache::{Invalidates, Scope};
use crate::db::Db;
use crate::error::ApiError;
use crate::http::idempotency::Idempotent;
use crate::http::now::Now;
use crate::http::validation::{Validate, Violations};
use crate::jobs::model::Kind;
use crate::jobs::store::{self as jobs, NewJob};
use crate::users::jobs::{MailQueue, Notice, ResetRequest, notify};
use crate::users::store::{self, Purpose};

/// How many characters of an address are looked for: no account has a longer one.
const MAX_EMAIL: usize = 254;

/// Whose password is forgotten.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreatePasswordReset {
    /// The account's e-mail address, whatever its case and the blanks around it.
    #[schema(example = "ada@example.com")]
    email: String,
}

/// Accepts any text: one that breaks a rule of accounts is no account's.
impl Validate for CreatePasswordReset {
    fn validate(&self, _violations: &mut Violations) {}
}

/// Ask for a new password
///
/// Whoever has this address is mailed a link, which works for 30 minutes. The answer is the same, and takes as long,
/// whether or not there is such an account.
#[utoipa::path(post, path = "/v1/password-resets", tag = "users", request_body = CreatePasswordReset, responses(
    (status = 202, description = "If there is such an account, it gets a mail"),
    (status = 501, description = "The operator has not set up mail"),
))]
pub async fn create_password_reset(
    State(mail): State<MailQueue>,
    Now(now): Now,
    throttle: LoginThrottle,
    Idempotent(key, body): Idempotent<CreatePasswordReset>,
) -> Result<Response, ApiError> {
    mail.require()?;
    throttle.password_reset().await?;
    // JSON in PostgreSQL cannot hold a NUL.
    let email = body.email.trim().chars().take(MAX_EMAIL).filter(|c| *c != '\0').collect();
    let response = key
        .run_statement(None, async |write| {
            let payload = json!(ResetRequest { email });
            let new = NewJob { kind: Kind::PasswordReset, payload, user_id: None, run_at: now };
            jobs::insert(write, new, now).await?;
            Ok((StatusCode::ACCEPTED, Invalidates(Scope::Nothing)))
        })
        .await?;
    mail.wake();
    Ok(response)
}

/// A new password, by a link.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfirmPasswordReset {
    /// What stands behind the `#` of the link.
    #[schema(example = "blog_3q2-7wKDhLpXbN0vYtRfZsGmUcJ5eAi8oQxW1kB6nEY")]
    token: String,
    /// Not the username, not the e-mail address, not a common password.
    password: Password,
}

impl Validate for ConfirmPasswordReset {
    fn validate(&self, violations: &mut Violations) {
        violations.check("password", &self.password);
    }
}

/// Choose a new password
///
/// By the token of a mailed link, which this uses up. Every device is signed out, every API token is revoked, and the user is told by mail.
/// Nothing else uses the token up, however often the link is opened.
#[utoipa::path(post, path = "/v1/password-resets/confirmation", tag = "users",
    request_body = ConfirmPasswordReset, responses(
    (status = 204, description = "The password is changed: sign in with it"),
))]
pub async fn confirm_password_reset(
    State(db): State<Db>,
    State(passwords): State<Passwords>,
    State(policy): State<SignUpPolicy>,
    State(mail): State<MailQueue>,
    Now(now): Now,
    throttle: LoginThrottle,
    Idempotent(key, body): Idempotent<ConfirmPasswordReset>,
) -> Result<Response, ApiError> {
    let invalid = || {
        ApiError::invalid(
            "token",
            "invalid",
            "is unknown, used or expired, or the account has changed: ask for a new link",
        )
    };
    policy.check(&body.password)?;
    throttle.password_reset().await?;
    let hash = token::hash(body.token.trim());
    let bearer = store::bearer(&mut db.acquire().await?, Purpose::PasswordReset, &hash, now).await?;
    let bearer = bearer.ok_or_else(invalid)?;
    check_for_account(&body.password, &bearer.username, &bearer.email)?;
    let password_hash = passwords.hash(Some(throttle.address()), body.password).await?;
    let response = key
        .run(None, async |write| {
            let user_id =
                store::reset_password(write, &hash, &password_hash, now).await?.ok_or_else(invalid)?;
            write.belongs_to(user_id);
            sessions::delete_others(write, user_id, None).await?;
            if mail.is_on() {
                notify(write, user_id, Notice::PasswordChanged, now).await?;
            }
            let action = Action::UserPasswordReset;
            let entry = Entry::unsigned(Some(user_id), action, Some(user_id), json!({}));
            audit::record(write, &entry, now).await?;
            Ok((StatusCode::NO_CONTENT, Invalidates(Scope::Nothing)))
        })
        .await?;
    mail.wake();
    Ok(response)
}
