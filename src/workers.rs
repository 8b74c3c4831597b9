//! Work that takes the processor for long, a few pieces at a time on threads beside those that answer: a flood
//! of it takes neither all cores nor memory, and what is quickly answered does not wait behind it. For the
//! whole process rather than in the state of handlers: it bounds what the machine does, and jobs, commands and
//! handlers alike use it.

use std::sync::{Arc, LazyLock};
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use metrics::{counter, gauge};
use tokio::sync::{Semaphore, oneshot};

use crate::telemetry::metrics::set;

/// How many texts may wait or be worked on, and how many bytes they have together.
const MAX_TEXTS: usize = 64;
const MAX_TEXT_BYTES: usize = 8 * 1024 * 1024;
/// The same for large bodies of requests and responses.
const MAX_LARGE_BODIES: usize = 128;
const MAX_LARGE_BODY_BYTES: usize = 64 * 1024 * 1024;
/// How long one piece of work may take until someone should know.
const OVERRUN: Duration = Duration::from_secs(2);
const PICTURE_OVERRUN: Duration = Duration::from_secs(20);

/// Renders and compares texts.
pub static TEXTS: LazyLock<Workers> = LazyLock::new(|| Workers::new("texts", MAX_TEXTS, MAX_TEXT_BYTES));

/// Parses, compresses and writes bodies that are [`LARGE`].
pub static BODIES: LazyLock<Workers> =
    LazyLock::new(|| Workers::new("bodies", MAX_LARGE_BODIES, MAX_LARGE_BODY_BYTES));

/// How many pictures wait or are worked on: more than are received at once, since one that nobody waits for any more is
/// worked on to its end.
const MAX_PICTURES: usize = 32;
const MAX_PICTURE_BYTES: usize = 64 * 1024 * 1024;

/// Decodes and encodes pictures, one at a time: each takes as much memory as everything else together.
pub static PICTURES: LazyLock<Workers> = LazyLock::new(|| Workers {
    overrun: PICTURE_OVERRUN,
    ..Workers::with_slots("pictures", 1, MAX_PICTURES, MAX_PICTURE_BYTES)
});

/// From how many bytes on a body is worth another thread.
pub const LARGE: usize = 32 * 1024;

#[derive(Clone, Copy, Debug, thiserror::Error)]
pub enum WorkError {
    #[error("too much work waits")]
    Full,
    #[error("the work was broken off")]
    Panicked,
}

/// A few threads, and a queue with an end.
#[derive(Debug)]
pub struct Workers {
    name: &'static str,
    overrun: Duration,
    slots: usize,
    running: Arc<Semaphore>,
    max_pieces: usize,
    pieces: Arc<Semaphore>,
    bytes: Arc<Semaphore>,
}

impl Workers {
    /// Half of the cores, two at most.
    fn new(name: &'static str, max_pieces: usize, max_bytes: usize) -> Self {
        let slots = available_parallelism().map_or(1, |cores| cores.get() / 2).clamp(1, 2);
        Self::with_slots(name, slots, max_pieces, max_bytes)
    }

    /// So many threads; `max_pieces` may wait or be worked on, with at most `max_bytes` together.
    #[must_use]
    pub fn with_slots(name: &'static str, slots: usize, max_pieces: usize, max_bytes: usize) -> Self {
        Self {
            name,
            overrun: OVERRUN,
            slots,
            running: Arc::new(Semaphore::new(slots)),
            max_pieces,
            pieces: Arc::new(Semaphore::new(max_pieces)),
            bytes: Arc::new(Semaphore::new(max_bytes)),
        }
    }

    /// The result of `work`, which is on so many bytes, when its turn has come.
    pub async fn run<T: Send + 'static>(
        &self,
        bytes: usize,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, WorkError> {
        let permits = u32::try_from(bytes).map_err(|_too_many| WorkError::Full)?;
        let piece = self.pieces.clone().try_acquire_owned().map_err(|_full| WorkError::Full)?;
        let held = self.bytes.clone().try_acquire_many_owned(permits).map_err(|_full| WorkError::Full)?;
        let running = self.running.clone().acquire_owned().await.map_err(|_closed| WorkError::Panicked)?;
        let (done, result) = oneshot::channel();
        let (name, overrun) = (self.name, self.overrun);
        tokio::task::spawn_blocking(move || {
            // They go with the work, not with the request: when that is given up, the thread still runs and
            // still counts.
            let _permits = (piece, held, running);
            // Given up before it began.
            if done.is_closed() {
                return;
            }
            let began = Instant::now();
            let result = work();
            if began.elapsed() > overrun {
                counter!("workers_overruns_total", "workers" => name).increment(1);
                tracing::warn!(workers = name, bytes, "work took long");
            }
            drop(done.send(result));
        });
        result.await.map_err(|_panicked| WorkError::Panicked)
    }

    #[must_use]
    pub fn running_and_waiting(&self) -> (usize, usize) {
        let running = self.slots - self.running.available_permits();
        let admitted = self.max_pieces - self.pieces.available_permits();
        (running, admitted.saturating_sub(running))
    }

    fn observe(&self) {
        let (running, waiting) = self.running_and_waiting();
        set(&gauge!("workers_running", "workers" => self.name), running);
        set(&gauge!("workers_waiting", "workers" => self.name), waiting);
    }
}

pub fn observe() {
    TEXTS.observe();
    BODIES.observe();
    PICTURES.observe();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_full_queue_refuses_at_once_by_number_and_by_length() {
        let workers = Workers::with_slots("tests", 1, 64, 1024);
        assert_eq!(workers.run(4, || 4).await.unwrap(), 4);
        let all = workers.pieces.clone().acquire_many_owned(64).await.unwrap();
        assert!(matches!(workers.run(4, || 4).await, Err(WorkError::Full)));
        drop(all);
        let _bytes = workers.bytes.clone().acquire_many_owned(1021).await.unwrap();
        assert_eq!(workers.run(3, || 3).await.unwrap(), 3);
        assert!(matches!(workers.run(4, || 4).await, Err(WorkError::Full)));
    }

    #[tokio::test]
    async fn who_gives_up_waiting_makes_room() {
        let workers = Workers::with_slots("tests", 1, 64, 1024);
        let busy = workers.running.clone().acquire_owned().await.unwrap();
        let waiting = workers.run(4, || 4);
        assert!(futures_util::FutureExt::now_or_never(waiting).is_none());
        assert_eq!(workers.pieces.available_permits(), 64);
        drop(busy);
        assert_eq!(workers.run(4, || 4).await.unwrap(), 4);
    }
}
