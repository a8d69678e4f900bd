//! From an email's values to the message on the wire: templates, then headers and encodings.

mod body;
mod check;
mod echo;
mod error;
mod message;
mod samples;
mod sender;
#[cfg(test)]
mod tests;

pub use body::{EmailBody, MailRenderer, Rendered};
pub use bookly_shared::templates::RenderError;
pub use check::{TemplateReport, check};
pub use error::{ComposeError, ComposerStartError, MessageError};
pub use message::{Composer, MessageFacts, Outgoing, compose};
pub use sender::Sender;
