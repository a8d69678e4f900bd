//! The characters that are refused in addresses, names and other texts of one line.

/// Whether a text has control characters (Unicode Cc: a line break ends a mail header, Postgres refuses NUL), line
/// separators, or characters that change the writing direction.
pub fn has_control_characters(text: &str) -> bool {
    text.chars().any(is_control)
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
