//! When a message is tried again, and when a webhook is given up.

use std::time::Duration;

use chrono::TimeDelta;

/// How long after each failed try the next one is, as the specification has it.
const DELAYS: [TimeDelta; 9] = [
    TimeDelta::seconds(5),
    TimeDelta::minutes(5),
    TimeDelta::minutes(30),
    TimeDelta::hours(2),
    TimeDelta::hours(5),
    TimeDelta::hours(10),
    TimeDelta::hours(14),
    TimeDelta::hours(20),
    TimeDelta::hours(24),
];

/// How far a receiver may put off what it is sent.
const MAX_RETRY_AFTER: TimeDelta = TimeDelta::hours(24);

/// How long every attempt has to fail until a webhook is turned off.
pub const FAILING: TimeDelta = TimeDelta::days(5);

/// For how long what has happened is kept, to be sent again.
pub const EVENTS_KEPT: TimeDelta = TimeDelta::days(30);

/// For how long the secret before the present one signs too.
pub const ROTATION: TimeDelta = TimeDelta::hours(24);

/// How long a message that has failed `tries` times waits, at least for as long as the receiver asks for; `None` once it is
/// given up. `jitter`, from 0 to 1, adds up to a tenth, so that what failed together is not tried again together.
#[must_use]
pub fn delay(tries: i32, retry_after: Option<Duration>, jitter: f64) -> Option<TimeDelta> {
    let index = usize::try_from(tries - 1).unwrap_or_default();
    let delay = DELAYS.get(index)?.to_std().unwrap_or_default().mul_f64(1.0 + jitter / 10.0);
    let asked =
        retry_after.and_then(|wait| TimeDelta::from_std(wait).ok()).map(|wait| wait.min(MAX_RETRY_AFTER));
    let asked = if retry_after.is_some() { asked.unwrap_or(MAX_RETRY_AFTER) } else { TimeDelta::zero() };
    Some(TimeDelta::from_std(delay).unwrap_or(MAX_RETRY_AFTER).max(asked))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_tried_ten_times_in_three_days() {
        let seconds = |tries| delay(tries, None, 0.0).map(|delay| delay.num_seconds());
        let expected = [5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400];
        for (tries, expected) in (1..).zip(expected) {
            assert_eq!(seconds(tries), Some(expected));
            assert_eq!(delay(tries, None, 1.0).unwrap().num_milliseconds(), expected * 1100);
        }
        assert_eq!((seconds(10), seconds(11)), (None, None));
    }

    #[test]
    fn a_receiver_puts_off_and_hastens_nothing() {
        let after = |tries, wait| delay(tries, Some(wait), 0.0).unwrap().num_seconds();
        assert_eq!(after(1, Duration::from_mins(2)), 120);
        assert_eq!(after(2, Duration::from_secs(2)), 300);
        for long in [Duration::from_hours(100), Duration::MAX] {
            assert_eq!(after(1, long), 86_400);
        }
        assert_eq!(delay(10, Some(Duration::from_secs(1)), 0.0), None);
    }
}
