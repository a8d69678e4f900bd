//! The codes beside the links of emails: eight digits that a person types where the link cannot be opened.
//!
//! A code is computed from the link secret and the email's row, and is stored nowhere. It proves what the link of the
//! same email proves, under the same rules.

use std::fmt;

use hmac::{Hmac, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use subtle::{Choice, ConstantTimeEq};
use thiserror::Error;
use uuid::Uuid;

use crate::domain::prints_nothing;
use crate::link_token::{Purpose, derived_mac};

/// The digits of a code.
pub const CODE_DIGITS: usize = 8;
/// A code is compared with the newest emails, with this many at most. A look-up takes the time of this many comparisons,
/// also where there are fewer emails.
pub const MAX_CANDIDATES: usize = 20;

/// The key of codes is the hash of this text and the secret. No token is signed with it.
const KEY_PURPOSE: &[u8] = b"codes in emails, version 1\0";
/// How many codes there are.
const CODES: u64 = 100_000_000;

/// A code. It goes into its email, and comes back from a person.
#[derive(Clone)]
pub struct LinkCode(SecretString);

/// The text is not a code: it does not have eight digits, or has something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must have 8 digits")]
pub struct NotACode;

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

    /// The code as emails and pages show it: `1234 5678`.
    pub fn spaced(&self) -> String {
        let (first, last) = self.0.expose_secret().split_at(CODE_DIGITS / 2);
        format!("{first} {last}")
    }
}

impl fmt::Debug for LinkCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkCode([hidden])")
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

/// Makes codes and finds the email of one.
#[derive(Clone)]
pub struct LinkCodes {
    key: Hmac<Sha256>,
    previous: Option<Hmac<Sha256>>,
}

impl LinkCodes {
    /// Codes whose key is derived from the secret of links.
    pub fn new(secret: &SecretString) -> LinkCodes {
        LinkCodes { key: key_of(secret), previous: None }
    }

    /// Accepts codes of the secret before a change, too. Makes none with it.
    #[must_use]
    pub fn accepting(self, previous: Option<&SecretString>) -> LinkCodes {
        LinkCodes { previous: previous.map(key_of), ..self }
    }

    /// The code of an email.
    pub fn code(&self, purpose: Purpose, claims: &CodeClaims) -> LinkCode {
        LinkCode(SecretString::from(code(&self.key, purpose, claims)))
    }

    /// The place of the email that has this code, among [`MAX_CANDIDATES`] at most. It takes the same time whether one
    /// has it, and however many there are.
    pub fn find(&self, purpose: Purpose, submitted: &LinkCode, candidates: &[CodeClaims]) -> Option<usize> {
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
        let keys = [Some(&self.key), self.previous.as_ref()];
        let equal = |key| code(key, purpose, claims).as_bytes().ct_eq(submitted);
        keys.into_iter().flatten().map(equal).fold(Choice::from(0), |any, one| any | one)
    }
}

impl fmt::Debug for LinkCodes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkCodes([hidden])")
    }
}

fn key_of(secret: &SecretString) -> Hmac<Sha256> {
    derived_mac(&[KEY_PURPOSE], secret.expose_secret().as_bytes())
}

/// Each part but the purpose has a fixed length, so no two lists of parts are one text.
fn code(key: &Hmac<Sha256>, purpose: Purpose, claims: &CodeClaims) -> String {
    let mac = key
        .clone()
        .chain_update(purpose.salt())
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

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "a secret of at least 32 bytes, say";
    const PURPOSE: Purpose = Purpose::PasswordReset;

    fn codes(secret: &str) -> LinkCodes {
        LinkCodes::new(&SecretString::from(secret))
    }

    fn claims() -> CodeClaims {
        CodeClaims { email_id: Uuid::from_u128(1), uid: Uuid::from_u128(2), version: Some(3) }
    }

    #[test]
    fn the_code_is_that_of_another_implementation() {
        assert_eq!(codes(SECRET).code(PURPOSE, &claims()).spaced(), "6582 3762");
    }

    #[test]
    fn a_code_is_bound_to_secret_purpose_email_account_and_version() {
        let code = codes(SECRET).code(PURPOSE, &claims());
        let is_right = |codes: &LinkCodes, purpose, claims| codes.find(purpose, &code, &[claims]).is_some();
        assert!(is_right(&codes(SECRET), PURPOSE, claims()));
        assert!(!is_right(&codes("another secret of at least 32 bytes"), PURPOSE, claims()));
        for purpose in [Purpose::EmailVerification, Purpose::EmailChange, Purpose::EmailChangeUndo] {
            assert!(!is_right(&codes(SECRET), purpose, claims()), "{purpose:?}");
        }
        for other in [
            CodeClaims { email_id: Uuid::from_u128(2), ..claims() },
            CodeClaims { uid: Uuid::from_u128(1), ..claims() },
            CodeClaims { version: Some(4), ..claims() },
            CodeClaims { version: None, ..claims() },
        ] {
            assert!(!is_right(&codes(SECRET), PURPOSE, other), "{other:?}");
        }
    }

    #[test]
    fn the_email_of_a_code_is_found_among_several_and_not_beyond_the_last_place() {
        let of = |number| CodeClaims { email_id: Uuid::from_u128(number), ..claims() };
        let many: Vec<CodeClaims> = (10..40).map(of).collect();
        for place in [0, 7, MAX_CANDIDATES - 1] {
            let code = codes(SECRET).code(PURPOSE, &many[place]);
            assert_eq!(codes(SECRET).find(PURPOSE, &code, &many), Some(place));
        }
        let beyond = codes(SECRET).code(PURPOSE, &many[MAX_CANDIDATES]);
        assert_eq!(codes(SECRET).find(PURPOSE, &beyond, &many), None);
    }

    #[test]
    fn nobodys_code_finds_no_email() {
        let nobody = CodeClaims { email_id: Uuid::nil(), uid: Uuid::nil(), version: None };
        let code = codes(SECRET).code(PURPOSE, &nobody);
        assert_eq!(codes(SECRET).find(PURPOSE, &code, &[]), None);
        assert_eq!(codes(SECRET).find(PURPOSE, &code, &[claims()]), None);
    }

    #[test]
    fn codes_of_the_previous_secret_are_accepted_and_none_is_made_with_it() {
        let (old, new) = (codes(SECRET), codes("the secret after the change, long enough"));
        let changed = new.clone().accepting(Some(&SecretString::from(SECRET)));
        let (before, after) = (old.code(PURPOSE, &claims()), changed.code(PURPOSE, &claims()));
        for code in [&before, &after] {
            assert_eq!(changed.find(PURPOSE, code, &[claims()]), Some(0));
        }
        assert_eq!(new.find(PURPOSE, &after, &[claims()]), Some(0));
        assert_eq!(old.find(PURPOSE, &after, &[claims()]), None);
    }

    #[test]
    fn a_code_is_read_as_people_type_it() {
        let shown = |text: &str| LinkCode::parse(text).map(|code| code.spaced());
        for text in [
            "12345678",
            "1234 5678",
            " 1234-5678 ",
            "12 34\u{a0}56–78",
            "1-2-3-4-5-6-7-8",
            "１２３４　５６７８",
            "١٢٣٤٥٦٧٨",
            "۱۲۳۴ ۵۶۷۸",
            "\t1234\u{200b}5678\r\n",
            "\u{200e}1234 5678\u{200f}",
            "\u{2066}1234\u{2069} \u{2068}5678\u{2069}",
            "\u{feff}\u{202d}1234\u{ad}5678\u{202c}",
        ] {
            assert_eq!(shown(text), Ok("1234 5678".to_owned()), "{text}");
        }
        assert_eq!(shown("0000 0001"), Ok("0000 0001".to_owned()));
        for text in [
            "",
            " ",
            "1234567",
            "123456789",
            "1234567a",
            "1234.5678",
            "+12345678",
            "1234५678",
            "1234\u{0}5678",
        ] {
            assert_eq!(shown(text), Err(NotACode), "{text}");
        }
    }

    #[test]
    fn codes_use_all_their_digits_and_leading_zeros_stay() {
        let of = |number| CodeClaims { email_id: Uuid::from_u128(number), ..claims() };
        let many: Vec<String> =
            (0..2_000).map(|number| codes(SECRET).code(PURPOSE, &of(number)).spaced()).collect();
        assert!(many.iter().all(|code| code.len() == 9 && LinkCode::parse(code).is_ok()));
        for place in [0, 1, 2, 3, 5, 6, 7, 8] {
            for digit in '0'..='9' {
                let count = many.iter().filter(|code| code.chars().nth(place) == Some(digit)).count();
                assert!((130..270).contains(&count), "{digit} is {count} times at {place}");
            }
        }
    }

    #[test]
    fn a_verification_code_survives_a_change_of_the_account_as_its_link_does() {
        for (purpose, of_row, bound) in [
            (Purpose::EmailVerification, Some(1), Some(1)),
            (Purpose::EmailVerification, None, None),
            (Purpose::PasswordReset, Some(1), Some(1)),
            (Purpose::PasswordReset, None, Some(7)),
            (Purpose::EmailChange, Some(1), Some(1)),
        ] {
            assert_eq!(bound_version(purpose, of_row, 7), bound, "{purpose:?} {of_row:?}");
        }
    }

    #[test]
    fn debug_shows_no_code_and_no_key() {
        let code = codes(SECRET).code(PURPOSE, &claims());
        let shown = format!("{:?} {:?}", codes(SECRET), code);
        assert_eq!(shown, "LinkCodes([hidden]) LinkCode([hidden])");
    }
}
