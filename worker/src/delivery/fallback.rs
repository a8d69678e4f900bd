//! The second mail server: it gets emails while the circuit before the first one is open.

use bookly_shared::domain::MailServer;
use chrono::{DateTime, TimeDelta, Utc};

use crate::delivery::circuit_breaker::CircuitBreaker;
use crate::smtp::{FailureKind, SendError, Stage};
use crate::transport::Transport;

/// How soon an email that has to wait for one server is claimed again. The slowest probes of a server are twice as far
/// apart.
const CLAIM_AGAIN_AFTER: TimeDelta = TimeDelta::seconds(15);

/// The way to the second server. Clones share its connections and its circuit.
#[derive(Clone, Debug)]
pub(crate) struct Fallback {
    pub(crate) transport: Transport,
    pub(crate) circuit_breaker: CircuitBreaker,
}

/// Why a claimed email goes to no server now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Held {
    /// The circuit opened after the claim: another claim finds the other server.
    CircuitOpened,
    /// Only one server may get it, and that one cannot be used.
    BoundServerAway,
}

impl Held {
    /// When the email is due again; `None`: it stays due.
    pub(crate) fn until(self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        match self {
            Held::CircuitOpened => None,
            Held::BoundServerAway => Some(now + CLAIM_AGAIN_AFTER),
        }
    }
}

impl Fallback {
    /// The server that gets an email: the one to which it is bound, else the one for which it was claimed. `first` is the
    /// circuit before the first server.
    pub(crate) fn choose(
        &self,
        claimed_for: MailServer,
        bound_to: Option<MailServer>,
        first: &CircuitBreaker,
    ) -> Result<MailServer, Held> {
        let server = bound_to.unwrap_or(claimed_for);
        let circuit_breaker = match server {
            MailServer::First => first,
            MailServer::Fallback => &self.circuit_breaker,
        };
        match (circuit_breaker.is_open(), bound_to) {
            (false, _) => Ok(server),
            (true, None) => Err(Held::CircuitOpened),
            (true, Some(_)) => Err(Held::BoundServerAway),
        }
    }
}

/// The server that alone gets the next copy after a failed attempt. A lost answer binds the email to its server; an
/// answer to the email that is no acceptance frees it.
pub(crate) fn bound_after(
    bound_to: Option<MailServer>,
    server: MailServer,
    error: &SendError,
) -> Option<MailServer> {
    let is_about_email = !matches!(error.stage, Stage::Connect | Stage::Hello | Stage::Tls | Stage::Auth);
    match error.kind() {
        FailureKind::OutcomeUnknown => Some(server),
        _ if is_about_email && error.reply().is_some() => None,
        _ => bound_to,
    }
}

#[cfg(test)]
mod tests;
