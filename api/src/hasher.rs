//! Password hashing (argon2id, RFC 9106): a few at a time, in memory that is kept, with a bounded wait.
//!
//! A hash takes 19 MiB and 15 ms of one core. More at a time than there are cores finish no sooner and only
//! cost memory; memory taken afresh for each one is not given back (glibc kept 6.5 GB under load).

mod work;

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bookly_shared::domain::Password;
use bookly_shared::metrics::table::{HASH_REFUSED, HASH_WAIT_SECONDS};
use thiserror::Error;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use work::Memory;

/// How many may wait for each slot: at 15 ms a hash, the last of them waits about a second.
const WAITING_PER_SLOT: usize = 64;
/// The longest wait for a slot. Beyond it the client is better told to come again.
const MAX_WAIT: Duration = Duration::from_secs(5);

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum HashError {
    /// Too many are waiting, or the wait was too long: 503.
    #[error("too many passwords are waiting to be hashed")]
    Busy,
    /// What is stored is no argon2 hash, or one of more than 64 MiB or 16 passes.
    #[error("the stored password hash cannot be read")]
    Unreadable,
    /// No memory, no random numbers, or a bug.
    #[error("the password could not be hashed")]
    Failed,
}

/// Hashes and verifies passwords on blocking threads. Clones share the slots.
#[derive(Clone)]
pub struct Hasher {
    inner: Arc<Inner>,
}

struct Inner {
    slots: Arc<Semaphore>,
    /// The memory of the slots that are not at work; it goes along with the work.
    memories: Mutex<Vec<Memory>>,
    waiting: AtomicUsize,
    max_waiting: usize,
    max_wait: Duration,
}

impl Hasher {
    /// A hasher that works on `slots` passwords at a time (at least one): as many as there are cores.
    pub fn new(slots: usize) -> Hasher {
        Hasher::with_limits(slots, WAITING_PER_SLOT * slots.max(1), MAX_WAIT)
    }

    fn with_limits(slots: usize, max_waiting: usize, max_wait: Duration) -> Hasher {
        let slots = Arc::new(Semaphore::new(slots.max(1)));
        let (memories, waiting) = (Mutex::default(), AtomicUsize::new(0));
        Hasher { inner: Arc::new(Inner { slots, memories, waiting, max_waiting, max_wait }) }
    }

    /// The PHC string to store for a new password, with a salt of its own.
    ///
    /// # Errors
    /// [`HashError::Busy`], [`HashError::Failed`].
    pub async fn hash(&self, password: Password) -> Result<String, HashError> {
        self.run(move |memory| memory.hash(&password)).await
    }

    /// Whether `password` is the one that the stored `phc` was made of, with the parameters that it names.
    ///
    /// # Errors
    /// [`HashError::Busy`], [`HashError::Unreadable`], [`HashError::Failed`].
    pub async fn verify(&self, password: Password, phc: String) -> Result<bool, HashError> {
        self.run(move |memory| memory.verify(&password, &phc)).await
    }

    /// The work of [`verify`](Self::verify) for an account that does not exist, so that a login for an
    /// unknown address takes as long as one with a wrong password.
    ///
    /// # Errors
    /// [`HashError::Busy`], [`HashError::Failed`].
    pub async fn verify_nobody(&self, password: Password) -> Result<(), HashError> {
        self.run(move |memory| memory.verify(&password, work::NOBODY)).await.map(drop)
    }

    /// How many wait for a slot just now.
    pub fn waiting(&self) -> usize {
        self.inner.waiting.load(Ordering::Relaxed)
    }

    /// A caller that goes away while it waits leaves the queue; work once begun is finished.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Memory) -> Result<T, HashError> + Send + 'static,
    ) -> Result<T, HashError> {
        let began = Instant::now();
        let slot = self.slot().await.inspect_err(|_| HASH_REFUSED.add(1, []))?;
        HASH_WAIT_SECONDS.record(began.elapsed().as_secs_f64(), []);
        let inner = self.inner.clone();
        let done = tokio::task::spawn_blocking(move || {
            let mut memory = inner.take_memory();
            let result = work(&mut memory);
            inner.put_back(memory);
            drop(slot);
            result
        });
        done.await.map_err(|_| HashError::Failed)?
    }

    async fn slot(&self) -> Result<OwnedSemaphorePermit, HashError> {
        let slots = self.inner.slots.clone();
        if let Ok(slot) = slots.clone().try_acquire_owned() {
            return Ok(slot);
        }
        let _waiting = Waiting::begin(&self.inner)?;
        match tokio::time::timeout(self.inner.max_wait, slots.acquire_owned()).await {
            Ok(Ok(slot)) => Ok(slot),
            Ok(Err(_)) => Err(HashError::Failed),
            Err(_) => Err(HashError::Busy),
        }
    }
}

impl Inner {
    fn take_memory(&self) -> Memory {
        self.memories.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default()
    }

    fn put_back(&self, memory: Memory) {
        self.memories.lock().unwrap_or_else(PoisonError::into_inner).push(memory);
    }
}

/// Counts a waiting caller for as long as it waits.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn begin(inner: &'a Inner) -> Result<Waiting<'a>, HashError> {
        let waiting = Waiting(&inner.waiting);
        // Counted first and asked afterwards, so that two callers cannot both take the last place.
        if inner.waiting.fetch_add(1, Ordering::Relaxed) < inner.max_waiting {
            Ok(waiting)
        } else {
            Err(HashError::Busy)
        }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl fmt::Debug for Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hasher").field("waiting", &self.waiting()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
