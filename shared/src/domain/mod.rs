//! Types that cannot be wrong: `parse` is the only way in, and `Debug` hides what must stay hidden.
//!
//! Every error's `Display` is a sentence for the caller, made to follow the field's name in a 422 answer
//! (`email` … `must have a domain with a dot, like example.org`).

pub mod email_address;
pub mod email_kind;
pub mod email_state;
pub mod jwt_algorithm;
pub mod name;
pub mod password;
pub mod role;
pub mod smtp_reply;
mod text;

pub use email_address::{EmailAddress, EmailAddressError};
pub use email_kind::EmailKind;
pub use email_state::{EmailState, UnknownEmailState};
pub use jwt_algorithm::{JwtAlgorithm, UnknownJwtAlgorithm};
pub use name::{NameError, PersonName, Username};
pub use password::{Password, PasswordError};
pub use role::{Role, UnknownRole};
pub use smtp_reply::{EnhancedCode, SmtpReply};
pub use text::has_control_characters;
