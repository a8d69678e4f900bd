//! Access tokens for the login at the mail server (OAuth 2.0, RFC 6749): fetched by one task, before they end, and
//! held in memory only. A new session asks [`Tokens`] for one.

mod answer;
mod error;
mod refresher;
mod state;
#[cfg(test)]
mod tests;
mod token_server;
mod tokens;

pub use self::error::{TokenError, TokenProblem};
pub(crate) use self::state::AccessToken;
pub(crate) use self::tokens::Tokens;
