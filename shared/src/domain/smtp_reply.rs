//! A mail server's reply: code, enhanced code and text (RFC 5321 §4.2, RFC 2034).

use std::fmt;
use std::str::FromStr;

use super::text::{is_control, one_line};

/// Longest text that is stored or logged, in characters.
const MAX_TEXT_CHARS: usize = 500;

/// A reply to an SMTP command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SmtpReply {
    /// 200 to 599.
    pub code: u16,
    /// The enhanced code at the start of the text, if there is one.
    pub enhanced_code: Option<EnhancedCode>,
    /// What follows it, on one line of at most 500 characters.
    pub text: String,
}

impl SmtpReply {
    /// A reply with this code. `text` holds what follows the code on each line, the lines joined by `\n`.
    ///
    /// Many servers repeat the enhanced code on each line; it is taken out of all of them.
    pub fn new(code: u16, text: &str) -> SmtpReply {
        let (enhanced_code, _) = split_enhanced_code(text);
        let lines = text.lines().map(|line| match split_enhanced_code(line) {
            (Some(repeated), rest) if Some(repeated) == enhanced_code => rest,
            _ => line,
        });
        let text = one_short_line(&lines.collect::<Vec<_>>().join("\n"));
        SmtpReply { code, enhanced_code, text }
    }

    /// Whether the server did what it was asked (2xx).
    pub fn is_positive(&self) -> bool {
        (200..300).contains(&self.code)
    }

    /// Whether the server refused (4xx or 5xx).
    pub fn is_negative(&self) -> bool {
        self.code >= 400
    }
}

impl fmt::Display for SmtpReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.code)?;
        if let Some(enhanced_code) = self.enhanced_code {
            write!(f, " {enhanced_code}")?;
        }
        if self.text.is_empty() { Ok(()) } else { write!(f, " {}", self.text) }
    }
}

/// An enhanced status code (RFC 3463), such as 5.1.1: class, subject, detail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EnhancedCode {
    /// 2 (success), 4 (try again) or 5 (permanent).
    pub class: u8,
    /// What it is about: 1 is an address, 2 a mailbox, 3 a mail system, 5 the protocol, 6 the content, 7 security.
    pub subject: u16,
    /// What exactly, within the subject.
    pub detail: u16,
}

impl fmt::Display for EnhancedCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.class, self.subject, self.detail)
    }
}

/// The text is not an enhanced status code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an enhanced status code such as 5.1.1 is needed")]
pub struct EnhancedCodeError;

impl FromStr for EnhancedCode {
    type Err = EnhancedCodeError;

    fn from_str(text: &str) -> Result<EnhancedCode, EnhancedCodeError> {
        let mut parts = text.split('.');
        let mut number = || {
            let part = parts.next().filter(|part| (1..=3).contains(&part.len()))?;
            part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse::<u16>().ok())?
        };
        match (number(), number(), number(), parts.next()) {
            (Some(class @ (2 | 4 | 5)), Some(subject), Some(detail), None) => {
                Ok(EnhancedCode { class: class as u8, subject, detail })
            }
            _ => Err(EnhancedCodeError),
        }
    }
}

/// The enhanced code at the start of a text, and what follows it. Cisco's servers write `#5.1.0`.
fn split_enhanced_code(text: &str) -> (Option<EnhancedCode>, &str) {
    let start = text.trim_start();
    let start = start.strip_prefix('#').unwrap_or(start);
    let end = start.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(start.len());
    let (code, rest) = start.split_at(end);
    match code.parse() {
        Ok(code) => (Some(code), rest),
        Err(EnhancedCodeError) => (None, text),
    }
}

/// A text for a row or a log: one line of at most 500 characters, without any that change the writing direction.
pub fn one_short_line(text: &str) -> String {
    one_line(&text.replace(is_control, " ")).chars().take(MAX_TEXT_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_enhanced_code_stands_at_the_start_of_the_text() {
        for (text, enhanced_code, rest) in [
            ("5.1.1 no such user", Some("5.1.1"), "no such user"),
            ("2.0.0", Some("2.0.0"), ""),
            ("#5.1.0 Address rejected", Some("5.1.0"), "Address rejected"),
            ("5.7.509: Access denied", Some("5.7.509"), ": Access denied"),
            ("5.7.1 first\n5.7.1 second", Some("5.7.1"), "first second"),
            ("5.7.1 first\n5.7.2 second", Some("5.7.1"), "first 5.7.2 second"),
            ("no such user 5.1.1", None, "no such user 5.1.1"),
            ("5.1.1.4 is blocked", None, "5.1.1.4 is blocked"),
            ("3.1.1 what", None, "3.1.1 what"),
            ("5.1 short", None, "5.1 short"),
            ("5.1.1234 long", None, "5.1.1234 long"),
            ("", None, ""),
        ] {
            let reply = SmtpReply::new(550, text);
            let code = reply.enhanced_code.map(|code| code.to_string());
            assert_eq!((code.as_deref(), reply.text.as_str()), (enhanced_code, rest), "{text:?}");
        }
    }

    #[test]
    fn a_reply_is_shown_on_one_line() {
        assert_eq!(SmtpReply::new(550, "5.1.1 no such\nuser").to_string(), "550 5.1.1 no such user");
        assert_eq!(SmtpReply::new(250, "queued\u{7} as\t7").to_string(), "250 queued as 7");
        assert_eq!(SmtpReply::new(250, "").to_string(), "250");
    }

    #[test]
    fn a_text_keeps_to_one_line_of_500_characters() {
        let text = one_short_line(&format!("a\r\nb\u{7}\tc\u{202E}d\u{2028}e{}", "é".repeat(600)));
        assert!(text.starts_with("a b c d eé"), "{text}");
        assert_eq!(text.chars().count(), 500);
    }
}
