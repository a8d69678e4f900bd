//! Password hashing (argon2id, RFC 9106): as many at a time as there are cores, in memory that is reused, with a bounded
//! wait.
//!
//! A hash takes 19 MiB and 15 ms of one core. More hashes at a time finish no sooner and need more memory. Memory that is
//! allocated for each hash is not returned to the system (glibc kept 6.5 GB under load). The threads have a lower
//! priority than those that answer requests, so that requests without a hash do not wait.
//!
//! Why not a semaphore with `spawn_blocking`, or rayon: a thread must wipe its memory when it becomes idle, and both hide
//! that moment. To wipe after every hash takes 1 ms of 15, which is 7 % fewer hashes a second under load. The threads of
//! `spawn_blocking` also serve files and names, so they cannot have a lower priority.

mod error;
mod priority;
mod stored;
mod wipe;

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use argon2::password_hash::phc::{Output, PasswordHash, Salt};
use argon2::password_hash::try_generate_salt;
use argon2::{Algorithm, Argon2, Block, Params, Version};
use bookly_shared::domain::Password;
use bookly_shared::metrics::table::{HASH_REFUSED, HASH_WAIT_SECONDS};
use parking_lot::{Condvar, Mutex};
use tokio::sync::oneshot;

pub use error::HashError;

/// How many passwords may wait for each thread: at 15 ms a hash, the last of them waits about a second.
const WAITING_PER_THREAD: usize = 64;
/// The longest wait for a thread. After it the client gets 503.
const MAX_WAIT: Duration = Duration::from_secs(5);
/// How long an idle thread keeps its memory. To allocate it again costs the next hash a few milliseconds.
const KEEP_MEMORY: Duration = Duration::from_secs(30);
/// Hashes and verifies passwords on its own threads. Clones share them; they end with the last clone.
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

    /// The PHC string to store for a new password, with a new salt.
    ///
    /// # Errors
    /// [`HashError::Busy`], [`HashError::Failed`].
    pub async fn hash(&self, password: Password) -> Result<String, HashError> {
        self.run(move |memory| memory.hash(&password)).await
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
        let (caller, mut finished) = oneshot::channel();
        let started = Arc::new(AtomicBool::new(false));
        let item = Item { work, enqueued: Instant::now(), started: started.clone(), caller };
        self.inner.queue.push(Box::new(item))?;
        let finished = match tokio::time::timeout(self.inner.max_wait, &mut finished).await {
            Ok(finished) => finished,
            // Work that has started takes a few milliseconds more.
            Err(_) if started.load(Ordering::Acquire) => finished.await,
            Err(_) => return Err(refused()),
        };
        let (result, waited) = finished.map_err(|_| HashError::Failed)?;
        // Here, and not on the hashing thread: a recorder can be set for the caller's thread alone.
        HASH_WAIT_SECONDS.record(waited.as_secs_f64(), []);
        result
    }
}

fn refused() -> HashError {
    HASH_REFUSED.add(1, []);
    HashError::Busy
}

/// One piece of work in the queue.
struct Item<W, T> {
    work: W,
    enqueued: Instant,
    started: Arc<AtomicBool>,
    /// Gets the result, and how long the work waited.
    caller: oneshot::Sender<(Result<T, HashError>, Duration)>,
}

impl<T: Send, W: FnOnce(&mut Memory) -> Result<T, HashError> + Send> Work for Item<W, T> {
    fn is_wanted(&self) -> bool {
        !self.caller.is_closed()
    }

    fn run(self: Box<Self>, memory: &mut Memory) {
        let waited = self.enqueued.elapsed();
        self.started.store(true, Ordering::Release);
        // Fails when the caller was cancelled meanwhile.
        let _ = self.caller.send(((self.work)(memory), waited));
    }
}

impl fmt::Debug for Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hasher").field("waiting", &self.waiting()).finish_non_exhaustive()
    }
}

/// Work for a thread, in its memory.
trait Work: Send {
    /// Whether the caller still waits for it.
    fn is_wanted(&self) -> bool;
    /// Does it, and sends the result to the caller.
    fn run(self: Box<Self>, memory: &mut Memory);
}

/// The queue, first in, first out.
struct Queue {
    max_waiting: usize,
    state: Mutex<State>,
    more: Condvar,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Box<dyn Work>>,
    closed: bool,
}

impl Queue {
    fn new(max_waiting: usize) -> Queue {
        Queue { max_waiting, state: Mutex::default(), more: Condvar::new() }
    }

    /// Starts a thread that works until the queue is closed.
    ///
    /// # Errors
    /// When the system cannot start one.
    fn start_thread(self: &Arc<Self>) -> io::Result<()> {
        let queue = self.clone();
        let work = move || {
            priority::lower_priority();
            let mut memory = Memory::default();
            while let Some(work) = queue.next(&mut memory) {
                // A panic is a bug. The caller gets an error, because its channel is dropped; the thread goes on.
                let _ = catch_unwind(AssertUnwindSafe(|| work.run(&mut memory)));
            }
        };
        thread::Builder::new().name("hasher".to_owned()).spawn(work).map(drop)
    }

    /// # Errors
    /// [`HashError::Busy`] when too many wait.
    fn push(&self, work: Box<dyn Work>) -> Result<(), HashError> {
        let mut state = self.state.lock();
        if state.waiting.len() >= self.max_waiting {
            state.waiting.retain(|work| work.is_wanted());
        }
        if state.waiting.len() >= self.max_waiting {
            return Err(refused());
        }
        state.waiting.push_back(work);
        drop(state);
        self.more.notify_one();
        Ok(())
    }

    /// How many wait.
    fn waiting(&self) -> usize {
        self.state.lock().waiting.iter().filter(|work| work.is_wanted()).count()
    }

    /// Lets the threads end.
    fn close(&self) {
        self.state.lock().closed = true;
        self.more.notify_all();
    }

    /// The next piece of work. A thread that has to wait for it wipes its memory first. While others wait it does not:
    /// the next hash overwrites the memory at once.
    fn next(&self, memory: &mut Memory) -> Option<Box<dyn Work>> {
        if let Some(work) = self.state.lock().take() {
            return Some(work);
        }
        memory.wipe();
        let mut state = self.state.lock();
        loop {
            if let Some(work) = state.take() {
                return Some(work);
            }
            if state.closed {
                return None;
            }
            if self.more.wait_for(&mut state, KEEP_MEMORY).timed_out() {
                drop(state);
                memory.give_back();
                state = self.state.lock();
            }
        }
    }
}

impl State {
    /// Skips work whose caller was cancelled.
    fn take(&mut self) -> Option<Box<dyn Work>> {
        while let Some(work) = self.waiting.pop_front() {
            if work.is_wanted() {
                return Some(work);
            }
        }
        None
    }
}

/// The memory of a thread. It grows to the largest hash so far.
#[derive(Default)]
struct Memory {
    blocks: Vec<Block>,
    /// How many of the first blocks may hold data that was derived from a password.
    used: usize,
}

impl Memory {
    fn hash(&mut self, password: &Password) -> Result<String, HashError> {
        let salt = try_generate_salt().map_err(|_| HashError::Failed)?;
        let salt = Salt::new(&salt).map_err(|_| HashError::Failed)?;
        let (algorithm, version, params) = (Algorithm::default(), Version::default(), Params::default());
        let hash = PasswordHash {
            algorithm: algorithm.ident(),
            version: Some(version.into()),
            params: (&params).try_into().map_err(|_| HashError::Failed)?,
            hash: Some(self.output(Argon2::new(algorithm, version, params), password, &salt)?),
            salt: Some(salt),
        };
        Ok(hash.to_string())
    }

    fn output(&mut self, argon2: Argon2<'_>, password: &Password, salt: &[u8]) -> Result<Output, HashError> {
        let blocks = argon2.params().block_count();
        self.blocks
            .try_reserve_exact(blocks.saturating_sub(self.blocks.len()))
            .map_err(|_| HashError::Failed)?;
        if self.blocks.len() < blocks {
            self.blocks.resize(blocks, Block::new());
        }
        let mut buffer = [0; Output::MAX_LENGTH];
        let length = argon2.params().output_len().unwrap_or(Params::DEFAULT_OUTPUT_LEN);
        let out = buffer.get_mut(..length).ok_or(HashError::Unreadable)?;
        self.used = self.used.max(blocks);
        let memory = &mut self.blocks[..blocks];
        argon2
            .hash_password_into_with_memory(password.expose().as_bytes(), salt, out, memory)
            .map_err(|_| HashError::Failed)?;
        Output::new(out).map_err(|_| HashError::Failed)
    }
}

#[cfg(test)]
mod tests;
