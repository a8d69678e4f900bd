//! What the sessions know of the access tokens.

use std::sync::Arc;

use bookly_shared::redactor::Redactor;
use secrecy::SecretString;
use tokio::time::Instant;

use super::error::TokenError;

/// An access token.
#[derive(Debug, Clone)]
pub(crate) struct AccessToken {
    pub(crate) text: SecretString,
    /// Grows with each token.
    pub(super) number: u64,
    /// The mail server refuses it from then on.
    pub(super) ends_at: Instant,
}

/// The newest token, and why there is no newer one.
#[derive(Debug, Clone, Default)]
pub(super) struct TokenState {
    /// `None` before the first one, and after the mail server refused it.
    pub(super) token: Option<AccessToken>,
    /// The result of the last request, if it failed.
    pub(super) failed: Option<TokenError>,
    /// The refresh token of the settings was replaced.
    pub(super) rotated: bool,
    /// Finds the tokens in what the mail server says.
    pub(super) redactor: Arc<Redactor>,
}

impl TokenState {
    /// A token that can be used, or why there is none; `None` while the answer to a request decides it.
    pub(super) fn outcome(&self) -> Option<Result<AccessToken, TokenError>> {
        let usable = self.token.as_ref().filter(|token| token.ends_at > Instant::now());
        usable.cloned().map(Ok).or_else(|| self.failed.clone().map(Err))
    }

    /// The same after the mail server refused the token with this number.
    pub(super) fn outcome_after(&self, refused: u64) -> Option<Result<AccessToken, TokenError>> {
        match &self.token {
            Some(token) if token.number <= refused => None,
            _ => self.outcome(),
        }
    }
}
