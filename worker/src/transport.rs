//! What takes mails away: an SMTP server, or a folder of `.eml` files for development.

mod file;

use std::future::Future;
use std::path::PathBuf;

pub use file::{list_emails, read_mail};

use bookly_shared::config::{MailTransport, Security, Settings, SmtpServer};

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

/// What whoever took a mail said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The mail server's code; a folder has none.
    pub code: Option<u16>,
    /// In words, the code included.
    pub words: String,
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

    /// Sends a mail. `fencing_token` is asked right before anything of it is transmitted. Returns what the taker said.
    ///
    /// # Errors
    /// Why the mail was not taken; its verdict says what to do.
    pub async fn send(
        &self,
        message: &Outgoing,
        fencing_token: impl Future<Output = bool> + Send,
    ) -> Result<Receipt, SendError> {
        match self {
            Transport::Smtp(pool) => {
                let accepted = pool.send(&message.envelope, &message.bytes, fencing_token).await?;
                let words = format!("{} {}", accepted.code, accepted.reply);
                Ok(Receipt { code: Some(accepted.code), words })
            }
            Transport::File(folder) => {
                let words = file::store(folder, message, fencing_token).await?;
                Ok(Receipt { code: None, words })
            }
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
