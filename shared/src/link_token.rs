//! The tokens in the links of emails. A token is signed, dated, valid for one purpose, and stored nowhere.
//!
//! Their format is that of Python's `itsdangerous.URLSafeTimedSerializer` with SHA-256: `payload.timestamp.signature`. The
//! crates that implement it have neither its SHA-256 variant nor a limit for inflated payloads. [`dumps`] and [`loads`]
//! follow itsdangerous 2.2 (`signer.py`, `timed.py`, `url_safe.py`).

mod unsubscribe;

use std::fmt;
use std::io::Read;
use std::time::Duration;

use base64::Engine;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use chrono::{DateTime, TimeDelta, Utc};
use flate2::read::ZlibDecoder;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;
use sha2::{Digest, Sha256};
use thiserror::Error;
use uuid::Uuid;

/// How far in the future a token's date may be, in seconds: the clocks of two machines differ.
pub const CLOCK_SKEW_SECONDS: i64 = 10;

/// How long an email change can be undone, from the change on.
pub const UNDO_WINDOW: TimeDelta = TimeDelta::hours(72);

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
        self.dumps(purpose.salt(), &claims.to_json(), now)
    }

    fn dumps(&self, salt: &str, payload: &[u8], now: DateTime<Utc>) -> LinkToken {
        // The format has no time before 1970. Such a clock makes tokens that are expired.
        let timestamp = u64::try_from(now.timestamp()).unwrap_or(0);
        LinkToken(SecretString::from(dumps(bytes(&self.secret), salt, payload, timestamp)))
    }

    /// The content of a token of this secret, or of the one before a change.
    fn loads(&self, salt: &str, token: &str) -> Result<Signed, BadToken> {
        let load = |secret| loads(bytes(secret), salt, token);
        match (load(&self.secret), &self.previous) {
            (Err(_), Some(previous)) => load(previous),
            (signed, _) => signed,
        }
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
        let signed = self.loads(purpose.salt(), token)?;
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

impl From<BadToken> for LinkTokenError {
    fn from(_: BadToken) -> LinkTokenError {
        LinkTokenError::Invalid
    }
}

/// The longest accepted token, in bytes.
pub const MAX_TOKEN_BYTES: usize = 4096;
/// The largest payload in bytes after inflating. Without a limit a token can inflate to 3 MB.
pub const MAX_PAYLOAD_BYTES: usize = 64 * 1024;

/// Python writes no padding and accepts a last character with unused bits that are not zero.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone)
        .with_decode_allow_trailing_bits(true),
);

/// The content of a token with a valid signature.
#[derive(Clone, PartialEq, Eq)]
pub struct Signed {
    /// The JSON, inflated.
    pub payload: Vec<u8>,
    /// When it was signed, in seconds since 1970.
    pub timestamp: u64,
}

/// The token was not made with this secret and salt, or its content is malformed. The error does not say which, so that a
/// forger learns nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("not a valid token")]
pub struct BadToken;

/// Signs a payload. It is not compressed: readers accept both, and these payloads are too short to become smaller.
pub fn dumps(secret: &[u8], salt: &str, payload: &[u8], timestamp: u64) -> String {
    let bytes = timestamp.to_be_bytes();
    // Without leading zero bytes; zero has no bytes, as in Python.
    let minimal = &bytes[timestamp.leading_zeros() as usize / 8..];
    let signed = format!("{}.{}", BASE64.encode(payload), BASE64.encode(minimal));
    let signature = mac(secret, salt, signed.as_bytes()).finalize().into_bytes();
    format!("{signed}.{}", BASE64.encode(signature))
}

/// Reads a token, compressed or not. The caller checks its age.
///
/// # Errors
/// [`BadToken`] for a text that neither [`dumps`] nor Python's makes with this secret and salt.
pub fn loads(secret: &[u8], salt: &str, token: &str) -> Result<Signed, BadToken> {
    if token.len() > MAX_TOKEN_BYTES {
        return Err(BadToken);
    }
    let (signed, signature) = token.rsplit_once('.').ok_or(BadToken)?;
    let signature = BASE64.decode(signature).map_err(|_| BadToken)?;
    // In constant time, and before any other part of the token is read.
    mac(secret, salt, signed.as_bytes()).verify_slice(&signature).map_err(|_| BadToken)?;

    let (payload, timestamp) = signed.rsplit_once('.').ok_or(BadToken)?;
    Ok(Signed { payload: read_payload(payload)?, timestamp: read_timestamp(timestamp)? })
}

fn mac(secret: &[u8], salt: &str, message: &[u8]) -> Hmac<Sha256> {
    derived_mac(&[salt.as_bytes(), b"signer"], secret).chain_update(message)
}

/// An HMAC whose key is the hash of a purpose and a secret, so that no purpose can be used for another.
pub fn derived_mac(purpose: &[&[u8]], secret: &[u8]) -> Hmac<Sha256> {
    let hash = purpose.iter().fold(Sha256::new(), |hash, part| hash.chain_update(part));
    let key = hash.chain_update(secret).finalize();
    // HMAC pads a short key with zeros to the block's length (RFC 2104 §2). Padded here, the key cannot have a wrong
    // length, so there is no error to handle.
    let mut block = [0; 64];
    block[..key.len()].copy_from_slice(&key);
    Hmac::<Sha256>::new(&block.into())
}

fn read_payload(text: &str) -> Result<Vec<u8>, BadToken> {
    let Some(compressed) = text.strip_prefix('.') else {
        return BASE64.decode(text).map_err(|_| BadToken);
    };
    let compressed = BASE64.decode(compressed).map_err(|_| BadToken)?;
    let mut payload = Vec::new();
    let limit = MAX_PAYLOAD_BYTES as u64 + 1;
    ZlibDecoder::new(&compressed[..]).take(limit).read_to_end(&mut payload).map_err(|_| BadToken)?;
    if payload.len() > MAX_PAYLOAD_BYTES { Err(BadToken) } else { Ok(payload) }
}

fn read_timestamp(text: &str) -> Result<u64, BadToken> {
    let bytes = BASE64.decode(text).map_err(|_| BadToken)?;
    let mut padded = [0; 8];
    let start = padded.len().checked_sub(bytes.len()).ok_or(BadToken)?;
    padded[start..].copy_from_slice(&bytes);
    Ok(u64::from_be_bytes(padded))
}

#[cfg(test)]
mod tests;
