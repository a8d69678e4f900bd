//! Why an email cannot be made.

use bookly_shared::domain::EmailKind;
use bookly_shared::templates::{RenderError, TemplateError};

use super::body::HEADER_LIMIT;

/// The email cannot be made; another attempt gives the same error.
#[derive(Debug, thiserror::Error)]
pub enum ComposeError {
    /// The recipient is not an address. This service writes only parsed ones into rows.
    #[error("the recipient is not an address")]
    Recipient,
    /// A template failed.
    #[error(transparent)]
    Render(#[from] RenderError),
    /// The message could not be built.
    #[error(transparent)]
    Message(#[from] MessageError),
}

/// Why no email can be made with these settings.
#[derive(Debug, thiserror::Error)]
pub enum ComposerStartError {
    /// An email of this kind cannot be made with these settings.
    #[error("an email {0} cannot be made: {1}; check MAIL_FROM, MAIL_FROM_NAME and TEMPLATE_FOLDER")]
    Sample(EmailKind, ComposeError),
    /// No email can have this sender.
    #[error("{0}; check MAIL_FROM and MAIL_FROM_NAME")]
    Sender(#[from] MessageError),
    /// A template is broken.
    #[error(transparent)]
    Template(#[from] TemplateError),
}

/// The message cannot be built; another attempt gives the same error.
#[derive(Debug, thiserror::Error)]
pub enum MessageError {
    /// CR, LF or NUL in the sender's name or the subject makes the builder panic, or starts a header.
    #[error("the {0} holds a line break or a NUL")]
    LineBreak(&'static str),
    /// The builder does not fold inside a word: a very long one would exceed the 998 octets of a line (RFC 5322 §2.1.1).
    #[error("the {0} is longer than {HEADER_LIMIT} bytes")]
    TooLong(&'static str),
    /// Headers are ASCII here: another address needs SMTPUTF8 (RFC 6531). Domains are in their `xn--` form.
    #[error("the {0} address is not ASCII")]
    NotAscii(&'static str),
    /// The envelope's sender is no address. The settings are checked, so this does not happen.
    #[error("the envelope's sender cannot be made")]
    Envelope(#[source] lettre::address::AddressError),
    /// lettre refused it.
    #[error("the message cannot be built")]
    Refused(#[from] lettre::error::Error),
}
