//! The tokens in the links of emails. A token is signed, dated, valid for one purpose, and stored nowhere.

pub mod itsdangerous;

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;
use thiserror::Error;
use uuid::Uuid;

/// How far in the future a token's date may be, in seconds: the clocks of two machines differ.
pub const CLOCK_SKEW_SECONDS: i64 = 10;

/// How long an email change can be undone, from the change on.
pub const EMAIL_CHANGE_UNDO_LIFETIME: Duration = Duration::from_secs(72 * 3600);

/// The purpose of a link. A token is valid for its own purpose only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Proves the address of a new account.
    EmailVerification,
    /// Sets a new password.
    PasswordReset,
    /// Moves an account to another address.
    EmailChange,
    /// Restores the address that an account had before a change.
    EmailChangeUndo,
}

impl Purpose {
    /// The salt of the purpose's key.
    pub fn salt(self) -> &'static str {
        match self {
            Purpose::EmailVerification => "email-verification",
            Purpose::PasswordReset => "password-reset",
            Purpose::EmailChange => "email-change",
            Purpose::EmailChangeUndo => "email-change-undo",
        }
    }
}

/// The content of a token.
#[derive(Clone, PartialEq, Eq, Deserialize)]
pub struct LinkClaims {
    /// The account's address; the new one in an email change, the old one in its undo.
    pub email: String,
    /// The account.
    pub uid: Uuid,
    /// `users.auth_version` of the request, in single-use links: the use of the link raises the version.
    #[serde(rename = "v")]
    pub version: Option<i64>,
    /// The stored email change that an undo link is about.
    #[serde(rename = "c")]
    pub change: Option<Uuid>,
}

impl LinkClaims {
    fn to_json(&self) -> Vec<u8> {
        let mut claims = json!({"email": self.email, "uid": self.uid});
        if let Some(version) = self.version {
            claims["v"] = version.into();
        }
        if let Some(change) = self.change {
            claims["c"] = json!(change);
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

/// A token for a link. It never goes anywhere else.
#[derive(Clone)]
pub struct LinkToken(SecretString);

impl LinkToken {
    /// The token, usable in a URL's path as it is. Its text must not be used as a key: several spellings of its last
    /// character are valid.
    pub fn as_str(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for LinkToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkToken([hidden])")
    }
}

/// Why a token is not valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum LinkTokenError {
    /// Signed with another secret or for another purpose, altered, or dated in the future.
    #[error("Invalid token")]
    Invalid,
    /// Signed with the right secret for this purpose, too long ago.
    #[error("Token has expired")]
    Expired,
}

/// Signs and verifies tokens.
#[derive(Clone)]
pub struct LinkSigner {
    secret: SecretString,
    previous: Option<SecretString>,
}

impl LinkSigner {
    /// A signer whose keys are derived from `secret`.
    pub fn new(secret: &SecretString) -> LinkSigner {
        LinkSigner { secret: secret.clone(), previous: None }
    }

    /// Accepts tokens of the secret before a change, too. Signs none with it.
    #[must_use]
    pub fn accepting(self, previous: Option<&SecretString>) -> LinkSigner {
        LinkSigner { previous: previous.cloned(), ..self }
    }

    /// A token dated `now`, in whole seconds.
    pub fn sign(&self, purpose: Purpose, claims: &LinkClaims, now: DateTime<Utc>) -> LinkToken {
        // The format has no time before 1970. Such a clock makes tokens that are expired.
        let timestamp = u64::try_from(now.timestamp()).unwrap_or(0);
        let token = itsdangerous::dumps(bytes(&self.secret), purpose.salt(), &claims.to_json(), timestamp);
        LinkToken(SecretString::from(token))
    }

    /// The content of a token that was signed for this purpose at most `max_age` ago. Ages are whole seconds, and exactly
    /// `max_age` is valid, as in Python.
    ///
    /// # Errors
    /// [`LinkTokenError::Expired`] for a token with a valid signature that is too old, [`LinkTokenError::Invalid`] for
    /// every other error.
    pub fn verify(
        &self,
        purpose: Purpose,
        token: &str,
        now: DateTime<Utc>,
        max_age: Duration,
    ) -> Result<LinkClaims, LinkTokenError> {
        let load = |secret| itsdangerous::loads(bytes(secret), purpose.salt(), token);
        let signed = match (load(&self.secret), &self.previous) {
            (Err(_), Some(previous)) => load(previous)?,
            (signed, _) => signed?,
        };
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
}

fn bytes(secret: &SecretString) -> &[u8] {
    secret.expose_secret().as_bytes()
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
        LinkClaims {
            email: "ann@example.org".into(),
            uid: Uuid::from_u128(7),
            version: Some(3),
            change: None,
        }
    }

    #[test]
    fn a_reset_token_is_not_valid_for_another_purpose() {
        let token = signer().sign(Purpose::PasswordReset, &claims(), at(0));
        assert_eq!(signer().verify(Purpose::PasswordReset, token.as_str(), at(5), HOUR), Ok(claims()));
        for purpose in [Purpose::EmailVerification, Purpose::EmailChange, Purpose::EmailChangeUndo] {
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
    fn tokens_of_the_previous_secret_are_accepted_and_none_is_signed_with_it() {
        let new = SecretString::from("the secret after the change, long enough");
        let old = signer().sign(Purpose::PasswordReset, &claims(), at(0));
        let previous = SecretString::from("a secret of at least 32 bytes, say");
        let changed = LinkSigner::new(&new).accepting(Some(&previous));
        assert_eq!(changed.verify(Purpose::PasswordReset, old.as_str(), at(5), HOUR), Ok(claims()));
        let signed = changed.sign(Purpose::PasswordReset, &claims(), at(0));
        let verify =
            |signer: &LinkSigner| signer.verify(Purpose::PasswordReset, signed.as_str(), at(5), HOUR);
        assert_eq!(verify(&LinkSigner::new(&new)), Ok(claims()));
        assert_eq!(verify(&signer()), Err(LinkTokenError::Invalid));
    }

    #[test]
    fn an_expired_token_of_another_secret_is_invalid() {
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
