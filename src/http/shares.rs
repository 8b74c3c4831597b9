//! How much of something each client has: connections or bytes of an address, exports of an account.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

type Amounts<K> = Arc<Mutex<HashMap<K, usize>>>;

/// Amounts by client, each of which has the same limit. Cheap to clone.
#[derive(Debug)]
pub struct Shares<K = IpAddr> {
    max: usize,
    amounts: Amounts<K>,
}

impl<K> Clone for Shares<K> {
    fn clone(&self) -> Self {
        Self { max: self.max, amounts: self.amounts.clone() }
    }
}

impl<K: Copy + Eq + Hash> Shares<K> {
    #[must_use]
    pub fn new(max: usize) -> Self {
        Self { max, amounts: Arc::default() }
    }

    /// Gives `amount` more until the guard is dropped; `None` if the client would have more than it may.
    #[must_use]
    pub fn take(&self, client: K, amount: usize) -> Option<Share<K>> {
        let mut amounts = self.amounts.lock().unwrap_or_else(PoisonError::into_inner);
        let has = amounts.get(&client).copied().unwrap_or_default();
        let has = has.checked_add(amount).filter(|has| *has <= self.max)?;
        amounts.insert(client, has);
        Some(Share { amounts: self.amounts.clone(), client, amount })
    }
}

#[derive(Debug)]
pub struct Share<K: Copy + Eq + Hash = IpAddr> {
    amounts: Amounts<K>,
    client: K,
    amount: usize,
}

impl<K: Copy + Eq + Hash> Drop for Share<K> {
    fn drop(&mut self) {
        let mut amounts = self.amounts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(has) = amounts.get_mut(&self.client) {
            *has -= self.amount;
            if *has == 0 {
                amounts.remove(&self.client);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_client_has_its_own_share_and_leaves_nothing_behind() {
        let shares = Shares::new(2);
        let [one, other] = [1, 2].map(|last| IpAddr::from([203, 0, 113, last]));
        let taken = [shares.take(one, 1), shares.take(one, 1)];
        assert!(taken.iter().all(Option::is_some));
        assert!(shares.take(one, 1).is_none());
        assert!(shares.take(other, 2).is_some());
        drop(taken);
        assert!(shares.amounts.lock().unwrap().is_empty());
        assert!(shares.take(one, 1).is_some());
    }
}
