//! The key file of a service account, as Google Cloud makes it, and the assertions that its key signs (RFC 7523, RS256).

use std::fmt;
use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::json;

/// How long an assertion is valid. Google allows an hour; it is used at once.
const LIFETIME: TimeDelta = TimeDelta::minutes(5);
/// An assertion begins this much before now: the token server's clock may be behind.
const LEEWAY: TimeDelta = TimeDelta::minutes(1);

/// An account of a program, with its private key. `Debug` does not show the key.
#[derive(Clone)]
pub struct ServiceAccount {
    email: String,
    key_id: Option<String>,
    token_url: Option<String>,
    key: Arc<RsaKeyPair>,
}

/// What an assertion says.
#[derive(Debug, Clone, Copy)]
pub struct Assertion<'a> {
    /// The mailbox that the token is for.
    pub subject: &'a str,
    /// The token server's URL.
    pub audience: &'a str,
    /// What the token allows.
    pub scope: &'a str,
}

/// Why a file is not that of a service account. The text holds nothing of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ServiceAccountError {
    /// It is not JSON with the fields that are used.
    #[error("the key file (JSON) of a service account with client_email and private_key is needed")]
    NotAKeyFile,
    /// The key is of another kind, or too short.
    #[error("its private_key must be an RSA key of 2048 to 4096 bits in PEM")]
    NotRsa,
}

/// The key could not sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the service account's key could not sign")]
pub struct SigningError;

#[derive(Deserialize)]
struct KeyFile {
    client_email: String,
    private_key: String,
    private_key_id: Option<String>,
    token_uri: Option<String>,
}

impl ServiceAccount {
    /// Reads the text of a key file.
    ///
    /// # Errors
    /// When it is not that of a service account with an RSA key.
    pub fn from_json(text: &str) -> Result<ServiceAccount, ServiceAccountError> {
        // The error of serde_json quotes the text, which holds the key.
        let file: KeyFile = serde_json::from_str(text).map_err(|_| ServiceAccountError::NotAKeyFile)?;
        let key = rsa_key(&file.private_key).ok_or(ServiceAccountError::NotRsa)?;
        Ok(ServiceAccount {
            email: file.client_email,
            key_id: file.private_key_id,
            token_url: file.token_uri,
            key: Arc::new(key),
        })
    }

    /// The token server that the file names.
    pub fn token_url(&self) -> Option<&str> {
        self.token_url.as_deref()
    }

    /// A signed assertion: a JSON Web Token, valid for [`LIFETIME`] from `now`.
    ///
    /// jsonwebtoken is not used: it signs by one provider for the whole process, and that of the session tokens has no RSA.
    ///
    /// # Errors
    /// When the key cannot sign.
    pub fn sign(&self, assertion: Assertion<'_>, now: DateTime<Utc>) -> Result<SecretString, SigningError> {
        let header = json!({"alg": "RS256", "typ": "JWT", "kid": self.key_id});
        let claims = json!({
            "iss": self.email,
            "sub": assertion.subject,
            "aud": assertion.audience,
            "scope": assertion.scope,
            "iat": (now - LEEWAY).timestamp(),
            "exp": (now + LIFETIME).timestamp(),
        });
        let [header, claims] = [header, claims].map(|part| BASE64_URL_SAFE_NO_PAD.encode(part.to_string()));
        let signed = format!("{header}.{claims}");
        let mut signature = vec![0; self.key.public().modulus_len()];
        let random = SystemRandom::new();
        self.key
            .sign(&RSA_PKCS1_SHA256, &random, signed.as_bytes(), &mut signature)
            .map_err(|_| SigningError)?;
        Ok(format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature)).into())
    }
}

fn rsa_key(pem: &str) -> Option<RsaKeyPair> {
    match PrivateKeyDer::from_pem_slice(pem.as_bytes()).ok()? {
        PrivateKeyDer::Pkcs8(key) => RsaKeyPair::from_pkcs8(key.secret_pkcs8_der()).ok(),
        PrivateKeyDer::Pkcs1(key) => RsaKeyPair::from_der(key.secret_pkcs1_der()).ok(),
        _ => None,
    }
}

impl fmt::Debug for ServiceAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceAccount").field("email", &self.email).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use rcgen::KeyPair;
    use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
    use secrecy::ExposeSecret;
    use serde_json::Value;

    use super::*;

    /// The key was made for the tests and opens nothing.
    const FILE: &str = include_str!("../../e2e/data/service_account.json");

    #[test]
    fn an_assertion_says_for_whom_and_to_whom_it_is_and_has_the_keys_signature() {
        let account = ServiceAccount::from_json(FILE).unwrap();
        let assertion = Assertion { subject: "a@b.test", audience: "https://t.test/token", scope: "mail" };
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let token = account.sign(assertion, now).unwrap();
        let (signed, signature) = token.expose_secret().rsplit_once('.').unwrap();
        let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).unwrap();
        let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, account.key.public().as_ref());
        key.verify(signed.as_bytes(), &signature).unwrap();
        let parts: Vec<Value> = signed
            .split('.')
            .map(|part| serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap())
            .collect();
        assert_eq!(parts[0], json!({"alg": "RS256", "typ": "JWT", "kid": "test-key-1"}));
        let claims = json!({
            "iss": "mailer@bookly-test.iam.gserviceaccount.test", "sub": "a@b.test", "scope": "mail",
            "aud": "https://t.test/token", "iat": 1_799_999_940, "exp": 1_800_000_300,
        });
        assert_eq!(parts[1], claims);
    }

    #[test]
    fn a_file_without_an_rsa_key_is_refused_without_its_content() {
        let with_key = |key: &str| json!({"client_email": "a@b.test", "private_key": key}).to_string();
        let elliptic = KeyPair::generate().unwrap().serialize_pem();
        for (text, error) in [
            ("private_key", ServiceAccountError::NotAKeyFile),
            (r#"{"client_email": "a@b.test"}"#, ServiceAccountError::NotAKeyFile),
            (&with_key("hunter2"), ServiceAccountError::NotRsa),
            (&with_key(&elliptic), ServiceAccountError::NotRsa),
        ] {
            assert_eq!(ServiceAccount::from_json(text).map(drop), Err(error), "{text}");
        }
        assert!(!format!("{:?}", ServiceAccount::from_json(FILE)).contains("PRIVATE"));
    }
}
