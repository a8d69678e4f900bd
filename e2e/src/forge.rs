//! Forged and old tokens: signed with any key, with any date.

use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use bookly_shared::links::{LinkClaims, LinkSigner, Purpose};
use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::SecretString;
use serde_json::{Value, json};
use sha2::Sha256;

/// The claims of a JWT; the signature is not checked.
pub fn claims(jwt: &str) -> anyhow::Result<Value> {
    let payload = jwt.split('.').nth(1).unwrap_or_default();
    Ok(serde_json::from_slice(&BASE64.decode(payload)?)?)
}

/// A JWT with this header and these claims, always signed with HS256 and `secret`.
pub fn jwt(header: &Value, claims: &Value, secret: &str) -> anyhow::Result<String> {
    let signed = format!("{}.{}", BASE64.encode(header.to_string()), BASE64.encode(claims.to_string()));
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(secret.as_bytes())?;
    mac.update(signed.as_bytes());
    Ok(format!("{signed}.{}", BASE64.encode(mac.finalize().into_bytes())))
}

/// The header of the service's JWTs.
pub fn hs256() -> Value {
    json!({"alg": "HS256", "typ": "JWT"})
}

/// The claims with `alg: none` and no signature.
pub fn unsigned(claims: &Value) -> String {
    let header = json!({"alg": "none", "typ": "JWT"});
    format!("{}.{}.", BASE64.encode(header.to_string()), BASE64.encode(claims.to_string()))
}

/// A link token with the claims of `token`, made `age` ago with the service's own `secret`.
pub fn aged(token: &str, purpose: Purpose, age: Duration, secret: &str) -> anyhow::Result<String> {
    let payload = token.split('.').next().unwrap_or_default();
    let claims: LinkClaims = serde_json::from_slice(&BASE64.decode(payload)?)?;
    let signer = LinkSigner::new(&SecretString::from(secret));
    let made: DateTime<Utc> = (SystemTime::now() - age).into();
    Ok(signer.sign(purpose, &claims, made).as_str().to_owned())
}

/// A code that differs in its last digit.
pub fn wrong_code(code: &str) -> String {
    let (kept, last) = code.split_at(code.len().saturating_sub(1));
    format!("{kept}{}", if last == "9" { 0 } else { last.parse().unwrap_or(0) + 1 })
}

/// The token at the end of a link.
pub fn token_of(link: &str) -> &str {
    link.rsplit('/').next().unwrap_or_default()
}
