//! Names of people: one line, without characters that change the direction of the text.

use std::fmt;

use thiserror::Error;
use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};

use super::text::{has_control_characters, is_visible};

/// Why a text is not a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NameError {
    /// Empty, only spaces, or too long.
    #[error("must have between 1 and {max} characters")]
    Length {
        /// The longest name, in characters.
        max: usize,
    },
    /// Control characters (a line break would end a mail header), or ones that change the writing direction.
    #[error("must be one line without control characters")]
    ForbiddenCharacter,
}

/// Checks, trims and normalises (NFC, so that a name has one length). A line break at the end is refused, not trimmed.
fn parse_name(text: &str, max: usize) -> Result<String, NameError> {
    if has_control_characters(text) {
        return Err(NameError::ForbiddenCharacter);
    }
    let text = text.trim();
    // At most four characters compose into one, so a longer text is too long in every form. It is refused before the
    // costly normalisation.
    if text.chars().take(max * 4 + 1).count() > max * 4 {
        return Err(NameError::Length { max });
    }
    let name: String = text.nfc().collect();
    // Joiners belong to the spelling of some scripts, but a name of joiners alone is empty.
    if name.chars().count() > max || !is_visible(&name) {
        return Err(NameError::Length { max });
    }
    Ok(name)
}

macro_rules! name_type {
    ($(#[$doc:meta])* $name:ident, $max:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash)]
        pub struct $name(String);

        impl $name {
            /// The longest one, in characters.
            pub const MAX_CHARS: usize = $max;

            /// Reads a name, without the spaces around it.
            ///
            /// # Errors
            /// [`NameError`] when it is empty, too long, or not one line.
            pub fn parse(text: &str) -> Result<Self, NameError> {
                parse_name(text, Self::MAX_CHARS).map(Self)
            }

            /// The name.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.0
            }
        }

        // Names are personal data and stay out of logs.
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({} characters)"), self.0.chars().count())
            }
        }
    };
}

/// The longest name that an email or a page greets by, in characters.
const MAX_GREETING_CHARS: usize = 40;

/// The name to greet by, or `None` for a name that could carry a message or a link.
///
/// Anyone can sign up with anyone's address, and then the name is in an email to a stranger. So only letters, marks on
/// them, spaces, `'`, `’`, `-` and `·` are allowed, and a full stop before a space or at the end (`Dr. Who`). Letters that
/// look like a sign are not.
pub fn greeting_name(name: &str) -> Option<&str> {
    let name = name.trim();
    let mut chars = name.chars().peekable();
    let mut count = 0;
    let mut previous = ' ';
    while let Some(c) = chars.next() {
        count += 1;
        let is_allowed = match c {
            ' ' | '\'' | '’' | '-' | '·' => true,
            '.' => count > 1 && chars.peek().is_none_or(|next| *next == ' '),
            // Common in names of their own scripts; beside Latin letters they read as `:` and `/`.
            '\u{903}' | '\u{a83}' | 'ノ' | 'ﾉ' if previous.is_ascii_alphabetic() => false,
            c if looks_like_a_sign(c) => false,
            c => match c.general_category_group() {
                GeneralCategoryGroup::Letter => true,
                GeneralCategoryGroup::Mark => is_letter_or_mark(previous),
                _ => false,
            },
        };
        if !is_allowed || count > MAX_GREETING_CHARS {
            return None;
        }
        previous = c;
    }
    name.chars().any(|c| c.general_category_group() == GeneralCategoryGroup::Letter).then_some(name)
}

fn is_letter_or_mark(c: char) -> bool {
    matches!(c.general_category_group(), GeneralCategoryGroup::Letter | GeneralCategoryGroup::Mark)
}

/// Whether a letter or mark looks like `.`, `:`, `/`, `\`, `!`, `,`, `|` or `*`, and is in no usual name: from Unicode's
/// confusables (UTS #39), with the letters beside them that have the same forms.
fn looks_like_a_sign(c: char) -> bool {
    matches!(c,
        // Clicks.
        '\u{1c0}'..='\u{1c3}' | '\u{107b6}'..='\u{107ba}'
        // Half and whole colons.
        | '\u{2d0}' | '\u{2d1}' | '\u{10781}' | '\u{10782}'
        // Lisu tones; tone letters, raised and low exclamation marks; the sinological dot.
        | '\u{a4f8}'..='\u{a4fd}' | '\u{a717}'..='\u{a71f}' | '\u{a78f}'
        // Old Coptic esh, Tuareg yang, halves of kana repeat marks, strokes of Chinese characters, Old Italic ess.
        | '\u{2cc6}' | '\u{2cc7}' | '\u{2d51}' | '\u{3033}'..='\u{3035}' | '\u{4e36}' | '\u{4e3f}' | '\u{1031f}'
        // Musical dots and flags.
        | '\u{1d165}'..='\u{1d1ad}'
    )
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
    fn a_name_that_could_carry_a_message_or_a_link_is_not_greeted() {
        for name in [
            "URGENT: call +1-888-555-0100",
            "evil\u{2024}example/login",
            "evil.example",
            "www.x",
            "see //evil",
            "a@b",
            "evil\u{ff0e}example",
            "evil\u{3002}example",
            "<b>{{ 7*7 }}",
            "call 112",
            "Ⓔⓥⓘⓛ",
            "Anna\nBuy",
            "Anna\u{a0}Smith",
            ".",
            "-",
            " ",
            "",
            &"a".repeat(41),
        ] {
            assert_eq!(greeting_name(name), None, "{name}");
        }
        for name in [
            "Zoë",
            "J. R.",
            "Dr. Who",
            "O'Brien",
            "D’Arcy",
            "李",
            "Jean-Luc",
            "Gal·la",
            "\u{928}\u{93f}\u{924}\u{940}\u{936}",
            &"a".repeat(40),
        ] {
            assert_eq!(greeting_name(name), Some(name));
        }
    }

    #[test]
    fn letters_that_look_like_signs_are_not_greeted() {
        let signs = "\u{1c0}\u{1c1}\u{1c2}\u{1c3}\u{2d0}\u{2d1}\u{a789}\u{a4f8}\u{a4f9}\u{a4fa}\u{a4fb}\u{a4fc}\u{a4fd}\
            \u{a71d}\u{a78f}\u{10781}\u{107b9}\u{2cc6}\u{2d51}\u{3033}\u{4e36}\u{4e3f}\u{1031f}\u{1d16d}\
            \u{903}\u{a83}\u{30ce}\u{ff89}";
        for sign in signs.chars() {
            let name = format!("evil{sign}example");
            assert_eq!(greeting_name(&name), None, "{name} U+{:04X}", u32::from(sign));
        }
        for name in ["see \u{338}evil", "see\u{b7}\u{307}evil", "\u{338}evil"] {
            assert_eq!(greeting_name(name), None, "a mark on no letter: {name}");
        }
        // Where they are letters of names.
        for name in ["ノア", "乃ノ", "\u{930}\u{93e}\u{92e}\u{903}", "ʔaʔa", "\u{a4e1}\u{a4f2}", "N\u{329}"]
        {
            assert_eq!(greeting_name(name), Some(name));
        }
    }

    #[test]
    fn debug_does_not_show_the_name() {
        assert_eq!(format!("{:?}", Username::parse("ann").unwrap()), "Username(3 characters)");
    }
}
