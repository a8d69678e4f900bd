//! The characters that are refused in addresses, names and other texts of one line, and escaped where a text of another
//! program is shown.

use std::borrow::Cow;
use std::fmt::Write;

/// A text from outside as a terminal, a log or a page can show it: control characters (escape sequences among them), line
/// breaks and characters that change the writing direction are written as `\u001b`, as in JSON.
pub fn printable(text: &str) -> Cow<'_, str> {
    escaped(text, is_control)
}

/// The same for a text of several lines, whose line breaks stay.
pub fn printable_lines(text: &str) -> Cow<'_, str> {
    escaped(text, |c| c != '\n' && is_control(c))
}

fn escaped(text: &str, is_escaped: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&is_escaped) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_escaped(c) {
            // All of them have four hexadecimal digits at most. Writing to a string cannot fail.
            let _ = write!(shown, "\\u{:04x}", u32::from(c));
        } else {
            shown.push(c);
        }
    }
    Cow::Owned(shown)
}

/// A duration for people: `42 s`, `7 min`, `3 h`, `2 d`, rounded down.
pub fn short_duration(seconds: f64) -> String {
    let (unit, name) = match seconds {
        ..120.0 => (1.0, "s"),
        ..7_200.0 => (60.0, "min"),
        ..172_800.0 => (3_600.0, "h"),
        _ => (86_400.0, "d"),
    };
    format!("{:.0} {name}", (seconds.max(0.0) / unit).floor())
}

/// Whether a text has control characters (Unicode Cc: a line break ends a mail header, Postgres refuses NUL), line
/// separators, or characters that change the writing direction.
pub fn has_control_characters(text: &str) -> bool {
    text.chars().any(is_control)
}

/// Whether a character is invisible, or only changes the writing direction.
pub fn prints_nothing(c: char) -> bool {
    is_invisible(c) || is_bidi_control(c)
}

/// Whether a text has a character that prints something.
pub fn is_visible(text: &str) -> bool {
    text.chars().any(|c| !is_invisible(c) && !c.is_whitespace())
}

/// The text on one line: runs of white space and control characters become one space.
pub fn one_line(text: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ")
}

pub(super) fn is_control(c: char) -> bool {
    c.is_control() || is_bidi_control(c) || is_line_separator(c)
}

/// It reorders the text around it, so that a line can read as something else (Unicode TR36 §2.6).
fn is_bidi_control(c: char) -> bool {
    matches!(c, '\u{61C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// U+2028 and U+2029 end a line, but are not control characters in Unicode.
fn is_line_separator(c: char) -> bool {
    matches!(c, '\u{2028}' | '\u{2029}')
}

/// It prints nothing, so that two different texts can look the same.
pub(super) fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{AD}' | '\u{34F}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180F}'
            | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{3164}'
            | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFF8}'
            | '\u{E0000}'..='\u{E0FFF}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_durations_are_rounded_down() {
        for (seconds, words) in [
            (-1.0, "0 s"),
            (0.9, "0 s"),
            (119.9, "119 s"),
            (120.0, "2 min"),
            (7_199.0, "119 min"),
            (7_200.0, "2 h"),
            (172_800.0, "2 d"),
        ] {
            assert_eq!(short_duration(seconds), words);
        }
    }

    #[test]
    fn what_a_terminal_would_obey_is_escaped_and_all_else_stays() {
        for (text, shown) in [
            ("Zoë 李 'a\\b'", "Zoë 李 'a\\b'"),
            ("a\u{1b}[2Jb\u{9b}1mc\u{7f}", "a\\u001b[2Jb\\u009b1mc\\u007f"),
            ("a\r\nb\u{2028}c\u{202e}d\0", "a\\u000d\\u000ab\\u2028c\\u202ed\\u0000"),
        ] {
            assert_eq!(printable(text), shown);
        }
        assert_eq!(printable_lines("a\nb\r\n\tc"), "a\nb\\u000d\n\\u0009c");
    }

    #[test]
    fn every_character_that_is_escaped_has_four_digits() {
        assert!(('\0'..=char::MAX).filter(|c| is_control(*c)).all(|c| u32::from(c) <= 0xffff));
    }
}
