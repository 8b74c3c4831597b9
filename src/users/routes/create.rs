//! Signing up.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::auth::login_throttle::LoginThrottle;
use crate::auth::password::{Password, Passwords};
use crate::cache::{Invalidates, Scope};
use crate::config::SignUp;
use crate::db::ViolationKind;
use crate::error::{ApiError, FieldError, FieldErrors};
use crate::http::conditional::Tagged;
use crate::http::idempotency::{Idempotent, Write};
use crate::http::now::Now;
use crate::http::validation::{Validate, Violations};
use crate::identity::Role;
use crate::mail::{MailLanguage, PreferredLanguage, is_mailable};
use crate::users::jobs::{MailQueue, Notice, notify, sign_ups};
use crate::users::model::{Account, Bio, DisplayName, Email, Username, check_password};
use crate::users::store;

/// How long a sign-up waits for its mail, which is tried for two days.
const UNMAILED_LIFETIME: TimeDelta = TimeDelta::days(3);

#[derive(Clone, Copy, Debug)]
pub struct SignUpPolicy {
    pub mode: SignUp,
    pub default_role: Role,
    pub refuse_common_passwords: bool,
}

impl SignUpPolicy {
    /// An error where nobody signs up.
    pub fn admit(self) -> Result<(), ApiError> {
        if self.mode == SignUp::Closed { Err(ApiError::SignUpClosed) } else { Ok(()) }
    }

    /// An error about `password` when it is too common.
    pub fn check(self, password: &Password) -> Result<(), FieldErrors> {
        if self.refuse_common_passwords && password.is_common() {
            let detail = "is among the most common passwords: choose another";
            return Err(FieldError::new("password", "too_common", detail).into());
        }
        Ok(())
    }
}

/// A new account.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateUser {
    /// A name for URLs, unique whatever its case.
    username: Username,
    /// An address, unique whatever its case. Only the user and admins see it.
    email: Email,
    /// Not the username, not the e-mail address, not a common password. Where the address is verified first, it is chosen
    /// with that, and this is not kept.
    password: Password,
    /// The name shown to readers.
    display_name: Option<DisplayName>,
    /// What the user says of themselves.
    bio: Option<Bio>,
    /// The language of mails to the user; that of `Accept-Language` if absent, or else English.
    language: Option<MailLanguage>,
}

impl Validate for CreateUser {
    fn validate(&self, violations: &mut Violations) {
        violations
            .check("username", &self.username)
            .check("email", &self.email)
            .check("display_name", &self.display_name)
            .check("bio", &self.bio);
        check_password(violations, &self.password, Some(self.username.as_str()), Some(self.email.as_str()));
    }
}

/// Sign up
///
/// Where the service has mail, the address is mailed a link and a code that show that the user reads it. Where the operator
/// wants that first, the answer is 202 whether or not the address has an account: its reader is mailed a link that makes
/// the account, or, if there is one, that somebody has tried.
#[utoipa::path(post, path = "/v1/users", tag = "users", request_body = CreateUser, responses(
    (status = 201, description = "The account is made; sign in to use it", body = Account,
     headers(("Location" = String, description = "The path of the new user"))),
    (status = 202, description = "The address is mailed how to go on"),
    (status = 403, description = "Nobody signs up here without an invitation: `sign_up_closed`"),
    (status = 409, description = "The username or the e-mail address is taken; `errors` says which"),
))]
pub async fn create(
    State(passwords): State<Passwords>,
    State(policy): State<SignUpPolicy>,
    State(mail): State<MailQueue>,
    Now(now): Now,
    PreferredLanguage(language): PreferredLanguage,
    throttle: LoginThrottle,
    Idempotent(key, body): Idempotent<CreateUser>,
) -> Result<Response, ApiError> {
    policy.admit()?;
    policy.check(&body.password)?;
    if policy.mode == SignUp::Verified {
        check_mailable(&body.email)?;
    }
    throttle.sign_up().await?;
    if policy.mode == SignUp::Verified {
        let new = store::NewSignUp {
            username: &body.username,
            email: &body.email,
            role: policy.default_role,
            display_name: body.display_name.as_ref().map(DisplayName::as_str),
            bio: body.bio.as_ref().map(Bio::as_str),
            language: body.language.unwrap_or(language),
            expires_at: now + UNMAILED_LIFETIME,
        };
        let response = key.run(None, async |write| keep(write, &new, now).await).await?;
        mail.wake();
        return Ok(response);
    }
    let password_hash = passwords.hash(Some(throttle.address()), body.password).await?;
    let new = store::NewUser {
        username: &body.username,
        email: &body.email,
        email_verified_at: None,
        password_hash: &password_hash,
        role: policy.default_role,
        display_name: body.display_name.as_ref().map(DisplayName::as_str),
        bio: body.bio.as_ref().map(Bio::as_str),
        language: body.language.unwrap_or(language),
    };
    let make = async |write: &mut Write| {
        if mail.is_on() && store::is_taken(write, &body.email, None, now).await? {
            return Err(ApiError::conflict("email", "taken", ViolationKind::Taken.detail()));
        }
        let account = store::insert(write, new, now).await?;
        write.belongs_to(account.id);
        if mail.is_on() {
            notify(write, account.id, Notice::EmailVerification, now).await?;
        }
        Ok(created(account))
    };
    let response =
        if mail.is_on() { key.run(None, make).await? } else { key.run_statement(None, make).await? };
    mail.wake();
    Ok(response)
}

/// The response that makes an account. Nothing shows a new user, who has written nothing.
pub(super) fn created(account: Account) -> impl IntoResponse {
    let location = [(header::LOCATION, format!("/v1/users/{}", account.id))];
    (StatusCode::CREATED, location, Invalidates(Scope::Nothing), Tagged(account))
}

/// An error if no mail can be sent to the address.
pub(super) fn check_mailable(email: &Email) -> Result<(), ApiError> {
    if is_mailable(email.as_str()) {
        return Ok(());
    }
    let detail = "must be one that mail can be sent to: ASCII before the `@`, and a domain behind it";
    Err(ApiError::invalid("email", "unmailable", detail))
}

/// Keeps a sign-up until its address is verified. What this does and answers is the same whether or not that has an
/// account: only the job that mails it looks.
async fn keep(
    write: &mut Write,
    new: &store::NewSignUp<'_>,
    now: DateTime<Utc>,
) -> Result<(StatusCode, Invalidates), ApiError> {
    // Whether it is still free when the account is made is for its unique index.
    if store::account_named(write, new.username.as_str()).await?.is_some() {
        return Err(ApiError::conflict("username", "taken", ViolationKind::Taken.detail()));
    }
    let id = store::insert_sign_up(write, new, now).await?;
    sign_ups::ask(write, id, None, now).await?;
    Ok((StatusCode::ACCEPTED, Invalidates(Scope::Nothing)))
}
