//! What goes into an email: the token, its URL, and the code.

use std::fmt;
use std::ops::Range;

use base64::Engine;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use chrono::{DateTime, TimeDelta, Utc};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::json;
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// How long an email change can be undone, from the change on.
pub const UNDO_WINDOW: TimeDelta = TimeDelta::hours(72);
/// The digits of a code.
pub const CODE_DIGITS: usize = 8;
/// How many codes there are.
const CODES: u64 = 100_000_000;
/// The key of codes is the hash of this text and the secret. No token is signed with it.
const CODE_KEY: &[u8] = b"codes in emails, version 1\0";

/// The purpose of a link or a code, which is valid for no other one.
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

/// Shows no address.
impl fmt::Debug for LinkClaims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut claims = f.debug_struct("LinkClaims");
        claims.field("uid", &self.uid).field("version", &self.version).finish_non_exhaustive()
    }
}

/// What the code of an email proves. The code of another email, account or version is another code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CodeClaims {
    /// The email's row.
    pub email_id: Uuid,
    /// The account.
    pub uid: Uuid,
    /// See [`bound_version`].
    pub version: Option<i64>,
}

/// The `auth_version` in a code, when it is made and when it is tried.
///
/// It follows the rule of the email's link. A verification link stays good whatever the account changes, so its code
/// has the version that the row carries, or none. A link that works once has the row's version, or the account's where
/// the row was requested by address: a later change of the account makes another code.
pub fn bound_version(purpose: Purpose, of_row: Option<i64>, of_account: i64) -> Option<i64> {
    match purpose {
        Purpose::EmailVerification => of_row,
        Purpose::PasswordReset | Purpose::EmailChange | Purpose::EmailChangeUndo => {
            Some(of_row.unwrap_or(of_account))
        }
    }
}

/// A token. It is never stored or logged.
#[derive(Clone, Debug)]
pub struct LinkToken(SecretString);

impl LinkToken {
    /// The token, usable in a URL's path as it is. Its text must not be used as a key: several spellings of its last
    /// character are valid.
    pub fn as_str(&self) -> &str {
        self.0.expose_secret()
    }
}

/// A code. It goes into its email, and comes back from a person.
#[derive(Clone, Debug)]
pub struct LinkCode(pub(super) SecretString);

impl LinkCode {
    /// The code as emails and pages show it: `1234 5678`.
    pub fn spaced(&self) -> String {
        let (first, last) = self.0.expose_secret().split_at(CODE_DIGITS / 2);
        format!("{first} {last}")
    }
}

/// Signs tokens and computes codes, and verifies both.
#[derive(Clone, Debug)]
pub struct LinkSigner {
    pub(super) current: Key,
    pub(super) previous: Option<Key>,
}

/// A secret of links.
#[derive(Clone, Debug)]
pub(super) struct Key {
    secret: SecretString,
    codes: Hmac<Sha256>,
}

impl LinkSigner {
    /// A signer whose keys are derived from `secret`.
    pub fn new(secret: &SecretString) -> LinkSigner {
        LinkSigner { current: Key::new(secret), previous: None }
    }

    /// Accepts tokens and codes of the secret before a change, too. Makes none with it.
    #[must_use]
    pub fn accepting(self, previous: Option<&SecretString>) -> LinkSigner {
        LinkSigner { previous: previous.map(Key::new), ..self }
    }

    /// A token dated `now`, in whole seconds.
    pub fn sign(&self, purpose: Purpose, claims: &LinkClaims, now: DateTime<Utc>) -> LinkToken {
        self.sign_payload(purpose.salt(), &claims.to_json(), now)
    }

    pub(super) fn sign_payload(&self, salt: &str, payload: &[u8], now: DateTime<Utc>) -> LinkToken {
        // The format has no time before 1970. Such a clock makes tokens that are expired.
        let timestamp = u64::try_from(now.timestamp()).unwrap_or(0);
        LinkToken(SecretString::from(dumps(self.current.bytes(), salt, payload, timestamp)))
    }

    /// The code of an email.
    pub fn code(&self, purpose: Purpose, claims: &CodeClaims) -> LinkCode {
        LinkCode(SecretString::from(self.current.code(purpose, claims)))
    }
}

impl Key {
    fn new(secret: &SecretString) -> Key {
        let codes = derived_mac(&[CODE_KEY], secret.expose_secret().as_bytes());
        Key { secret: secret.clone(), codes }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.secret.expose_secret().as_bytes()
    }

    /// Each part but the purpose has a fixed length, so no two lists of parts are one text.
    pub(super) fn code(&self, purpose: Purpose, claims: &CodeClaims) -> String {
        let mac = self.codes.clone().chain_update(purpose.salt());
        let mac = mac
            .chain_update([0, u8::from(claims.version.is_some())])
            .chain_update(claims.email_id.as_bytes())
            .chain_update(claims.uid.as_bytes())
            .chain_update(claims.version.unwrap_or_default().to_be_bytes());
        let bytes = mac.finalize().into_bytes();
        let mut number = [0; 8];
        number.copy_from_slice(&bytes[..8]);
        // 2⁶⁴ is no multiple of 10⁸: some codes are likelier than others by one part in 10¹¹.
        format!("{:0width$}", u64::from_be_bytes(number) % CODES, width = CODE_DIGITS)
    }
}

/// Python writes no padding and accepts a last character with unused bits that are not zero.
pub(super) const BASE64: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone)
        .with_decode_allow_trailing_bits(true),
);

/// Signs a payload. It is not compressed: readers accept both, and these payloads are too short to become smaller.
pub fn dumps(secret: &[u8], salt: &str, payload: &[u8], timestamp: u64) -> String {
    let bytes = timestamp.to_be_bytes();
    // Without leading zero bytes; zero has no bytes, as in Python.
    let minimal = &bytes[timestamp.leading_zeros() as usize / 8..];
    let signed = format!("{}.{}", BASE64.encode(payload), BASE64.encode(minimal));
    let signature = mac(secret, salt, signed.as_bytes()).finalize().into_bytes();
    format!("{signed}.{}", BASE64.encode(signature))
}

pub(super) fn mac(secret: &[u8], salt: &str, message: &[u8]) -> Hmac<Sha256> {
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

/// A URL with a place for a token, in its path, query or fragment. The default is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LinkTemplate {
    pub(crate) before: String,
    pub(crate) after: String,
}

impl LinkTemplate {
    /// The link with a token. Tokens have letters, digits, `-`, `_` and `.` only, which stand for themselves everywhere
    /// in a URL (RFC 3986 §2.3).
    pub fn with_token(&self, token: &str) -> Link {
        let start = self.before.len();
        Link { url: format!("{}{token}{}", self.before, self.after), token: start..start + token.len() }
    }
}

/// A URL with a token in it: a secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Link {
    url: String,
    token: Range<usize>,
}

impl Link {
    /// The URL, with the token.
    pub fn as_str(&self) -> &str {
        &self.url
    }

    /// The token alone.
    pub fn token(&self) -> &str {
        &self.url[self.token.clone()]
    }
}

/// Templates get the URL.
impl Serialize for Link {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.url)
    }
}

/// Shows no token.
impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Link({}…)", &self.url[..self.token.start])
    }
}
