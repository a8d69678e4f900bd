//! The gate before the mail server: closed while the server as a whole cannot be reached, so that mails wait
//! in their rows instead of burning their attempts. With a rate set it lets one mail through at a time.

use std::sync::Arc;
use std::time::Duration;

use bookly_shared::metrics::table::SMTP_REACHABLE;
use tokio::sync::{Mutex, watch};
use tokio::time::{Interval, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::metrics::record;
use crate::transport::Transport;

/// The first probe comes this soon; the wait doubles from there.
const FIRST_PROBE: Duration = Duration::from_secs(1);
/// Probes are at most this far apart: an outage ends for us this much later than for others.
const SLOWEST_PROBE: Duration = Duration::from_secs(30);

/// One process' knowledge of whether the mail server can be reached.
#[derive(Clone, Debug)]
pub(crate) struct CircuitBreaker {
    open: watch::Sender<bool>,
    pace: Option<Arc<Mutex<Interval>>>,
}

impl CircuitBreaker {
    /// An open gate: nothing is known against the server yet. `rate` is in mails a second.
    pub(crate) fn new(rate: Option<u32>) -> CircuitBreaker {
        let pace = rate.map(|rate| {
            let mut ticks = interval(Duration::from_secs(1) / rate.max(1));
            // Time in which nothing was sent is not made up for: that would be a burst.
            ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
            Arc::new(Mutex::new(ticks))
        });
        CircuitBreaker { open: watch::Sender::new(true), pace }
    }

    /// Whether mails are let through one at a time.
    pub(crate) fn is_paced(&self) -> bool {
        self.pace.is_some()
    }

    /// Waits until the server can be reached as far as is known, and with a rate for the next mail's turn.
    pub(crate) async fn pass(&self) {
        let Some(pace) = &self.pace else { return self.opened().await };
        // Whoever waits for the server holds the turn, so that nobody gathers turns meanwhile.
        let mut pace = pace.lock().await;
        self.opened().await;
        pace.tick().await;
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

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[tokio::test]
    async fn a_rate_lets_one_mail_through_at_a_time() {
        let gate = CircuitBreaker::new(Some(100));
        let began = Instant::now();
        for _ in 0..21 {
            gate.pass().await;
        }
        // The first need not wait.
        assert!(began.elapsed() >= Duration::from_millis(195), "{:?}", began.elapsed());
    }

    #[tokio::test]
    async fn whoever_waits_for_the_server_gathers_no_turns() {
        let gate = CircuitBreaker::new(Some(100));
        gate.close(&"away");
        let waiting: Vec<_> = (0..11)
            .map(|_| {
                let gate = gate.clone();
                tokio::spawn(async move { gate.pass().await })
            })
            .collect();
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert!(waiting.iter().all(|one| !one.is_finished()));
        let reopened = Instant::now();
        gate.open.send_replace(true);
        for one in waiting {
            one.await.unwrap();
        }
        // The first passes at once, the second at the next beat.
        assert!(reopened.elapsed() >= Duration::from_millis(85), "{:?}", reopened.elapsed());
    }

    #[tokio::test]
    async fn without_a_rate_only_an_outage_holds_mails_up() {
        let gate = CircuitBreaker::new(None);
        gate.pass().await;
        gate.close(&"away");
        assert!(tokio::time::timeout(Duration::from_millis(50), gate.pass()).await.is_err());
    }
}
