//! The gate before the mail server: closed while the server as a whole cannot be reached, so that mails wait
//! in their rows instead of burning their attempts.

use std::time::Duration;

use bookly_shared::metrics::table::SMTP_REACHABLE;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::metrics::record;
use crate::transport::Transport;

/// The first probe comes this soon; the wait doubles from there.
const FIRST_PROBE: Duration = Duration::from_secs(1);
/// Probes are at most this far apart: an outage ends for us this much later than for others.
const SLOWEST_PROBE: Duration = Duration::from_secs(30);

/// One process' knowledge of whether the mail server can be reached.
#[derive(Clone, Debug)]
pub(crate) struct Gate {
    open: watch::Sender<bool>,
}

impl Gate {
    /// An open gate: nothing is known against the server yet.
    pub(crate) fn new() -> Gate {
        Gate { open: watch::Sender::new(true) }
    }

    /// Waits until the server can be reached as far as is known.
    pub(crate) async fn opened(&self) {
        // The sender lives as long as `self`, so that the wait cannot fail.
        let _ = self.open.subscribe().wait_for(|open| *open).await;
    }

    /// Closes the gate; the prober opens it again.
    pub(crate) fn close(&self, why: &dyn std::fmt::Display) {
        SMTP_REACHABLE.set(0.0, []);
        if self.open.send_replace(false) {
            tracing::error!(reason = %why, "the mail server cannot be used; mails wait while it is probed");
        }
    }

    /// Probes the server whenever the gate is closed, until `stop`.
    pub(crate) async fn probe(&self, transport: &Transport, stop: &CancellationToken) {
        let mut state = self.open.subscribe();
        let watch = async {
            while state.wait_for(|open| !*open).await.is_ok() {
                self.probe_until_open(transport).await;
            }
        };
        stop.run_until_cancelled(watch).await;
    }

    async fn probe_until_open(&self, transport: &Transport) {
        let mut wait = FIRST_PROBE;
        loop {
            tokio::time::sleep(wait).await;
            match transport.probe().await {
                Ok(()) => break,
                Err(error) => {
                    record::failure(&error);
                    tracing::warn!(%error, "the mail server still cannot be used");
                }
            }
            wait = (wait * 2).min(SLOWEST_PROBE);
        }
        tracing::info!("the mail server is back");
        SMTP_REACHABLE.set(1.0, []);
        self.open.send_replace(true);
    }
}
