//! Why a mailbox gets no email, or no bulk email.

use chrono::TimeDelta;
use serde::Serialize;
use strum::{Display, EnumCount, EnumString, IntoStaticStr, VariantArray};

use super::EmailKind;
use super::variants::{UnknownName, all};

/// Why emails to a mailbox are suppressed. Where several reasons hold, the first that holds for the kind is named.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Serialize, EnumCount, VariantArray, Display, EnumString, IntoStaticStr,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case", parse_err_ty = UnknownName, parse_err_fn = unknown)]
pub enum SuppressionReason {
    /// An operator added the mailbox: all kinds, until an operator removes it.
    Operator,
    /// A report said that there is no such mailbox: all kinds, but for what passes (`db/suppressions/passes.rs`), for 30 days.
    Bounce,
    /// The recipient called an email spam: [`EmailKind::Welcome`] only, without an end.
    Complaint,
    /// The recipient unsubscribed: [`EmailKind::Welcome`] only, without an end.
    Unsubscribe,
}

impl SuppressionReason {
    /// All of them.
    pub const ALL: [Self; Self::COUNT] = all(Self::VARIANTS);

    /// The name in the database, the API and the command.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// How long an entry holds by default; `None` without an end.
    pub fn lifetime(self) -> Option<TimeDelta> {
        match self {
            SuppressionReason::Bounce => Some(TimeDelta::days(30)),
            SuppressionReason::Operator | SuppressionReason::Complaint | SuppressionReason::Unsubscribe => {
                None
            }
        }
    }

    /// Whether the recipient asked for it. Such an entry is removed only by its name.
    pub fn is_own_wish(self) -> bool {
        match self {
            SuppressionReason::Complaint | SuppressionReason::Unsubscribe => true,
            SuppressionReason::Operator | SuppressionReason::Bounce => false,
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

fn unknown(_: &str) -> UnknownName {
    UnknownName("must be bounce, operator, complaint or unsubscribe")
}
