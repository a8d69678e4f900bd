//! The states of an email.

use std::fmt;
use std::str::FromStr;

/// The state of a row of `emails`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EmailState {
    /// It waits for its first or next attempt.
    Queued,
    /// A worker has claimed it.
    Sending,
    /// The mail server accepted it.
    Sent,
    /// It is not sent, for the reason in the row.
    Failed,
    /// It is no longer wanted, for the reason in the row.
    Cancelled,
    /// It was accepted, and a report says that its mailbox does not exist.
    Bounced,
    /// It was accepted, and a report says that its recipient called it spam.
    Complained,
}

/// The text is not the name of a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a state of an email: queued, sending, sent, failed, cancelled, bounced or complained")]
pub struct UnknownEmailState;

impl EmailState {
    /// All states, in the order of an email's life.
    pub const ALL: [EmailState; 7] = [
        EmailState::Queued,
        EmailState::Sending,
        EmailState::Sent,
        EmailState::Failed,
        EmailState::Cancelled,
        EmailState::Bounced,
        EmailState::Complained,
    ];

    /// The name in the database, in JSON and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            EmailState::Queued => "queued",
            EmailState::Sending => "sending",
            EmailState::Sent => "sent",
            EmailState::Failed => "failed",
            EmailState::Cancelled => "cancelled",
            EmailState::Bounced => "bounced",
            EmailState::Complained => "complained",
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
