//! Where emails go: to an SMTP server, or into a folder of `.eml` files for development.

mod file;

use std::fmt;
use std::future::Future;
use std::path::PathBuf;

pub use file::{list_emails, read_mail};

use bookly_shared::bounce_address::BounceAddress;
use bookly_shared::clock::Clock;
use bookly_shared::config::{MailTransport, Settings, SmtpSettings};
use bookly_shared::domain::{MailServer, SmtpReply};
use bookly_shared::redactor::Redactor;
use lettre::Address;
use uuid::Uuid;

use crate::render::Outgoing;
use crate::smtp::{SendError, SmtpConfigError, SmtpOptions, SmtpPool};

/// Sends emails, any number at the same time.
#[derive(Clone, Debug)]
pub enum Transport {
    /// A mail server.
    Smtp(SmtpPool),
    /// A folder, shown at `/inbox`.
    File(PathBuf),
}

/// Where an email went.
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

/// An envelope sender as emails have it, to be tried at a mail server.
pub(crate) fn envelope_sender(settings: &Settings) -> Address {
    let bounces = BounceAddress::of_settings(settings);
    let of_no_row = bounces.and_then(|bounces| bounces.of_row(Uuid::nil()).ok());
    of_no_row.unwrap_or_else(|| settings.mail.from.clone())
}

impl Transport {
    /// The transport that the settings choose, on a tokio runtime. Does not connect to the mail server yet.
    ///
    /// # Errors
    /// When no connection could ever succeed with them.
    pub fn new(settings: &Settings, clock: Clock) -> Result<Transport, SmtpConfigError> {
        Ok(match &settings.mail.transport {
            MailTransport::File => {
                let folder = settings.data_dir.join("mail");
                file::restrict(&settings.data_dir, &folder);
                Transport::File(folder)
            }
            MailTransport::Smtp(server) => Transport::smtp(server, MailServer::First, settings, clock)?,
        })
    }

    /// The transport to the fallback, if there is one. Does not connect yet.
    ///
    /// # Errors
    /// When no connection could ever succeed with its settings.
    pub fn fallback(settings: &Settings, clock: Clock) -> Result<Option<Transport>, SmtpConfigError> {
        let server = settings.mail.fallback.as_ref();
        server.map(|server| Transport::smtp(server, MailServer::Fallback, settings, clock)).transpose()
    }

    fn smtp(
        to: &SmtpSettings,
        server: MailServer,
        settings: &Settings,
        clock: Clock,
    ) -> Result<Transport, SmtpConfigError> {
        // One connection for each email in flight: none waits for the slow reply to another one.
        let max_connections = usize::from(settings.worker_concurrency);
        let sender = Some(envelope_sender(settings));
        let trust = settings.trust.clone();
        let options = SmtpOptions { max_connections, sender, trust, clock, server, ..SmtpOptions::default() };
        Ok(Transport::Smtp(SmtpPool::new(to.clone(), options)?))
    }

    /// Sends an email. `lease_check` is awaited before the first byte of the message is transmitted. What the server
    /// repeats of the email's link, of its code or of the login is not in the result.
    ///
    /// # Errors
    /// Why the email was not accepted; the error's kind says what to do.
    pub async fn send(
        &self,
        message: &Outgoing,
        lease_check: impl Future<Output = bool> + Send,
    ) -> Result<Delivered, SendError> {
        match self {
            Transport::Smtp(pool) => {
                let sent = pool.send(&message.envelope, &message.bytes, lease_check).await;
                let code = message.code.as_deref();
                // Without the blank too: in base64 the blank changes all following characters.
                let without_blank = code.map(|code| code.replace(' ', ""));
                let secrets = [message.token.as_deref(), code, without_blank.as_deref()];
                let redactor = Redactor::new(secrets.into_iter().flatten());
                let sent = sent.map_err(|error| error.redacted(&redactor));
                Ok(Delivered::Accepted(redactor.redact_reply(sent?)))
            }
            Transport::File(folder) => file::store(folder, message, lease_check).await.map(Delivered::Stored),
        }
    }

    /// Tells whether emails can be sent at all. Sends nothing.
    ///
    /// # Errors
    /// Why they cannot be sent.
    pub async fn probe(&self) -> Result<(), SendError> {
        match self {
            Transport::Smtp(pool) => pool.probe().await,
            Transport::File(folder) => file::probe(folder).await,
        }
    }

    /// Closes the connections to the mail server.
    pub async fn close(&self) {
        if let Transport::Smtp(pool) = self {
            pool.close().await;
        }
    }
}
