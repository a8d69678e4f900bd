//! The wire format of Python's `itsdangerous.URLSafeTimedSerializer` with SHA-256: `payload.timestamp.signature`.
//!
//! The crates that implement the format have neither its SHA-256 variant nor a limit for inflated payloads. This code
//! follows itsdangerous 2.2 (`signer.py`, `timed.py`, `url_safe.py`).

use std::io::Read;

use base64::Engine;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use flate2::read::ZlibDecoder;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use thiserror::Error;

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
    let key = Sha256::new().chain_update(salt).chain_update("signer").chain_update(secret).finalize();
    // HMAC pads a short key with zeros to the block's length (RFC 2104 §2). Padded here, the key cannot have a wrong
    // length, so there is no error to handle.
    let mut block = [0; 64];
    block[..key.len()].copy_from_slice(&key);
    Hmac::<Sha256>::new(&block.into()).chain_update(message)
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
