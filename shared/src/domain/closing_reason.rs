//! Why an email was cancelled or failed without a refusal of the mail server. The texts are stored in the column
//! `last_error`; [operations.md](../../../docs/operations.md) explains each to the operator.

use super::SuppressionReason;

/// The address has no account: none ever, or it was deleted or replaced. A `cancelled` row with this reason is deleted
/// after a day.
pub const NO_ACCOUNT: &str = "no account has this address";
/// A link to verify an address that is verified.
pub const VERIFIED: &str = "the address is verified already";
/// A link for an account that has another address now.
pub const ADDRESS_CHANGED: &str = "the account has another address now";
/// A link to a new address that another account has, or can still take back by undoing a change.
pub const ADDRESS_TAKEN: &str = "the new address has an account already, or one can still take it back";
/// A link that works once, after a change that ends such links.
pub const AUTH_CHANGED: &str = "the password, address or role was changed after the request";
/// By the command line or the operator's page.
pub const CANCELLED_BY_OPERATOR: &str = "cancelled by an operator";

/// The email was not sent by its deadline.
pub const DEADLINE_PASSED: &str = "deadline passed before the email could be sent";
/// Its templates and values make no message.
pub const NOT_RENDERED: &str = "the email cannot be rendered, see the worker's log";
/// Too many workers died with it.
pub const WORKER_LOST: &str = "given up: five workers were lost while they had this email";
/// Too many answers to the final dot were lost.
pub const OUTCOME_UNKNOWN: &str =
    "outcome unknown: the whole email was sent to the server three times and its answer was lost each time";

/// All reasons: first those of cancelled emails, then those of failed ones.
pub const CLOSING_REASONS: [&str; 14] = [
    NO_ACCOUNT,
    VERIFIED,
    ADDRESS_CHANGED,
    ADDRESS_TAKEN,
    AUTH_CHANGED,
    CANCELLED_BY_OPERATOR,
    suppressed(SuppressionReason::Bounce),
    suppressed(SuppressionReason::Operator),
    suppressed(SuppressionReason::Complaint),
    suppressed(SuppressionReason::Unsubscribe),
    DEADLINE_PASSED,
    NOT_RENDERED,
    WORKER_LOST,
    OUTCOME_UNKNOWN,
];

/// The reason of an email to a suppressed mailbox.
pub const fn suppressed(reason: SuppressionReason) -> &'static str {
    match reason {
        SuppressionReason::Bounce => "suppressed: bounce",
        SuppressionReason::Operator => "suppressed: operator",
        SuppressionReason::Complaint => "suppressed: complaint",
        SuppressionReason::Unsubscribe => "suppressed: unsubscribe",
    }
}
