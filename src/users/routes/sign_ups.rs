//! Signing up where the address is verified first: nobody learns whether it has an account but who reads it.

use axum::extract::State;
use axum::response::Response;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use utoipa::ToSchema;

use super::create::{SignUpPolicy, created};
use crate::auth::login_throttle::LoginThrottle;
use crate::auth::token;
use crate::db::ViolationKind;
use crate::error::ApiError;
use crate::http::idempotency::{Idempotent, Write};
use crate::http::now::Now;
use crate::http::validation::{Validate, Violations};
use crate::users::model::{Account, Username};
use crate::users::store::{self, NewUser};

/// A link that was mailed to who signs up.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfirmSignUp {
    /// What stands behind the `#` of the link.
    #[schema(example = "blog_3q2-7wKDhLpXbN0vYtRfZsGmUcJ5eAi8oQxW1kB6nEY")]
    token: String,
    /// Another name than the one that was chosen, if somebody else has that by now.
    username: Option<Username>,
}

impl Validate for ConfirmSignUp {
    fn validate(&self, violations: &mut Violations) {
        violations.check("username", &self.username);
    }
}

/// Confirm a sign-up
///
/// By the token of a mailed link: makes the account, whose address is verified. Every other sign-up and invitation of the
/// address is void then. Nothing else uses the token up, however often the link is opened.
#[utoipa::path(post, path = "/v1/sign-ups/confirmation", tag = "users", request_body = ConfirmSignUp, responses(
    (status = 201, description = "The account is made; sign in to use it", body = Account,
     headers(("Location" = String, description = "The path of the new user"))),
    (status = 403, description = "Nobody signs up here any more without an invitation: `sign_up_closed`"),
    (status = 409, description = "The username or the e-mail address is taken by now; `errors` says which"),
))]
pub async fn confirm_sign_up(
    State(policy): State<SignUpPolicy>,
    Now(now): Now,
    throttle: LoginThrottle,
    Idempotent(key, body): Idempotent<ConfirmSignUp>,
) -> Result<Response, ApiError> {
    // The operator may have closed it meanwhile.
    policy.admit()?;
    throttle.verification().await?;
    let hash = token::hash(body.token.trim());
    key.run(None, async |write| {
        let sign_up = store::take_sign_up(write, &hash, now).await?.ok_or_else(|| {
            ApiError::invalid("token", "invalid", "is unknown, used or expired: sign up again")
        })?;
        let (email, username) = (sign_up.email(), sign_up.username(body.username));
        let new = NewUser {
            username: &username,
            email: &email,
            email_verified_at: Some(now),
            password_hash: &sign_up.password_hash,
            role: sign_up.role,
            display_name: sign_up.display_name.as_deref(),
            bio: sign_up.bio.as_deref(),
            language: sign_up.language,
        };
        Ok(created(insert(write, new, now).await?))
    })
    .await
}

/// Makes an account whose address is verified. A taken name violates its unique index.
pub(super) async fn insert(
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
