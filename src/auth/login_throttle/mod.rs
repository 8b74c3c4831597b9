//! Passwords and addresses may be tried only so often, whichever task is asked: the database counts, before any
//! password is hashed. It counts addresses that have no account like those that have one.

pub mod store;

use std::net::IpAddr;

use axum::extract::{FromRef, FromRequestParts};
use axum::http::request::Parts;
use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use crate::clock::Clock;
use crate::db::{Connection, Db};
use crate::error::ApiError;
use crate::http::context::{TrustedProxyHops, client_network};
use crate::http::now::Now;
use crate::http::rate_limit::{LimitStatus, RequestLimits, whole_seconds};
use crate::text;

#[derive(Clone, Copy, Debug)]
pub struct LoginThrottleEnabled(pub bool);

#[derive(Clone, Copy, Debug)]
struct Throttle {
    policy: &'static str,
    quota: i32,
    window: TimeDelta,
}

const FIFTEEN_MINUTES: TimeDelta = TimeDelta::minutes(15);
/// Guesses at one account from one address.
const SIGN_IN: Throttle = Throttle { policy: "sign-in", quota: 10, window: FIFTEEN_MINUTES };
/// Guesses at many accounts from one address, or at one account from many addresses.
const SIGN_IN_AT_LARGE: Throttle = Throttle { policy: "sign-in", quota: 100, window: FIFTEEN_MINUTES };
/// Guesses of the present password by whoever is signed in, from wherever.
const PASSWORD: Throttle = Throttle { policy: "password", quota: 10, window: FIFTEEN_MINUTES };
/// Asking for a new password, and choosing one, from one address.
const PASSWORD_RESET: Throttle =
    Throttle { policy: "password-reset", quota: 20, window: TimeDelta::hours(1) };
/// Mails about that to one account, whoever asks: for as long as their links work, so that nobody uses them up for it.
const RESET_MAIL: Throttle = Throttle { policy: "password-reset", quota: 5, window: TimeDelta::minutes(30) };
/// Showing that an address is read, from one address.
const VERIFICATION: Throttle =
    Throttle { policy: "email-verification", quota: 20, window: TimeDelta::hours(1) };
/// Mails about that which one account asks for, and to one address, whoever asks.
const VERIFICATION_MAIL: Throttle =
    Throttle { policy: "email-verification", quota: 5, window: TimeDelta::hours(1) };
/// Mails to one address about signing up with it, whoever asks.
const SIGN_UP_MAIL: Throttle = Throttle { policy: "sign-up", quota: 5, window: TimeDelta::hours(1) };
/// Invitations by one account.
const INVITATION: Throttle = Throttle { policy: "invitation", quota: 50, window: TimeDelta::hours(1) };
/// Invitations to one address, whoever invites.
const INVITATION_MAIL: Throttle = Throttle { policy: "invitation", quota: 5, window: TimeDelta::hours(1) };
const SIGN_UP: Throttle = Throttle { policy: "sign-up", quota: 20, window: TimeDelta::hours(1) };

/// A guess at a password that was counted and may be made: without one no password is verified.
#[derive(Debug)]
pub struct Attempt {
    address: IpAddr,
    /// What is forgotten if it is right.
    subjects: Vec<String>,
}

impl Attempt {
    pub(super) fn address(&self) -> IpAddr {
        self.address
    }
}

#[cfg(test)]
impl Attempt {
    pub(super) fn uncounted() -> Self {
        Self { address: std::net::Ipv4Addr::LOCALHOST.into(), subjects: Vec::new() }
    }
}

pub struct LoginThrottle {
    is_limited: bool,
    db: Db,
    now: DateTime<Utc>,
    address: IpAddr,
    limits: RequestLimits,
}

impl<S: Send + Sync> FromRequestParts<S> for LoginThrottle
where
    Db: FromRef<S>,
    Clock: FromRef<S>,
    LoginThrottleEnabled: FromRef<S>,
    TrustedProxyHops: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let LoginThrottleEnabled(is_limited) = LoginThrottleEnabled::from_ref(state);
        Ok(Self {
            is_limited,
            db: Db::from_ref(state),
            now: Now::of(parts, state),
            address: client_network(&parts.headers, &parts.extensions, TrustedProxyHops::from_ref(state)),
            limits: RequestLimits::of(parts),
        })
    }
}

impl LoginThrottle {
    /// The client's, to be counted against.
    #[must_use]
    pub fn address(&self) -> IpAddr {
        self.address
    }

    /// Counts an attempt to sign in as `email`, and refuses one that is over the quota.
    pub async fn sign_in(&self, email: &str) -> Result<Attempt, ApiError> {
        let address = self.address;
        // What is refused by one rule is not counted by the next: from one address, nobody can use up what
        // an account allows to all.
        self.count(&[
            (SIGN_IN, self.at_account(email)),
            (SIGN_IN_AT_LARGE, format!("sign-in by address\n{address}")),
            (SIGN_IN_AT_LARGE, format!("sign-in by account\n{}", storable(email))),
        ])
        .await?;
        Ok(Attempt { address, subjects: vec![self.at_account(email)] })
    }

    /// Counts an attempt of `user`, who is signed in, to give their present password: also as one to sign in from
    /// here, so that there are no more guesses with two doors than with one. What strangers try elsewhere does
    /// not count.
    pub async fn confirm(&self, user: Uuid, email: &str) -> Result<Attempt, ApiError> {
        let own = format!("password of account\n{user}");
        self.count(&[(PASSWORD, own.clone()), (SIGN_IN, self.at_account(email))]).await?;
        Ok(Attempt { address: self.address, subjects: vec![own, self.at_account(email)] })
    }

    /// Forgets the failed attempts before one that was right.
    pub async fn forgive(&self, attempt: Attempt) -> Result<(), ApiError> {
        if self.is_limited {
            let mut connection = self.db.acquire().await?;
            for subject in attempt.subjects {
                store::reset(&mut connection, &subject).await?;
            }
        }
        Ok(())
    }

    /// Counts an attempt of `user` to take another address, which tells whether it is taken: as one to sign up.
    pub async fn new_address(&self, user: Uuid) -> Result<(), ApiError> {
        self.count(&[(SIGN_UP, self.at_sign_up()), (SIGN_UP, format!("new address of account\n{user}"))])
            .await
    }

    /// Counts an attempt to sign up, and refuses one that is over the quota.
    pub async fn sign_up(&self) -> Result<(), ApiError> {
        self.count(&[(SIGN_UP, self.at_sign_up())]).await
    }

    /// Counts an invitation by `user` to the address with this key.
    pub async fn invitation(&self, user: Uuid, email_key: &str) -> Result<(), ApiError> {
        self.count(&[
            (INVITATION, format!("invitation by account\n{user}")),
            (INVITATION_MAIL, format!("invitation of address\n{email_key}")),
        ])
        .await
    }

    /// Counts an attempt to have a new password.
    pub async fn password_reset(&self) -> Result<(), ApiError> {
        self.count(&[(PASSWORD_RESET, format!("password reset by address\n{}", self.address))]).await
    }

    /// Counts an attempt to show that an address is read.
    pub async fn verification(&self) -> Result<(), ApiError> {
        self.count(&[(VERIFICATION, format!("verification by address\n{}", self.address))]).await
    }

    /// Counts a guess at a code of `user`.
    pub async fn code(&self, user: Uuid) -> Result<(), ApiError> {
        self.count(&[(VERIFICATION, format!("code of account\n{user}"))]).await
    }

    /// Counts a mail for that, which `user` asks for.
    pub async fn verification_mail(&self, user: Uuid) -> Result<(), ApiError> {
        self.count(&[(VERIFICATION_MAIL, format!("verification of account\n{user}"))]).await
    }

    /// Reports to the client the limit that it is closest to.
    async fn count(&self, attempts: &[(Throttle, String)]) -> Result<(), ApiError> {
        if !self.is_limited {
            return Ok(());
        }
        let mut connection = self.db.acquire().await?;
        let mut closest: Option<LimitStatus> = None;
        for (rule, subject) in attempts {
            let counted = store::count(&mut connection, subject, rule.quota, rule.window, self.now).await?;
            let status = rule.status(counted, self.now);
            if closest.is_none_or(|closest| status.is_refused || status.remaining < closest.remaining) {
                closest = Some(status);
            }
            if status.is_refused {
                break;
            }
        }
        closest.map_or(Ok(()), |status| self.limits.add(status))
    }

    fn at_sign_up(&self) -> String {
        format!("sign-up by address\n{}", self.address)
    }

    fn at_account(&self, email: &str) -> String {
        format!("sign-in by address and account\n{}\n{}", self.address, storable(email))
    }
}

/// Counts a mail with a link for a new password to `user`, and says whether it is within the quota.
pub async fn may_mail_reset(
    connection: &mut Connection,
    user: Uuid,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    RESET_MAIL.admits(connection, &format!("password reset of account\n{user}"), now).await
}

/// Counts a mail to the address with this key that asks whether it is read, and says whether it is within the quota.
pub async fn may_mail_verification(
    connection: &mut Connection,
    email_key: &str,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    VERIFICATION_MAIL.admits(connection, &format!("verification of address\n{email_key}"), now).await
}

/// Counts a mail to the address with this key about a sign-up with it, and says whether it is within the quota.
pub async fn may_mail_sign_up(
    connection: &mut Connection,
    email_key: &str,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    SIGN_UP_MAIL.admits(connection, &format!("sign-up of address\n{email_key}"), now).await
}

impl Throttle {
    async fn admits(
        self,
        connection: &mut Connection,
        subject: &str,
        now: DateTime<Utc>,
    ) -> sqlx::Result<bool> {
        Ok(store::count(connection, subject, self.quota, self.window, now).await?.count <= self.quota)
    }

    fn status(self, counted: store::Counted, now: DateTime<Utc>) -> LimitStatus {
        LimitStatus {
            policy: self.policy,
            quota: self.quota.unsigned_abs(),
            window: self.window.num_seconds().unsigned_abs(),
            remaining: (self.quota - counted.count).max(0).unsigned_abs(),
            reset_after: whole_seconds((counted.ends_at - now).to_std().unwrap_or_default()),
            is_refused: counted.count > self.quota,
        }
    }
}

/// The address whatever its case. PostgreSQL's text cannot hold a NUL, and no account has one.
fn storable(email: &str) -> String {
    text::fold(email).replace('\0', "\u{fffd}")
}
