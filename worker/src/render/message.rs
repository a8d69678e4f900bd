//! From an email's body to the bytes on the wire: rendering, headers, encodings.

use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use bookly_shared::bounce_address::BounceAddress;
use bookly_shared::config::Settings;
use bookly_shared::domain::{EmailAddress, EmailKind};
use bookly_shared::locale::Locale;
use bookly_shared::templates::{RenderError, TemplateError};
use chrono::{DateTime, Utc};
use lettre::Address;
use lettre::address::Envelope;
use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue};
use lettre::message::{Body, Mailbox, Message, MultiPart, SinglePart};
use uuid::Uuid;

use super::body::{EmailBody, HEADER_LIMIT, MailRenderer, Rendered};
use super::echo::Echo;
use super::headers;

/// Makes messages, all from the sender of the settings. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Composer {
    renderer: Arc<MailRenderer>,
    from: Address,
    from_name: String,
    reply_to: Option<Address>,
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

/// The email cannot be made; another attempt gives the same error.
#[derive(Debug, thiserror::Error)]
pub enum CannotCompose {
    /// The recipient is not an address. This service writes only parsed ones into rows.
    #[error("the recipient is not an address")]
    Recipient,
    /// A template failed.
    #[error(transparent)]
    Render(#[from] RenderError),
    /// The message could not be built.
    #[error(transparent)]
    Compose(#[from] ComposeError),
}

/// Why no email can be made with these settings.
#[derive(Debug, thiserror::Error)]
pub enum ComposerError {
    /// An email of this kind cannot be made with these settings.
    #[error("an email {0} cannot be made: {1}; check MAIL_FROM, MAIL_FROM_NAME and TEMPLATE_FOLDER")]
    Sample(EmailKind, CannotCompose),
    /// A template is broken.
    #[error(transparent)]
    Template(#[from] TemplateError),
}

impl Composer {
    /// Loads the templates, and makes one email of each kind with sample values and these settings.
    ///
    /// # Errors
    /// A broken template, with file and line, or the reason why an email cannot be made.
    pub fn new(settings: &Settings) -> Result<Composer, ComposerError> {
        let folder: Option<&Path> = settings.template_folder.as_deref();
        let mail = &settings.mail;
        let renderer = MailRenderer::new(folder, &settings.product, settings.public_url.as_str())?;
        let (from, from_name) = (mail.from.clone(), mail.from_name.clone());
        let reply_to = settings.product.support_email.as_ref().map(EmailAddress::to_lettre);
        let echo = Echo::of(&settings.bounces);
        let bounces = BounceAddress::of_settings(settings);
        let composer = Composer { renderer: Arc::new(renderer), from, from_name, reply_to, echo, bounces };
        for kind in EmailKind::ALL {
            let body = &EmailBody::sample(kind);
            let to = mail.from.as_ref();
            let sample =
                composer.compose(Uuid::nil(), to, settings.default_locale, body, DateTime::UNIX_EPOCH);
            sample.map_err(|error| ComposerError::Sample(kind, error))?;
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
    ) -> Result<Outgoing, CannotCompose> {
        let to: Address = to.parse().map_err(|_| CannotCompose::Recipient)?;
        let rendered = self.renderer.render(locale, body)?;
        let (from, reply_to) = (&self.from, self.reply_to.as_ref());
        let (kind, unsubscribe) = (body.kind(), body.unsubscribe());
        let facts =
            MessageFacts { id, kind, from, from_name: &self.from_name, to: &to, reply_to, unsubscribe, now };
        let mut message = compose(&rendered, &facts)?;
        if let Some(echo) = self.echo {
            echo.name_row(message.headers_mut(), id);
        }
        let sender = match &self.bounces {
            Some(bounces) => bounces.of_row(id).map_err(ComposeError::Sender)?,
            None => self.from.clone(),
        };
        let envelope = Envelope::new(Some(sender), vec![to.clone()]).map_err(ComposeError::Refused)?;
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
    /// `MAIL_FROM`.
    pub from: &'a Address,
    /// `MAIL_FROM_NAME`; empty for none.
    pub from_name: &'a str,
    /// The one recipient.
    pub to: &'a Address,
    /// `SUPPORT_EMAIL`.
    pub reply_to: Option<&'a Address>,
    /// The https link that ends emails of this kind.
    pub unsubscribe: Option<&'a str>,
    /// For the `Date` header.
    pub now: DateTime<Utc>,
}

/// The message cannot be built; another attempt gives the same error.
#[derive(Debug, thiserror::Error)]
pub enum ComposeError {
    /// CR, LF or NUL in the sender's name or the subject makes the builder panic, or starts a header.
    #[error("the {0} holds a line break or a NUL")]
    LineBreak(&'static str),
    /// The builder does not fold inside a word: a very long one would exceed the 998 octets of a line (RFC 5322 §2.1.1).
    #[error("the {0} is longer than {HEADER_LIMIT} bytes")]
    TooLong(&'static str),
    /// Headers are ASCII here: another address needs SMTPUTF8 (RFC 6531). Domains are in their `xn--` form.
    #[error("the {0} address is not ASCII")]
    NotAscii(&'static str),
    /// The envelope's sender is no address. The settings are checked, so this does not happen.
    #[error("the envelope's sender cannot be made")]
    Sender(#[source] lettre::address::AddressError),
    /// lettre refused it.
    #[error("the message cannot be built")]
    Refused(#[from] lettre::error::Error),
}

/// Builds the message as it goes over the wire: ASCII, lines of at most 998 octets.
///
/// # Errors
/// See [`ComposeError`].
pub fn compose(rendered: &Rendered, facts: &MessageFacts<'_>) -> Result<Message, ComposeError> {
    refuse_header("sender's name", facts.from_name)?;
    refuse_header("subject", &rendered.subject)?;
    refuse_beyond_ascii("sender's", facts.from)?;
    refuse_beyond_ascii("recipient's", facts.to)?;
    let from_name = Some(facts.from_name.trim().to_owned()).filter(|name| !name.is_empty());
    let mut message = Message::builder();
    if let Some(address) = facts.reply_to {
        message = message.reply_to(Mailbox::new(None, address.clone()));
    }
    // Mail programs show a button that posts to it, if DKIM signs both headers (RFC 8058).
    if let Some(url) = facts.unsubscribe {
        let post = header("List-Unsubscribe-Post", "List-Unsubscribe=One-Click");
        message = message.raw_header(header("List-Unsubscribe", &format!("<{url}>"))).raw_header(post);
    }
    let quoted = from_name.as_deref().and_then(|name| headers::from(name, facts.from));
    let mut message = message
        .from(Mailbox::new(from_name, facts.from.clone()))
        .to(Mailbox::new(None, facts.to.clone()))
        .subject(&*rendered.subject)
        .date(SystemTime::from(facts.now))
        .message_id(Some(format!("<{}@{}>", facts.id, facts.from.domain())))
        .raw_header(header("Auto-Submitted", "auto-generated"))
        .raw_header(header("X-Auto-Response-Suppress", SUPPRESSED))
        .raw_header(headers::feedback_id(facts.kind, facts.from))
        .multipart(
            MultiPart::alternative()
                .singlepart(part(ContentType::TEXT_PLAIN, &rendered.text))
                .singlepart(part(ContentType::TEXT_HTML, &rendered.html)),
        )?;
    for header in [quoted, headers::subject(&rendered.subject)].into_iter().flatten() {
        message.headers_mut().insert_raw(header);
    }
    Ok(message)
}

/// What Exchange does not answer with (MS-OXCMAIL 2.1.3.2.20): everything but NDR, so that bounces still come.
const SUPPRESSED: &str = "DR, RN, NRN, OOF, AutoReply";

fn header(name: &'static str, value: &str) -> HeaderValue {
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

fn refuse_header(what: &'static str, text: &str) -> Result<(), ComposeError> {
    if text.contains(['\r', '\n', '\0']) {
        return Err(ComposeError::LineBreak(what));
    }
    if text.len() > HEADER_LIMIT { Err(ComposeError::TooLong(what)) } else { Ok(()) }
}

fn refuse_beyond_ascii(whose: &'static str, address: &Address) -> Result<(), ComposeError> {
    let address: &str = address.as_ref();
    if address.is_ascii() { Ok(()) } else { Err(ComposeError::NotAscii(whose)) }
}

/// Longest line of quoted-printable, without its CRLF (RFC 2045 §6.7, rule 5).
const LINE: usize = 76;

/// Quoted-printable (RFC 2045 §6.7) of a text whose lines end in LF: every LF as CRLF, lines of at most 76 characters.
///
/// Own code, because lettre's encoder takes longer than everything else that makes an email: it moves the text once a
/// line and encodes one character at a time.
fn quoted_printable(text: &str) -> Vec<u8> {
    let mut encoded = Vec::with_capacity(text.len() + text.len() / 8);
    let mut lines = text.split('\n').peekable();
    while let Some(line) = lines.next() {
        encode_line(line.as_bytes(), &mut encoded);
        if lines.peek().is_some() {
            encoded.extend_from_slice(b"\r\n");
        }
    }
    encoded
}

fn encode_line(line: &[u8], encoded: &mut Vec<u8>) {
    let mut room = LINE;
    for (index, &byte) in line.iter().enumerate() {
        let last = index + 1 == line.len();
        // Servers may remove white space at the end of a line (rule 3).
        let plain = matches!(byte, b'!'..=b'<' | b'>'..=b'~') || (matches!(byte, b' ' | b'\t') && !last);
        let width = if plain { 1 } else { 3 };
        // A soft line break takes one character, unless nothing follows.
        if width + usize::from(!last) > room {
            encoded.extend_from_slice(b"=\r\n");
            room = LINE;
        }
        room -= width;
        if plain {
            encoded.push(byte);
        } else {
            encoded.extend_from_slice(&[b'=', digit(byte >> 4), digit(byte & 15)]);
        }
    }
}

fn digit(half: u8) -> u8 {
    if half < 10 { b'0' + half } else { b'A' + half - 10 }
}

#[cfg(test)]
mod tests;
