//! Why a mailbox gets no email, or no bulk email.

use std::fmt;
use std::str::FromStr;

use chrono::TimeDelta;
use thiserror::Error;

use super::EmailKind;

/// Why emails to a mailbox are suppressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SuppressionReason {
    /// A report said that there is no such mailbox: all kinds, for 30 days.
    Bounce,
    /// An operator added the mailbox: all kinds, until an operator removes it.
    Operator,
    /// The recipient called an email spam: [`EmailKind::Welcome`] only, without an end.
    Complaint,
    /// The recipient unsubscribed: [`EmailKind::Welcome`] only, without an end.
    Unsubscribe,
}

/// The text is not the name of a reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("must be bounce, operator, complaint or unsubscribe")]
pub struct UnknownSuppressionReason;

impl SuppressionReason {
    /// All of them. Where several hold, the first that holds for the kind is the one that is named.
    pub const ALL: [SuppressionReason; 4] = [
        SuppressionReason::Operator,
        SuppressionReason::Bounce,
        SuppressionReason::Complaint,
        SuppressionReason::Unsubscribe,
    ];

    /// The name in the database, the API and the command.
    pub fn as_str(self) -> &'static str {
        match self {
            SuppressionReason::Bounce => "bounce",
            SuppressionReason::Operator => "operator",
            SuppressionReason::Complaint => "complaint",
            SuppressionReason::Unsubscribe => "unsubscribe",
        }
    }

    /// How long an entry holds if nobody says otherwise; `None` without an end.
    pub fn lifetime(self) -> Option<TimeDelta> {
        match self {
            SuppressionReason::Bounce => Some(TimeDelta::days(30)),
            SuppressionReason::Operator | SuppressionReason::Complaint | SuppressionReason::Unsubscribe => {
                None
            }
        }
    }

    /// Whether emails of this kind are suppressed.
    pub fn holds_for(self, kind: EmailKind) -> bool {
        match self {
            SuppressionReason::Bounce | SuppressionReason::Operator => true,
            SuppressionReason::Complaint | SuppressionReason::Unsubscribe => kind == EmailKind::Welcome,
        }
    }
}

impl fmt::Display for SuppressionReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for SuppressionReason {
    type Err = UnknownSuppressionReason;

    fn from_str(name: &str) -> Result<SuppressionReason, UnknownSuppressionReason> {
        SuppressionReason::ALL
            .into_iter()
            .find(|reason| reason.as_str() == name)
            .ok_or(UnknownSuppressionReason)
    }
}
