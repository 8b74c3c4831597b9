//! The life of the process: whether it has been told to stop, and which requests it still serves.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use metrics::gauge;

use crate::telemetry::metrics::set;

/// Starts as serving and turns to draining once. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Lifecycle(Arc<State>);

#[derive(Debug, Default)]
struct State {
    draining: AtomicBool,
    in_flight: AtomicUsize,
}

impl Lifecycle {
    /// From now on `/ready` answers 503, and each response ends its connection.
    pub fn drain(&self) {
        self.0.draining.store(true, Ordering::Relaxed);
    }

    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.0.draining.load(Ordering::Relaxed)
    }

    /// Counts a request as in flight until the guard is dropped.
    #[must_use]
    pub fn enter(&self) -> InFlight {
        self.0.in_flight.fetch_add(1, Ordering::Relaxed);
        InFlight(self.clone())
    }

    pub fn observe(&self) {
        set(&gauge!("http_requests_in_flight"), self.in_flight());
    }

    /// How many requests are being served, the sending of their responses included.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.0.in_flight.load(Ordering::Relaxed)
    }
}

#[derive(Debug)]
pub struct InFlight(Lifecycle);

impl InFlight {
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.0.is_draining()
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        let Self(Lifecycle(state)) = self;
        state.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}
