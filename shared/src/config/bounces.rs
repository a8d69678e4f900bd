//! Who may report bounces and complaints: the proof of each provider.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use secrecy::SecretString;

use super::source::Source;
use super::table;
use crate::domain::ReportSource;

/// What an email's row is called in the variables that Mailgun and SendGrid repeat in their reports, and in Resend's tags.
pub const ECHOED_NAME: &str = "bookly_email_id";
/// The same in Postmark's metadata, whose names are parts of header names.
pub const POSTMARK_METADATA: &str = "bookly-email-id";
/// The header of an email that Resend repeats.
pub const RESEND_HEADER: &str = "X-Bookly-Email-Id";

/// The secrets by which the calls of providers are known. A provider without one cannot report.
#[derive(Debug, Clone, Default)]
pub struct BounceSettings {
    /// `user:password`, which Postmark sends in each call.
    pub postmark: Option<SecretString>,
    /// The key by which Mailgun signs the time and a token.
    pub mailgun: Option<SecretString>,
    /// The public key of SendGrid's signature, which [`p256_point`] reads.
    pub sendgrid: Option<SecretString>,
    /// The key of Resend's signature, which [`svix_key`] reads.
    pub resend: Option<SecretString>,
}

impl BounceSettings {
    /// The secret of a provider's calls, if it is set. Reports by email have none.
    pub fn secret_of(&self, source: ReportSource) -> Option<&SecretString> {
        match source {
            ReportSource::Postmark => self.postmark.as_ref(),
            ReportSource::Mailgun => self.mailgun.as_ref(),
            ReportSource::SendGrid => self.sendgrid.as_ref(),
            ReportSource::Resend => self.resend.as_ref(),
            ReportSource::Dsn => None,
        }
    }
}

pub(super) fn read(source: &mut Source) -> BounceSettings {
    BounceSettings {
        postmark: source.secret(&table::BOUNCE_POSTMARK_CREDENTIALS, credentials),
        mailgun: source.secret(&table::BOUNCE_MAILGUN_SIGNING_KEY, signing_key),
        sendgrid: source.secret(&table::BOUNCE_SENDGRID_PUBLIC_KEY, |text| {
            let needed = "the verification key that SendGrid shows is needed: an EC key on P-256, base64 of its DER form";
            p256_point(text).map(|_| text.to_owned()).ok_or_else(|| needed.to_owned())
        }),
        resend: source.secret(&table::BOUNCE_RESEND_SECRET, |text| {
            let needed = "the signing secret of the webhook is needed: whsec_ and base64";
            svix_key(text).map(|_| text.to_owned()).ok_or_else(|| needed.to_owned())
        }),
    }
}

/// The shortest signing key, in characters. Mailgun's have at least 32.
const SHORTEST_SIGNING_KEY: usize = 16;

/// Who knows the key can invent reports, so it must not be guessed.
fn signing_key(text: &str) -> Result<String, String> {
    let key = text.trim();
    if key.len() >= SHORTEST_SIGNING_KEY {
        Ok(key.to_owned())
    } else {
        Err(format!(
            "the signing key that Mailgun shows is needed: at least {SHORTEST_SIGNING_KEY} characters"
        ))
    }
}

fn credentials(text: &str) -> Result<String, String> {
    match text.split_once(':') {
        Some((user, password)) if !user.is_empty() && password.trim().len() >= 8 => Ok(text.to_owned()),
        _ => Err("a user and a password of at least 8 characters are needed, as in user:password".into()),
    }
}

/// What stands before the point in the DER form of a key on P-256 (RFC 5480, section 2): two nested sequences with the
/// names of the algorithm and the curve, and the head of a bit string.
const P256_HEAD: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
    0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// The uncompressed point of a public key on P-256, from the base64 of its DER form.
pub fn p256_point(text: &str) -> Option<Vec<u8>> {
    let der = BASE64_STANDARD.decode(text.trim()).ok()?;
    let point = der.strip_prefix(&P256_HEAD)?;
    (point.len() == 65 && point[0] == 4).then(|| point.to_vec())
}

/// The bytes of a secret of Svix: `whsec_` and base64.
pub fn svix_key(text: &str) -> Option<Vec<u8>> {
    let key = BASE64_STANDARD.decode(text.trim().strip_prefix("whsec_")?).ok()?;
    (key.len() >= 16).then_some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_on_p256_is_read_and_no_other() {
        let key = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEQ4LIFtWztlsF7skFqOncjD1lun4H5w8XOhyOArHW9RcIx/FfEzx6cikC/yPfUvwaX/JScE7Fc9CJD2afQ9Ok3Q==";
        assert_eq!(p256_point(key).map(|point| (point.len(), point[0])), Some((65, 4)));
        for wrong in [
            "",
            "MFkw",
            "not base64",
            &key[4..],
            "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=",
        ] {
            assert_eq!(p256_point(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_secret_of_svix_has_its_prefix_and_base64() {
        assert_eq!(svix_key("whsec_MDEyMzQ1Njc4OWFiY2RlZg==").as_deref(), Some(&b"0123456789abcdef"[..]));
        for wrong in ["MDEyMzQ1Njc4OWFiY2RlZg==", "whsec_", "whsec_c2hvcnQ=", "whsec_?"] {
            assert_eq!(svix_key(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn credentials_are_a_user_and_a_password() {
        assert!(credentials("postmark:a-long-password").is_ok());
        for wrong in ["", "postmark", ":password", "postmark:short", "postmark:         "] {
            assert!(credentials(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_signing_key_is_not_short_and_not_blank() {
        assert_eq!(signing_key(" 0123456789abcdef\n").as_deref(), Ok("0123456789abcdef"));
        for wrong in ["", "                        ", " 0123456789abcde "] {
            assert!(signing_key(wrong).is_err(), "{wrong:?}");
        }
    }
}
