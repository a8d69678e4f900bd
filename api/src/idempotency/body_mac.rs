//! Bodies are compared by their HMAC. They hold passwords: with a plain hash, a reader of the database could try
//! passwords.

use std::fmt;

use bookly_shared::db::idempotency::{BodyMac, RequestKey};
use bookly_shared::links::derived_mac;
use hmac::{Hmac, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

/// The key is the hash of this text and the secret of links. No token is signed with it, and no code.
const KEY_PURPOSE: &[u8] = b"bodies of repeated requests, version 1\0";

/// Makes the HMACs of bodies.
#[derive(Clone)]
pub struct BodyMacs {
    key: Hmac<Sha256>,
    previous: Option<Hmac<Sha256>>,
}

impl BodyMacs {
    /// HMACs whose key is derived from the secret of links.
    pub fn new(secret: &SecretString) -> BodyMacs {
        BodyMacs { key: key_of(secret), previous: None }
    }

    /// Also recognises bodies from before a change of the secret.
    #[must_use]
    pub fn accepting(self, previous: Option<&SecretString>) -> BodyMacs {
        BodyMacs { previous: previous.map(key_of), ..self }
    }

    /// The HMAC of a request's body. The same body of another request has another one.
    pub fn of(&self, request: &RequestKey, body: &[u8]) -> BodyMac {
        let mac = |key: &Hmac<Sha256>| mac(key, request, body);
        BodyMac { current: mac(&self.key), previous: self.previous.as_ref().map(mac) }
    }
}

impl fmt::Debug for BodyMacs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BodyMacs([hidden])")
    }
}

fn key_of(secret: &SecretString) -> Hmac<Sha256> {
    derived_mac(&[KEY_PURPOSE], secret.expose_secret().as_bytes())
}

/// No part before the body has a NUL, so no two requests are one text.
fn mac(key: &Hmac<Sha256>, request: &RequestKey, body: &[u8]) -> [u8; 32] {
    let RequestKey { caller, operation, key: name } = request;
    let parts = [caller, operation, name]
        .into_iter()
        .fold(key.clone(), |mac, part| mac.chain_update(part.as_bytes()).chain_update([0]));
    parts.chain_update(body).finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use sha2::Digest;

    use super::*;

    fn request(caller: &str, operation: &str, key: &str) -> RequestKey {
        RequestKey { caller: caller.into(), operation: operation.into(), key: key.into() }
    }

    fn macs(secret: &str) -> BodyMacs {
        BodyMacs::new(&SecretString::from(secret))
    }

    #[test]
    fn the_mac_is_bound_to_secret_request_and_body() {
        let of = |secret, request: RequestKey, body: &str| macs(secret).of(&request, body.as_bytes()).current;
        let all = [
            of("one", request("a", "b", "c"), "d"),
            of("two", request("a", "b", "c"), "d"),
            of("one", request("x", "b", "c"), "d"),
            of("one", request("a", "x", "c"), "d"),
            of("one", request("a", "b", "x"), "d"),
            of("one", request("a", "b", "c"), "x"),
            of("one", request("a", "bc", ""), "d"),
        ];
        for (place, mac) in all.iter().enumerate() {
            assert!(!all[..place].contains(mac), "{place}");
        }
        assert_eq!(all[0], of("one", request("a", "b", "c"), "d"));
        assert_ne!(&all[0][..], &Sha256::digest(b"d")[..]);
    }

    #[test]
    fn after_a_change_of_the_secret_the_previous_one_is_known() {
        let before = macs("one").of(&request("a", "b", "c"), b"d");
        let previous = SecretString::from("one");
        let after = macs("two").accepting(Some(&previous)).of(&request("a", "b", "c"), b"d");
        assert_eq!(before.previous, None);
        assert_eq!(after.previous, Some(before.current));
        assert_ne!(after.current, before.current);
    }
}
