//! The priority of the threads that hash, below that of the threads that answer requests.

/// How much lower the threads' priority is, in steps of `nice(2)`: a hash takes 15 ms of a core, a page less than one. A
/// small step, so that other programs cannot starve the threads: with 10 steps sign-ups on a busy machine were refused
/// after five seconds.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 3;

/// On Linux each thread has its own niceness. Elsewhere the process has one, which stays as it is.
pub(super) fn lower_priority() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(None, NICENESS) {
        tracing::debug!(%error, "hashes compete with requests for the processor");
    }
}
