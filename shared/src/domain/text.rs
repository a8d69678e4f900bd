//! Which characters have no place in an address, a name, or any other text of one line.

/// Whether a text holds what has no place in any field: control characters (Unicode Cc: a line break would end
/// a mail header, Postgres takes no NUL), line separators, and characters that change the writing direction.
pub fn has_control_characters(text: &str) -> bool {
    text.chars().any(is_control)
}

pub(super) fn is_control(c: char) -> bool {
    c.is_control() || is_bidi_control(c) || is_line_separator(c)
}

/// Reorders the text around it: the way to make a line read as what it is not (Unicode TR36 §2.6).
fn is_bidi_control(c: char) -> bool {
    matches!(c, '\u{61C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// Ends a line: U+2028 and U+2029 do, yet Unicode does not count them among its control characters.
fn is_line_separator(c: char) -> bool {
    matches!(c, '\u{2028}' | '\u{2029}')
}

/// Prints nothing at all, so that two texts can look alike and differ.
pub(super) fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{AD}' | '\u{34F}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180F}'
            | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{3164}'
            | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFF8}'
            | '\u{E0000}'..='\u{E0FFF}'
    )
}
