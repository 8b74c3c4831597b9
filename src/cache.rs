//! Answers to anonymous reads, which are the same for everybody, kept in memory for a moment.
//!
//! An answer counts until what it shows has changed. Who changes something says so after its commit: to the
//! cache of its own task at once, and to those of the other tasks through the database. A task that does not
//! hear the others keeps nothing. And no answer is kept for longer than `Cache-Control` lets everybody else
//! keep it, so that this is how far behind the worst can be: a change that was made by other means, or a
//! replica that has not heard of one yet.
//!
//! Nothing is looked for and taken out when something changes. Changes are counted, and an answer counts as
//! long as the numbers are what they were before its query. So one that was read before a change and is put
//! here after it never counts; what counts no more makes room for what does.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::Bytes;
use axum::http::HeaderMap;
use chrono::{DateTime, Utc};
use metrics::{counter, gauge};
use quick_cache::Weighter;
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};
use uuid::Uuid;

use crate::db::channel::Channel;
use crate::db::credentials::Credentials;
use crate::telemetry::metrics::set;

/// The largest answer that is kept, in bytes.
const MAX_ANSWER: usize = 2 * 1024 * 1024;

/// What an answer takes beside its body and its key, about, in bytes.
const OVERHEAD: usize = 1024;

/// How many changes are told one by one; more are told as a change of everything.
const MAX_TOLD: usize = 100;

/// How many questions can be asked of the database by one for all who ask them.
const TURNS: usize = 1024;

/// How long a request waits for the one that asks the database the same.
const PATIENCE: Duration = Duration::from_secs(1);

/// How often the connection to the other tasks is tried when nothing is heard on it.
const HEARTBEAT: Duration = Duration::from_secs(5);
const RECONNECT_DELAY: Duration = Duration::from_secs(1);

/// What an answer shows, or a request has changed: in an answer's extensions, the least that it may be. Without
/// one it is everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Nothing that anonymous clients read.
    Nothing,
    /// One resource and what hangs on it: a post with its comments and likes.
    Of(Uuid),
    /// Anything.
    Everything,
}

/// An answer to a read, with status 200.
#[derive(Clone, Debug)]
pub struct Answer {
    /// What its handler says of it.
    pub headers: HeaderMap,
    /// The body, encoded as the client takes it.
    pub body: Bytes,
    /// When it stops being right by itself, if that is known.
    pub right_until: Option<DateTime<Utc>>,
    /// How long everybody else may keep it, if that is not the usual time.
    pub max_age: Option<Duration>,
}

/// Before a query: what had changed by then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment(u64);

/// The cache of this task. Cheap to clone.
#[derive(Clone)]
pub struct Cache(Arc<Inner>);

struct Inner {
    answers: quick_cache::sync::Cache<String, Arc<Kept>, Bytewise>,
    changes: Mutex<Changes>,
    /// Found by the hash of a key.
    turns: Vec<tokio::sync::Mutex<()>>,
    hasher: RandomState,
    /// There is something to tell the other tasks.
    untold: Notify,
    max_bytes: u64,
}

struct Kept {
    answer: Answer,
    scope: Scope,
    /// The number of `scope` before the query.
    number: u64,
    expires: DateTime<Utc>,
}

#[derive(Clone)]
struct Bytewise;

impl Weighter<String, Arc<Kept>> for Bytewise {
    fn weight(&self, key: &String, kept: &Arc<Kept>) -> u64 {
        (key.len() + kept.answer.body.len() + OVERHEAD) as u64
    }
}

impl Cache {
    /// An empty cache of at most `max_bytes`. It keeps nothing before [`share`](Self::share) runs.
    #[must_use]
    pub fn new(max_bytes: u64) -> Self {
        let estimate = usize::try_from(max_bytes / 8192).unwrap_or(usize::MAX);
        Self(Arc::new(Inner {
            answers: quick_cache::sync::Cache::with_weighter(estimate, max_bytes, Bytewise),
            changes: Mutex::new(Changes::new()),
            turns: std::iter::repeat_with(tokio::sync::Mutex::default).take(TURNS).collect(),
            hasher: RandomState::new(),
            untold: Notify::new(),
            max_bytes,
        }))
    }

    /// The answer that is kept under `key`, if it still counts at `now`.
    #[must_use]
    pub fn find(&self, key: &str, now: DateTime<Utc>) -> Option<Answer> {
        let kept = self.0.answers.get(key)?;
        let counts = {
            let changes = self.changes();
            changes.heard && kept.number == changes.number(kept.scope)
        };
        (counts && now < kept.expires).then(|| kept.answer.clone())
    }

    /// To be held while the database is asked for what `key` has not: whoever wants the same waits, and will
    /// find it here. `None` for who has waited too long, and asks too.
    pub async fn turn(&self, key: &str) -> Option<tokio::sync::MutexGuard<'_, ()>> {
        timeout(PATIENCE, self.0.turns[self.place(key)].lock()).await.ok()
    }

    #[expect(clippy::cast_possible_truncation, reason = "any bits of the hash will do")]
    fn place(&self, key: &str) -> usize {
        self.0.hasher.hash_one(key) as usize % TURNS
    }

    /// To be called before the query whose answer is to be kept. `None` if nothing is kept now.
    #[must_use]
    pub fn moment(&self) -> Option<Moment> {
        let changes = self.changes();
        changes.heard.then_some(Moment(changes.of_anything))
    }

    /// Keeps `answer`, which shows `scope`, until `expires`; unless something has changed since `before`.
    pub fn keep(
        &self,
        key: String,
        mut answer: Answer,
        scope: Scope,
        expires: DateTime<Utc>,
        before: Moment,
    ) {
        if answer.body.len() > MAX_ANSWER {
            return;
        }
        let number = {
            let changes = self.changes();
            if !changes.heard || changes.of_anything != before.0 {
                return;
            }
            changes.number(scope)
        };
        // A buffer that grew while the body was written may be twice as large.
        answer.body = Bytes::copy_from_slice(&answer.body);
        self.0.answers.insert(key, Arc::new(Kept { answer, scope, number, expires }));
    }

    /// To be called after the commit of what changes `scope`.
    pub fn changed(&self, scope: Scope) {
        if scope == Scope::Nothing {
            return;
        }
        let mut changes = self.changes();
        changes.count(scope);
        if changes.heard {
            changes.untold.insert(scope);
            self.0.untold.notify_one();
        }
        counter!("cache_changes_total", "source" => "self").increment(1);
    }

    /// Tells the other tasks what this one changes, and hears what they change: for ever.
    pub async fn share(&self, credentials: &Credentials) {
        let mut is_known = false;
        loop {
            let Err(error) = self.exchange(credentials).await;
            let was_heard = self.changes().set_heard(false);
            if was_heard || !is_known {
                tracing::warn!(cause = %error, "nothing is cached until the other tasks can be heard");
            }
            is_known = true;
            sleep(RECONNECT_DELAY).await;
        }
    }

    async fn exchange(&self, credentials: &Credentials) -> sqlx::Result<Infallible> {
        let mut channel = Channel::open(credentials).await?;
        self.changes().set_heard(true);
        tracing::debug!("caching");
        loop {
            tokio::select! {
                message = channel.hear() => {
                    let mut changes = self.changes();
                    parse(&message?).for_each(|scope| changes.count(scope));
                    counter!("cache_changes_total", "source" => "others").increment(1);
                }
                () = self.0.untold.notified() => {
                    let untold = std::mem::take(&mut self.changes().untold);
                    channel.say(&format(&untold)).await?;
                }
                () = sleep(HEARTBEAT) => channel.check().await?,
            }
        }
    }

    /// Whether the other tasks are heard, so that answers are kept.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        self.changes().heard
    }

    /// Writes how full it is into the metrics.
    pub fn observe(&self) {
        let Inner { answers, max_bytes, .. } = &*self.0;
        let bytes = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
        set(&gauge!("cache_entries"), answers.len());
        set(&gauge!("cache_bytes"), bytes(answers.weight()));
        set(&gauge!("cache_max_bytes"), bytes(*max_bytes));
        set(&gauge!("cache_shared"), usize::from(self.is_shared()));
    }

    fn changes(&self) -> MutexGuard<'_, Changes> {
        self.0.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How many resources have a number of their own. Two that share one are forgotten together, which does no
/// harm.
const NUMBERS: usize = 4096;

/// What has changed, counted.
struct Changes {
    /// Whether the other tasks are heard.
    heard: bool,
    /// Counts every change.
    of_anything: u64,
    /// Counts changes of everything.
    of_everything: u64,
    /// Count changes of single resources, found by the end of the id, which is random.
    of_one: Vec<u64>,
    /// What the other tasks have not been told yet.
    untold: BTreeSet<Scope>,
}

impl Changes {
    fn new() -> Self {
        Self {
            heard: false,
            of_anything: 0,
            of_everything: 0,
            of_one: vec![0; NUMBERS],
            untold: BTreeSet::new(),
        }
    }

    /// Moves when what an answer of this scope shows has changed.
    fn number(&self, scope: Scope) -> u64 {
        match scope {
            Scope::Nothing => 0,
            Scope::Of(id) => self.of_everything + self.of_one[place(id)],
            Scope::Everything => self.of_anything,
        }
    }

    fn count(&mut self, scope: Scope) {
        self.of_anything += 1;
        match scope {
            Scope::Nothing => {}
            Scope::Of(id) => self.of_one[place(id)] += 1,
            Scope::Everything => self.of_everything += 1,
        }
    }

    /// What was missed while nobody listened may have changed everything. True if it was otherwise.
    fn set_heard(&mut self, heard: bool) -> bool {
        self.count(Scope::Everything);
        self.untold.clear();
        std::mem::replace(&mut self.heard, heard) != heard
    }
}

fn place(id: Uuid) -> usize {
    id.as_u128() as usize % NUMBERS
}

const EVERYTHING: &str = "everything";

/// What the other tasks are told: ids, or that it is everything.
fn format(scopes: &BTreeSet<Scope>) -> String {
    let ids = scopes.iter().map(|scope| match scope {
        Scope::Of(id) => Some(id.to_string()),
        Scope::Nothing | Scope::Everything => None,
    });
    let ids: Option<Vec<_>> = ids.collect();
    ids.filter(|ids| ids.len() <= MAX_TOLD).map_or_else(|| EVERYTHING.to_owned(), |ids| ids.join(" "))
}

/// What another task has told; what is not understood may mean anything.
fn parse(message: &str) -> impl Iterator<Item = Scope> {
    message.split(' ').map(|id| id.parse().map_or(Scope::Everything, Scope::Of))
}

#[cfg(test)]
mod tests;
