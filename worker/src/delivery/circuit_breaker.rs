//! The circuit breaker of a mail server. While the circuit is open, emails wait in their rows and use up no
//! attempts. With `WORKER_RATE` it also spaces emails.
//!
//! A connection probe, which goes as far as MAIL FROM, shows when an outage is over. After a refusal that came later than
//! MAIL FROM the circuit is then half-open: one email at a time is sent, until one is accepted.

mod failure;
mod probe;

use std::sync::Arc;
use std::time::Duration;

use bookly_shared::domain::MailServer;
use bookly_shared::metrics::table::SMTP_REACHABLE;
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval};

/// Ambiguous refusals open the circuit after this time without an acceptance.
const NO_ACCEPTANCE: Duration = Duration::from_secs(60);
/// With two servers a refusal says nothing any more if none followed for this time. The answer to an email takes 10
/// minutes at most, and its retry follows soon.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(15 * 60);

/// Whether emails may be sent.
#[derive(Clone, Debug)]
enum Circuit {
    /// The server can be used as far as is known: emails are sent.
    Closed,
    /// It cannot be used: no email is claimed.
    Open(OpenedBy),
    /// One email at a time is sent, with a permit.
    HalfOpen(Arc<Semaphore>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum OpenedBy {
    /// An error up to MAIL FROM, which a connection probe meets too.
    Session,
    /// A refusal after MAIL FROM: only an accepted email shows that it is over.
    Transaction,
}

#[derive(Debug)]
struct State {
    circuit: Circuit,
    /// The first and the latest ambiguous refusal since the last acceptance.
    refused: Option<(Instant, Instant)>,
}

/// How emails may be claimed.
#[derive(Debug)]
pub(crate) enum Admission {
    /// As many as there is capacity for.
    Any,
    /// One. It holds the permit until its result is known.
    Probe(OwnedSemaphorePermit),
}

/// One process's circuit for one mail server. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct CircuitBreaker {
    server: MailServer,
    state: watch::Sender<State>,
    no_acceptance: Duration,
    forgotten_after: Duration,
    /// Whether there is another server, which can take the emails.
    is_of_two: bool,
    /// The first server's circuit, in the breaker of the fallback.
    first: Option<watch::Sender<State>>,
    rate: Option<Arc<Mutex<Interval>>>,
}

impl CircuitBreaker {
    /// A closed circuit for the only server. `rate` is in emails a second.
    pub(crate) fn new(rate: Option<u32>) -> CircuitBreaker {
        let of_two = CircuitBreaker::for_server(MailServer::First, rate);
        CircuitBreaker { is_of_two: false, forgotten_after: Duration::MAX, ..of_two }
    }

    /// Closed circuits for the first server and the fallback.
    pub(crate) fn of_two(rate: Option<u32>) -> [CircuitBreaker; 2] {
        let first = CircuitBreaker::for_server(MailServer::First, rate);
        let of_first = Some(first.state.clone());
        let second =
            CircuitBreaker { first: of_first, ..CircuitBreaker::for_server(MailServer::Fallback, rate) };
        [first, second]
    }

    /// A closed circuit for this one of two servers.
    fn for_server(server: MailServer, rate: Option<u32>) -> CircuitBreaker {
        let rate = rate.map(|rate| {
            let mut ticks = interval(Duration::from_secs(1) / rate.max(1));
            // Ticks that passed without an email are not made up for: that would be a burst.
            ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
            Arc::new(Mutex::new(ticks))
        });
        let state = watch::Sender::new(State { circuit: Circuit::Closed, refused: None });
        CircuitBreaker {
            server,
            state,
            no_acceptance: NO_ACCEPTANCE,
            forgotten_after: FORGOTTEN_AFTER,
            is_of_two: true,
            first: None,
            rate,
        }
    }

    /// Whether emails are admitted one at a time.
    pub(crate) fn has_rate(&self) -> bool {
        self.rate.is_some()
    }

    /// Waits until emails may be claimed, and with a rate for the next tick.
    pub(crate) async fn admit(&self) -> Admission {
        let Some(rate) = &self.rate else { return self.admission().await };
        // The lock is held while the circuit is open. Without it, all that wait would have taken their ticks before the circuit
        // closes, and would then send at the same time.
        let mut rate = rate.lock().await;
        let admission = self.admission().await;
        rate.tick().await;
        admission
    }

    async fn admission(&self) -> Admission {
        let mut state = self.state.subscribe();
        loop {
            let circuit = state.borrow_and_update().circuit.clone();
            let permit = match circuit {
                Circuit::Closed => return Admission::Any,
                Circuit::Open(_) => None,
                Circuit::HalfOpen(permits) => Some(permits.acquire_owned()),
            };
            // The sender lives as long as `self`, so `changed` cannot fail, and no semaphore is ever closed.
            tokio::select! {
                biased;
                _ = state.changed() => {}
                Some(Ok(permit)) = async { Some(permit?.await) } => return Admission::Probe(permit),
            }
        }
    }

    /// Its state, for operators: `closed`, `open` or `half_open`.
    pub(crate) fn circuit(&self) -> &'static str {
        match self.state.borrow().circuit {
            Circuit::Closed => "closed",
            Circuit::Open(_) => "open",
            Circuit::HalfOpen(_) => "half_open",
        }
    }

    /// Whether emails are sent without a permit.
    pub(crate) fn is_closed(&self) -> bool {
        matches!(self.state.borrow().circuit, Circuit::Closed)
    }

    /// Whether no email may be sent.
    pub(crate) fn is_open(&self) -> bool {
        matches!(self.state.borrow().circuit, Circuit::Open(_))
    }

    /// Waits until the circuit is open or half-open.
    pub(crate) async fn not_closed(&self) {
        until(&self.state, |circuit| !matches!(circuit, Circuit::Closed)).await;
    }

    /// Waits until the circuit is closed or half-open.
    pub(crate) async fn not_open(&self) {
        until(&self.state, |circuit| !matches!(circuit, Circuit::Open(_))).await;
    }

    /// The server accepted an email.
    pub(crate) fn accepted(&self) {
        let mut closed = false;
        self.state.send_if_modified(|state| {
            state.refused = None;
            // A connection probe has to show that an outage is over: this email may have begun before it.
            closed = matches!(state.circuit, Circuit::HalfOpen(_) | Circuit::Open(OpenedBy::Transaction));
            if closed {
                state.circuit = Circuit::Closed;
            }
            closed
        });
        if closed {
            self.report_closed();
        }
    }

    /// As after a probe that followed a refusal later than MAIL FROM.
    #[cfg(test)]
    pub(crate) fn half_open(&self) {
        self.set(Circuit::HalfOpen(Arc::new(Semaphore::new(1))));
    }

    fn set(&self, circuit: Circuit) {
        self.state.send_modify(|state| state.circuit = circuit);
    }

    fn report_closed(&self) {
        tracing::info!(server = self.named(), "the mail server can be used again");
        SMTP_REACHABLE.set(1.0, [self.server.label().into()]);
    }

    /// The name in the log; the first server needs none.
    fn named(&self) -> Option<&'static str> {
        (self.server != MailServer::First).then(|| self.server.as_str())
    }
}

/// Waits for such a circuit.
async fn until(state: &watch::Sender<State>, is_so: impl Fn(&Circuit) -> bool) {
    // The caller holds the sender, so the wait cannot fail.
    let _ = state.subscribe().wait_for(|state| is_so(&state.circuit)).await;
}

#[cfg(test)]
mod tests;
