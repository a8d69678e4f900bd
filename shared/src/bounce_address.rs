//! The envelope's sender of an email: an address of its own, so that a bounce finds its row without trusting its text.
//!
//! `bounces+<id>.<signature>@example.org` (variable envelope return paths). Mail servers may change the case of a local
//! part, so both parts are base32 (RFC 4648 §6), written in small letters and read in any case.

use std::fmt;

use data_encoding::BASE32_NOPAD;
use hmac::{Hmac, Mac};
use lettre::Address;
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use uuid::Uuid;

use crate::config::Settings;
use crate::links::derived_mac;

/// Makes a key for these addresses alone.
const KEY_PURPOSE: &[u8] = b"bounce address";
/// The bytes of the signature: 80 bits, too many to guess by sending emails.
const SIGNATURE_BYTES: usize = 10;

/// Makes and reads the envelope's senders.
#[derive(Clone)]
pub struct BounceAddress {
    base: Address,
    key: Hmac<Sha256>,
    previous: Option<Hmac<Sha256>>,
}

impl BounceAddress {
    /// As `MAIL_BOUNCE_ADDRESS` says; `None` where it is not set. The key is derived from `LINK_SECRET`.
    pub fn of_settings(settings: &Settings) -> Option<BounceAddress> {
        let base = settings.mail.bounce_address.clone()?;
        let previous = settings.link_previous_secret.as_ref().map(key_of);
        Some(BounceAddress { base, key: key_of(&settings.link_secret), previous })
    }

    /// The sender of the row's email.
    ///
    /// # Errors
    /// Never for an address that was read as `MAIL_BOUNCE_ADDRESS`.
    pub fn of_row(&self, id: Uuid) -> Result<Address, lettre::address::AddressError> {
        let signature = self.key.clone().chain_update(id.as_bytes()).finalize().into_bytes();
        let tag = [BASE32_NOPAD.encode(id.as_bytes()), BASE32_NOPAD.encode(&signature[..SIGNATURE_BYTES])];
        let tag = tag.join(".").to_ascii_lowercase();
        Address::new(format!("{}+{tag}", self.base.user()), self.base.domain())
    }

    /// The row of such an address; `None` where the signature is wrong. The text before the `+` and the domain may
    /// differ: mail servers rewrite them.
    pub fn row_of(&self, address: &str) -> Option<Uuid> {
        let (local, _) = address.trim().trim_matches(['<', '>']).rsplit_once('@')?;
        let (_, tag) = local.rsplit_once('+')?;
        let (id, signature) = tag.split_once('.')?;
        let read = |text: &str| BASE32_NOPAD.decode(text.to_ascii_uppercase().as_bytes()).ok();
        let (id, signature) = (Uuid::from_slice(&read(id)?).ok()?, read(signature)?);
        // A shorter signature would be easier to guess.
        let is_ours = |key: &Hmac<Sha256>| {
            key.clone().chain_update(id.as_bytes()).verify_truncated_left(&signature).is_ok()
        };
        let keys = [Some(&self.key), self.previous.as_ref()];
        (signature.len() == SIGNATURE_BYTES && keys.into_iter().flatten().any(is_ours)).then_some(id)
    }
}

impl fmt::Debug for BounceAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BounceAddress").field("base", &self.base).finish_non_exhaustive()
    }
}

fn key_of(secret: &SecretString) -> Hmac<Sha256> {
    derived_mac(&[KEY_PURPOSE], secret.expose_secret().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: Uuid = Uuid::from_u128(0x0193_bd5a_7e5c_7d1b_bcc4_4a9e_2f37_b6d1);

    fn of(base: &str, secret: &str, previous: Option<&str>) -> BounceAddress {
        BounceAddress {
            base: base.parse().unwrap(),
            key: key_of(&secret.into()),
            previous: previous.map(|previous| key_of(&previous.into())),
        }
    }

    #[test]
    fn a_row_has_an_address_that_names_it_in_any_case() {
        let bounces = of("bounces@example.org", "one", None);
        let address = bounces.of_row(ID).unwrap().to_string();
        assert!(address.starts_with("bounces+agj32wt6lr6rxpgejkpc6n5w2e."), "{address}");
        assert!(address.ends_with("@example.org") && address == address.to_ascii_lowercase(), "{address}");
        for seen in [address.clone(), address.to_ascii_uppercase(), format!("<{address}>")] {
            assert_eq!(bounces.row_of(&seen), Some(ID), "{seen}");
        }
        let rewritten =
            address.replace("bounces+", "root+bounces+").replace("example.org", "host.example.net");
        assert_eq!(bounces.row_of(&rewritten), Some(ID));
    }

    #[test]
    fn its_longest_local_part_has_64_octets() {
        let base = format!("{}@example.org", "b".repeat(crate::config::LONGEST_BOUNCE_NAME));
        assert_eq!(of(&base, "one", None).of_row(ID).unwrap().user().len(), 64);
    }

    #[test]
    fn an_address_that_is_not_signed_names_no_row() {
        let bounces = of("bounces@example.org", "one", None);
        let address = bounces.of_row(ID).unwrap().to_string();
        let (tag, domain) = address.split_once('@').unwrap();
        let (unsigned, signature) = tag.split_once('.').unwrap();
        for wrong in [
            "",
            "bounces@example.org",
            "bounces+@example.org",
            tag,
            &format!("{unsigned}@{domain}"),
            &format!("{unsigned}.@{domain}"),
            &format!("{unsigned}.{}@{domain}", &signature[..8]),
            &format!("{unsigned}.{signature}{signature}@{domain}"),
            &format!("{}.{signature}@{domain}", unsigned.replace("agj", "agk")),
        ] {
            assert_eq!(bounces.row_of(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn the_secret_before_a_change_is_read_and_not_written() {
        let address = of("bounces@example.org", "one", None).of_row(ID).unwrap().to_string();
        assert_eq!(of("bounces@example.org", "two", None).row_of(&address), None);
        let changed = of("bounces@example.org", "two", Some("one"));
        assert_eq!(changed.row_of(&address), Some(ID));
        assert_ne!(changed.of_row(ID).unwrap().to_string(), address);
    }
}
