//! What waits for the hasher's threads, and the threads: as many as there are slots, each with memory of its own.

use std::collections::VecDeque;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use super::HashError;
use super::work::Memory;

/// For how long a thread without work keeps its memory. Getting it anew costs the next hash some milliseconds.
const KEEP_MEMORY: Duration = Duration::from_secs(30);
/// How much the threads give way to those that answer requests, in steps of `nice(2)`: a hash takes 15 ms of a
/// core, a page or a list less than one. Little, so that neighbours cannot starve them: with 10 steps, on a machine
/// busy with other things, sign-ups were turned away after five seconds.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 3;

/// Something to be done in a thread's memory.
pub(super) trait Work: Send {
    /// Whether somebody still waits for it.
    fn is_wanted(&self) -> bool;
    /// Does it, and tells who waits.
    fn run(self: Box<Self>, memory: &mut Memory);
}

/// First come, first served.
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
    /// When the system has no thread to give.
    pub(super) fn start_thread(self: &Arc<Self>) -> io::Result<()> {
        let queue = self.clone();
        let work = move || {
            give_way();
            let mut memory = Memory::default();
            while let Some(work) = queue.next(&mut memory) {
                // A panic is a bug; who waits is told by the answer that never comes. The thread must not end by it.
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

    /// The next piece of work, in memory that holds nothing when it must be waited for. While others wait the wipe
    /// would be for nothing: the next hash overwrites all of it at once.
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
    /// Whoever went away left the queue.
    fn take(&mut self) -> Option<Box<dyn Work>> {
        while let Some(work) = self.waiting.pop_front() {
            if work.is_wanted() {
                return Some(work);
            }
        }
        None
    }
}

/// On Linux niceness is a thread's own. Elsewhere it is the process', and stays as it is.
fn give_way() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(None, NICENESS) {
        tracing::debug!(%error, "hashes compete with requests for the processor");
    }
}
