//! Many requests at once, and what became of them.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::join_all;

use crate::http::{Answer, Call, Client};

/// How long an attack lasts.
pub(crate) const ATTACK: Duration = Duration::from_secs(6);

/// Answers by status, 0 for none.
#[derive(Default, Debug)]
pub(crate) struct Tally {
    pub(crate) statuses: BTreeMap<u16, usize>,
    pub(crate) largest: usize,
}

impl Tally {
    pub(crate) fn add(&mut self, answer: &Answer) {
        *self.statuses.entry(answer.status).or_default() += 1;
        self.largest = self.largest.max(answer.bytes);
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        for (status, count) in &other.statuses {
            *self.statuses.entry(*status).or_default() += count;
        }
        self.largest = self.largest.max(other.largest);
    }

    pub(crate) fn count(&self, status: u16) -> usize {
        self.statuses.get(&status).copied().unwrap_or_default()
    }

    /// Fails if an answer is a server's fault other than 503 overloaded, or if none came.
    pub(crate) fn no_faults(self) -> Self {
        let fault = |status: &u16| *status == 0 || (*status >= 500 && *status != 503);
        let faults: Vec<_> = self.statuses.iter().filter(|(status, _)| fault(status)).collect();
        assert!(faults.is_empty(), "answers by status: {faults:?} of {self}");
        self
    }

    pub(crate) fn at_most(self, bytes: usize) -> Self {
        assert!(self.largest <= bytes, "an answer of {} bytes, more than {bytes}", self.largest);
        self
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (status, count) in &self.statuses {
            write!(f, "{count}x{status} ")?;
        }
        write!(f, "largest {} B", self.largest)
    }
}

/// All of them at once.
pub(crate) async fn at_once(calls: Vec<(Client, Call)>) -> Tally {
    let sent = calls.into_iter().map(|(client, call)| async move { client.send(call).await });
    let mut tally = Tally::default();
    join_all(sent).await.iter().for_each(|answer| tally.add(answer));
    tally
}

/// So many senders, each of which sends the next call as soon as it has an answer to the last, until the
/// attack's time is over. A refusal by the rate limit costs the sender a tenth of a second.
pub(crate) async fn flood(senders: usize, client: &Client, call: impl Fn(usize) -> Call) -> Tally {
    let (end, next) = (Instant::now() + ATTACK, AtomicUsize::new(0));
    let sender = || async {
        let mut tally = Tally::default();
        while Instant::now() < end {
            let answer = client.send(call(next.fetch_add(1, Ordering::Relaxed))).await;
            tally.add(&answer);
            if answer.status == 429 {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
        tally
    };
    let mut all = Tally::default();
    join_all((0..senders).map(|_| sender())).await.iter().for_each(|tally| all.merge(tally));
    all
}
