//! Values that are valid by construction: `parse` is the only constructor, and `Debug` hides secrets and personal data.
//!
//! The `Display` of an error follows the field's name in a 422 answer (`email` `must have a domain with a dot, like
//! example.org`).

mod bounce_table;
pub mod brand_color;
pub mod closing_reason;
pub mod created_via;
pub mod delivery_report;
pub mod email_address;
pub mod email_kind;
pub mod email_state;
pub mod jwt_algorithm;
pub mod mail_server;
pub mod name;
pub mod password;
pub mod role;
pub mod smtp_reply;
pub mod suppression_reason;
mod text;
mod variants;

pub use bounce_table::{enhanced_code_in, judge};
pub use brand_color::{BrandColor, BrandColorError, Palette};
pub use created_via::CreatedVia;
pub use delivery_report::{ReportSource, ReportVerdict};
pub use email_address::{EmailAddress, EmailAddressError};
pub use email_kind::EmailKind;
pub use email_state::EmailState;
pub use jwt_algorithm::JwtAlgorithm;
pub use mail_server::MailServer;
pub use name::{NameError, PersonName, Username, greeting_name};
pub use password::{Password, PasswordError};
pub use role::Role;
pub use smtp_reply::{EnhancedCode, SmtpReply};
pub use suppression_reason::SuppressionReason;
pub use text::{
    has_control_characters, is_visible, one_line, printable, printable_lines, prints_nothing, short_duration,
};
pub use variants::UnknownName;
pub(crate) use variants::all;
