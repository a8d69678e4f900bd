//! The states of an email.

use strum::{Display, EnumString, IntoStaticStr};

/// The state of a row of `emails`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Display, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
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
        self.into()
    }
}
