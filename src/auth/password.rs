//! Passwords: what makes one acceptable, and Argon2id behind a gate, because each hash takes 19 MiB and
//! tens of milliseconds of a core, and a flood of logins must not take the task's memory or its threads. Only
//! a few hashes are computed at once, in memory that is allocated once and reused: an allocator may keep what
//! each thread has freed, which for 40 threads is more than a task has.

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version, password_hash};
use metrics::gauge;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use unicode_normalization::UnicodeNormalization;
use utoipa::ToSchema;

use super::login_throttle::Attempt;
use crate::http::shares::Shares;
use crate::http::validation::{Rule, RuleViolation};
use crate::telemetry::metrics::set;
use crate::text;
use crate::workers::{WorkError, Workers};

/// A password.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(from = "String")]
#[schema(value_type = String, format = Password, min_length = 8, max_length = 128, example = "correct horse battery")]
pub struct Password(Forms);

/// What is kept and compared of a password is its normal form, NFKC as NIST SP 800-63B has it: what two keyboards
/// or input methods write differently, but everybody reads alike, is one password.
#[derive(Clone, Debug)]
struct Forms {
    normal: SecretString,
    /// As it was typed, if that is not its normal form: what passwords were before there was one.
    typed: Option<SecretString>,
}

impl Password {
    /// Whether it is the same as `other`, whatever the case.
    #[must_use]
    pub fn resembles(&self, other: &str) -> bool {
        self.0.normal.expose_secret().to_lowercase() == other.nfkc().collect::<String>().to_lowercase()
    }

    #[must_use]
    pub fn is_common(&self) -> bool {
        let lowercase = self.0.normal.expose_secret().to_lowercase();
        COMMON.lines().any(|common| common == lowercase)
    }
}

impl From<String> for Password {
    fn from(password: String) -> Self {
        let normal: String = password.nfkc().collect();
        let typed = (normal != password).then(|| password.into());
        Self(Forms { normal: normal.into(), typed })
    }
}

impl Rule for Password {
    fn check(&self) -> Result<(), RuleViolation> {
        let text = self.0.normal.expose_secret();
        if !text.is_empty() && text.chars().all(text::is_invisible) {
            return Err(("blank", Cow::Borrowed("must have characters that can be seen")));
        }
        match text.chars().count() {
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

/// How many hashes may wait: on half a core, a hundred people who sign in at once wait for about six seconds.
const QUEUE: usize = 128;

/// How many of one address are hashed or wait: nobody fills the queue for everybody.
const MAX_OF_ADDRESS: usize = 32;

/// Hashes and verifies passwords, a few at a time. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Passwords {
    params: Params,
    /// Verified in place of the hash of an account that does not exist: same cost, never a match.
    decoy: Arc<str>,
    workers: Arc<Workers>,
    addresses: Shares,
    memories: Arc<Memories>,
}

#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    #[error(transparent)]
    Work(#[from] WorkError),
    #[error("too many passwords of one address wait")]
    TooMany,
    /// Never with the parameters of this module.
    #[error("cannot hash a password: {0}")]
    Hash(#[from] password_hash::Error),
}

/// The working memory of as many hashes as run at once, allocated when it is first needed.
#[derive(Default)]
struct Memories(Mutex<Vec<Vec<Block>>>);

impl fmt::Debug for Memories {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memories").finish_non_exhaustive()
    }
}

impl Memories {
    fn lend<T>(&self, work: impl FnOnce(&mut Vec<Block>) -> T) -> T {
        let lock = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut memory = lock().pop().unwrap_or_default();
        let result = work(&mut memory);
        lock().push(memory);
        result
    }
}

impl Passwords {
    /// A gate that runs `slots` hashes at once. Never fails: Argon2 accepts the parameters of this module.
    pub fn new(slots: usize) -> Result<Self, argon2::Error> {
        // Any output of the right length costs the same to compare with.
        let decoy = format!(
            "$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p={LANES}${}${}",
            "c2FsdHNhbHRzYWx0c2FsdA",
            "A".repeat(43)
        );
        Ok(Self {
            params: Params::new(MEMORY_KIB, PASSES, LANES, None)?,
            decoy: decoy.into(),
            workers: Arc::new(Workers::with_slots("passwords", slots, slots + QUEUE, 0)),
            addresses: Shares::new(MAX_OF_ADDRESS),
            memories: Arc::default(),
        })
    }

    /// The hash to store, as a PHC string with its own salt and parameters. It is asked for by `address`, or by a
    /// command of the operator's.
    pub async fn hash(&self, address: Option<IpAddr>, password: Password) -> Result<String, PasswordError> {
        let params = self.params.clone();
        Ok(self.run(address, move |memory| hash(&password.0.normal, params, memory)).await??.to_string())
    }

    /// Whether `password` is the one behind `hash`, in its normal form or as it was typed. Without a hash the answer is no, at the same cost, so
    /// that time does not tell whether an account exists.
    pub async fn verify(
        &self,
        attempt: &Attempt,
        password: Password,
        hash: Option<String>,
    ) -> Result<bool, PasswordError> {
        let decoy = self.decoy.clone();
        self.run(Some(attempt.address()), move |memory| {
            let Forms { normal, typed } = &password.0;
            let known = hash.as_deref().unwrap_or(&decoy);
            let verified =
                std::iter::once(normal).chain(typed).any(|text| verify(text, known, memory).unwrap_or(false));
            hash.is_some() && verified
        })
        .await
    }

    pub fn observe(&self) {
        let (running, waiting) = self.workers.running_and_waiting();
        set(&gauge!("password_hashes_running"), running);
        set(&gauge!("password_hashes_waiting"), waiting);
    }

    async fn run<T: Send + 'static>(
        &self,
        address: Option<IpAddr>,
        work: impl FnOnce(&mut Vec<Block>) -> T + Send + 'static,
    ) -> Result<T, PasswordError> {
        let share = address.map(|address| self.addresses.take(address, 1).ok_or(PasswordError::TooMany));
        let (share, memories) = (share.transpose()?, self.memories.clone());
        // The share is given back with the work's end, also if nobody waits for it any more.
        let work = move |memory: &mut _| {
            let _share = share;
            work(memory)
        };
        Ok(self.workers.run(0, move || memories.lend(work)).await?)
    }
}

fn hash(
    password: &SecretString,
    params: Params,
    memory: &mut Vec<Block>,
) -> Result<PasswordHash, password_hash::Error> {
    let salt = Salt::new(&rand::random::<[u8; Salt::RECOMMENDED_LENGTH]>())?;
    let (algorithm, version) = (Algorithm::Argon2id, Version::V0x13);
    let stored_params = ParamsString::try_from(&params)?;
    let output = output(password, &Argon2::new(algorithm, version, params), &salt, memory)?;
    Ok(PasswordHash {
        algorithm: algorithm.ident(),
        version: Some(version.into()),
        params: stored_params,
        salt: Some(salt),
        hash: Some(output),
    })
}

/// Whether `password` is the one behind the PHC string `hash`; in constant time.
fn verify(
    password: &SecretString,
    hash: &str,
    memory: &mut Vec<Block>,
) -> Result<bool, password_hash::Error> {
    let hash = PasswordHash::new(hash)?;
    let version = hash.version.map(Version::try_from).transpose()?.unwrap_or_default();
    let argon2 =
        Argon2::new(Algorithm::try_from(hash.algorithm.as_str())?, version, Params::try_from(&hash)?);
    let salt = hash.salt.ok_or(password_hash::Error::SaltInvalid)?;
    Ok(Some(output(password, &argon2, &salt, memory)?) == hash.hash)
}

fn output(
    password: &SecretString,
    argon2: &Argon2<'_>,
    salt: &Salt,
    memory: &mut Vec<Block>,
) -> Result<Output, password_hash::Error> {
    let blocks = argon2.params().block_count();
    if memory.len() < blocks {
        memory.resize(blocks, Block::default());
    }
    let mut buffer = [0; Output::MAX_LENGTH];
    let length = argon2.params().output_len().unwrap_or(Params::DEFAULT_OUTPUT_LEN);
    let output = buffer.get_mut(..length).ok_or(password_hash::Error::OutputSize)?;
    let password = password.expose_secret().as_bytes();
    argon2.hash_password_into_with_memory(password, salt, output, &mut memory[..blocks])?;
    Ok(Output::new(output)?)
}

#[cfg(test)]
mod tests;
