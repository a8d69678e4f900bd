//! How the server is set up.

use super::certs::Certificates;
use super::state::State;
use crate::certificate::Certificate;
use crate::token_server::AccessTokens;

/// How the server uses TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TlsMode {
    /// Clear text only.
    #[default]
    None,
    /// STARTTLS is offered; login is offered only after it.
    StartTls,
    /// TLS from the first byte.
    Implicit,
}

/// How the server behaves without faults.
#[derive(Debug, Clone)]
pub struct SmtpServerOptions {
    /// How it uses TLS.
    pub tls: TlsMode,
    /// Its certificate; `None` is one of an authority, see [`SmtpServer::ca_pem`](super::SmtpServer::ca_pem).
    pub certificate: Option<Certificate>,
    /// User and password that a client needs to send emails.
    pub auth: Option<(String, String)>,
    /// The mailbox that a client logs in to with an access token in place of a password, and the tokens.
    pub access_tokens: Option<(String, AccessTokens)>,
    /// The AUTH mechanisms that it offers.
    pub auth_mechanisms: Vec<&'static str>,
    /// The port; `None` takes a free one. With a port, a stopped server can be started again on it.
    pub port: Option<u16>,
    /// Whether PIPELINING is offered. Commands that come together are accepted in both cases.
    pub pipelining: bool,
    /// Whether SMTPUTF8 is offered.
    pub smtputf8: bool,
    /// How many emails are stored. The oldest are removed, and still counted.
    pub keep: usize,
    /// Longest message that is accepted, in bytes.
    pub max_message: usize,
}

impl Default for SmtpServerOptions {
    fn default() -> Self {
        Self {
            tls: TlsMode::None,
            certificate: None,
            auth: None,
            access_tokens: None,
            auth_mechanisms: vec!["PLAIN", "LOGIN"],
            port: None,
            pipelining: true,
            smtputf8: true,
            keep: 100_000,
            max_message: 32 * 1024 * 1024,
        }
    }
}

impl SmtpServerOptions {
    /// Whether a client has to log in before MAIL FROM.
    pub(super) fn needs_login(&self) -> bool {
        self.auth.is_some() || self.access_tokens.is_some()
    }
}

/// What the sessions share.
pub(super) struct Shared {
    pub(super) options: SmtpServerOptions,
    pub(super) certificates: Certificates,
    pub(super) state: State,
}
