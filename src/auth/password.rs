//! Passwords: what makes one acceptable, and Argon2id behind a gate, because each hash takes 19 MiB and
//! tens of milliseconds of a core, and a flood of logins must not take the task's memory or its threads.

use std::borrow::Cow;
use std::sync::Arc;

use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use metrics::gauge;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio::sync::Semaphore;
use utoipa::ToSchema;

use crate::error::ApiError;
use crate::http::validation::{Broken, Rule};
use crate::telemetry::metrics::set;

/// A password.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = String, format = Password, min_length = 8, max_length = 128, example = "correct horse battery")]
pub struct Password(SecretString);

impl Password {
    /// Whether it is the same as `other`, whatever the case.
    #[must_use]
    pub fn resembles(&self, other: &str) -> bool {
        self.0.expose_secret().to_lowercase() == other.to_lowercase()
    }

    /// Whether it is among the passwords that are guessed first.
    #[must_use]
    pub fn is_common(&self) -> bool {
        let lowercase = self.0.expose_secret().to_lowercase();
        COMMON.lines().any(|common| common == lowercase)
    }
}

impl From<String> for Password {
    fn from(password: String) -> Self {
        Self(password.into())
    }
}

impl Rule for Password {
    fn check(&self) -> Result<(), Broken> {
        match self.0.expose_secret().chars().count() {
            0..8 => Err(("too_short", Cow::Borrowed("must have at least 8 characters"))),
            8..=128 => Ok(()),
            _ => Err(("too_long", Cow::Borrowed("must have at most 128 characters"))),
        }
    }
}

/// The most common passwords of 8 characters and more, in lower case, one a line.
const COMMON: &str = include_str!("common-passwords.txt");

/// OWASP's first choice for Argon2id: 19 MiB, two passes, one lane.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// How many hashes may wait for each one that runs.
const QUEUE_PER_SLOT: usize = 16;

/// Hashes and verifies passwords, a few at a time. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Passwords {
    argon2: Argon2<'static>,
    slots: usize,
    /// Verified in place of the hash of an account that does not exist: same cost, never a match.
    decoy: Arc<str>,
    running: Arc<Semaphore>,
    admitted: Arc<Semaphore>,
}

impl Passwords {
    /// A gate that runs `slots` hashes at once.
    ///
    /// # Errors
    /// Never with the parameters of this module; Argon2 checks them.
    pub fn new(slots: usize) -> Result<Self, argon2::Error> {
        let params = Params::new(MEMORY_KIB, PASSES, LANES, None)?;
        // Any output of the right length costs the same to compare with.
        let decoy = format!(
            "$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p={LANES}${}${}",
            "c2FsdHNhbHRzYWx0c2FsdA",
            "A".repeat(43)
        );
        Ok(Self {
            argon2: Argon2::new(Algorithm::Argon2id, Version::V0x13, params),
            slots,
            decoy: decoy.into(),
            running: Arc::new(Semaphore::new(slots)),
            admitted: Arc::new(Semaphore::new(slots * (1 + QUEUE_PER_SLOT))),
        })
    }

    /// The hash to store, as a PHC string with its own salt and parameters.
    ///
    /// # Errors
    /// [`ApiError::Overloaded`] when the queue is full.
    pub async fn hash(&self, password: Password) -> Result<String, ApiError> {
        let argon2 = self.argon2.clone();
        self.run(move || {
            argon2.hash_password(password.0.expose_secret().as_bytes()).map(|hash| hash.to_string())
        })
        .await?
        .map_err(|error| ApiError::Internal(error.into()))
    }

    /// Whether `password` is the one behind `hash`. Without a hash the answer is no, at the same cost, so
    /// that time does not tell whether an account exists.
    ///
    /// # Errors
    /// [`ApiError::Overloaded`] when the queue is full.
    pub async fn verify(&self, password: Password, hash: Option<String>) -> Result<bool, ApiError> {
        let (argon2, decoy) = (self.argon2.clone(), self.decoy.clone());
        self.run(move || {
            let password = password.0.expose_secret().as_bytes();
            let verified = argon2.verify_password(password, hash.as_deref().unwrap_or(&decoy));
            hash.is_some() && verified.is_ok()
        })
        .await
    }

    /// Writes how busy the gate is into the metrics.
    pub fn observe(&self) {
        let running = self.slots - self.running.available_permits();
        let admitted = self.slots * (1 + QUEUE_PER_SLOT) - self.admitted.available_permits();
        set(&gauge!("password_hashes_running"), running);
        set(&gauge!("password_hashes_waiting"), admitted.saturating_sub(running));
    }

    /// The permits go with the work, not with the request: when the client hangs up, the thread still
    /// runs and still counts.
    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, ApiError> {
        let admitted = self.admitted.clone().try_acquire_owned().map_err(|_full| ApiError::Overloaded)?;
        let running =
            self.running.clone().acquire_owned().await.map_err(|closed| ApiError::Internal(closed.into()))?;
        tokio::task::spawn_blocking(move || {
            let _permits = (admitted, running);
            work()
        })
        .await
        .map_err(|panicked| ApiError::Internal(panicked.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(text: &str) -> Password {
        Password::from(text.to_owned())
    }

    #[tokio::test]
    async fn only_the_right_password_is_verified() {
        let passwords = Passwords::new(1).unwrap();
        let hash = passwords.hash(password("correct horse")).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(passwords.verify(password("correct horse"), Some(hash.clone())).await.unwrap());
        assert!(!passwords.verify(password("Correct horse"), Some(hash)).await.unwrap());
        assert!(!passwords.verify(password("correct horse"), None).await.unwrap());
    }

    #[test]
    fn the_decoy_is_a_hash_that_argon2_works_on() {
        let passwords = Passwords::new(1).unwrap();
        let error = passwords.argon2.verify_password(b"anything", &*passwords.decoy).unwrap_err();
        assert_eq!(error, argon2::password_hash::Error::PasswordInvalid);
    }

    #[tokio::test]
    async fn a_full_queue_refuses_at_once() {
        let passwords = Passwords::new(1).unwrap();
        let _all = passwords.admitted.clone().acquire_many_owned(17).await.unwrap();
        assert!(matches!(passwords.hash(password("whatever1")).await, Err(ApiError::Overloaded)));
    }

    #[test]
    fn common_passwords_are_known_whatever_their_case() {
        assert!(password("Password123").is_common());
        assert!(!password("correct horse battery").is_common());
        assert!(COMMON.lines().all(|line| line.len() >= 8 && line == line.to_lowercase()));
    }
}
