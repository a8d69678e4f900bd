//! What closes the circuit after an outage: connection probes, and then emails, one at a time.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::{Circuit, CircuitBreaker, OpenedBy, until};
use crate::metrics::record;
use crate::transport::Transport;

/// The first probe comes this soon; the wait doubles from there.
const FIRST_PROBE: Duration = Duration::from_secs(1);
/// The longest wait between two probes.
const SLOWEST_PROBE: Duration = Duration::from_secs(30);
/// In a half-open circuit an email without a result after this time does not hold back the next one.
const PROBE_LIMIT: Duration = Duration::from_secs(60);

impl CircuitBreaker {
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

    /// Whether this is the fallback and the first server gets the emails: then none is sent here, and so none can show whether
    /// this server can be used.
    fn gets_no_emails(&self) -> bool {
        self.first.as_ref().is_some_and(|first| matches!(first.borrow().circuit, Circuit::Closed))
    }

    async fn until_it_gets_no_emails(&self) {
        match &self.first {
            Some(first) => until(first, |circuit| matches!(circuit, Circuit::Closed)).await,
            None => std::future::pending().await,
        }
    }
}
