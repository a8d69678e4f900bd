//! How the client behaves, apart from the settings that an operator chooses.

use std::time::Duration;

use bookly_shared::clock::Clock;
use bookly_shared::domain::MailServer;
use bookly_shared::tls::Trust;
use lettre::Address;

/// Limits of the client. The defaults are for production; tests shorten them.
#[derive(Debug, Clone)]
pub struct SmtpOptions {
    /// How many connections may be open at once, at least 1.
    pub max_connections: usize,
    /// How long each step may take.
    pub timeouts: StageTimeouts,
    /// The sender that [`probe`](super::SmtpPool::probe) and [`inspect`](super::inspect) try; `None`: they stop before MAIL FROM.
    pub sender: Option<Address>,
    /// The servers that are trusted.
    pub trust: Trust,
    /// The time in the assertions of a service account.
    pub clock: Clock,
    /// The server's role, for the metrics.
    pub server: MailServer,
}

impl Default for SmtpOptions {
    fn default() -> Self {
        let (timeouts, trust) = (StageTimeouts::default(), Trust::default());
        let (clock, server) = (Clock::local(), MailServer::First);
        Self { max_connections: 4, timeouts, sender: None, trust, clock, server }
    }
}

/// Time limits of a send, step by step.
///
/// The defaults follow RFC 5321 §4.5.3.2, shortened where minutes only hide an outage. The reply to the final dot keeps
/// its 10 minutes (§4.5.3.2.6): a client that gives up earlier sends the email twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StageTimeouts {
    /// A request for an access token, with its whole answer.
    pub token: Duration,
    /// Name look-up, and the TCP connection to each address of the name.
    pub connect: Duration,
    /// Until the server's greeting is there. Some servers delay it by 30 s on purpose, against spam.
    pub greeting: Duration,
    /// Each command and its reply, the TLS handshake, and the whole of AUTH.
    pub command: Duration,
    /// The reply to DATA.
    pub data: Duration,
    /// Writing the whole message.
    pub body: Duration,
    /// The reply to the final dot.
    pub final_dot: Duration,
    /// How long a connection may wait for its next email. RFC 5321 asks servers to wait 5 minutes; busy ones wait less.
    pub idle: Duration,
}

impl Default for StageTimeouts {
    fn default() -> Self {
        Self {
            token: Duration::from_secs(10),
            connect: Duration::from_secs(10),
            greeting: Duration::from_secs(60),
            command: Duration::from_secs(60),
            data: Duration::from_secs(60),
            body: Duration::from_secs(3 * 60),
            final_dot: Duration::from_secs(10 * 60),
            idle: Duration::from_secs(30),
        }
    }
}

/// Settings with which no connection can ever succeed.
#[derive(Debug, thiserror::Error)]
pub enum SmtpConfigError {
    /// The host cannot stand in a certificate, so TLS cannot check it.
    #[error("{0:?} is neither a host name nor an IP address")]
    Host(String),
    /// `max_connections` is 0.
    #[error("at least one connection to the mail server must be allowed")]
    NoConnections,
    /// The TLS library refuses its own configuration.
    #[error("TLS cannot be set up: {0}")]
    Tls(#[from] rustls::Error),
}
