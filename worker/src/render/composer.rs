//! From a letter to the bytes that go over the wire: render, then headers and encodings.

use std::path::Path;
use std::sync::Arc;

use bookly_shared::config::Settings;
use bookly_shared::templates::TemplateError;
use chrono::{DateTime, Utc};
use lettre::Address;
use lettre::address::Envelope;
use uuid::Uuid;

use super::{ComposeError, EmailBody, MailRenderer, MessageFacts, RenderError, compose};

/// Makes messages. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Composer {
    renderer: Arc<MailRenderer>,
    from: Address,
    from_name: String,
}

/// A message ready to be sent, to one recipient.
pub struct Outgoing {
    /// The row's id.
    pub id: Uuid,
    /// From whom to whom.
    pub envelope: Envelope,
    /// Headers and body, lines ended by CRLF, all ASCII.
    pub bytes: Vec<u8>,
}

/// The mail cannot be made; another attempt gives the same error.
#[derive(Debug, thiserror::Error)]
pub enum CannotCompose {
    /// The recipient is no address. Rows hold only parsed ones, unless somebody else wrote them.
    #[error("the recipient is no address")]
    Recipient,
    /// A template failed.
    #[error(transparent)]
    Render(#[from] RenderError),
    /// The message could not be built.
    #[error(transparent)]
    Compose(#[from] ComposeError),
}

/// Why no mail could ever be made with these settings.
#[derive(Debug, thiserror::Error)]
pub enum ComposerError {
    /// `MAIL_FROM` is no address.
    #[error("MAIL_FROM is no mail address")]
    From,
    /// A template is broken.
    #[error(transparent)]
    Template(#[from] TemplateError),
}

impl Composer {
    /// Loads the templates and tries each of them once.
    ///
    /// # Errors
    /// A broken template, with file and line, or a sender that is no address.
    pub fn new(settings: &Settings) -> Result<Composer, ComposerError> {
        let folder: Option<&Path> = settings.template_folder.as_deref();
        let mail = &settings.mail;
        let renderer = MailRenderer::new(folder, &mail.from_name, settings.public_url.as_str())?;
        let from = mail.from.parse().map_err(|_| ComposerError::From)?;
        Ok(Composer { renderer: Arc::new(renderer), from, from_name: mail.from_name.clone() })
    }

    /// Makes the message of a row. The same id gives the same Message-ID, whichever attempt it is.
    ///
    /// # Errors
    /// When a template fails or the message cannot be built.
    pub fn compose(
        &self,
        id: Uuid,
        to: &str,
        body: &EmailBody<'_>,
        now: DateTime<Utc>,
    ) -> Result<Outgoing, CannotCompose> {
        let to: Address = to.parse().map_err(|_| CannotCompose::Recipient)?;
        let rendered = self.renderer.render(body)?;
        let facts = MessageFacts { id, from: &self.from, from_name: &self.from_name, to: &to, now };
        let message = compose(&rendered, &facts)?;
        Ok(Outgoing { id, envelope: message.envelope().clone(), bytes: message.formatted() })
    }
}
