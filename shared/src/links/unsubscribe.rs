//! The token of the link in `List-Unsubscribe`. It does not expire, and is about an address, which may have no account.

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::accept::LinkTokenError;
use super::issue::{LinkSigner, LinkToken};

/// The salt of its key: no other token unsubscribes, and this one does nothing else.
const SALT: &str = "unsubscribe";

#[derive(Deserialize)]
struct Claims {
    email: String,
}

impl LinkSigner {
    /// A token that unsubscribes this address, dated `now`.
    pub fn sign_unsubscribe(&self, email: &str, now: DateTime<Utc>) -> LinkToken {
        let claims = serde_json::json!({"email": email}).to_string();
        self.sign_payload(SALT, claims.as_bytes(), now)
    }

    /// The address of such a token, whatever its age.
    ///
    /// # Errors
    /// [`LinkTokenError::Invalid`] for every other text.
    pub fn verify_unsubscribe(&self, token: &str) -> Result<String, LinkTokenError> {
        let signed = self.loads(SALT, token)?;
        let claims: Claims = serde_json::from_slice(&signed.payload).map_err(|_| LinkTokenError::Invalid)?;
        Ok(claims.email)
    }
}
