//! The uploads that a task takes on at once: their bodies are in memory.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use uuid::Uuid;

use crate::error::ApiError;
use crate::http::shares::{Share, Shares};

/// The largest file that is taken, in bytes.
pub(super) const MAX_FILE: usize = 20 * 1024 * 1024;
/// What a form may have beside its file, in bytes.
pub(super) const MAX_FORM: usize = 64 * 1024;

/// How many bytes the bodies have together that are received or worked on: another of the
/// largest arrives while one is worked on.
const MAX_RECEIVED: usize = 41_088 * 1024;
/// How many of these are of one account, so that one with a slow line leaves room for another.
const RECEIVED_OF_ACCOUNT: usize = 20_544 * 1024;
/// How many uploads wait before their body is read.
const WAITING: usize = 8;
/// How many are received, worked on or wait of one account.
const OF_ACCOUNT: usize = 4;
/// How long one waits.
const MAX_WAIT: Duration = Duration::from_secs(20);

/// How many bytes a permit is for.
const UNIT: usize = 64 * 1024;

/// Cheap to clone.
#[derive(Clone)]
pub struct Uploads(Arc<Inner>);

struct Inner {
    received: Arc<Semaphore>,
    of_accounts: Mutex<HashMap<Uuid, Weak<Semaphore>>>,
    waiting: Semaphore,
    accounts: Shares<Uuid>,
}

/// Held for as long as the file is in memory.
#[derive(Debug)]
pub(super) struct Place {
    _received: [OwnedSemaphorePermit; 2],
    _of_account: Share<Uuid>,
}

impl Default for Uploads {
    fn default() -> Self {
        Self(Arc::new(Inner {
            received: Arc::new(Semaphore::new(MAX_RECEIVED / UNIT)),
            of_accounts: Mutex::default(),
            waiting: Semaphore::new(WAITING),
            accounts: Shares::new(OF_ACCOUNT),
        }))
    }
}

impl Uploads {
    /// A place for a body of at most so many `bytes`.
    pub(super) async fn enter(&self, user: Uuid, bytes: usize) -> Result<Place, ApiError> {
        let Self(inner) = self;
        let of_account = inner
            .accounts
            .take(user, 1)
            .ok_or(ApiError::RateLimited { policy: "uploads", retry_after: 5 })?;
        let _waiting = inner.waiting.try_acquire().map_err(|_full| ApiError::Overloaded)?;
        let received = timeout(MAX_WAIT, self.receive(user, bytes)).await;
        let received = received.ok().and_then(Result::ok).ok_or(ApiError::Overloaded)?;
        Ok(Place { _received: received, _of_account: of_account })
    }

    async fn receive(&self, user: Uuid, bytes: usize) -> Result<[OwnedSemaphorePermit; 2], AcquireError> {
        let units = u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX);
        // First, so that what waits for its account's own takes nobody else's place.
        let own = self.of_account(user).acquire_many_owned(units).await?;
        Ok([own, self.0.received.clone().acquire_many_owned(units).await?])
    }

    fn of_account(&self, user: Uuid) -> Arc<Semaphore> {
        let mut accounts = self.0.of_accounts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(account) = accounts.get(&user).and_then(Weak::upgrade) {
            return account;
        }
        accounts.retain(|_, account| account.strong_count() > 0);
        let account = Arc::new(Semaphore::new(RECEIVED_OF_ACCOUNT / UNIT));
        accounts.insert(user, Arc::downgrade(&account));
        account
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    const MAX: usize = MAX_FILE + MAX_FORM;

    fn enters(uploads: &Uploads, user: Uuid, bytes: usize) -> Option<Place> {
        uploads.enter(user, bytes).now_or_never().map(Result::unwrap)
    }

    #[tokio::test]
    async fn one_account_leaves_room_for_another_and_small_ones_wait_for_no_large_one() {
        let (uploads, [one, other, third]) = (Uploads::default(), [1, 2, 3].map(Uuid::from_u128));
        let large = enters(&uploads, one, MAX).unwrap();
        assert!(enters(&uploads, one, 1).is_none());
        let small: Vec<_> = (0..4).map(|_| enters(&uploads, other, MAX / 8).unwrap()).collect();
        assert!(enters(&uploads, third, MAX / 4).is_some());
        assert!(enters(&uploads, third, MAX).is_none());
        drop((large, small));
        assert!(enters(&uploads, third, MAX).is_some());
        assert!(enters(&uploads, one, MAX).is_some());
        assert_eq!(uploads.0.of_accounts.lock().unwrap().len(), 1);
        assert_eq!(uploads.0.received.available_permits(), MAX_RECEIVED / UNIT);
    }

    #[test]
    fn the_largest_has_a_place() {
        assert_eq!((RECEIVED_OF_ACCOUNT, MAX_RECEIVED), (MAX, 2 * MAX));
    }

    #[tokio::test]
    async fn an_account_and_all_together_have_so_many() {
        let (uploads, one) = (Uploads::default(), Uuid::from_u128(1));
        let places: Vec<_> = (0..OF_ACCOUNT).map(|_| enters(&uploads, one, 1)).collect();
        assert!(places.iter().all(Option::is_some));
        let refused = uploads.enter(one, 1).now_or_never().unwrap().unwrap_err();
        assert!(matches!(refused, ApiError::RateLimited { policy: "uploads", .. }));
        let left = u32::try_from(uploads.0.received.available_permits()).unwrap();
        let _all = uploads.0.received.try_acquire_many(left).unwrap();
        let mut waiting: Vec<_> =
            (2..).take(WAITING).map(|user| uploads.enter(Uuid::from_u128(user), MAX).boxed()).collect();
        assert!(waiting.iter_mut().all(|place| place.now_or_never().is_none()));
        let refused = uploads.enter(Uuid::max(), MAX).now_or_never().unwrap().unwrap_err();
        assert!(matches!(refused, ApiError::Overloaded));
    }
}
