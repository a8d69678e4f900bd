//! HMAC for jsonwebtoken. The crate's `rust_crypto` feature would add RSA and elliptic curves, which are not used. This
//! is the crate's `hmac.rs` for the current hmac and sha2.

use hmac::{Hmac, KeyInit, Mac};
use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{ErrorKind, Result};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey};
use sha2::{Sha256, Sha384, Sha512};
use signature::{Error, Signer, Verifier};

static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: |algorithm, key: &EncodingKey| Ok(Box::new(HmacKey::new(*algorithm, key.as_bytes())?)),
    verifier_factory: |algorithm, key: &DecodingKey| {
        Ok(Box::new(HmacKey::new(*algorithm, key.try_get_as_bytes()?)?))
    },
    // For JSON Web Keys, which are not used.
    key_utils: KeyUtils::new_unimplemented(),
};

/// Registers HMAC with jsonwebtoken, once per process.
pub(super) fn install() {
    // An error means that this function registered it before: the program has no other provider.
    let _ = PROVIDER.install_default();
}

/// A key set up for one of the three algorithms.
enum HmacKey {
    Hs256(Hmac<Sha256>),
    Hs384(Hmac<Sha384>),
    Hs512(Hmac<Sha512>),
}

impl HmacKey {
    fn new(algorithm: Algorithm, key: &[u8]) -> Result<HmacKey> {
        let bad_key = |_| ErrorKind::InvalidKeyFormat;
        Ok(match algorithm {
            Algorithm::HS256 => HmacKey::Hs256(Hmac::new_from_slice(key).map_err(bad_key)?),
            Algorithm::HS384 => HmacKey::Hs384(Hmac::new_from_slice(key).map_err(bad_key)?),
            Algorithm::HS512 => HmacKey::Hs512(Hmac::new_from_slice(key).map_err(bad_key)?),
            _ => return Err(ErrorKind::InvalidAlgorithm.into()),
        })
    }

    fn name(&self) -> Algorithm {
        match self {
            HmacKey::Hs256(_) => Algorithm::HS256,
            HmacKey::Hs384(_) => Algorithm::HS384,
            HmacKey::Hs512(_) => Algorithm::HS512,
        }
    }
}

impl Signer<Vec<u8>> for HmacKey {
    fn try_sign(&self, message: &[u8]) -> std::result::Result<Vec<u8>, Error> {
        Ok(match self {
            HmacKey::Hs256(mac) => mac.clone().chain_update(message).finalize().into_bytes().to_vec(),
            HmacKey::Hs384(mac) => mac.clone().chain_update(message).finalize().into_bytes().to_vec(),
            HmacKey::Hs512(mac) => mac.clone().chain_update(message).finalize().into_bytes().to_vec(),
        })
    }
}

impl Verifier<Vec<u8>> for HmacKey {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> std::result::Result<(), Error> {
        // `verify_slice` takes the whole signature and compares in constant time.
        match self {
            HmacKey::Hs256(mac) => mac.clone().chain_update(message).verify_slice(signature),
            HmacKey::Hs384(mac) => mac.clone().chain_update(message).verify_slice(signature),
            HmacKey::Hs512(mac) => mac.clone().chain_update(message).verify_slice(signature),
        }
        .map_err(Error::from_source)
    }
}

impl JwtSigner for HmacKey {
    fn algorithm(&self) -> Algorithm {
        self.name()
    }
}

impl JwtVerifier for HmacKey {
    fn algorithm(&self) -> Algorithm {
        self.name()
    }
}
