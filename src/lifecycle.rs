//! Whether the process has been told to stop, known to `/ready` and to the server.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Starts as serving and turns to draining once.
#[derive(Clone, Debug, Default)]
pub struct Lifecycle(Arc<AtomicBool>);

impl Lifecycle {
    /// From now on `/ready` answers 503.
    pub fn drain(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether [`drain`](Self::drain) was called.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
