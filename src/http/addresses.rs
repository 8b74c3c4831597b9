//! How many of something each client address has: connections, requests in flight, or bytes.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// Counts by address. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Addresses {
    max: usize,
    counts: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

impl Addresses {
    /// Allows each address `max`.
    #[must_use]
    pub fn new(max: usize) -> Self {
        Self { max, counts: Arc::default() }
    }

    /// Counts `amount` more until the guard is dropped; `None` if the address would have more than it may.
    #[must_use]
    pub fn enter(&self, address: IpAddr, amount: usize) -> Option<Entered> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.get(&address).copied().unwrap_or_default();
        let count = count.checked_add(amount).filter(|count| *count <= self.max)?;
        counts.insert(address, count);
        Some(Entered { counts: self.counts.clone(), address, amount })
    }
}

/// A part of what an address has.
#[derive(Debug)]
pub struct Entered {
    counts: Arc<Mutex<HashMap<IpAddr, usize>>>,
    address: IpAddr,
    amount: usize,
}

impl Drop for Entered {
    fn drop(&mut self) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.address) {
            *count -= self.amount;
            if *count == 0 {
                counts.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_address_has_its_own_bound_and_leaves_nothing_behind() {
        let addresses = Addresses::new(2);
        let [one, other] = [1, 2].map(|last| IpAddr::from([203, 0, 113, last]));
        let entered = [addresses.enter(one, 1), addresses.enter(one, 1)];
        assert!(entered.iter().all(Option::is_some));
        assert!(addresses.enter(one, 1).is_none());
        assert!(addresses.enter(other, 2).is_some());
        drop(entered);
        assert!(addresses.counts.lock().unwrap().is_empty());
        assert!(addresses.enter(one, 1).is_some());
    }
}
