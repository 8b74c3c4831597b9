//! Responses to anonymous reads, which are the same for everybody, kept in memory for a moment.
//!
//! A response is valid until what it shows has changed ([`Scope`]). After the commit of a change the cache of
//! the same task is invalidated at once, and those of the other tasks through the invalidation bus. A task that
//! is not connected to the bus caches nothing. And no response is kept for longer than `Cache-Control` lets
//! everybody else keep it: so long can the worst case last, a change that was made by other means, or a replica
//! that lags.
//!
//! The generation is read before the query, and the response is inserted only if it has not moved: what was
//! read before a change and arrives after it is never served.

mod bus;
mod generations;
mod policy;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::Bytes;
use axum::http::HeaderMap;
use chrono::{DateTime, Utc};
use metrics::{counter, gauge};
use quick_cache::sync::{DefaultLifecycle, EntryAction, EntryResult, PlaceholderGuard};
use quick_cache::{DefaultHashBuilder, Weighter};
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::telemetry::metrics::set;
use generations::Generations;
pub use generations::{Generation, Scope};
pub use policy::{CachePolicy, IMMUTABLE, Invalidates};

/// The largest body that is kept, in bytes.
const MAX_BODY: usize = 2 * 1024 * 1024;

/// What an entry takes beside its body and its key, about, in bytes.
const OVERHEAD: usize = 1024;

/// How long a request waits for another one that loads the same.
const MAX_WAIT: Duration = Duration::from_secs(1);

/// A response with status 200.
#[derive(Clone, Debug)]
pub struct CachedResponse {
    pub headers: HeaderMap,
    /// The body, encoded as the client takes it.
    pub body: Bytes,
    pub policy: CachePolicy,
}

/// The cache of this task. Cheap to clone.
#[derive(Clone)]
pub struct Cache(Arc<Inner>);

struct Inner {
    entries: Entries,
    state: Mutex<State>,
    has_pending: Notify,
    max_bytes: u64,
}

type Entries = quick_cache::sync::Cache<String, Arc<Entry>, Bytewise>;

struct Entry {
    response: CachedResponse,
    scope: Scope,
    /// That of `scope` before the query.
    generation: Generation,
    expires: DateTime<Utc>,
}

#[derive(Clone)]
struct Bytewise;

impl Weighter<String, Arc<Entry>> for Bytewise {
    fn weight(&self, key: &String, entry: &Arc<Entry>) -> u64 {
        (key.len() + entry.response.body.len() + OVERHEAD) as u64
    }
}

struct State {
    is_connected: bool,
    generations: Generations,
    /// What has not been sent to the other tasks yet.
    pending: BTreeSet<Scope>,
}

impl State {
    /// True if that changes. Messages missed without a connection may have been about everything.
    fn set_connected(&mut self, is_connected: bool) -> bool {
        self.generations.advance(Scope::Everything);
        self.pending.clear();
        std::mem::replace(&mut self.is_connected, is_connected) != is_connected
    }

    fn is_valid(&self, entry: &Entry, now: DateTime<Utc>) -> bool {
        self.is_connected && entry.generation == self.generations.of(entry.scope) && now < entry.expires
    }
}

pub enum Lookup<'a> {
    Hit(CachedResponse),
    /// Nothing: make the response and insert it.
    Miss(Load<'a>),
    /// Nothing, and nothing is cached now.
    Bypass,
}

/// One request that makes a response for all who ask for the same, and who wait until this is dropped.
pub struct Load<'a> {
    cache: &'a Cache,
    key: String,
    /// `None` if this has waited for another one in vain.
    guard: Option<Guard<'a>>,
    generation: Generation,
}

type Guard<'a> = PlaceholderGuard<
    'a,
    String,
    Arc<Entry>,
    Bytewise,
    DefaultHashBuilder,
    DefaultLifecycle<String, Arc<Entry>>,
>;

impl Cache {
    /// An empty cache of at most `max_bytes`; of none, it only tells what has changed. It caches nothing before
    /// [`run_bus`](Self::run_bus) runs.
    #[must_use]
    pub fn new(max_bytes: u64) -> Self {
        let estimate = usize::try_from(max_bytes / 8192).unwrap_or(usize::MAX);
        Self(Arc::new(Inner {
            entries: Entries::with_weighter(estimate, max_bytes, Bytewise),
            state: Mutex::new(State {
                is_connected: false,
                generations: Generations::new(),
                pending: BTreeSet::new(),
            }),
            has_pending: Notify::new(),
            max_bytes,
        }))
    }

    #[must_use]
    pub fn get(&self, key: &str, now: DateTime<Utc>) -> Option<CachedResponse> {
        let entry = self.0.entries.get(key)?;
        self.state().is_valid(&entry, now).then(|| entry.response.clone())
    }

    /// The cached response, or the right to load it (single flight): whoever finds another request loading it
    /// waits for that.
    pub async fn lookup(&self, key: String, now: DateTime<Utc>) -> Lookup<'_> {
        if let Some(response) = self.get(&key, now) {
            return Lookup::Hit(response);
        }
        if self.0.max_bytes == 0 || !self.is_connected() {
            return Lookup::Bypass;
        }
        let validated = self.0.entries.entry_async(&key, |_key, entry| {
            if self.state().is_valid(entry, now) {
                EntryAction::Retain(entry.response.clone())
            } else {
                EntryAction::ReplaceWithGuard
            }
        });
        let guard = match timeout(MAX_WAIT, validated).await {
            Ok(EntryResult::Retained(response)) => return Lookup::Hit(response),
            Ok(EntryResult::Vacant(guard) | EntryResult::Replaced(guard, _)) => Some(guard),
            Ok(EntryResult::Removed(..) | EntryResult::Timeout) | Err(_) => None,
        };
        match self.generation() {
            Some(generation) => Lookup::Miss(Load { cache: self, key, guard, generation }),
            None => Lookup::Bypass,
        }
    }

    /// Before a query: how much has changed by then. `None` if nothing is cached now.
    #[must_use]
    pub fn generation(&self) -> Option<Generation> {
        let state = self.state();
        state.is_connected.then(|| state.generations.current())
    }

    /// To be called after the commit of what changes `scope`.
    pub fn invalidate(&self, scope: Scope) {
        if scope == Scope::Nothing {
            return;
        }
        let mut state = self.state();
        state.generations.advance(scope);
        if state.is_connected {
            state.pending.insert(scope);
            self.0.has_pending.notify_one();
        }
        counter!("cache_changes_total", "source" => "self").increment(1);
    }

    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.state().is_connected
    }

    pub fn observe(&self) {
        let Inner { entries, max_bytes, .. } = &*self.0;
        let bytes = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
        set(&gauge!("cache_entries"), entries.len());
        set(&gauge!("cache_bytes"), bytes(entries.weight()));
        set(&gauge!("cache_max_bytes"), bytes(*max_bytes));
        set(&gauge!("cache_shared"), usize::from(self.is_connected()));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Load<'_> {
    /// Keeps `response`, which was made at `now`, unless something has changed since the lookup.
    pub fn insert(self, mut response: CachedResponse, now: DateTime<Utc>) {
        let Some(scope) = response.policy.scope() else { return };
        if response.body.len() > MAX_BODY {
            return;
        }
        let Self { cache, key, guard, generation: before } = self;
        let generation = {
            let state = cache.state();
            if !state.is_connected || state.generations.current() != before {
                return;
            }
            state.generations.of(scope)
        };
        // A buffer that grew while the body was written may be twice as large.
        response.body = Bytes::copy_from_slice(&response.body);
        let expires = response.policy.expiry(now);
        let entry = Arc::new(Entry { response, scope, generation, expires });
        match guard {
            // It fails if the key is no longer awaited: somebody else has inserted it.
            Some(guard) => drop(guard.insert(entry)),
            None => cache.0.entries.insert(key, entry),
        }
    }
}

#[cfg(test)]
mod tests;
