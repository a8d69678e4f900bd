//! Password hashing (argon2id, RFC 9106): a few at a time, in memory that is kept, with a bounded wait.
//!
//! A hash takes 19 MiB and 15 ms of one core. More at a time than there are cores finish no sooner and only
//! cost memory; memory taken afresh for each one is not given back (glibc kept 6.5 GB under load). The threads give way
//! to those that answer: what needs no hash is not kept waiting by those that do.

mod queue;
mod work;

use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bookly_shared::domain::Password;
use bookly_shared::metrics::table::{HASH_REFUSED, HASH_WAIT_SECONDS};
use thiserror::Error;
use tokio::sync::oneshot;

use queue::{Queue, Work};
use work::Memory;

/// How many may wait for each slot: at 15 ms a hash, the last of them waits about a second.
const WAITING_PER_SLOT: usize = 64;
/// The longest wait for a thread. Beyond it the client is better told to come again.
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

/// Hashes and verifies passwords on threads of its own, which end with its last clone. Clones share them.
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
    /// A hasher that works on `slots` passwords at a time (at least one): as many as there are cores.
    ///
    /// # Errors
    /// When a thread cannot be started.
    pub fn new(slots: usize) -> io::Result<Hasher> {
        Hasher::with_limits(slots, WAITING_PER_SLOT * slots.max(1), MAX_WAIT)
    }

    fn with_limits(slots: usize, max_waiting: usize, max_wait: Duration) -> io::Result<Hasher> {
        let queue = Arc::new(Queue::new(max_waiting));
        let hasher = Hasher { inner: Arc::new(Inner { queue, max_wait }) };
        (0..slots.max(1)).try_for_each(|_| hasher.inner.queue.start_thread())?;
        Ok(hasher)
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
        self.inner.queue.waiting()
    }

    /// A caller that goes away while it waits leaves the queue; work once begun is finished.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Memory) -> Result<T, HashError> + Send + 'static,
    ) -> Result<T, HashError> {
        let answer = self.answer(work).await;
        if matches!(answer, Err(HashError::Busy)) {
            HASH_REFUSED.add(1, []);
        }
        let Answer { result, waited } = answer?;
        HASH_WAIT_SECONDS.record(waited.as_secs_f64(), []);
        result
    }

    async fn answer<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Memory) -> Result<T, HashError> + Send + 'static,
    ) -> Result<Answer<T>, HashError> {
        let (answer, mut answered) = oneshot::channel();
        let begun = Arc::new(AtomicBool::new(false));
        let question = Item { work, asked: Instant::now(), begun: begun.clone(), answer };
        self.inner.queue.push(Box::new(question))?;
        let answer = match tokio::time::timeout(self.inner.max_wait, &mut answered).await {
            Ok(answer) => answer,
            // What has begun takes milliseconds more: to turn it away would be work for nothing.
            Err(_) if begun.load(Ordering::Acquire) => answered.await,
            Err(_) => return Err(HashError::Busy),
        };
        answer.map_err(|_| HashError::Failed)
    }
}

/// What a caller wants to know.
struct Item<W, T> {
    work: W,
    asked: Instant,
    begun: Arc<AtomicBool>,
    answer: oneshot::Sender<Answer<T>>,
}

struct Answer<T> {
    result: Result<T, HashError>,
    waited: Duration,
}

impl<T: Send, W: FnOnce(&mut Memory) -> Result<T, HashError> + Send> Work for Item<W, T> {
    fn is_wanted(&self) -> bool {
        !self.answer.is_closed()
    }

    fn run(self: Box<Self>, memory: &mut Memory) {
        let waited = self.asked.elapsed();
        self.begun.store(true, Ordering::Release);
        let result = (self.work)(memory);
        // A caller that went away meanwhile wants no answer.
        let _ = self.answer.send(Answer { result, waited });
    }
}

impl fmt::Debug for Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hasher").field("waiting", &self.waiting()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
