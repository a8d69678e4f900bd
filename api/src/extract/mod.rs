//! What handlers ask for: a validated body, a session, the client.
//!
//! A request type says how it is read from fields, once for JSON and for forms. Each field is read before
//! any is looked at, so that a client learns all that is wrong at once:
//!
//! ```
//! use bookly_api::extract::{Fields, FromFields};
//! use bookly_shared::domain::{EmailAddress, Password};
//!
//! struct Login {
//!     email: EmailAddress,
//!     password: Password,
//! }
//!
//! impl FromFields for Login {
//!     fn from_fields(fields: &mut Fields) -> Option<Login> {
//!         let email = fields.parse("email", EmailAddress::parse);
//!         let password = fields.parse_owned("password", Password::attempt);
//!         Some(Login { email: email?, password: password? })
//!     }
//! }
//! ```
//!
//! A handler then takes `Json(login): Json<Login>`, or `JsonOrForm<Login>` where a page's form posts too.

mod accept;
mod bearer;
mod body;
mod client;
mod current_request;
mod encoding;
mod fields;
mod place;
mod same_origin;

pub use accept::WantsHtml;
pub use bearer::{AccessToken, AdminUser, RefreshToken, Session, VerifiedUser};
pub use body::{Json, JsonOrForm};
pub(crate) use client::is_loopback_host;
pub use client::{ClientIp, Peer};
pub use current_request::CurrentRequest;
pub use encoding::Encoding;
pub use fields::{Fields, FromFields};
pub use place::{Query, Uid};
pub use same_origin::{SameOrigin, SameOriginForm};

#[cfg(test)]
mod tests;
