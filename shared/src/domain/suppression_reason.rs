//! Why a mailbox gets no email, or no bulk email.

use chrono::TimeDelta;
use strum::{Display, EnumString, IntoStaticStr};

use super::EmailKind;

/// Why emails to a mailbox are suppressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Display, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
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
        self.into()
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
