//! The fallback, a second mail server: it gets emails while the first one's circuit is open.

use bookly_shared::domain::MailServer;
use chrono::{DateTime, TimeDelta, Utc};

use crate::delivery::circuit_breaker::CircuitBreaker;
use crate::smtp::{FailureKind, SendError, Stage};
use crate::transport::Transport;

/// How soon an email that has to wait for one server is claimed again. The slowest probes of a server are twice as far
/// apart.
const CLAIM_AGAIN_AFTER: TimeDelta = TimeDelta::seconds(15);

/// The way to the fallback. Clones share its connections and its circuit.
#[derive(Clone, Debug)]
pub(crate) struct Fallback {
    pub(crate) transport: Transport,
    pub(crate) circuit_breaker: CircuitBreaker,
}

/// Why a claimed email goes to no server now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Released {
    /// The circuit opened after the claim: another claim finds the other server.
    CircuitOpened,
    /// Only one server may get it, and that one cannot be used.
    BoundServerAway,
}

impl Released {
    /// When the email is due again; `None`: it stays due.
    pub(crate) fn until(self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        match self {
            Released::CircuitOpened => None,
            Released::BoundServerAway => Some(now + CLAIM_AGAIN_AFTER),
        }
    }
}

/// For which server an email was claimed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ClaimedFor {
    pub(crate) server: MailServer,
    /// Whether its result decides about that server's half-open circuit.
    pub(crate) is_probe: bool,
}

impl Fallback {
    /// The server that gets an email: the one to which it is bound, else the one for which it was claimed. `first` is the
    /// circuit of the first server.
    pub(crate) fn choose(
        &self,
        claimed_for: ClaimedFor,
        bound_to: Option<MailServer>,
        first: &CircuitBreaker,
    ) -> Result<MailServer, Released> {
        let server = bound_to.unwrap_or(claimed_for.server);
        let circuit_breaker = match server {
            MailServer::First => first,
            MailServer::Fallback => &self.circuit_breaker,
        };
        let is_its_probe = claimed_for.is_probe && claimed_for.server == server;
        match bound_to {
            None if circuit_breaker.is_open() => Err(Released::CircuitOpened),
            None => Ok(server),
            // A half-open circuit admits one email at a time, also of those that were claimed for the other server.
            Some(_) if circuit_breaker.is_closed() => Ok(server),
            Some(_) if is_its_probe && !circuit_breaker.is_open() => Ok(server),
            Some(_) => Err(Released::BoundServerAway),
        }
    }
}

/// How soon an email is tried again that the fallback refused: the first server may be back long before the next of the
/// usual waits.
const AFTER_FALLBACK: TimeDelta = TimeDelta::seconds(30);

/// The wait after a refusal of the fallback, and then the attempt does not count: the first server was not asked. `None`: the
/// usual one.
pub(crate) fn wait_after_fallback(server: MailServer, error: &SendError) -> Option<TimeDelta> {
    match (server, error.kind()) {
        (MailServer::First, _) | (_, FailureKind::ServerUnavailable | FailureKind::OutcomeUnknown) => None,
        (_, FailureKind::Permanent) => Some(CLAIM_AGAIN_AFTER),
        _ => Some(AFTER_FALLBACK),
    }
}

/// The server that alone gets the next copy after a failed attempt. A lost answer binds the email to its server; an
/// answer to the email that is no acceptance frees it. What the fallback refuses for good, only the first server is
/// asked for again.
pub(crate) fn bound_after(
    bound_to: Option<MailServer>,
    server: MailServer,
    error: &SendError,
) -> Option<MailServer> {
    // 421 ends a session (RFC 5321, section 3.8), whatever the command; the sender is the same for every email.
    let is_about_email = matches!(error.stage, Stage::RcptTo | Stage::Data | Stage::FinalDot)
        && error.code().is_some_and(|code| code != 421);
    match error.kind() {
        FailureKind::OutcomeUnknown => Some(server),
        FailureKind::ServerUnavailable => bound_to,
        FailureKind::Permanent if server == MailServer::Fallback => Some(MailServer::First),
        _ if is_about_email => None,
        _ => bound_to,
    }
}

#[cfg(test)]
mod tests;
