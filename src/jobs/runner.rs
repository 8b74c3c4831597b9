//! Works on jobs: claims what is due, a few of each kind at once, and keeps the leases of what it works on until that
//! has ended. A process that dies extends none, and another takes over what it had when they end.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::FutureExt;
use futures_util::stream::{FuturesUnordered, StreamExt};
use metrics::{counter, gauge};
use tokio::sync::oneshot;
use tokio::task::{self, JoinSet};
use tokio::time::timeout;
use uuid::Uuid;

use super::model::{Claim, Failure, Kind, MAX_ATTEMPTS, retry_delay};
use super::store::{self, Lease};
use crate::clock::Clock;
use crate::db::channel::Wake;
use crate::db::{self, Db};
use crate::telemetry::metrics::set;

/// How long a process that has died keeps a job from others.
const LEASE: TimeDelta = TimeDelta::seconds(30);
const EXTEND_AFTER: TimeDelta = TimeDelta::seconds(10);
/// How often the table is looked at without being told to.
const POLL: Duration = Duration::from_secs(5);
/// How soon after being told to: what is asked for in the meantime is claimed with it.
const COALESCE: Duration = Duration::from_millis(5);
const COUNT_AFTER: TimeDelta = TimeDelta::minutes(1);
/// How long the end waits for a database that does not answer.
const GIVE_BACK_TIMEOUT: Duration = Duration::from_secs(1);
/// How many characters are kept of an error.
const MAX_ERROR: usize = 500;

/// The jobs that are being worked on, by the tasks that do.
type InHand = HashMap<task::Id, (Uuid, Kind)>;

/// When something was done last.
struct Last {
    extended: DateTime<Utc>,
    counted: DateTime<Utc>,
}

/// Works on jobs by `W`.
pub struct Runner<W> {
    db: Db,
    clock: Clock,
    wake: Wake,
    work: W,
    id: Uuid,
}

/// Ends a [`Runner`].
#[derive(Debug)]
pub struct Stop(oneshot::Sender<End>);

/// What tells a [`Runner`] to end.
#[derive(Debug)]
pub struct Stopped(oneshot::Receiver<End>);

#[derive(Debug)]
struct End {
    grace: Duration,
    ended: oneshot::Sender<()>,
}

#[must_use]
pub fn stop() -> (Stop, Stopped) {
    let (stop, stopped) = oneshot::channel();
    (Stop(stop), Stopped(stopped))
}

impl Stop {
    /// Waits until nothing is worked on any more. What takes longer than `grace` is given back.
    pub async fn stop(self, grace: Duration) {
        let (ended, has_ended) = oneshot::channel();
        if self.0.send(End { grace, ended }).is_ok() {
            has_ended.await.ok();
        }
    }
}

impl<W, F> Runner<W>
where
    W: Fn(Claim) -> F + Send + Sync + 'static,
    F: Future<Output = Result<(), Failure>> + Send + 'static,
{
    /// `work` does one job.
    pub fn new(db: Db, clock: Clock, wake: Wake, work: W) -> Self {
        Self { db, clock, wake, work, id: Uuid::now_v7() }
    }

    /// Works on what is due until it is stopped. After that it does nothing, for ever.
    pub async fn run(self, Stopped(stopped): Stopped) {
        let this = Arc::new(self);
        let mut running = JoinSet::new();
        // Stopped wherever it is, since a database that does not answer keeps a claim for seconds.
        let End { grace, ended } = tokio::select! {
            Ok(end) = stopped => end,
            never = this.clone().work(&mut running) => never,
        };
        this.end(running, grace).await;
        drop(ended);
        std::future::pending::<()>().await;
    }

    /// Works on what is due, for ever.
    async fn work(self: Arc<Self>, running: &mut JoinSet<()>) -> ! {
        let mut in_hand = InHand::new();
        let mut last = Last { extended: self.clock.now(), counted: DateTime::<Utc>::MIN_UTC };
        // So that processes that start together do not run in step.
        let mut pause = POLL.mul_f64(rand::random());
        loop {
            // Whatever comes first leads to a claim, so that none of the others is missed.
            tokio::select! {
                Some(ended) = running.join_next_with_id() => {
                    let id = ended.map_or_else(|panicked| panicked.id(), |(id, ())| id);
                    in_hand.remove(&id);
                }
                () = self.woken() => {}
                () = self.clock.sleep(pause) => {}
            }
            pause = POLL;
            self.keep_up(&in_hand, &mut last).await;
            let claimed = logged("claim jobs", self.claim(&in_hand).await).unwrap_or_default();
            let has_claimed = !claimed.is_empty();
            for job in claimed {
                let (id, kind, this) = (job.id, job.kind, self.clone());
                let task = running.spawn(async move { this.attempt(job).await });
                in_hand.insert(task.id(), (id, kind));
            }
            if has_claimed && is_full(&in_hand) {
                // There may be more than this task can take.
                self.wake.others();
            }
        }
    }

    /// Works on what is due until nothing is, and gives the number of attempts.
    pub async fn run_due(&self) -> Result<usize, db::Error> {
        let mut attempts = 0;
        loop {
            let claimed = self.claim(&InHand::new()).await?;
            if claimed.is_empty() {
                return Ok(attempts);
            }
            attempts += claimed.len();
            claimed.into_iter().map(|job| self.attempt(job)).collect::<FuturesUnordered<_>>().count().await;
        }
    }

    /// Does what is to be done now and then, if it is time for it.
    async fn keep_up(&self, in_hand: &InHand, last: &mut Last) {
        let now = self.clock.now();
        if now - last.extended >= EXTEND_AFTER && !in_hand.is_empty() {
            last.extended = now;
            logged("extend leases", self.extend(in_hand, now).await);
        }
        if now - last.counted >= COUNT_AFTER {
            last.counted = now;
            logged("count jobs", self.count(now).await);
        }
    }

    async fn woken(&self) {
        self.wake.woken().await;
        self.clock.sleep(COALESCE).await;
    }

    /// Gives back what was not finished, and what was just being claimed.
    async fn end(&self, mut running: JoinSet<()>, grace: Duration) {
        timeout(grace, async { while running.join_next().await.is_some() {} }).await.ok();
        running.shutdown().await;
        // What fails to be given back is another's when its lease ends.
        if let Ok(given_back) = timeout(GIVE_BACK_TIMEOUT, self.give_back()).await {
            logged("give back jobs", given_back);
        }
    }

    async fn claim(&self, in_hand: &InHand) -> Result<Vec<Claim>, db::Error> {
        let places: Vec<_> = Kind::ALL.into_iter().map(|kind| (kind, free_places(in_hand, kind))).collect();
        let (now, ids) = (self.clock.now(), ids(in_hand));
        let mut connection = self.db.acquire().await?;
        Ok(store::claim(&mut connection, self.id, &ids, &places, now, now + LEASE).await?)
    }

    async fn extend(&self, in_hand: &InHand, now: DateTime<Utc>) -> Result<(), db::Error> {
        let mut connection = self.db.acquire().await?;
        Ok(store::extend(&mut connection, self.id, &ids(in_hand), now + LEASE).await?)
    }

    async fn give_back(&self) -> Result<(), db::Error> {
        Ok(store::give_back(&mut self.db.acquire().await?, self.id, self.clock.now()).await?)
    }

    /// Also makes the jobs that are done from time to time, in case somebody has deleted them.
    async fn count(&self, now: DateTime<Utc>) -> Result<(), db::Error> {
        let mut connection = self.db.acquire().await?;
        let periodic: Vec<_> = Kind::ALL.into_iter().filter(|kind| kind.period().is_some()).collect();
        store::insert_periodic(&mut connection, &periodic, now).await?;
        for count in store::counts(&mut connection, &Kind::ALL).await? {
            let kind = count.kind.as_str();
            set(&gauge!("jobs_unfinished", "kind" => kind), number(count.unfinished));
            set(&gauge!("jobs_failed", "kind" => kind), number(count.failed));
        }
        let oldest = store::oldest(&mut connection).await?;
        let late = oldest.map_or(0, |due| (now - due).num_seconds());
        set(&gauge!("jobs_oldest_seconds"), number(late));
        Ok(())
    }

    async fn attempt(&self, job: Claim) {
        let Claim { id, kind, holder, attempts, .. } = job;
        let lease = Lease { id, holder, attempts };
        let result = if attempts > MAX_ATTEMPTS && kind.period().is_none() {
            Err(Failure::Lasting("its process has died each time".into()))
        } else {
            let work = AssertUnwindSafe(timeout(kind.timeout(), (self.work)(job))).catch_unwind();
            match work.await {
                Ok(Ok(result)) => result,
                Ok(Err(elapsed)) => Err(Failure::Passing(elapsed.into())),
                Err(_panic) => Err(Failure::Passing("it panicked".into())),
            }
        };
        if let Err(failure) = &result {
            tracing::warn!(job = %id, kind = kind.as_str(), attempts, cause = %failure, "a job failed");
        }
        // If that fails too, it is done again when its lease ends.
        logged("settle a job", self.settle(lease, kind, result).await);
    }

    async fn settle(&self, lease: Lease, kind: Kind, result: Result<(), Failure>) -> Result<(), db::Error> {
        let (now, jitter) = (self.clock.now(), rand::random());
        let mut connection = self.db.acquire().await?;
        let outcome = match (result, kind.period()) {
            (Ok(()), None) => {
                store::finish(&mut connection, lease).await?;
                "done"
            }
            (Ok(()), Some(period)) => {
                store::put_off(&mut connection, lease, now + period, None).await?;
                "done"
            }
            (Err(failure), period) => {
                let error: String = failure.to_string().chars().take(MAX_ERROR).collect();
                let is_last = matches!(failure, Failure::Lasting(_)) || lease.attempts >= MAX_ATTEMPTS;
                if is_last && period.is_none() {
                    store::fail(&mut connection, lease, &error, now).await?;
                    "given_up"
                } else {
                    let run_at = now + retry_delay(lease.attempts, jitter);
                    store::put_off(&mut connection, lease, run_at, Some(&error)).await?;
                    "put_off"
                }
            }
        };
        counter!("jobs_attempts_total", "kind" => kind.as_str(), "result" => outcome).increment(1);
        Ok(())
    }
}

fn logged<T>(what: &str, result: Result<T, db::Error>) -> Option<T> {
    result.inspect_err(|error| tracing::warn!(cause = %error, "cannot {what}")).ok()
}

impl From<db::Error> for Failure {
    fn from(error: db::Error) -> Self {
        Self::Passing(error.into())
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self::Passing(error.into())
    }
}

fn ids(in_hand: &InHand) -> Vec<Uuid> {
    in_hand.values().map(|(id, _)| *id).collect()
}

fn number(counted: i64) -> usize {
    usize::try_from(counted).unwrap_or_default()
}

fn free_places(in_hand: &InHand, kind: Kind) -> usize {
    kind.places().saturating_sub(in_hand.values().filter(|(_, taken)| *taken == kind).count())
}

/// Whether there is a kind of which no more can be taken, and of which there may be more.
fn is_full(in_hand: &InHand) -> bool {
    Kind::ALL.into_iter().any(|kind| kind.period().is_none() && free_places(in_hand, kind) == 0)
}
