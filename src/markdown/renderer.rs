//! A few threads at a time to render and compare texts, because it is work and a flood of texts must take
//! neither all cores nor memory. For the whole process rather than in the state of handlers: it bounds what the machine
//! does, and jobs, commands and handlers alike render.

use std::sync::{Arc, LazyLock};
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use metrics::{counter, gauge};
use tokio::sync::{Semaphore, oneshot};

use crate::error::ApiError;
use crate::telemetry::metrics::set;

/// How many texts may wait or be worked on, and how many bytes they have together.
const MAX_TEXTS: usize = 64;
const MAX_BYTES: usize = 8 * 1024 * 1024;
/// How long one text may take until someone should know.
const OVERRUN: Duration = Duration::from_secs(2);

static RENDERER: LazyLock<Renderer> =
    LazyLock::new(|| Renderer::new(available_parallelism().map_or(1, |cores| cores.get() / 2).clamp(1, 2)));

struct Renderer {
    slots: usize,
    running: Arc<Semaphore>,
    texts: Arc<Semaphore>,
    bytes: Arc<Semaphore>,
}

impl Renderer {
    fn new(slots: usize) -> Self {
        Self {
            slots,
            running: Arc::new(Semaphore::new(slots)),
            texts: Arc::new(Semaphore::new(MAX_TEXTS)),
            bytes: Arc::new(Semaphore::new(MAX_BYTES)),
        }
    }

    /// The permits go with the work, not with the request: when that is given up, the thread still runs
    /// and still counts.
    async fn run<T: Send + 'static>(
        &self,
        length: usize,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, ApiError> {
        let length = u32::try_from(length).map_err(|_too_long| ApiError::Overloaded)?;
        let text = self.texts.clone().try_acquire_owned().map_err(|_full| ApiError::Overloaded)?;
        let bytes =
            self.bytes.clone().try_acquire_many_owned(length).map_err(|_full| ApiError::Overloaded)?;
        let running =
            self.running.clone().acquire_owned().await.map_err(|closed| ApiError::Internal(closed.into()))?;
        let (done, result) = oneshot::channel();
        tokio::task::spawn_blocking(move || {
            let _permits = (text, bytes, running);
            // Given up before it began.
            if done.is_closed() {
                return;
            }
            let began = Instant::now();
            let result = work();
            if began.elapsed() > OVERRUN {
                counter!("markdown_overruns_total").increment(1);
                tracing::warn!(bytes = length, "a text took long");
            }
            drop(done.send(result));
        });
        result.await.map_err(|panicked| ApiError::Internal(panicked.into()))
    }

    fn observe(&self) {
        let running = self.slots - self.running.available_permits();
        let admitted = MAX_TEXTS - self.texts.available_permits();
        set(&gauge!("markdown_running"), running);
        set(&gauge!("markdown_waiting"), admitted.saturating_sub(running));
    }
}

/// What `work` makes of a text of `length` bytes, when its turn has come.
///
/// # Errors
/// [`ApiError::Overloaded`] when too many texts wait, or too long ones.
pub async fn run<T: Send + 'static>(
    length: usize,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, ApiError> {
    RENDERER.run(length, work).await
}

/// Writes how many texts are worked on and wait for it into the metrics.
pub fn observe() {
    RENDERER.observe();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_full_queue_refuses_at_once_by_number_and_by_length() {
        let renderer = Renderer::new(1);
        assert_eq!(renderer.run(4, || 4).await.unwrap(), 4);
        let all = renderer.texts.clone().acquire_many_owned(64).await.unwrap();
        assert!(matches!(renderer.run(4, || 4).await, Err(ApiError::Overloaded)));
        drop(all);
        let _bytes = renderer.bytes.clone().acquire_many_owned(8 * 1024 * 1024 - 3).await.unwrap();
        assert_eq!(renderer.run(3, || 3).await.unwrap(), 3);
        assert!(matches!(renderer.run(4, || 4).await, Err(ApiError::Overloaded)));
    }

    #[tokio::test]
    async fn who_gives_up_waiting_makes_room() {
        let renderer = Renderer::new(1);
        let busy = renderer.running.clone().acquire_owned().await.unwrap();
        let waiting = renderer.run(4, || 4);
        assert!(futures_util::FutureExt::now_or_never(waiting).is_none());
        assert_eq!(renderer.texts.available_permits(), MAX_TEXTS);
        drop(busy);
        assert_eq!(renderer.run(4, || 4).await.unwrap(), 4);
    }
}
