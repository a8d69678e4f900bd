//! What comes back from an email: a token or a code.

use std::io::Read;
use std::time::Duration;

use base64::Engine;
use chrono::{DateTime, Utc};
use flate2::read::ZlibDecoder;
use hmac::Mac;
use secrecy::{ExposeSecret, SecretString};
use subtle::{Choice, ConstantTimeEq};
use thiserror::Error;
use uuid::Uuid;

use super::issue::{BASE64, CODE_DIGITS, CodeClaims, LinkClaims, LinkCode, LinkSigner, Purpose, mac};
use crate::domain::prints_nothing;

/// How far in the future a token's date may be, in seconds: the clocks of two machines differ.
pub const CLOCK_SKEW_SECONDS: i64 = 10;
/// The longest accepted token, in bytes.
pub const MAX_TOKEN_BYTES: usize = 4096;
/// The largest payload in bytes after inflating. Without a limit a token can inflate to 3 MB.
pub const MAX_PAYLOAD_BYTES: usize = 64 * 1024;
/// A code is compared with the newest emails, with this many at most. A look-up takes the time of this many comparisons,
/// also where there are fewer emails.
pub const MAX_CANDIDATES: usize = 20;

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

impl From<BadToken> for LinkTokenError {
    fn from(_: BadToken) -> LinkTokenError {
        LinkTokenError::Invalid
    }
}

/// The text is not a code: it does not have eight digits, or has something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must have 8 digits")]
pub struct NotACode;

impl LinkSigner {
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

    /// The content of a token of this secret, or of the one before a change.
    pub(super) fn loads(&self, salt: &str, token: &str) -> Result<Signed, BadToken> {
        match (loads(self.current.bytes(), salt, token), &self.previous) {
            (Err(_), Some(previous)) => loads(previous.bytes(), salt, token),
            (signed, _) => signed,
        }
    }

    /// The place of the email that has this code, among [`MAX_CANDIDATES`] at most. It takes the same time whether one
    /// has it, and however many there are.
    pub fn find_code(
        &self,
        purpose: Purpose,
        submitted: &LinkCode,
        candidates: &[CodeClaims],
    ) -> Option<usize> {
        let nobody = CodeClaims { email_id: Uuid::nil(), uid: Uuid::nil(), version: None };
        let mut found = None;
        for place in 0..MAX_CANDIDATES {
            let candidate = candidates.get(place);
            let is_right = self.is_code_of(purpose, submitted, candidate.unwrap_or(&nobody));
            if bool::from(is_right) && candidate.is_some() {
                found = found.or(Some(place));
            }
        }
        found
    }

    fn is_code_of(&self, purpose: Purpose, submitted: &LinkCode, claims: &CodeClaims) -> Choice {
        let submitted = submitted.0.expose_secret().as_bytes();
        let keys = [Some(&self.current), self.previous.as_ref()].into_iter().flatten();
        keys.map(|key| key.code(purpose, claims).as_bytes().ct_eq(submitted))
            .fold(Choice::from(0), |any, one| any | one)
    }
}

impl LinkCode {
    /// Reads a code as a person types or pastes it: blanks, line ends, hyphens and invisible characters are ignored, and the
    /// digits of other scripts count.
    ///
    /// # Errors
    /// [`NotACode`] for everything but eight digits.
    pub fn parse(text: &str) -> Result<LinkCode, NotACode> {
        let is_ignored = |c: &char| c.is_whitespace() || is_hyphen(*c) || prints_nothing(*c);
        let significant = text.chars().filter(|c| !is_ignored(c));
        let digits: String = significant.map(digit).collect::<Option<_>>().ok_or(NotACode)?;
        if digits.len() == CODE_DIGITS { Ok(LinkCode(SecretString::from(digits))) } else { Err(NotACode) }
    }
}

fn is_hyphen(c: char) -> bool {
    matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}')
}

/// Keyboards for Japanese and Arabic type digits of their own: full-width, Arabic-Indic, and Persian ones.
fn digit(c: char) -> Option<char> {
    let zero = ['0', '\u{660}', '\u{6F0}', '\u{FF10}']
        .into_iter()
        .find(|zero| (*zero..).take(10).any(|d| d == c))?;
    char::from_digit(u32::from(c) - u32::from(zero), 10)
}

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
