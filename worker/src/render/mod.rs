//! From an email's values to the message on the wire: templates, then headers and encodings.

mod body;
mod check;
mod echo;
mod headers;
mod message;
mod samples;
#[cfg(test)]
mod tests;

pub use body::{EmailBody, MailRenderer, Rendered};
pub use bookly_shared::templates::RenderError;
pub use check::{TemplateReport, check};
pub use message::{CannotCompose, ComposeError, Composer, ComposerError, MessageFacts, Outgoing, compose};
