//! What is checked before the password or the e-mail address of an account changes: whoever changes their own
//! gives the present password.

use uuid::Uuid;

use crate::auth::User;
use crate::auth::login_throttle::LoginThrottle;
use crate::auth::password::{Password, Passwords};
use crate::db::Db;
use crate::error::ApiError;
use crate::http::validation::Violations;
use crate::users::model::{Account, Email, check_password};
use crate::users::store;

#[derive(Debug)]
pub(super) struct NewCredentials {
    pub(super) email: Option<Email>,
    pub(super) password: Option<Password>,
    /// The present password.
    pub(super) current: Option<Password>,
}

/// What a change of credentials writes.
#[derive(Debug, Default)]
pub(super) struct Checked {
    /// The new password's PHC string.
    pub(super) password_hash: Option<String>,
    /// The present one's, if it had to be given.
    pub(super) verified_hash: Option<String>,
}

impl NewCredentials {
    /// Checks them against the account with `id`. An admin gives no password for another's account: they may set
    /// that anyway.
    pub(super) async fn check(
        self,
        caller: &User,
        id: Uuid,
        db: &Db,
        passwords: &Passwords,
        throttle: &LoginThrottle,
    ) -> Result<Checked, ApiError> {
        if self.password.is_none() && self.email.is_none() {
            return Ok(Checked::default());
        }
        let account = store::account(&mut db.acquire().await?, id).await?.ok_or(ApiError::NotFound)?;
        if let Some(password) = &self.password {
            check_for_account(password, &account.username, &account.email)?;
        }
        let new_email = self.email.is_some_and(|email| email.as_str() != account.email);
        let mut verified_hash = None;
        if caller.id == id && (new_email || self.password.is_some()) {
            verified_hash = Some(verify(&account, self.current, db, passwords, throttle).await?);
        }
        if caller.id == id && new_email {
            throttle.new_address(id).await?;
        }
        let password_hash = match self.password {
            Some(password) => Some(passwords.hash(Some(throttle.address()), password).await?),
            None => None,
        };
        Ok(Checked { password_hash, verified_hash })
    }
}

/// An error unless it will do for the account with these names.
pub(super) fn check_for_account(password: &Password, username: &str, email: &str) -> Result<(), ApiError> {
    let mut violations = Violations::default();
    check_password(&mut violations, password, Some(username), Some(email));
    Ok(violations.into_result()?)
}

/// The hash of the present password, which `current` is.
async fn verify(
    account: &Account,
    current: Option<Password>,
    db: &Db,
    passwords: &Passwords,
    throttle: &LoginThrottle,
) -> Result<String, ApiError> {
    let detail = "is required to change one's own password or e-mail address";
    let current = current.ok_or_else(|| ApiError::invalid("current_password", "required", detail))?;
    let attempt = throttle.confirm(account.id, &account.email).await?;
    let hash = store::password_hash(&mut db.acquire().await?, account.id).await?.ok_or(ApiError::NotFound)?;
    if !passwords.verify(&attempt, current, Some(hash.clone())).await? {
        return Err(ApiError::invalid("current_password", "wrong", "is not the present password"));
    }
    throttle.forgive(attempt).await?;
    Ok(hash)
}
