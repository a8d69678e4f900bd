//! Tokens in the links of mails: signed and dated, good for one purpose, stored nowhere.

pub mod itsdangerous;

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;
use thiserror::Error;
use uuid::Uuid;

/// How far in the future a token's date may lie, in seconds: the clocks of two machines are never quite one.
pub const CLOCK_SKEW_SECONDS: i64 = 10;

/// What a link is for. A token opens the door that it was made for and no other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Proves the address of a new account.
    EmailVerification,
    /// Sets a new password.
    PasswordReset,
    /// Moves an account to another address.
    EmailChange,
}

impl Purpose {
    /// The salt of the purpose's key.
    pub fn salt(self) -> &'static str {
        match self {
            Purpose::EmailVerification => "email-verification",
            Purpose::PasswordReset => "password-reset",
            Purpose::EmailChange => "email-change",
        }
    }
}

/// What a token says.
#[derive(Clone, PartialEq, Eq, Deserialize)]
pub struct LinkClaims {
    /// The account's address, or, in an e-mail change, the new one.
    pub email: String,
    /// The account.
    pub uid: Uuid,
    /// `users.auth_version` as it was when the token was made, in what must be single-use: using the token
    /// raises the version.
    #[serde(rename = "v")]
    pub version: Option<i64>,
}

impl LinkClaims {
    fn to_json(&self) -> Vec<u8> {
        let mut claims = json!({"email": self.email, "uid": self.uid});
        if let Some(version) = self.version {
            claims["v"] = version.into();
        }
        claims.to_string().into_bytes()
    }
}

impl fmt::Debug for LinkClaims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LinkClaims")
            .field("uid", &self.uid)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

/// A token to put into a link. It never goes anywhere else.
#[derive(Clone)]
pub struct LinkToken(SecretString);

impl LinkToken {
    /// The token, fit for a URL's path as it is. Its text is no key: a token's last character has several
    /// spellings that verify.
    pub fn as_str(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for LinkToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkToken([hidden])")
    }
}

/// Why a token opens nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum LinkTokenError {
    /// Not made by us, not for this purpose, altered, or from the future.
    #[error("Invalid token")]
    Invalid,
    /// Made by us, for this purpose, too long ago.
    #[error("Token has expired")]
    Expired,
}

/// Makes and reads tokens.
#[derive(Clone)]
pub struct LinkSigner {
    secret: SecretString,
}

impl LinkSigner {
    /// A signer whose keys come from `secret`.
    pub fn new(secret: &SecretString) -> LinkSigner {
        LinkSigner { secret: secret.clone() }
    }

    /// A token that is dated `now`, in whole seconds.
    pub fn sign(&self, purpose: Purpose, claims: &LinkClaims, now: DateTime<Utc>) -> LinkToken {
        // A time before 1970 has no place in the format; such a clock makes tokens that expired long ago.
        let timestamp = u64::try_from(now.timestamp()).unwrap_or(0);
        let token = itsdangerous::dumps(self.secret(), purpose.salt(), &claims.to_json(), timestamp);
        LinkToken(SecretString::from(token))
    }

    /// What a token says, if it was made for this purpose at most `max_age` ago (to the second; a token of
    /// exactly that age is good, as in Python).
    ///
    /// # Errors
    /// [`LinkTokenError::Expired`] for a token of ours that is too old, [`LinkTokenError::Invalid`] for
    /// anything else that is not good.
    pub fn verify(
        &self,
        purpose: Purpose,
        token: &str,
        now: DateTime<Utc>,
        max_age: Duration,
    ) -> Result<LinkClaims, LinkTokenError> {
        let signed = itsdangerous::loads(self.secret(), purpose.salt(), token)?;
        let made = i64::try_from(signed.timestamp).map_err(|_| LinkTokenError::Invalid)?;
        let age = now.timestamp().saturating_sub(made);
        if age < -CLOCK_SKEW_SECONDS {
            return Err(LinkTokenError::Invalid);
        }
        if age > i64::try_from(max_age.as_secs()).unwrap_or(i64::MAX) {
            return Err(LinkTokenError::Expired);
        }
        serde_json::from_slice(&signed.payload).map_err(|_| LinkTokenError::Invalid)
    }

    fn secret(&self) -> &[u8] {
        self.secret.expose_secret().as_bytes()
    }
}

impl fmt::Debug for LinkSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkSigner([hidden])")
    }
}

impl From<itsdangerous::BadToken> for LinkTokenError {
    fn from(_: itsdangerous::BadToken) -> LinkTokenError {
        LinkTokenError::Invalid
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_700_000_000 + seconds, 0).unwrap()
    }

    fn signer() -> LinkSigner {
        LinkSigner::new(&SecretString::from("a secret of at least 32 bytes, say"))
    }

    fn claims() -> LinkClaims {
        LinkClaims { email: "ann@example.org".into(), uid: Uuid::from_u128(7), version: Some(3) }
    }

    #[test]
    fn a_reset_token_opens_no_other_door() {
        let token = signer().sign(Purpose::PasswordReset, &claims(), at(0));
        assert_eq!(signer().verify(Purpose::PasswordReset, token.as_str(), at(5), HOUR), Ok(claims()));
        for purpose in [Purpose::EmailVerification, Purpose::EmailChange] {
            let result = signer().verify(purpose, token.as_str(), at(5), HOUR);
            assert_eq!(result, Err(LinkTokenError::Invalid));
        }
    }

    #[test]
    fn a_token_expires_after_its_lifetime_and_not_before() {
        let token = signer().sign(Purpose::PasswordReset, &claims(), at(0));
        let verify = |seconds| signer().verify(Purpose::PasswordReset, token.as_str(), at(seconds), HOUR);
        assert_eq!(verify(3600), Ok(claims()));
        assert_eq!(verify(3601), Err(LinkTokenError::Expired));
        assert_eq!(verify(-10), Ok(claims()));
        assert_eq!(verify(-11), Err(LinkTokenError::Invalid));
    }

    #[test]
    fn an_old_token_of_somebody_else_is_invalid_rather_than_expired() {
        let other = LinkSigner::new(&SecretString::from("another secret of at least 32 bytes"));
        let token = other.sign(Purpose::PasswordReset, &claims(), at(0));
        let result = signer().verify(Purpose::PasswordReset, token.as_str(), at(99_999), HOUR);
        assert_eq!(result, Err(LinkTokenError::Invalid));
    }

    #[test]
    fn debug_shows_no_secret_no_token_and_no_address() {
        let token = signer().sign(Purpose::PasswordReset, &claims(), at(0));
        let shown = format!("{:?} {:?} {:?}", signer(), token, claims());
        assert!(!shown.contains("a secret") && !shown.contains(token.as_str()) && !shown.contains("ann"));
    }
}
