//! Names of people: on one line, and without characters that rearrange the text around them.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;
use unicode_normalization::UnicodeNormalization;

use super::text::{has_control_characters, is_invisible};

/// Why a text is not a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NameError {
    /// Empty, blank or too long.
    #[error("must have between 1 and {max} characters")]
    Length {
        /// The longest name, in characters.
        max: usize,
    },
    /// Control characters (a line break would end a mail header), or ones that change the writing direction.
    #[error("must be one line without control characters")]
    ForbiddenCharacter,
}

/// Checks, trims and normalises (NFC, so that one name has one length). A line break at the end is refused like
/// any other, not trimmed away: nobody types one into a name.
fn parse_name(text: &str, max: usize) -> Result<String, NameError> {
    if has_control_characters(text) {
        return Err(NameError::ForbiddenCharacter);
    }
    let text = text.trim();
    // At most four characters compose into one, so that more than this is too long in any form; a text far
    // beyond the limit is refused before it is worked on.
    if text.chars().take(max * 4 + 1).count() > max * 4 {
        return Err(NameError::Length { max });
    }
    let name: String = text.nfc().collect();
    // Joiners are part of some scripts' spelling; a name of nothing else is a blank one.
    if name.chars().count() > max || name.chars().all(|c| is_invisible(c) || c.is_whitespace()) {
        return Err(NameError::Length { max });
    }
    Ok(name)
}

macro_rules! name_type {
    ($(#[$doc:meta])* $name:ident, $max:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The longest one, in characters.
            pub const MAX_CHARS: usize = $max;

            /// Reads a name, without the blanks around it.
            ///
            /// # Errors
            /// When it is empty, too long, or not one plain line.
            pub fn parse(text: &str) -> Result<Self, NameError> {
                parse_name(text, Self::MAX_CHARS).map(Self)
            }

            /// The name.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = NameError;

            fn try_from(text: String) -> Result<Self, NameError> {
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.0
            }
        }

        // Names are personal: a log line shows that there is one, not which.
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({} characters)"), self.0.chars().count())
            }
        }
    };
}

name_type! {
    /// A first or last name, 1–64 characters.
    PersonName, 64
}

name_type! {
    /// The name that an account goes by, 1–32 characters. Not unique.
    Username, 32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_trimmed_and_normalised() {
        for (typed, name) in [
            (" Ann ", "Ann"),
            ("Jo Ann", "Jo Ann"),
            ("Zoe\u{308}", "Zoë"),
            ("李", "李"),
            ("O'Hara", "O'Hara"),
        ] {
            assert_eq!(PersonName::parse(typed).unwrap().as_str(), name);
        }
    }

    #[test]
    fn a_name_has_between_1_and_64_characters_and_a_username_32() {
        assert!(PersonName::parse(&"ä".repeat(64)).is_ok());
        assert!(Username::parse(&"e\u{301}".repeat(32)).is_ok());
        for text in ["", "  \u{3000}", "\u{200b}\u{2060}", "\u{3164}"] {
            assert_eq!(PersonName::parse(text), Err(NameError::Length { max: 64 }), "{text:?}");
        }
        assert_eq!(PersonName::parse(&"a".repeat(65)), Err(NameError::Length { max: 64 }));
        assert_eq!(Username::parse(&"a".repeat(60_000)), Err(NameError::Length { max: 32 }));
        let error = Username::parse(&"a".repeat(33)).unwrap_err();
        assert_eq!(error.to_string(), "must have between 1 and 32 characters");
    }

    #[test]
    fn a_name_is_one_plain_line() {
        for text in [
            "a\r\nBcc: b",
            "a\0b",
            "a\tb",
            "a\u{85}b",
            "a\u{2028}b",
            "a\u{202e}b",
            "a\u{2067}b",
            "a\u{200f}b",
            "Ann\r\n",
            "\tAnn",
            "\u{2028}Ann",
            "\n",
        ] {
            assert_eq!(PersonName::parse(text), Err(NameError::ForbiddenCharacter), "{text:?}");
        }
    }

    #[test]
    fn debug_does_not_show_the_name() {
        assert_eq!(format!("{:?}", Username::parse("ann").unwrap()), "Username(3 characters)");
    }
}
