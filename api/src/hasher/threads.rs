//! The passwords that wait, and the threads that hash them, each in memory that it reuses.
//!
//! Why not a semaphore with `spawn_blocking`, or rayon: a thread must wipe its memory when it becomes idle, and both hide
//! that moment. To wipe after every hash takes 1 ms of 15, which is 7 % fewer hashes a second under load. The threads of
//! `spawn_blocking` also serve files and names, so they cannot have a lower priority.

use std::collections::VecDeque;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use argon2::password_hash::phc::{Output, PasswordHash, Salt};
use argon2::password_hash::try_generate_salt;
use argon2::{Algorithm, Argon2, Block, Params, Version};
use bookly_shared::domain::Password;

use super::error::HashError;

/// How long an idle thread keeps its memory. To allocate it again costs the next hash a few milliseconds.
const KEEP_MEMORY: Duration = Duration::from_secs(30);
/// How much lower the threads' priority is, in steps of `nice(2)`: a hash takes 15 ms of a core, a page less than one. A
/// small step, so that other programs cannot starve the threads: with 10 steps sign-ups on a busy machine were refused
/// after five seconds.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 3;

/// Work for a thread, in its memory.
pub(super) trait Work: Send {
    /// Whether the caller still waits for it.
    fn is_wanted(&self) -> bool;
    /// Does it, and sends the result to the caller.
    fn run(self: Box<Self>, memory: &mut Memory);
}

/// The queue, first in, first out.
pub(super) struct Queue {
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
    pub(super) fn new(max_waiting: usize) -> Queue {
        Queue { max_waiting, state: Mutex::default(), more: Condvar::new() }
    }

    /// Starts a thread that works until the queue is closed.
    ///
    /// # Errors
    /// When the system cannot start one.
    pub(super) fn start_thread(self: &Arc<Self>) -> io::Result<()> {
        let queue = self.clone();
        let work = move || {
            lower_priority();
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
    pub(super) fn push(&self, work: Box<dyn Work>) -> Result<(), HashError> {
        let mut state = self.lock();
        if state.waiting.len() >= self.max_waiting {
            state.waiting.retain(|work| work.is_wanted());
        }
        if state.waiting.len() >= self.max_waiting {
            return Err(HashError::Busy);
        }
        state.waiting.push_back(work);
        drop(state);
        self.more.notify_one();
        Ok(())
    }

    /// How many wait.
    pub(super) fn waiting(&self) -> usize {
        self.lock().waiting.iter().filter(|work| work.is_wanted()).count()
    }

    /// Lets the threads end.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.more.notify_all();
    }

    /// The next piece of work. A thread that has to wait for it wipes its memory first. While others wait it does not: the
    /// next hash overwrites the memory at once.
    pub(super) fn next(&self, memory: &mut Memory) -> Option<Box<dyn Work>> {
        if let Some(work) = self.lock().take() {
            return Some(work);
        }
        memory.wipe();
        let mut state = self.lock();
        loop {
            if let Some(work) = state.take() {
                return Some(work);
            }
            if state.closed {
                return None;
            }
            let idle = self.more.wait_timeout(state, KEEP_MEMORY).unwrap_or_else(PoisonError::into_inner);
            state = idle.0;
            if idle.1.timed_out() {
                drop(state);
                memory.give_back();
                state = self.lock();
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
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

/// On Linux each thread has its own niceness. Elsewhere the process has one, which stays as it is.
fn lower_priority() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(None, NICENESS) {
        tracing::debug!(%error, "hashes compete with requests for the processor");
    }
}

/// The most memory that a stored hash may ask for, in KiB.
const MAX_MEMORY_KIB: u32 = 64 * 1024;
/// The most passes over the memory that a stored hash may ask for.
const MAX_PASSES: u32 = 16;
/// The most lanes that a stored hash may ask for.
const MAX_LANES: u32 = 16;

/// A hash of no known password, with the cost of a new hash.
pub(super) const UNKNOWN: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$Ym9va2x5LW5vYm9keS4uLg$4fXCqXn0dJrbqRZ0vYcQWmJ3m2kq6o1nA8sT5uEwGhY";

/// The memory of a thread. It grows to the largest hash so far.
#[derive(Default)]
pub(super) struct Memory {
    blocks: Vec<Block>,
    /// How many of the first blocks may hold data that was derived from a password.
    used: usize,
}

impl Memory {
    pub(super) fn hash(&mut self, password: &Password) -> Result<String, HashError> {
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

    pub(super) fn verify(&mut self, password: &Password, phc: &str) -> Result<bool, HashError> {
        let stored = PasswordHash::new(phc).map_err(|_| HashError::Unreadable)?;
        let (Some(salt), Some(expected)) = (&stored.salt, &stored.hash) else {
            return Err(HashError::Unreadable);
        };
        let output = self.output(argon2_of(&stored)?, password, salt)?;
        // `Output` compares in constant time.
        Ok(output == *expected)
    }

    /// A password is far easier to guess from the memory of a single pass than from its hash. Takes 1 ms for the memory of
    /// a new hash.
    pub(super) fn wipe(&mut self) {
        self.blocks[..self.used].fill(Block::new());
        self.used = 0;
    }

    /// Returns the memory to the system.
    pub(super) fn give_back(&mut self) {
        self.wipe();
        self.blocks = Vec::new();
    }

    #[cfg(test)]
    pub(super) fn is_wiped(&self) -> bool {
        !self.blocks.is_empty()
            && self.blocks.iter().all(|block| block.as_ref().iter().all(|word| *word == 0))
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

/// The algorithm with the parameters of the stored hash, so that hashes with older parameters still verify.
fn argon2_of(stored: &PasswordHash) -> Result<Argon2<'static>, HashError> {
    let algorithm = Algorithm::try_from(stored.algorithm.as_str()).map_err(|_| HashError::Unreadable)?;
    let version = match stored.version {
        Some(version) => Version::try_from(version).map_err(|_| HashError::Unreadable)?,
        None => Version::default(),
    };
    let params = Params::try_from(stored).map_err(|_| HashError::Unreadable)?;
    let affordable =
        params.m_cost() <= MAX_MEMORY_KIB && params.t_cost() <= MAX_PASSES && params.p_cost() <= MAX_LANES;
    if affordable { Ok(Argon2::new(algorithm, version, params)) } else { Err(HashError::Unreadable) }
}
