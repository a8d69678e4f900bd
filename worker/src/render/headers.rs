//! The headers whose form receivers are strict about, and lettre is not.

use base64::{Engine, prelude::BASE64_STANDARD};
use bookly_shared::domain::EmailKind;
use lettre::Address;
use lettre::message::header::{HeaderName, HeaderValue};

/// Longest line that needs no excuse (RFC 5322 §2.1.1), without its CRLF.
const LINE: usize = 78;

/// `From` with a display name, or `None` where lettre's encoding is right: names beyond ASCII become encoded words of at
/// most 75 characters (RFC 2047).
///
/// lettre writes a name such as `Acme.Inc` without quotes, although a period needs them (RFC 5322 §3.4, `phrase`), and
/// encodes one such as `Acme, Inc.`, which quotes alone make valid; spam filters count that.
pub(super) fn from(name: &str, address: &Address) -> Option<HeaderValue> {
    let mailbox = quoted_mailbox(name, address)?;
    let value = folded(&mailbox, "From: ".len());
    Some(HeaderValue::dangerous_new_pre_encoded(HeaderName::new_from_ascii_str("From"), mailbox, value))
}

fn quoted_mailbox(name: &str, address: &Address) -> Option<String> {
    let is_plain = |c: char| c.is_ascii_graphic() || c == ' ';
    // Many clients decode what looks like an encoded word inside quotes too.
    if name.is_empty() || !name.chars().all(is_plain) || name.contains("=?") {
        return None;
    }
    Some(format!("{} <{address}>", quoted(name)))
}

/// A `quoted-string` (RFC 5322 §3.2.4).
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Breaks lines before spaces. Unfolded it is the same text (RFC 5322 §2.2.3).
fn folded(value: &str, start: usize) -> String {
    let mut folded = String::with_capacity(value.len() + 16);
    let mut length = start;
    for (index, word) in value.split(' ').enumerate() {
        if index > 0 {
            // A line of nothing but spaces would be obsolete syntax (section 4.2).
            if length + 1 + word.len() > LINE && !word.is_empty() {
                folded.push_str("\r\n");
                length = 0;
            }
            folded.push(' ');
            length += 1;
        }
        folded.push_str(word);
        length += word.len();
    }
    folded
}

/// `Subject` of a text that looks like an encoded word in part, or `None` where lettre's encoding is right: lettre writes
/// that part as it is, and clients would decode it.
pub(super) fn subject(text: &str) -> Option<HeaderValue> {
    let name = HeaderName::new_from_ascii_str("Subject");
    text.contains("=?").then(|| HeaderValue::dangerous_new_pre_encoded(name, text.to_owned(), encoded(text)))
}

/// Most bytes of text in an encoded word: with `Subject: ` before it, the line has 77 characters.
const ENCODED_BYTES: usize = 42;

/// Encoded words, one a line.
fn encoded(text: &str) -> String {
    let mut words: Vec<String> = vec![String::new()];
    for c in text.chars() {
        match words.last_mut() {
            Some(word) if word.len() + c.len_utf8() <= ENCODED_BYTES => word.push(c),
            _ => words.push(c.to_string()),
        }
    }
    let words = words.iter().map(|word| format!("=?utf-8?b?{}?=", BASE64_STANDARD.encode(word)));
    words.collect::<Vec<_>>().join("\r\n ")
}

/// `Feedback-ID`: the kind, and who sends. Gmail counts complaints by each of its fields; the last names the sender in
/// 5 to 15 characters, always the same (Gmail's "Feedback Loop").
pub(super) fn feedback_id(kind: EmailKind, from: &Address) -> HeaderValue {
    let value = format!("{}:{}", kind.as_str(), sender_id(from.domain()));
    HeaderValue::new(HeaderName::new_from_ascii_str("Feedback-ID"), value)
}

/// The fewest and the most characters.
const SENDER_ID: (usize, usize) = (5, 15);

fn sender_id(domain: &str) -> String {
    let letters: String = domain.chars().filter(char::is_ascii_alphanumeric).take(SENDER_ID.1).collect();
    format!("{letters:x<least$}", least = SENDER_ID.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_display_name_is_quoted_and_folded_between_words() {
        let address: Address = "a@b.example".parse().unwrap();
        let encoded =
            |name: &str| quoted_mailbox(name, &address).map(|mailbox| folded(&mailbox, "From: ".len()));
        for (name, header) in [
            ("Bookly", "\"Bookly\" <a@b.example>"),
            ("Acme.Inc", "\"Acme.Inc\" <a@b.example>"),
            ("Acme, Inc.", "\"Acme, Inc.\" <a@b.example>"),
            ("a \"b\" \\c", "\"a \\\"b\\\" \\\\c\" <a@b.example>"),
        ] {
            assert_eq!(encoded(name).as_deref(), Some(header));
        }
        for name in ["", "Größe", "=?utf-8?q?Bank?=", "a\tb"] {
            assert_eq!(encoded(name), None, "{name:?}");
        }
        let name = "Library of Books ".repeat(8);
        let long = encoded(name.trim()).unwrap();
        assert!(long.lines().count() > 1 && long.lines().all(|line| line.len() <= LINE), "{long}");
        assert_eq!(long.replace("\r\n", ""), format!("\"{}\" <a@b.example>", name.trim()));
    }

    #[test]
    fn the_sender_in_the_feedback_id_has_5_to_15_characters() {
        for (domain, id) in [
            ("books.example.org", "booksexampleorg"),
            ("mail.books.example.org", "mailbooksexampl"),
            ("t.co", "tcoxx"),
            ("localhost", "localhost"),
        ] {
            assert_eq!(sender_id(domain), id);
        }
    }
}
