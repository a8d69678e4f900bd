//! Where a mail is between its acceptance and its end.

use std::fmt;
use std::str::FromStr;

/// The state of a row of `emails`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MailState {
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
pub struct UnknownMailState;

impl MailState {
    /// All of them, in the order of a mail's life.
    pub const ALL: [MailState; 5] =
        [MailState::Queued, MailState::Sending, MailState::Sent, MailState::Failed, MailState::Cancelled];

    /// As it stands in the database, in JSON and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            MailState::Queued => "queued",
            MailState::Sending => "sending",
            MailState::Sent => "sent",
            MailState::Failed => "failed",
            MailState::Cancelled => "cancelled",
        }
    }
}

impl fmt::Display for MailState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for MailState {
    type Err = UnknownMailState;

    fn from_str(text: &str) -> Result<MailState, UnknownMailState> {
        MailState::ALL.into_iter().find(|state| state.as_str() == text).ok_or(UnknownMailState)
    }
}
