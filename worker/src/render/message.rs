//! From an email's body to the bytes on the wire: rendering, headers, encodings.

use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use base64::{Engine, prelude::BASE64_STANDARD};
use bookly_shared::bounce_address::BounceAddress;
use bookly_shared::config::Settings;
use bookly_shared::domain::{EmailAddress, EmailKind};
use bookly_shared::locale::Locale;
use chrono::{DateTime, Utc};
use lettre::Address;
use lettre::address::Envelope;
use lettre::message::header::{self, ContentTransferEncoding, ContentType, HeaderName, HeaderValue, Headers};
use lettre::message::{Body, Mailbox, Mailboxes, MultiPart, SinglePart};
use uuid::Uuid;

use super::body::{EmailBody, HEADER_LIMIT, MailRenderer, Rendered};
use super::echo::Echo;
use super::error::{ComposeError, ComposerStartError, MessageError};
use super::sender::Sender;

/// Makes messages, all from the sender of the settings. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Composer {
    renderer: Arc<MailRenderer>,
    sender: Sender,
    echo: Option<Echo>,
    bounces: Option<BounceAddress>,
}

/// A message ready to be sent, to one recipient.
pub struct Outgoing {
    /// The row's id.
    pub id: Uuid,
    /// Sender and recipient.
    pub envelope: Envelope,
    /// Headers and body, lines ended by CRLF, all ASCII.
    pub bytes: Vec<u8>,
    /// The secret part of its link, which must not be stored or logged.
    pub token: Option<String>,
    /// The code beside it, as it is shown. It must not be stored or logged either.
    pub code: Option<String>,
}

impl Composer {
    /// Loads the templates, and makes one email of each kind with sample values and these settings.
    ///
    /// # Errors
    /// A broken template, with file and line, or the reason why an email cannot be made.
    pub fn new(settings: &Settings) -> Result<Composer, ComposerStartError> {
        let folder: Option<&Path> = settings.template_folder.as_deref();
        let mail = &settings.mail;
        let renderer = MailRenderer::new(folder, &settings.product, settings.public_url.as_str())?;
        let reply_to = settings.product.support_email.as_ref().map(EmailAddress::to_lettre);
        let sender = Sender::new(mail.from.clone(), &mail.from_name, reply_to)?;
        let echo = Echo::of(&settings.bounces);
        let bounces = BounceAddress::of_settings(settings);
        let composer = Composer { renderer: Arc::new(renderer), sender, echo, bounces };
        for kind in EmailKind::ALL {
            let body = &EmailBody::sample(kind);
            let to = mail.from.as_ref();
            let sample =
                composer.compose(Uuid::nil(), to, settings.default_locale, body, DateTime::UNIX_EPOCH);
            sample.map_err(|error| ComposerStartError::Sample(kind, error))?;
        }
        Ok(composer)
    }

    /// Makes the message of a row in a language. Every attempt at a row has the same Message-ID, which is made from the id.
    ///
    /// # Errors
    /// When a template fails or the message cannot be built.
    pub fn compose(
        &self,
        id: Uuid,
        to: &str,
        locale: Locale,
        body: &EmailBody,
        now: DateTime<Utc>,
    ) -> Result<Outgoing, ComposeError> {
        let to: Address = to.parse().map_err(|_| ComposeError::Recipient)?;
        let rendered = self.renderer.render(locale, body)?;
        let (kind, unsubscribe) = (body.kind(), body.unsubscribe());
        let facts = MessageFacts { id, kind, sender: &self.sender, to: &to, unsubscribe, now };
        let mut message = compose(&rendered, &facts)?;
        if let Some(echo) = self.echo {
            echo.name_row(message.headers_mut(), id);
        }
        let sender = match &self.bounces {
            Some(bounces) => bounces.of_row(id).map_err(MessageError::Envelope)?,
            None => self.sender.address.clone(),
        };
        let envelope = Envelope::new(Some(sender), vec![to]).map_err(MessageError::Refused)?;
        Ok(Outgoing {
            id,
            envelope,
            bytes: message.formatted(),
            token: body.token().map(str::to_owned),
            code: body.code().map(str::to_owned),
        })
    }
}

/// What a message has beside its content.
#[derive(Clone, Copy, Debug)]
pub struct MessageFacts<'a> {
    /// The row's id: every copy of the email has the same Message-ID.
    pub id: Uuid,
    /// For `Feedback-ID`.
    pub kind: EmailKind,
    /// Who sends it.
    pub sender: &'a Sender,
    /// The one recipient.
    pub to: &'a Address,
    /// The https link that ends emails of this kind.
    pub unsubscribe: Option<&'a str>,
    /// For the `Date` header.
    pub now: DateTime<Utc>,
}

/// Builds the message as it goes over the wire: ASCII, lines of at most 998 octets.
///
/// # Errors
/// See [`MessageError`].
pub fn compose(rendered: &Rendered, facts: &MessageFacts<'_>) -> Result<MultiPart, MessageError> {
    MessageError::refuse_header("subject", &rendered.subject)?;
    MessageError::refuse_beyond_ascii("recipient's", facts.to)?;
    let mut message = MultiPart::alternative()
        .singlepart(part(ContentType::TEXT_PLAIN, &rendered.text))
        .singlepart(part(ContentType::TEXT_HTML, &rendered.html));
    let content_type = message.headers_mut().remove_raw("Content-Type");
    let mut headers = headers(rendered, facts);
    content_type.into_iter().for_each(|header| headers.insert_raw(header));
    *message.headers_mut() = headers;
    Ok(message)
}

/// What headers cannot have, for each email and for the sender of all.
impl MessageError {
    /// Refuses a text that cannot stand in a header.
    pub(super) fn refuse_header(what: &'static str, text: &str) -> Result<(), MessageError> {
        if text.contains(['\r', '\n', '\0']) {
            return Err(MessageError::LineBreak(what));
        }
        if text.len() > HEADER_LIMIT { Err(MessageError::TooLong(what)) } else { Ok(()) }
    }

    /// Refuses an address that would need SMTPUTF8.
    pub(super) fn refuse_beyond_ascii(whose: &'static str, address: &Address) -> Result<(), MessageError> {
        let address: &str = address.as_ref();
        if address.is_ascii() { Ok(()) } else { Err(MessageError::NotAscii(whose)) }
    }
}

fn headers(rendered: &Rendered, facts: &MessageFacts<'_>) -> Headers {
    let MessageFacts { id, kind, sender, to, unsubscribe, now } = facts;
    let mut headers = Headers::new();
    headers.insert_raw(sender.from.clone());
    sender.reply_to.iter().for_each(|header| headers.insert_raw(header.clone()));
    headers.set(header::To::from(Mailboxes::from(Mailbox::new(None, (*to).clone()))));
    if rendered.subject.contains("=?") {
        headers.insert_raw(encoded_subject(&rendered.subject));
    } else {
        headers.set(header::Subject::from(rendered.subject.clone()));
    }
    headers.set(header::Date::from(SystemTime::from(*now)));
    headers.set(header::MessageId::from(format!("<{id}@{}>", sender.address.domain())));
    headers.set(header::MIME_VERSION_1_0);
    headers.insert_raw(raw("Auto-Submitted", "auto-generated"));
    headers.insert_raw(raw("X-Auto-Response-Suppress", SUPPRESSED));
    headers.insert_raw(raw("Feedback-ID", &format!("{kind}:{}", sender.feedback_id)));
    // Mail programs show a button that posts to it, if DKIM signs both headers (RFC 8058).
    if let Some(url) = unsubscribe {
        headers.insert_raw(raw("List-Unsubscribe", &format!("<{url}>")));
        headers.insert_raw(raw("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"));
    }
    headers
}

/// Most bytes of text in an encoded word: with `Subject: ` before it, the line has 77 characters.
const ENCODED_BYTES: usize = 42;

/// `Subject` of a text that looks like an encoded word in part: lettre writes that part as it is, and clients would decode it.
/// Encoded words, one a line.
fn encoded_subject(text: &str) -> HeaderValue {
    let mut words: Vec<String> = vec![String::new()];
    for c in text.chars() {
        match words.last_mut() {
            Some(word) if word.len() + c.len_utf8() <= ENCODED_BYTES => word.push(c),
            _ => words.push(c.to_string()),
        }
    }
    let words = words.iter().map(|word| format!("=?utf-8?b?{}?=", BASE64_STANDARD.encode(word)));
    let encoded = words.collect::<Vec<_>>().join("\r\n ");
    let name = HeaderName::new_from_ascii_str("Subject");
    HeaderValue::dangerous_new_pre_encoded(name, text.to_owned(), encoded)
}

/// What Exchange does not answer with (MS-OXCMAIL 2.1.3.2.20): everything but NDR, so that bounces still come.
const SUPPRESSED: &str = "DR, RN, NRN, OOF, AutoReply";

fn raw(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}

/// Always quoted-printable: lettre's own choice keeps bare LF and long lines of ASCII text.
fn part(content_type: ContentType, text: &str) -> SinglePart {
    let encoding = ContentTransferEncoding::QuotedPrintable;
    let text = if text.contains('\r') {
        Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n"))
    } else {
        Cow::Borrowed(text)
    };
    let body = Body::dangerous_pre_encoded(quoted_printable(&text), encoding);
    SinglePart::builder().header(content_type).body(body)
}

/// Longest line of quoted-printable, without its CRLF (RFC 2045 §6.7, rule 5).
const LINE: usize = 76;

/// Quoted-printable (RFC 2045 §6.7) of a text whose lines end in LF: every LF as CRLF, lines of at most 76 characters.
///
/// Own code, because lettre's encoder takes longer than everything else that makes an email: it moves the text once a
/// line and encodes one character at a time.
fn quoted_printable(text: &str) -> Vec<u8> {
    let text = text.as_bytes();
    let mut encoded = Vec::with_capacity(text.len() + text.len() / 8);
    let mut start = 0;
    for end in memchr::memchr_iter(b'\n', text).chain([text.len()]) {
        if start > 0 {
            encoded.extend_from_slice(b"\r\n");
        }
        encode_line(&text[start..end], &mut encoded);
        start = end + 1;
    }
    encoded
}

fn encode_line(line: &[u8], encoded: &mut Vec<u8>) {
    // Most lines are of visible ASCII and blanks. There a search for the equals sign alone is several times faster.
    let is_odd = |byte: &u8| u8::from(byte.wrapping_sub(b' ') > b'~' - b' ');
    let only_equals = line.iter().fold(0, |odd, byte| odd | is_odd(byte)) == 0;
    let (mut rest, mut room) = (line, LINE);
    while !rest.is_empty() {
        let plain = plain_run(rest, room, only_equals);
        // A soft line break takes one character, unless nothing follows.
        let fits = if plain == rest.len() && plain <= room { plain } else { plain.min(room - 1) };
        if fits > 0 {
            encoded.extend_from_slice(&rest[..fits]);
            (rest, room) = (&rest[fits..], room - fits);
        } else if plain == 0 && ESCAPED + usize::from(rest.len() > 1) <= room {
            encoded.extend_from_slice(&[b'=', digit(rest[0] >> 4), digit(rest[0] & 15)]);
            (rest, room) = (&rest[1..], room - ESCAPED);
        } else {
            encoded.extend_from_slice(b"=\r\n");
            room = LINE;
        }
    }
}

/// How many characters an escaped byte has.
const ESCAPED: usize = 3;

/// How many bytes of the line stand for themselves, one more than the room at most. Where `only_equals`, no byte but the
/// equals sign needs an escape.
fn plain_run(line: &[u8], room: usize, only_equals: bool) -> usize {
    let within = &line[..line.len().min(room + 1)];
    let escaped = if only_equals {
        memchr::memchr(b'=', within)
    } else {
        within.iter().position(|byte| !matches!(byte, b'\t' | b' '..=b'<' | b'>'..=b'~'))
    };
    let run = escaped.unwrap_or(within.len());
    // Servers may remove white space at the end of a line (rule 3).
    let ends_blank = run == line.len() && (line.ends_with(b" ") || line.ends_with(b"\t"));
    if ends_blank { run - 1 } else { run }
}

fn digit(half: u8) -> u8 {
    if half < 10 { b'0' + half } else { b'A' + half - 10 }
}

#[cfg(test)]
mod tests;
