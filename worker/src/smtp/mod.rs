//! Sends finished messages to one mail server: an own small pool over lettre's connections.
//!
//! lettre's pool puts a connection back whose send was cancelled, so that the next mail is told the answer of
//! the one before; its time limit covers connecting only; and it leaves Nagle's algorithm on, which costs
//! 40 ms a mail. Here a connection belongs to one send at a time and returns only when it is in step. lettre greets
//! and logs in; the mails themselves are written here, in three round trips where the server offers PIPELINING.

mod answer;
#[cfg(test)]
mod any_server;
mod connection;
mod error;
mod inspect;
mod lent;
mod line;
#[cfg(test)]
mod pipelining;
mod pool;
mod send;
mod starttls;
mod stream;
mod tls;

use std::time::Duration;

use secrecy::SecretString;

pub use self::{
    error::{Cause, FailureKind, SendError, SmtpProblem, Stage},
    inspect::{InspectError, SmtpReport, TlsReport, inspect},
    pool::SmtpPool,
};

/// Everything that is to be known of the mail server.
#[derive(Debug, Clone)]
pub struct SmtpSettings {
    /// Name or address of the server; with TLS also the name that its certificate must carry.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// How the connection is protected.
    pub security: Security,
    /// What to log in with; `None` sends without AUTH.
    pub credentials: Option<SmtpCredentials>,
    /// `false` takes any certificate: the connection is then encrypted, but the server is not proven.
    pub validate_certs: bool,
    /// How many connections may be open at once, at least 1.
    pub max_connections: usize,
    /// How long each step may take.
    pub timeouts: StageTimeouts,
    /// Further trusted root certificates (PEM), next to the Mozilla ones and those in `SSL_CERT_FILE`.
    pub extra_roots_pem: Option<String>,
}

impl SmtpSettings {
    /// Settings for `host:port` with everything else at its careful default: validated certificates, no
    /// login, four connections.
    pub fn new(host: impl Into<String>, port: u16, security: Security) -> Self {
        Self {
            host: host.into(),
            port,
            security,
            credentials: None,
            validate_certs: true,
            max_connections: 4,
            timeouts: StageTimeouts::default(),
            extra_roots_pem: None,
        }
    }
}

/// How the connection to the mail server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// Clear text, for relays on the same machine or network.
    Plain,
    /// STARTTLS (RFC 3207), required: a server that does not offer it gets neither login nor mail.
    StartTls,
    /// TLS from the first byte (RFC 8314), usually port 465.
    ImplicitTls,
}

/// The login at the mail server, used with AUTH PLAIN or AUTH LOGIN.
#[derive(Debug, Clone)]
pub struct SmtpCredentials {
    /// The account's name.
    pub username: String,
    /// The account's password.
    pub password: SecretString,
}

/// Time limits of a send, step by step.
///
/// The defaults follow RFC 5321 §4.5.3.2, shortened where minutes only hide an outage. The answer to the final
/// dot keeps its 10 minutes (§4.5.3.2.6): giving up early there means sending twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StageTimeouts {
    /// Name look-up, and the TCP connection to each address of the name.
    pub connect: Duration,
    /// Until the server's greeting is there; slow ones are meant (tarpits greet after 30 s).
    pub greeting: Duration,
    /// Each command and its answer, the TLS handshake and the whole of AUTH.
    pub command: Duration,
    /// The answer to DATA.
    pub data: Duration,
    /// Writing the whole message.
    pub body: Duration,
    /// The answer to the final dot.
    pub final_dot: Duration,
    /// How long a connection may wait for its next mail; below what servers allow (RFC 5321 asks 5 minutes of
    /// them, busy ones give less).
    pub idle: Duration,
}

impl Default for StageTimeouts {
    fn default() -> Self {
        Self {
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
    /// The root certificates are not readable PEM.
    #[error("the root certificates cannot be read: {0}")]
    Roots(String),
    /// The TLS library refuses its own configuration.
    #[error("TLS cannot be set up: {0}")]
    Tls(#[from] rustls::Error),
}
