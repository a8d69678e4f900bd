//! Sends finished messages to one mail server: a pool of sessions, each used by one email at a time.
//!
//! lettre builds messages and checks addresses. Its SMTP client is not used: its pool takes a connection back whose send
//! was cancelled, so that the next email gets the reply of the one before; its time limit covers connecting only; it
//! leaves Nagle's algorithm on, which costs 40 ms an email; and it keeps clear text across STARTTLS (CVE-2011-0411).

mod connection;
mod connector;
mod dialogue;
mod error;
mod failure;
mod inspect;
mod options;
mod pool;
mod session;
#[cfg(test)]
mod tests;
mod tls;
mod token_login;

pub use self::error::{Cause, SendError, SmtpProblem};
pub use self::failure::{FailureKind, Stage};
pub use self::inspect::{InspectError, SmtpReport, TlsReport, inspect};
pub use self::options::{SmtpConfigError, SmtpOptions, StageTimeouts};
pub use self::pool::SmtpPool;
pub use crate::oauth::{TokenError, TokenProblem};
