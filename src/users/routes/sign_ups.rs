//! Signing up where the address is verified first: nobody learns whether it has an account but who reads it.

use axum::extract::State;
use axum::response::Response;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use utoipa::ToSchema;

use super::create::{SignUpPolicy, created};
use super::credentials::check_for_account;
use crate::auth::login_throttle::LoginThrottle;
use crate::auth::password::{Password, Passwords};
use crate::auth::token;
use crate::db::{Db, ViolationKind};
use crate::error::ApiError;
use crate::http::idempotency::{Idempotent, Write};
use crate::http::now::Now;
use crate::http::validation::{Validate, Violations};
use crate::users::model::{Account, Email, Username};
use crate::users::store::{self, NewUser, Offer};

/// A link that was mailed to who signs up.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfirmSignUp {
    /// What stands behind the `#` of the link.
    #[schema(example = "blog_3q2-7wKDhLpXbN0vYtRfZsGmUcJ5eAi8oQxW1kB6nEY")]
    token: String,
    /// That of the account. Not the username, not the e-mail address, not a common password.
    password: Password,
    /// Another name than the one that was chosen, if somebody else has that by now.
    username: Option<Username>,
}

impl Validate for ConfirmSignUp {
    fn validate(&self, violations: &mut Violations) {
        violations.check("password", &self.password).check("username", &self.username);
    }
}

/// Confirm a sign-up
///
/// By the token of a mailed link: makes the account, whose address is verified, with a password of who reads it: it may be a
/// stranger who has signed up with their address. Every other sign-up and invitation of the address is void then. Nothing else
/// uses the token up, however often the link is opened.
#[utoipa::path(post, path = "/v1/sign-ups/confirmation", tag = "users", request_body = ConfirmSignUp, responses(
    (status = 201, description = "The account is made; sign in to use it", body = Account,
     headers(("Location" = String, description = "The path of the new user"))),
    (status = 403, description = "Nobody signs up here any more without an invitation: `sign_up_closed`"),
    (status = 409, description = "The username or the e-mail address is taken by now; `errors` says which"),
))]
pub async fn confirm_sign_up(
    State(db): State<Db>,
    State(passwords): State<Passwords>,
    State(policy): State<SignUpPolicy>,
    Now(now): Now,
    throttle: LoginThrottle,
    Idempotent(key, body): Idempotent<ConfirmSignUp>,
) -> Result<Response, ApiError> {
    // The operator may have closed it meanwhile.
    policy.admit()?;
    policy.check(&body.password)?;
    throttle.verification().await?;
    let hash = token::hash(body.token.trim());
    let proven = store::proven_sign_up(&mut db.acquire().await?, Offer::SignUp, &hash, now).await?;
    let proven = proven.ok_or_else(invalid)?;
    let username = body.username.or(proven.username.map(Username::from)).ok_or_else(invalid)?;
    check_for_account(&body.password, username.as_str(), &proven.email)?;
    let password_hash = passwords.hash(Some(throttle.address()), body.password).await?;
    key.run(None, async |write| {
        let proven = store::lock_proven_sign_up(write, Offer::SignUp, &hash, now).await?;
        let proven = proven.ok_or_else(invalid)?;
        let new = NewUser {
            username: &username,
            email: &Email::from(proven.email),
            email_verified_at: Some(now),
            password_hash: &password_hash,
            role: proven.role,
            display_name: proven.display_name.as_deref(),
            bio: proven.bio.as_deref(),
            language: proven.language,
        };
        Ok(created(make_verified(write, new, now).await?))
    })
    .await
}

/// Makes an account whose address is verified. A taken name violates its unique index.
pub(super) async fn make_verified(
    write: &mut Write,
    new: NewUser<'_>,
    now: DateTime<Utc>,
) -> Result<Account, ApiError> {
    if store::is_taken(write, new.email, None, now).await? {
        return Err(ApiError::conflict("email", "taken", ViolationKind::Taken.detail()));
    }
    let account = store::insert(write, new, now).await?;
    write.belongs_to(account.id);
    Ok(account)
}

fn invalid() -> ApiError {
    ApiError::invalid("token", "invalid", "is unknown, used or expired: sign up again")
}
