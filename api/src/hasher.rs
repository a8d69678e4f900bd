//! Password hashing (argon2id, RFC 9106): as many at a time as there are cores, in memory that is reused, with a bounded
//! wait.
//!
//! A hash takes 19 MiB and 15 ms of one core. More hashes at a time finish no sooner and need more memory. Memory that is
//! allocated for each hash is not returned to the system (glibc kept 6.5 GB under load). The threads have a lower
//! priority than those that answer requests, so that requests without a hash do not wait.

mod error;
mod threads;

use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bookly_shared::domain::Password;
use bookly_shared::metrics::table::{HASH_REFUSED, HASH_WAIT_SECONDS};
use tokio::sync::oneshot;

pub use error::HashError;
use threads::{Memory, Queue, Work};

/// How many passwords may wait for each thread: at 15 ms a hash, the last of them waits about a second.
const WAITING_PER_THREAD: usize = 64;
/// The longest wait for a thread. After it the client is told to come again.
const MAX_WAIT: Duration = Duration::from_secs(5);

/// Hashes and verifies passwords on threads of its own. Clones share them; they end with the last clone.
#[derive(Clone)]
pub struct Hasher {
    inner: Arc<Inner>,
}

struct Inner {
    queue: Arc<Queue>,
    max_wait: Duration,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.queue.close();
    }
}

impl Hasher {
    /// A hasher with this many threads (at least one): as many as there are cores.
    ///
    /// # Errors
    /// When a thread cannot be started.
    pub fn new(threads: usize) -> io::Result<Hasher> {
        Hasher::with_limits(threads, WAITING_PER_THREAD * threads.max(1), MAX_WAIT)
    }

    fn with_limits(threads: usize, max_waiting: usize, max_wait: Duration) -> io::Result<Hasher> {
        let queue = Arc::new(Queue::new(max_waiting));
        let hasher = Hasher { inner: Arc::new(Inner { queue, max_wait }) };
        (0..threads.max(1)).try_for_each(|_| hasher.inner.queue.start_thread())?;
        Ok(hasher)
    }

    /// The PHC string to store for a new password, with a salt of its own.
    ///
    /// # Errors
    /// [`HashError::Busy`], [`HashError::Failed`].
    pub async fn hash(&self, password: Password) -> Result<String, HashError> {
        self.run(move |memory| memory.hash(&password)).await
    }

    /// Whether `password` is the one of the stored hash `phc`, by the parameters that `phc` names.
    ///
    /// # Errors
    /// [`HashError::Busy`], [`HashError::Unreadable`], [`HashError::Failed`].
    pub async fn verify(&self, password: Password, phc: String) -> Result<bool, HashError> {
        self.run(move |memory| memory.verify(&password, &phc)).await
    }

    /// The work of [`verify`](Self::verify) for an account that does not exist: a login for an unknown address takes as
    /// long as one with a wrong password.
    ///
    /// # Errors
    /// [`HashError::Busy`], [`HashError::Failed`].
    pub async fn verify_unknown(&self, password: Password) -> Result<(), HashError> {
        self.run(move |memory| memory.verify(&password, threads::UNKNOWN)).await.map(drop)
    }

    /// How many passwords wait now.
    pub fn waiting(&self) -> usize {
        self.inner.queue.waiting()
    }

    /// A cancelled caller leaves the queue. Work that has started is finished.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Memory) -> Result<T, HashError> + Send + 'static,
    ) -> Result<T, HashError> {
        let finished = self.enqueue(work).await;
        if matches!(finished, Err(HashError::Busy)) {
            HASH_REFUSED.add(1, []);
        }
        let Finished { result, waited } = finished?;
        HASH_WAIT_SECONDS.record(waited.as_secs_f64(), []);
        result
    }

    async fn enqueue<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Memory) -> Result<T, HashError> + Send + 'static,
    ) -> Result<Finished<T>, HashError> {
        let (caller, mut finished) = oneshot::channel();
        let started = Arc::new(AtomicBool::new(false));
        let item = Item { work, enqueued: Instant::now(), started: started.clone(), caller };
        self.inner.queue.push(Box::new(item))?;
        let finished = match tokio::time::timeout(self.inner.max_wait, &mut finished).await {
            Ok(finished) => finished,
            // Work that has started takes a few milliseconds more.
            Err(_) if started.load(Ordering::Acquire) => finished.await,
            Err(_) => return Err(HashError::Busy),
        };
        finished.map_err(|_| HashError::Failed)
    }
}

/// One piece of work in the queue.
struct Item<W, T> {
    work: W,
    enqueued: Instant,
    started: Arc<AtomicBool>,
    caller: oneshot::Sender<Finished<T>>,
}

struct Finished<T> {
    result: Result<T, HashError>,
    waited: Duration,
}

impl<T: Send, W: FnOnce(&mut Memory) -> Result<T, HashError> + Send> Work for Item<W, T> {
    fn is_wanted(&self) -> bool {
        !self.caller.is_closed()
    }

    fn run(self: Box<Self>, memory: &mut Memory) {
        let waited = self.enqueued.elapsed();
        self.started.store(true, Ordering::Release);
        let result = (self.work)(memory);
        // Fails when the caller was cancelled meanwhile.
        let _ = self.caller.send(Finished { result, waited });
    }
}

impl fmt::Debug for Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hasher").field("waiting", &self.waiting()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
