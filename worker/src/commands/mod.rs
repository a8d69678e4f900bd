//! The operator's commands: where is her mail, try it again, does the mail server take ours.

mod mail;

pub use mail::{MailCommand, run};
