//! How much memory the bodies of requests may take together, from when they arrive until they are answered:
//! clients who send slowly, or much at once, cannot fill the task's.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::extract::Request;
use axum::http::request::Parts;
use tokio::sync::Semaphore;

use crate::error::ApiError;

/// Of all bodies together, in bytes.
pub const MAX_BODIES: usize = 32 * 1024 * 1024;

/// What each request has beside, in bytes: most bodies are smaller.
const FREE: usize = 16 * 1024;

/// What is reserved at once, in bytes.
const STEP: usize = 64 * 1024;

/// The budget of a task. Cheap to clone.
#[derive(Clone, Debug)]
pub struct BodyBudget(Arc<Semaphore>);

impl Default for BodyBudget {
    fn default() -> Self {
        Self::of(MAX_BODIES)
    }
}

impl BodyBudget {
    /// A budget of so many bytes, beside what each request has anyway.
    #[must_use]
    pub fn of(bytes: usize) -> Self {
        Self(Arc::new(Semaphore::new(bytes / STEP)))
    }
}

/// What one request has reserved; given back when it has been answered.
#[derive(Debug)]
pub(super) struct Reservation {
    budget: BodyBudget,
    steps: AtomicUsize,
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.budget.0.add_permits(self.steps.load(Ordering::Relaxed));
    }
}

impl BodyBudget {
    /// Lets the extractors of a request reserve memory for its body, until what is returned is dropped.
    pub(super) fn open(&self, request: &mut Request) -> Arc<Reservation> {
        let reservation = Arc::new(Reservation { budget: self.clone(), steps: AtomicUsize::new(0) });
        request.extensions_mut().insert(reservation.clone());
        reservation
    }
}

/// Reserves memory for the first `length` bytes of a body, or fails with [`ApiError::Overloaded`].
pub(super) fn reserve(parts: &Parts, length: usize) -> Result<(), ApiError> {
    let Some(reservation) = parts.extensions.get::<Arc<Reservation>>() else { return Ok(()) };
    let steps = length.saturating_sub(FREE).div_ceil(STEP);
    while reservation.steps.load(Ordering::Relaxed) < steps {
        reservation.budget.0.try_acquire().map_err(|_full| ApiError::Overloaded)?.forget();
        reservation.steps.fetch_add(1, Ordering::Relaxed);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(budget: &BodyBudget) -> Parts {
        let (mut parts, ()) = axum::http::Request::new(()).into_parts();
        parts.extensions.insert(Arc::new(Reservation { budget: budget.clone(), steps: AtomicUsize::new(0) }));
        parts
    }

    #[test]
    fn what_requests_reserve_is_theirs_until_they_are_answered() {
        let budget = BodyBudget::of(4 * STEP);
        let (first, second) = (request(&budget), request(&budget));
        for length in [0, FREE, FREE + 1, FREE + STEP, FREE + STEP + 1, FREE + 3 * STEP] {
            reserve(&first, length).unwrap();
        }
        reserve(&second, FREE + STEP).unwrap();
        assert!(matches!(reserve(&second, FREE + STEP + 1), Err(ApiError::Overloaded)));
        drop(first);
        reserve(&second, FREE + 4 * STEP).unwrap();
        drop(second);
        assert_eq!(budget.0.available_permits(), 4);
    }
}
