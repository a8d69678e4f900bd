//! Signals: the first asks for an orderly stop, the second ends the process at once.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// What a shell reports for a process that a signal ended: 128 + SIGTERM.
const ENDED_BY_SIGNAL: i32 = 143;

/// Cancels `stop` at the first SIGTERM or SIGINT.
///
/// # Errors
/// When the system refuses the handlers.
pub fn stop_on_signal(stop: CancellationToken) -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::spawn(async move {
        either(&mut terminate, &mut interrupt).await;
        tracing::info!("stopping; a second signal ends the process at once");
        stop.cancel();
        either(&mut terminate, &mut interrupt).await;
        tracing::warn!("ended by a second signal");
        std::process::exit(ENDED_BY_SIGNAL);
    });
    Ok(())
}

async fn either(terminate: &mut Signal, interrupt: &mut Signal) {
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}
