//! Extractors: a validated body, a session, the client.
//!
//! A request type is read from fields, in the same way for JSON and for forms. All fields are read before the first
//! error is returned, so that a client learns every error at once:
//!
//! ```
//! use bookly_api::extract::{Fields, FromFields};
//! use bookly_shared::domain::{EmailAddress, Password};
//!
//! struct LoginRequest {
//!     email: EmailAddress,
//!     password: Password,
//! }
//!
//! impl FromFields for LoginRequest {
//!     fn from_fields(fields: &mut Fields) -> Option<LoginRequest> {
//!         let email = fields.parse("email", EmailAddress::parse);
//!         let password = fields.parse_owned("password", Password::attempt);
//!         Some(LoginRequest { email: email?, password: password? })
//!     }
//! }
//! ```
//!
//! A handler then takes `JsonBody(login): JsonBody<LoginRequest>`, or `JsonOrForm<LoginRequest>` where a page's form
//! posts to the same endpoint. With
//! an access token it takes `Authorized(VerifiedUser(session), body): Authorized<VerifiedUser, Body>`.

mod accept;
mod bearer;
mod body;
mod client;
mod current_request;
mod encoding;
mod fields;
mod language;
mod same_origin;
mod url;

pub use crate::client_address::{ClientIp, Peer};
pub use accept::WantsHtml;
pub use bearer::{
    AccessToken, AdminUser, Admission, RefreshToken, Session, VerifiedUser, done, still_admitted,
};
pub use body::{Authorized, JsonBody, JsonOrForm};
pub(crate) use body::{AuthorizedBytes, EncodedBytes, JsonBytes, bytes_within};
pub use current_request::CurrentRequest;
pub use encoding::Encoding;
pub use fields::{Fields, FromFields};
pub use language::{AcceptedLanguage, PageLanguage};
pub(crate) use same_origin::OwnPage;
pub use same_origin::SameOrigin;
pub use url::{Query, Uid};

#[cfg(test)]
mod tests;
