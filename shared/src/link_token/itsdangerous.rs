//! The wire format of Python's `itsdangerous.URLSafeTimedSerializer` with SHA-256: `payload.timestamp.signature`.
//!
//! Written out because the crates that implement the format know neither its SHA-256 variant nor a limit for
//! what a payload inflates to. Followed: itsdangerous 2.2 (`signer.py`, `timed.py`, `url_safe.py`).

use std::io::Read;

use base64::Engine;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use flate2::read::ZlibDecoder;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use thiserror::Error;

/// The longest token that is looked at, in bytes.
pub const MAX_TOKEN_BYTES: usize = 4096;
/// The largest payload, in bytes after inflating: a 3 MB bomb fits into a token.
pub const MAX_PAYLOAD_BYTES: usize = 64 * 1024;

/// Python writes no padding and takes a last character with stray bits.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone)
        .with_decode_allow_trailing_bits(true),
);

/// What a token with a good signature carries.
#[derive(Clone, PartialEq, Eq)]
pub struct Signed {
    /// The JSON, inflated.
    pub payload: Vec<u8>,
    /// When it was signed, in seconds since 1970.
    pub timestamp: u64,
}

/// The token was not made with this secret and salt, or does not hold what it should. It says no more: a
/// forger learns nothing from the reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("not a token of ours")]
pub struct BadToken;

/// Signs a payload. It is never compressed (Python does so where that is shorter): readers take both, and the
/// few payloads of this service are too short to gain.
pub fn dumps(secret: &[u8], salt: &str, payload: &[u8], timestamp: u64) -> String {
    let bytes = timestamp.to_be_bytes();
    // As few bytes as will do; zero has none, in Python too.
    let minimal = &bytes[timestamp.leading_zeros() as usize / 8..];
    let signed = format!("{}.{}", BASE64.encode(payload), BASE64.encode(minimal));
    let signature = mac(secret, salt, signed.as_bytes()).finalize().into_bytes();
    format!("{signed}.{}", BASE64.encode(signature))
}

/// Reads a token, compressed or not. Its age is the caller's to judge.
///
/// # Errors
/// [`BadToken`] for anything that [`dumps`] or Python's would not have made with this secret and salt.
pub fn loads(secret: &[u8], salt: &str, token: &str) -> Result<Signed, BadToken> {
    if token.len() > MAX_TOKEN_BYTES {
        return Err(BadToken);
    }
    let (signed, signature) = token.rsplit_once('.').ok_or(BadToken)?;
    let signature = BASE64.decode(signature).map_err(|_| BadToken)?;
    // In constant time, and before anything else of the token is looked at.
    mac(secret, salt, signed.as_bytes()).verify_slice(&signature).map_err(|_| BadToken)?;

    let (payload, timestamp) = signed.rsplit_once('.').ok_or(BadToken)?;
    Ok(Signed { payload: read_payload(payload)?, timestamp: read_timestamp(timestamp)? })
}

fn mac(secret: &[u8], salt: &str, message: &[u8]) -> Hmac<Sha256> {
    let key = Sha256::new().chain_update(salt).chain_update("signer").chain_update(secret).finalize();
    // HMAC pads a short key with zeros to the block's length (RFC 2104 §2). With that done here there is no
    // wrong length left to report.
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
