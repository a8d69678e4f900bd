//! The states of an email.

use strum::{Display, EnumCount, EnumString, IntoStaticStr, VariantArray};

use super::variants::{UnknownName, all};

/// The state of a row of `emails`.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, EnumCount, VariantArray, Display, EnumString, IntoStaticStr,
)]
#[strum(serialize_all = "snake_case", parse_err_ty = UnknownName, parse_err_fn = unknown)]
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
    pub const ALL: [Self; Self::COUNT] = all(Self::VARIANTS);

    /// The name in the database, in JSON and on the command line.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

fn unknown(_: &str) -> UnknownName {
    UnknownName("not a state of an email: queued, sending, sent, failed, cancelled, bounced or complained")
}
