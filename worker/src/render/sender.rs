//! Who sends: headers that are the same in every email of these settings, made once, at the start. Receivers are strict about
//! the form of two, and lettre is not.

use lettre::Address;
use lettre::message::header::{self, Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Mailboxes};

use super::error::MessageError;

/// The recommended longest line (RFC 5322 §2.1.1), without its CRLF.
const LINE: usize = 78;

/// The sender of all emails.
#[derive(Clone, Debug)]
pub struct Sender {
    /// `MAIL_FROM`.
    pub(super) address: Address,
    pub(super) from: HeaderValue,
    pub(super) reply_to: Option<HeaderValue>,
    /// The last field of `Feedback-ID`: Gmail counts complaints by each field, and this one names the sender in 5 to 15
    /// characters, always the same (Gmail's "Feedback Loop").
    pub(super) feedback_id: String,
}

impl Sender {
    /// `MAIL_FROM`, `MAIL_FROM_NAME` (empty for none), and where answers go: `SUPPORT_EMAIL`.
    ///
    /// # Errors
    /// When a header cannot be made of them.
    pub fn new(address: Address, name: &str, reply_to: Option<Address>) -> Result<Sender, MessageError> {
        MessageError::refuse_header("sender's name", name)?;
        MessageError::refuse_beyond_ascii("sender's", &address)?;
        let name = name.trim();
        let from = quoted_from(name, &address).unwrap_or_else(|| {
            let name = Some(name.to_owned()).filter(|name| !name.is_empty());
            header::From::from(Mailboxes::from(Mailbox::new(name, address.clone()))).display()
        });
        let reply_to = reply_to
            .map(|address| header::ReplyTo::from(Mailboxes::from(Mailbox::new(None, address))).display());
        Ok(Sender { feedback_id: sender_id(address.domain()), address, from, reply_to })
    }
}

/// `From` with a display name, or `None` where lettre's encoding is right: names beyond ASCII become encoded words of at
/// most 75 characters (RFC 2047).
///
/// lettre writes a name such as `Acme.Inc` without quotes, although a period needs them (RFC 5322 §3.4, `phrase`), and
/// encodes one such as `Acme, Inc.`, which quotes alone make valid; spam filters count that.
fn quoted_from(name: &str, address: &Address) -> Option<HeaderValue> {
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

/// The fewest and the most characters of an id.
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
