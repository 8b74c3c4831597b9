//! Counts requests by key, in this process: a quota that fills up steadily and may be spent at once (GCRA).

use std::hash::Hash;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter, clock};

use crate::clock::Clock;

/// After so many requests the keys whose quota is whole again are forgotten. So there are never more keys
/// than this and those that were busy within the window.
const SWEEP_EVERY: usize = 10_000;

#[derive(Clone, Copy, Debug)]
pub struct LimitStatus {
    pub policy: &'static str,
    pub quota: u32,
    /// The window, in seconds.
    pub window: u64,
    pub remaining: u32,
    /// In how many seconds there are more.
    pub reset_after: u64,
    pub is_refused: bool,
}

/// Rounded up: who waits so long does not come too early.
#[must_use]
pub fn whole_seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}

pub(super) struct Limiter<K: Hash + Eq + Clone> {
    policy: &'static str,
    quota: NonZeroU32,
    window: Duration,
    governor: RateLimiter<K, HashMapStateStore<K>, Elapsed, StateInformationMiddleware>,
    counted: AtomicUsize,
}

impl<K: Hash + Eq + Clone> Limiter<K> {
    /// Lets `quota` units of each key through in `window`.
    pub(super) fn new(policy: &'static str, quota: NonZeroU32, window: Duration, clock: Clock) -> Self {
        // A shorter interval than a nanosecond is none.
        let interval = (window / quota.get()).max(Duration::from_nanos(1));
        let rate = Quota::with_period(interval).unwrap_or(Quota::per_minute(quota)).allow_burst(quota);
        let governor = RateLimiter::hashmap_with_clock(rate, Elapsed::of(clock)).with_middleware();
        Self { policy, quota, window, governor, counted: AtomicUsize::new(0) }
    }

    /// Counts `units` of `key`, unless its quota is spent. More units than the whole quota count as that.
    pub(super) fn count(&self, key: &K, units: NonZeroU32) -> LimitStatus {
        if self.counted.fetch_add(1, Ordering::Relaxed) % SWEEP_EVERY == SWEEP_EVERY - 1 {
            self.governor.retain_recent();
            self.governor.shrink_to_fit();
        }
        let (remaining, wait, is_refused) = match self.governor.check_key_n(key, units.min(self.quota)) {
            Ok(Ok(state)) => (state.remaining_burst_capacity(), state.quota().replenish_interval(), false),
            Ok(Err(refusal)) => (0, refusal.wait_time_from(clock::Clock::now(self.governor.clock())), true),
            Err(_insufficient_capacity) => (0, self.window, true),
        };
        LimitStatus {
            policy: self.policy,
            quota: self.quota.get(),
            window: self.window.as_secs(),
            remaining,
            reset_after: whole_seconds(wait),
            is_refused,
        }
    }
}

/// The time passed by the service's clock, which never goes back: no quota stalls when the clock is set back.
struct Elapsed {
    clock: Clock,
    seen: Mutex<(DateTime<Utc>, Duration)>,
}

impl Elapsed {
    fn of(clock: Clock) -> Self {
        Self { seen: Mutex::new((clock.now(), Duration::ZERO)), clock }
    }
}

impl clock::Clock for Elapsed {
    type Instant = Duration;

    fn now(&self) -> Duration {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.now();
        let elapsed = seen.1 + (now - seen.0).to_std().unwrap_or_default();
        *seen = (now, elapsed);
        elapsed
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use chrono::TimeDelta;

    use super::*;

    /// A limiter, and what moves its clock.
    fn limiter(quota: u32) -> (Limiter<u32>, impl Fn(TimeDelta)) {
        let now = Arc::new(Mutex::new(DateTime::UNIX_EPOCH));
        let clock = Clock::new({
            let now = now.clone();
            move || *now.lock().unwrap()
        });
        let window = Duration::from_mins(1);
        (Limiter::new("test", NonZeroU32::new(quota).unwrap(), window, clock), move |time| {
            *now.lock().unwrap() += time;
        })
    }

    #[test]
    fn the_quota_is_spent_at_once_and_comes_back_steadily() {
        let (limiter, advance) = limiter(4);
        for remaining in [3, 2, 1, 0] {
            let status = limiter.count(&1, NonZeroU32::MIN);
            assert_eq!((status.remaining, status.reset_after, status.is_refused), (remaining, 15, false));
        }
        advance(TimeDelta::milliseconds(9_500));
        let refused = limiter.count(&1, NonZeroU32::MIN);
        assert_eq!((refused.remaining, refused.reset_after, refused.is_refused), (0, 6, true));
        advance(TimeDelta::milliseconds(5_500));
        assert!(
            !limiter.count(&1, NonZeroU32::MIN).is_refused && limiter.count(&1, NonZeroU32::MIN).is_refused
        );
        assert!(!limiter.count(&2, NonZeroU32::MIN).is_refused);
        advance(TimeDelta::hours(1));
        assert_eq!(limiter.count(&1, NonZeroU32::MIN).remaining, 3);
    }

    #[test]
    fn a_clock_that_is_set_back_does_not_lock_anyone_out() {
        let (limiter, advance) = limiter(1);
        advance(TimeDelta::hours(5));
        assert!(!limiter.count(&1, NonZeroU32::MIN).is_refused);
        advance(-TimeDelta::hours(2));
        assert!(limiter.count(&1, NonZeroU32::MIN).is_refused);
        advance(TimeDelta::minutes(1));
        assert!(!limiter.count(&1, NonZeroU32::MIN).is_refused);
    }

    #[test]
    fn the_keys_of_idle_clients_are_forgotten() {
        let (limiter, advance) = limiter(10);
        for key in 0..5 * u32::try_from(SWEEP_EVERY).unwrap() {
            limiter.count(&key, NonZeroU32::MIN);
            advance(TimeDelta::milliseconds(10));
        }
        // A request is forgotten after 6 s, in which there are 600.
        assert!(limiter.governor.len() < SWEEP_EVERY + 1_000, "{}", limiter.governor.len());
        limiter.count(&0, NonZeroU32::MIN);
        assert_eq!(limiter.count(&0, NonZeroU32::MIN).remaining, 8);
    }

    #[test]
    fn what_is_larger_is_counted_as_more() {
        let (limiter, advance) = limiter(10);
        let units = |units| NonZeroU32::new(units).unwrap();
        assert_eq!(limiter.count(&1, units(7)).remaining, 3);
        let refused = limiter.count(&1, units(4));
        assert_eq!((refused.is_refused, refused.reset_after), (true, 6));
        assert_eq!(limiter.count(&1, units(3)).remaining, 0);
        advance(TimeDelta::minutes(1));
        assert_eq!(limiter.count(&1, units(1000)).remaining, 0);
        assert!(limiter.count(&1, units(1)).is_refused);
    }
}
