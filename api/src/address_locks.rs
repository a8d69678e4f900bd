//! Lets one attempt per address run at a time in this process: attempts that are counted one after the other in the
//! database wait here, without a connection.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use tokio::sync::{Mutex, MutexGuard};

/// The number of locks, large enough that two addresses seldom share one.
const LOCKS: usize = 1_024;

/// The locks. Clones share them.
#[derive(Clone, Debug)]
pub struct AddressLocks {
    locks: Arc<[Mutex<()>]>,
    hash_state: RandomState,
}

impl AddressLocks {
    /// New locks; none is held.
    #[expect(clippy::new_without_default, reason = "two of them have nothing to do with each other")]
    pub fn new() -> AddressLocks {
        let locks = (0..LOCKS).map(|_| Mutex::new(())).collect();
        AddressLocks { locks, hash_state: RandomState::new() }
    }

    /// Waits for the attempts before this one.
    pub async fn lock(&self, address: &str) -> MutexGuard<'_, ()> {
        self.locks[self.hash_state.hash_one(address) as usize % LOCKS].lock().await
    }
}
