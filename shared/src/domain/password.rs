//! A password before it is hashed: hidden from logs, and overwritten when it is dropped.

use std::fmt;

use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use thiserror::Error;
use unicode_normalization::UnicodeNormalization;
use uuid::Uuid;

use super::text::has_control_characters;

/// A password in Unicode NFC, so that an `é` from any keyboard is the same. Its characters are the code points of that
/// form (NIST SP 800-63B-4 §3.1.1.2).
#[derive(Clone)]
pub struct Password(SecretString);

/// Why a text is not accepted as a new password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PasswordError {
    /// Too short or too long.
    #[error("must have between 8 and 128 characters")]
    Length,
    /// A control character, or one that changes the writing direction: not every form can take it.
    #[error("must not contain control characters")]
    ControlCharacter,
}

impl Password {
    /// The shortest new password, in characters.
    pub const MIN_CHARS: usize = 8;
    /// The longest new password, in characters.
    pub const MAX_CHARS: usize = 128;
    /// The longest attempt that is checked, in bytes.
    pub const MAX_ATTEMPT_BYTES: usize = 1024;

    /// A new password, for sign-up, reset and change: 8–128 characters, no control characters.
    ///
    /// # Errors
    /// When its length is out of bounds or it has a control character.
    pub fn parse(text: String) -> Result<Password, PasswordError> {
        let text = Zeroizing::new(text);
        if has_control_characters(&text) {
            return Err(PasswordError::ControlCharacter);
        }
        let password = normalised(&text)?;
        match password.expose().chars().count() {
            Self::MIN_CHARS..=Self::MAX_CHARS => Ok(password),
            _ => Err(PasswordError::Length),
        }
    }

    /// An attempt at an existing password: 1–1,024 bytes. The rules for new passwords do not apply, because a caller
    /// must learn only that an attempt is wrong.
    ///
    /// # Errors
    /// When it is empty or longer; the answer must be that of a wrong password.
    pub fn attempt(text: String) -> Result<Password, PasswordError> {
        let text = Zeroizing::new(text);
        if text.is_empty() {
            return Err(PasswordError::Length);
        }
        normalised(&text)
    }

    /// A random password (244 bits), which is shown to nobody.
    pub fn random() -> Password {
        Password(SecretString::from(format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple())))
    }

    /// The text, for the hasher.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

/// The limit is checked first, because normalising is costly. 128 characters of four bytes take half of it.
fn normalised(text: &str) -> Result<Password, PasswordError> {
    if text.len() > Password::MAX_ATTEMPT_BYTES {
        return Err(PasswordError::Length);
    }
    // With the exact capacity the text is never moved: a move would leave a copy that is not overwritten.
    let mut nfc = String::with_capacity(text.nfc().map(char::len_utf8).sum());
    nfc.extend(text.nfc());
    Ok(Password(SecretString::from(nfc)))
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password([hidden])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Password, PasswordError> {
        Password::parse(text.to_owned())
    }

    #[test]
    fn a_new_password_has_between_8_and_128_characters() {
        for text in ["12345678", "pässwört", "correct horse battery", "密码密码密码密码", &"😀".repeat(128)]
        {
            assert_eq!(parse(text).unwrap().expose(), text);
        }
        for text in ["", "1234567", "e\u{301}234567", &"x".repeat(129), &"x".repeat(70_000)] {
            assert_eq!(parse(text).unwrap_err(), PasswordError::Length);
        }
    }

    #[test]
    fn a_new_password_has_no_control_characters() {
        for text in ["1234567\08", "12345678\n", "1234\u{7f}5678", "1234\u{9b}5678", "1234\u{202e}5678"] {
            assert_eq!(parse(text).unwrap_err(), PasswordError::ControlCharacter, "{text:?}");
        }
    }

    #[test]
    fn composed_and_decomposed_letters_are_one_password() {
        let decomposed = parse("caf\u{65}\u{301}-au-lait").unwrap();
        assert_eq!(decomposed.expose(), parse("café-au-lait").unwrap().expose());
        assert_eq!(Password::attempt("e\u{301}".into()).unwrap().expose(), "é");
    }

    #[test]
    fn an_attempt_may_break_the_rules_for_new_passwords() {
        for text in ["x", "secret", "tab\there", &"x".repeat(1024)] {
            assert_eq!(Password::attempt(text.to_owned()).unwrap().expose(), text);
        }
        assert!(Password::attempt(String::new()).is_err());
        assert!(Password::attempt("x".repeat(1025)).is_err());
    }

    #[test]
    fn debug_hides_the_password() {
        assert_eq!(format!("{:?}", parse("correct horse").unwrap()), "Password([hidden])");
    }
}
