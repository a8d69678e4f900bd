//! What takes mails away: an SMTP server, or a folder of `.eml` files for development.

mod file;

use std::fmt;
use std::future::Future;
use std::path::PathBuf;

pub use file::{list_emails, read_mail};

use bookly_shared::config::{MailTransport, Security, Settings, SmtpServer};
use bookly_shared::domain::SmtpReply;

use crate::render::Outgoing;
use crate::smtp::{self, SendError, SmtpConfigError, SmtpCredentials, SmtpPool, SmtpSettings};

/// Takes one mail at a time, any number at once.
#[derive(Clone, Debug)]
pub enum Transport {
    /// A mail server.
    Smtp(SmtpPool),
    /// A folder, shown at `/inbox`.
    File(PathBuf),
}

/// Where a mail went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivered {
    /// The mail server accepted it with this reply.
    Accepted(SmtpReply),
    /// It is in this file.
    Stored(PathBuf),
}

impl Delivered {
    /// The code of the mail server's reply.
    pub fn smtp_code(&self) -> Option<u16> {
        match self {
            Delivered::Accepted(reply) => Some(reply.code),
            Delivered::Stored(_) => None,
        }
    }
}

impl fmt::Display for Delivered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Delivered::Accepted(reply) => reply.fmt(f),
            Delivered::Stored(path) => write!(f, "stored as {}", path.display()),
        }
    }
}

impl Transport {
    /// The transport that the settings choose. Connects to nothing yet.
    ///
    /// # Errors
    /// When no connection could ever succeed with them.
    pub fn new(settings: &Settings) -> Result<Transport, SmtpConfigError> {
        Ok(match &settings.mail.transport {
            MailTransport::File => Transport::File(settings.data_dir.join("mail")),
            MailTransport::Smtp(server) => {
                let mut pool = smtp_settings(server);
                // A connection for every mail that may be in flight: none waits for another's slow answer.
                pool.max_connections = usize::from(settings.worker_concurrency);
                Transport::Smtp(SmtpPool::new(pool)?)
            }
        })
    }

    /// Sends a mail. `lease_check` is awaited before the first byte of the message is transmitted.
    ///
    /// # Errors
    /// Why the mail was not accepted; the error's kind says what to do.
    pub async fn send(
        &self,
        message: &Outgoing,
        lease_check: impl Future<Output = bool> + Send,
    ) -> Result<Delivered, SendError> {
        match self {
            Transport::Smtp(pool) => {
                let sent = pool.send(&message.envelope, &message.bytes, lease_check).await;
                sent.map(Delivered::Accepted)
            }
            Transport::File(folder) => file::store(folder, message, lease_check).await.map(Delivered::Stored),
        }
    }

    /// Whether mails can be sent at all; sends nothing.
    ///
    /// # Errors
    /// Why not.
    pub async fn probe(&self) -> Result<(), SendError> {
        match self {
            Transport::Smtp(pool) => pool.probe().await,
            Transport::File(folder) => file::probe(folder).await,
        }
    }

    /// Says goodbye to the mail server.
    pub async fn close(&self) {
        if let Transport::Smtp(pool) = self {
            pool.close().await;
        }
    }
}

/// What the SMTP client needs of the settings.
pub(crate) fn smtp_settings(server: &SmtpServer) -> SmtpSettings {
    let security = match server.security {
        Security::Plain => smtp::Security::Plain,
        Security::StartTls => smtp::Security::StartTls,
        Security::ImplicitTls => smtp::Security::ImplicitTls,
    };
    let mut settings = SmtpSettings::new(&server.host, server.port, security);
    settings.credentials = server
        .credentials
        .as_ref()
        .map(|login| SmtpCredentials { username: login.username.clone(), password: login.password.clone() });
    settings.validate_certs = server.validate_certs;
    settings
}
