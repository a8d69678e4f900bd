//! Signals: the first one asks to stop, a second one does not wait.

use std::io;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Exit codes as a shell shows them for a process that the signal ended: 128 + its number.
const INTERRUPTED: i32 = 130;
const TERMINATED: i32 = 143;

/// Cancels `shutdown` at the first SIGTERM or SIGINT and ends the process at the second.
///
/// # Errors
/// When the system lets nobody listen for signals.
pub fn on_signal(shutdown: CancellationToken) -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::spawn(async move {
        let mut next = async || {
            tokio::select! {
                _ = terminate.recv() => TERMINATED,
                _ = interrupt.recv() => INTERRUPTED,
            }
        };
        next().await;
        shutdown.cancel();
        let code = next().await;
        tracing::warn!("stopping at once");
        std::process::exit(code);
    });
    Ok(())
}
