//! Where a mail is between its acceptance and its end.

use std::fmt;
use std::str::FromStr;

/// The state of a row of `emails`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EmailState {
    /// Waits for its first or next attempt.
    Queued,
    /// A worker has it.
    Sending,
    /// The mail server took it.
    Sent,
    /// Given up, with the reason.
    Failed,
    /// Made no sense any more, with the reason.
    Cancelled,
}

/// Text that names no state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a state of a mail: queued, sending, sent, failed or cancelled")]
pub struct UnknownEmailState;

impl EmailState {
    /// All of them, in the order of a mail's life.
    pub const ALL: [EmailState; 5] = [
        EmailState::Queued,
        EmailState::Sending,
        EmailState::Sent,
        EmailState::Failed,
        EmailState::Cancelled,
    ];

    /// As it stands in the database, in JSON and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            EmailState::Queued => "queued",
            EmailState::Sending => "sending",
            EmailState::Sent => "sent",
            EmailState::Failed => "failed",
            EmailState::Cancelled => "cancelled",
        }
    }
}

impl fmt::Display for EmailState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for EmailState {
    type Err = UnknownEmailState;

    fn from_str(text: &str) -> Result<EmailState, UnknownEmailState> {
        EmailState::ALL.into_iter().find(|state| state.as_str() == text).ok_or(UnknownEmailState)
    }
}
