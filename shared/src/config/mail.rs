//! Who mails come from and what takes them away: an SMTP server, or files.

use secrecy::SecretString;

/// How mails leave.
#[derive(Debug, Clone)]
pub struct MailSettings {
    /// The sender's address; `lettre::Address` accepts it.
    pub from: String,
    /// The sender's display name, free of control characters (they make lettre's builder panic).
    pub from_name: String,
    /// What takes mails away.
    pub transport: MailTransport,
}

/// What takes mails away.
#[derive(Debug, Clone)]
pub enum MailTransport {
    /// `.eml` files under `DATA_DIR/mail`, shown at `/inbox`.
    File,
    /// An SMTP server.
    Smtp(SmtpServer),
}

/// An SMTP server and how to speak to it.
#[derive(Debug, Clone)]
pub struct SmtpServer {
    /// A host name or an IP address.
    pub host: String,
    /// The port, never 0.
    pub port: u16,
    /// How the connection is encrypted.
    pub security: Security,
    /// What to log in with; `None` when `USE_CREDENTIALS` is false.
    pub credentials: Option<Credentials>,
    /// Whether the server's certificate must be valid.
    pub validate_certs: bool,
}

/// How a connection to the SMTP server is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// Not at all.
    Plain,
    /// By `STARTTLS`, which must succeed (RFC 3207).
    StartTls,
    /// From the first byte (RFC 8314).
    ImplicitTls,
}

/// What to log in to the SMTP server with.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// The user's name.
    pub username: String,
    /// The user's password.
    pub password: SecretString,
}
