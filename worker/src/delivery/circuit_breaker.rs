//! The circuit breaker of a mail server. While the circuit is open, emails wait in their rows and use up no
//! attempts. With `WORKER_RATE` it also spaces emails.
//!
//! A connection probe, which goes as far as MAIL FROM, shows when an outage is over. After a refusal that came later than
//! MAIL FROM the circuit is then half-open: one email at a time is sent, until one is accepted.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use bookly_shared::config::with_names_of_fallback;
use bookly_shared::domain::MailServer;
use bookly_shared::metrics::table::SMTP_REACHABLE;
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::metrics::record;
use crate::smtp::{FailureKind, SendError, Stage};
use crate::transport::Transport;

/// The first probe comes this soon; the wait doubles from there.
const FIRST_PROBE: Duration = Duration::from_secs(1);
/// The longest wait between two probes.
const SLOWEST_PROBE: Duration = Duration::from_secs(30);
/// Ambiguous refusals open the circuit after this time without an acceptance.
const NO_ACCEPTANCE: Duration = Duration::from_secs(60);
/// In a half-open circuit an email without a result after this time does not hold back the next one.
const PROBE_LIMIT: Duration = Duration::from_secs(60);
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
    /// The first server's circuit, in the second one's breaker.
    first: Option<watch::Sender<State>>,
    rate: Option<Arc<Mutex<Interval>>>,
}

impl CircuitBreaker {
    /// A closed circuit for the only server. `rate` is in emails a second.
    pub(crate) fn new(rate: Option<u32>) -> CircuitBreaker {
        let of_two = CircuitBreaker::for_server(MailServer::First, rate);
        CircuitBreaker { is_of_two: false, forgotten_after: Duration::MAX, ..of_two }
    }

    /// Closed circuits for the first server and the second one.
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

    /// A send failed. Opens the circuit if the error is about more than this email. `reason` is logged.
    pub(crate) fn failed(&self, error: &SendError, reason: &str) {
        let mut opened = None;
        self.state.send_if_modified(|state| {
            opened = match error.kind() {
                FailureKind::ServerUnavailable => state.open_for(error.stage),
                FailureKind::Ambiguous => state.ambiguous_refusal(self),
                // A server that hangs, or defers every email, would keep them from the other one.
                FailureKind::Temporary | FailureKind::OutcomeUnknown if self.is_of_two => {
                    state.ambiguous_refusal(self)
                }
                _ => None,
            };
            opened.is_some()
        });
        match opened {
            Some(Opened::Now) => {
                SMTP_REACHABLE.set(0.0, [self.server.label().into()]);
                let remedy = error.remedy().unwrap_or("run `bookly-worker doctor`");
                let remedy = self.with_its_settings(remedy);
                let has_other = self.is_of_two && self.server == MailServer::First;
                let emails = if has_other { "emails go to the second one" } else { "emails wait" };
                tracing::error!(
                    server = self.named(),
                    reason,
                    remedy = &*remedy,
                    "the mail server cannot be used; {emails} while it is probed"
                );
            }
            Some(Opened::Again) => {
                tracing::warn!(server = self.named(), reason, "the mail server still cannot be used")
            }
            None => {}
        }
    }

    /// Probes the server whenever the circuit is open, until `stop`.
    pub(crate) async fn probe(&self, transport: &Transport, stop: &CancellationToken) {
        stop.run_until_cancelled(async {
            loop {
                self.not_closed().await;
                self.probe_until_closed(transport).await;
            }
        })
        .await;
    }

    async fn probe_until_closed(&self, transport: &Transport) {
        let mut wait = FIRST_PROBE;
        loop {
            sleep(wait).await;
            wait = (wait * 2).min(SLOWEST_PROBE);
            let probed = transport.probe().await;
            let opened_by = match &self.state.borrow().circuit {
                Circuit::Closed => return,
                Circuit::Open(opened_by) => Some(*opened_by),
                Circuit::HalfOpen(_) => None,
            };
            match (probed, opened_by) {
                (Err(error), _) => {
                    record::failure(self.server, &error);
                    tracing::warn!(server = self.named(), %error, "the mail server still cannot be used");
                }
                (Ok(()), opened_by) if opened_by == Some(OpenedBy::Session) || self.gets_no_emails() => {
                    self.set(Circuit::Closed);
                    return self.report_closed();
                }
                (Ok(()), _) => {
                    self.probe_with_emails().await;
                    if matches!(self.state.borrow().circuit, Circuit::Closed) {
                        return;
                    }
                }
            }
        }
    }

    /// Half-opens the circuit until the result of an email closes or opens it.
    async fn probe_with_emails(&self) {
        let permits = Arc::new(Semaphore::new(1));
        self.set(Circuit::HalfOpen(Arc::clone(&permits)));
        loop {
            let decided = until(&self.state, |circuit| !matches!(circuit, Circuit::HalfOpen(_)));
            tokio::select! {
                decided = timeout(PROBE_LIMIT, decided) => if decided.is_ok() { return },
                () = self.until_it_gets_no_emails() => return,
            }
            if permits.available_permits() == 0 {
                permits.add_permits(1);
            }
        }
    }

    /// Whether no email comes that could show whether this server can be used: the first one has them.
    fn gets_no_emails(&self) -> bool {
        self.first.as_ref().is_some_and(|first| matches!(first.borrow().circuit, Circuit::Closed))
    }

    async fn until_it_gets_no_emails(&self) {
        match &self.first {
            Some(first) => until(first, |circuit| matches!(circuit, Circuit::Closed)).await,
            None => std::future::pending().await,
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

    /// A remedy with the names of this server's settings.
    fn with_its_settings(&self, remedy: &'static str) -> Cow<'static, str> {
        match self.server {
            MailServer::First => remedy.into(),
            MailServer::Fallback => with_names_of_fallback(remedy).into(),
        }
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

/// What a failed send did to the circuit.
enum Opened {
    /// It was closed before.
    Now,
    /// It was half-open: the email that was a probe failed.
    Again,
}

impl State {
    /// An error at this stage that concerns all emails.
    fn open_for(&mut self, stage: Stage) -> Option<Opened> {
        let session = match stage {
            Stage::Token | Stage::Connect | Stage::Hello | Stage::Tls | Stage::Auth | Stage::MailFrom => true,
            Stage::RcptTo | Stage::LeaseCheck | Stage::Data | Stage::FinalDot => false,
        };
        let opened_by = if session { OpenedBy::Session } else { OpenedBy::Transaction };
        match &mut self.circuit {
            Circuit::Closed => self.open(opened_by, Opened::Now),
            // The probe email met an outage: the refusal that opened the circuit may still be there.
            Circuit::HalfOpen(_) => self.open(OpenedBy::Transaction, Opened::Again),
            Circuit::Open(known) => {
                if !session {
                    *known = OpenedBy::Transaction;
                }
                None
            }
        }
    }

    /// A refusal that could be about one email or about all.
    fn ambiguous_refusal(&mut self, limits: &CircuitBreaker) -> Option<Opened> {
        let now = Instant::now();
        let remembered =
            self.refused.filter(|(_, latest)| now.duration_since(*latest) < limits.forgotten_after);
        let since = remembered.map_or(now, |(since, _)| since);
        self.refused = Some((since, now));
        match self.circuit {
            Circuit::HalfOpen(_) => self.open(OpenedBy::Transaction, Opened::Again),
            Circuit::Closed if since.elapsed() >= limits.no_acceptance => {
                self.open(OpenedBy::Transaction, Opened::Now)
            }
            Circuit::Closed | Circuit::Open(_) => None,
        }
    }

    fn open(&mut self, opened_by: OpenedBy, opened: Opened) -> Option<Opened> {
        self.circuit = Circuit::Open(opened_by);
        Some(opened)
    }
}

#[cfg(test)]
mod tests;
