//! An email as it arrived.

use std::time::Instant;

use mail_parser::MessageParser;

/// A message whose final dot was read.
#[derive(Debug, Clone)]
pub struct ReceivedMail {
    /// The address in MAIL FROM.
    pub from: String,
    /// The addresses in RCPT TO.
    pub to: Vec<String>,
    /// The message, without the dots that transport added, up to and with its last line end.
    pub data: Vec<u8>,
    /// When the final dot was read.
    pub at: Instant,
    /// Whether the session was encrypted.
    pub tls: bool,
    /// The user that logged in.
    pub auth_user: Option<String>,
    /// Whether 250 was sent for it. `false`: the client got no reply.
    pub answered: bool,
}

impl ReceivedMail {
    /// Whether a recipient has this address, in any case of letters.
    pub fn is_to(&self, recipient: &str) -> bool {
        self.to.iter().any(|to| to.eq_ignore_ascii_case(recipient))
    }

    /// The decoded subject.
    pub fn subject(&self) -> Option<String> {
        self.parsed()?.subject().map(str::to_owned)
    }

    /// The Message-ID, without its angle brackets.
    pub fn message_id(&self) -> Option<String> {
        self.parsed()?.message_id().map(str::to_owned)
    }

    /// The decoded text part.
    pub fn text(&self) -> Option<String> {
        self.parsed()?.body_text(0).map(|text| text.into_owned())
    }

    /// The decoded HTML part.
    pub fn html(&self) -> Option<String> {
        self.parsed()?.body_html(0).map(|html| html.into_owned())
    }

    /// A header as it is in the message, trimmed, not decoded.
    pub fn header(&self, name: &str) -> Option<String> {
        self.parsed()?.header_raw(name).map(|value| value.trim().to_owned())
    }

    /// The first http(s) link of the text part that contains `fragment`.
    pub fn link(&self, fragment: &str) -> Option<String> {
        link_in(&self.data, fragment)
    }

    /// The code of the text part, as it is shown there.
    pub fn code(&self) -> Option<String> {
        code_in(&self.data)
    }

    fn parsed(&self) -> Option<mail_parser::Message<'_>> {
        MessageParser::default().parse(&self.data)
    }
}

/// The line of a message's text part that is a code: `1234 5678`.
pub(super) fn code_in(message: &[u8]) -> Option<String> {
    let parsed = MessageParser::default().parse(message)?;
    let text = parsed.body_text(0)?;
    let is_code = |line: &&str| {
        let is_digit = |(at, c): (usize, char)| if at == 4 { c == ' ' } else { c.is_ascii_digit() };
        line.chars().count() == 9 && line.chars().enumerate().all(is_digit)
    };
    text.lines().map(str::trim).find(is_code).map(str::to_owned)
}

/// The first http(s) link of a message's text part that contains `fragment`.
pub(super) fn link_in(message: &[u8], fragment: &str) -> Option<String> {
    let parsed = MessageParser::default().parse(message)?;
    let text = parsed.body_text(0)?;
    let mut parts = text.split(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"'));
    let is_link = |part: &&str| part.starts_with("http://") || part.starts_with("https://");
    parts.find(|part| is_link(part) && part.contains(fragment)).map(str::to_owned)
}
