//! The circuit breaker before the mail server. While the server as a whole cannot be used the circuit is open: emails
//! wait in their rows and use up no attempts. With `WORKER_RATE` it also spaces emails.

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
/// The longest wait between two probes.
const SLOWEST_PROBE: Duration = Duration::from_secs(30);

/// Whether emails may be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Circuit {
    /// The server can be used as far as is known: emails are sent.
    Closed,
    /// It cannot be used: no email is claimed.
    Open,
    /// A probe is under way; its result closes the circuit or leaves it open.
    HalfOpen,
}

/// The circuit of one process. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct CircuitBreaker {
    circuit: watch::Sender<Circuit>,
    rate: Option<Arc<Mutex<Interval>>>,
}

impl CircuitBreaker {
    /// A closed circuit. `rate` is in emails a second.
    pub(crate) fn new(rate: Option<u32>) -> CircuitBreaker {
        let rate = rate.map(|rate| {
            let mut ticks = interval(Duration::from_secs(1) / rate.max(1));
            // Ticks that passed without an email are not made up for: that would be a burst.
            ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
            Arc::new(Mutex::new(ticks))
        });
        CircuitBreaker { circuit: watch::Sender::new(Circuit::Closed), rate }
    }

    /// Whether emails are admitted one at a time.
    pub(crate) fn has_rate(&self) -> bool {
        self.rate.is_some()
    }

    /// Waits until the circuit is closed, and with a rate for the next tick.
    pub(crate) async fn admit(&self) {
        let Some(rate) = &self.rate else { return self.closed().await };
        // The lock is held while the circuit is open: otherwise every waiter would have its tick when it closes.
        let mut rate = rate.lock().await;
        self.closed().await;
        rate.tick().await;
    }

    /// Waits until the circuit is closed.
    pub(crate) async fn closed(&self) {
        // The sender lives as long as `self`, so the wait cannot fail.
        let _ = self.circuit.subscribe().wait_for(|circuit| *circuit == Circuit::Closed).await;
    }

    /// Opens the circuit. [`probe`](Self::probe) closes it again.
    pub(crate) fn trip(&self, reason: &dyn std::fmt::Display) {
        SMTP_REACHABLE.set(0.0, []);
        let opened = self.circuit.send_if_modified(|circuit| {
            let was_closed = *circuit == Circuit::Closed;
            if was_closed {
                *circuit = Circuit::Open;
            }
            was_closed
        });
        if opened {
            tracing::error!(%reason, "the mail server cannot be used; emails wait while it is probed");
        }
    }

    /// Probes the server whenever the circuit is open, until `stop`.
    pub(crate) async fn probe(&self, transport: &Transport, stop: &CancellationToken) {
        let mut circuit = self.circuit.subscribe();
        let watch = async {
            while circuit.wait_for(|circuit| *circuit == Circuit::Open).await.is_ok() {
                self.probe_until_closed(transport).await;
            }
        };
        stop.run_until_cancelled(watch).await;
    }

    async fn probe_until_closed(&self, transport: &Transport) {
        let mut wait = FIRST_PROBE;
        loop {
            tokio::time::sleep(wait).await;
            self.circuit.send_replace(Circuit::HalfOpen);
            match transport.probe().await {
                Ok(()) => break,
                Err(error) => {
                    self.circuit.send_replace(Circuit::Open);
                    record::failure(&error);
                    tracing::warn!(%error, "the mail server still cannot be used");
                }
            }
            wait = (wait * 2).min(SLOWEST_PROBE);
        }
        tracing::info!("the mail server can be used again");
        SMTP_REACHABLE.set(1.0, []);
        self.circuit.send_replace(Circuit::Closed);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[tokio::test]
    async fn a_rate_admits_one_email_at_a_time() {
        let breaker = CircuitBreaker::new(Some(100));
        let began = Instant::now();
        for _ in 0..21 {
            breaker.admit().await;
        }
        // The first one does not wait.
        assert!(began.elapsed() >= Duration::from_millis(195), "{:?}", began.elapsed());
    }

    #[tokio::test]
    async fn emails_that_waited_for_the_server_are_spaced_when_it_is_back() {
        let breaker = CircuitBreaker::new(Some(100));
        breaker.trip(&"away");
        let waiting: Vec<_> = (0..11)
            .map(|_| {
                let breaker = breaker.clone();
                tokio::spawn(async move { breaker.admit().await })
            })
            .collect();
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert!(waiting.iter().all(|one| !one.is_finished()));
        let closed = Instant::now();
        breaker.circuit.send_replace(Circuit::Closed);
        for one in waiting {
            one.await.unwrap();
        }
        // The first is admitted at once, the second at the next tick.
        assert!(closed.elapsed() >= Duration::from_millis(85), "{:?}", closed.elapsed());
    }

    #[tokio::test]
    async fn without_a_rate_only_an_open_circuit_holds_emails_back() {
        let breaker = CircuitBreaker::new(None);
        breaker.admit().await;
        breaker.trip(&"away");
        assert!(tokio::time::timeout(Duration::from_millis(50), breaker.admit()).await.is_err());
    }
}
