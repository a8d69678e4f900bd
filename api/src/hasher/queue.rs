//! The passwords that wait, and the threads that hash them, each in memory of its own.
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

use super::error::HashError;
use super::work::Memory;

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
