//! Session tokens: JSON Web Tokens (RFC 7519) with the original's claims, signed with an HMAC.

mod hmac_provider;

use std::collections::HashSet;
use std::fmt;

use bookly_shared::domain::{JwtAlgorithm, Role};
use chrono::serde::ts_seconds;
use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use uuid::Uuid;

/// How long an access token lives.
pub const ACCESS_LIFETIME: TimeDelta = TimeDelta::hours(1);
/// How long a refresh token, and with it the session, lives.
pub const REFRESH_LIFETIME: TimeDelta = TimeDelta::days(2);
/// The longest accepted token, in bytes. The service's own stay below 1,000.
const MAX_TOKEN_BYTES: usize = 4096;

/// The token's account, as it was when the token was made.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenUser {
    /// The account's address.
    pub email: String,
    /// The account.
    pub user_uid: Uuid,
    /// Its role at that time. Permissions are looked up in the database.
    pub role: Role,
}

impl fmt::Debug for TokenUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenUser")
            .field("user_uid", &self.user_uid)
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}

/// The claims of a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// The token's account.
    pub user: TokenUser,
    /// The first second in which the token is expired.
    #[serde(with = "ts_seconds")]
    pub exp: DateTime<Utc>,
    /// When the token was made, to the second.
    #[serde(with = "ts_seconds")]
    pub iat: DateTime<Utc>,
    /// The token's own id.
    pub jti: Uuid,
    /// Whether it is a refresh token; otherwise it is an access token.
    pub refresh: bool,
    /// The token's session. A logout ends it.
    pub sid: Uuid,
}

/// Why a token cannot be made or read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum JwtError {
    /// The signature is not this service's with this algorithm, or a claim is missing or malformed.
    #[error("the token is not valid")]
    Invalid,
    /// The signature is valid and the time is over.
    #[error("the token has expired")]
    Expired,
    /// The token cannot be made.
    #[error("the token could not be signed")]
    Signing,
}

/// Makes and reads session tokens.
#[derive(Clone)]
pub struct SessionTokens {
    encoding: EncodingKey,
    decoding: DecodingKey,
    previous_decoding: Option<DecodingKey>,
    algorithm: Algorithm,
    validation: Validation,
}

impl SessionTokens {
    /// Tokens signed with `secret`. Only this algorithm is accepted, whatever a token's header names.
    pub fn new(secret: &SecretString, algorithm: JwtAlgorithm) -> SessionTokens {
        hmac_provider::install();
        let secret = secret.expose_secret().as_bytes();
        let algorithm = match algorithm {
            JwtAlgorithm::HS256 => Algorithm::HS256,
            JwtAlgorithm::HS384 => Algorithm::HS384,
            JwtAlgorithm::HS512 => Algorithm::HS512,
        };
        let mut validation = Validation::new(algorithm);
        // jsonwebtoken would use the system's clock; `read` compares with `now`. The fields of `Claims` are the
        // required claims.
        validation.validate_exp = false;
        validation.validate_aud = false;
        validation.required_spec_claims = HashSet::new();
        SessionTokens {
            encoding: EncodingKey::from_secret(secret),
            decoding: DecodingKey::from_secret(secret),
            previous_decoding: None,
            algorithm,
            validation,
        }
    }

    /// Accepts tokens of the secret before a change, too. Signs none with it.
    #[must_use]
    pub fn accepting(self, previous: Option<&SecretString>) -> SessionTokens {
        let key = |secret: &SecretString| DecodingKey::from_secret(secret.expose_secret().as_bytes());
        SessionTokens { previous_decoding: previous.map(key), ..self }
    }

    /// An access token, which lives for [`ACCESS_LIFETIME`].
    ///
    /// # Errors
    /// [`JwtError::Signing`] for a time that does not fit.
    pub fn access(&self, user: &TokenUser, sid: Uuid, now: DateTime<Utc>) -> Result<String, JwtError> {
        let exp = now.checked_add_signed(ACCESS_LIFETIME).ok_or(JwtError::Signing)?;
        self.sign(user, sid, now, exp, false)
    }

    /// A refresh token, which lives until the session's end, `expires_at`.
    ///
    /// # Errors
    /// [`JwtError::Signing`] when it cannot be made.
    pub fn refresh(
        &self,
        user: &TokenUser,
        sid: Uuid,
        now: DateTime<Utc>,
        expires_at: DateTime<Utc>,
    ) -> Result<String, JwtError> {
        self.sign(user, sid, now, expires_at, true)
    }

    /// The claims of a valid token. The caller looks up the session.
    ///
    /// There is no leeway: every process uses the database's time.
    ///
    /// # Errors
    /// [`JwtError::Expired`] for a token with a valid signature whose time is over, [`JwtError::Invalid`] for every other
    /// error.
    pub fn read(&self, token: &str, now: DateTime<Utc>) -> Result<Claims, JwtError> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(JwtError::Invalid);
        }
        // `kid`, `jwk`, `jku` and `x5u` in a header are ignored: only configured keys are used.
        let read = |key| decode::<Claims>(token, key, &self.validation).map_err(|_| JwtError::Invalid);
        let data = match (read(&self.decoding), &self.previous_decoding) {
            (Err(_), Some(previous)) => read(previous)?,
            (data, _) => data?,
        };
        // A critical extension must be understood or refused (RFC 7515 §4.1.11). None is understood here.
        if data.header.crit.is_some() {
            return Err(JwtError::Invalid);
        }
        if now >= data.claims.exp { Err(JwtError::Expired) } else { Ok(data.claims) }
    }

    fn sign(
        &self,
        user: &TokenUser,
        sid: Uuid,
        now: DateTime<Utc>,
        exp: DateTime<Utc>,
        refresh: bool,
    ) -> Result<String, JwtError> {
        let claims = Claims { user: user.clone(), exp, iat: now, jti: Uuid::new_v4(), refresh, sid };
        encode(&Header::new(self.algorithm), &claims, &self.encoding).map_err(|_| JwtError::Signing)
    }
}

impl fmt::Debug for SessionTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionTokens({:?}, [hidden])", self.algorithm)
    }
}

#[cfg(test)]
mod tests;
