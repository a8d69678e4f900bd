//! Puts headers and encodings around a rendered mail.

use std::time::SystemTime;

use chrono::{DateTime, Utc};
use lettre::Address;
use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue};
use lettre::message::{Body, Mailbox, Message, MultiPart, SinglePart};
use uuid::Uuid;

use super::{Rendered, quoted_printable};

/// What a message says beside its content.
#[derive(Clone, Copy, Debug)]
pub struct MessageFacts<'a> {
    /// The id of the mail's row: another copy of the mail has the same Message-ID.
    pub id: Uuid,
    /// `MAIL_FROM`.
    pub from: &'a Address,
    /// `MAIL_FROM_NAME`; empty for none.
    pub from_name: &'a str,
    /// The one recipient.
    pub to: &'a Address,
    /// For the `Date` header.
    pub now: DateTime<Utc>,
}

/// The message cannot be built; another attempt gives the same error.
#[derive(Debug, thiserror::Error)]
pub enum ComposeError {
    /// CR, LF or NUL in the sender's name or the subject would panic the builder, or be a header of its own.
    #[error("the {0} holds a line break or a NUL")]
    LineBreak(&'static str),
    /// A word is never folded: a very long one would pass the 998 octets of a line (RFC 5322 §2.1.1).
    #[error("the {0} is longer than {HEADER_LIMIT} bytes")]
    TooLong(&'static str),
    /// Headers are ASCII here: an address outside it needs SMTPUTF8 (RFC 6531). Domains come in their `xn--` form.
    #[error("the {0} address is not ASCII")]
    NotAscii(&'static str),
    /// The library refused.
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
    let message = Message::builder()
        .from(Mailbox::new(from_name, facts.from.clone()))
        .to(Mailbox::new(None, facts.to.clone()))
        .subject(&*rendered.subject)
        .date(SystemTime::from(facts.now))
        .message_id(Some(format!("<{}@{}>", facts.id, facts.from.domain())))
        .raw_header(header("Auto-Submitted", "auto-generated"))
        .raw_header(header("X-Auto-Response-Suppress", SUPPRESSED))
        .multipart(
            MultiPart::alternative()
                .singlepart(part(ContentType::TEXT_PLAIN, &rendered.text))
                .singlepart(part(ContentType::TEXT_HTML, &rendered.html)),
        )?;
    Ok(message)
}

/// For the sender's name and the subject, in bytes: more than any client shows, less than a line may have.
pub(super) const HEADER_LIMIT: usize = 500;

/// What Exchange should not answer with (MS-OXCMAIL 2.1.3.2.20): all but NDR, because a bounce is worth knowing.
const SUPPRESSED: &str = "DR, RN, NRN, OOF, AutoReply";

fn header(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}

/// Always quoted-printable: lettre's own choice lets bare LF and long lines through where the text is ASCII.
fn part(content_type: ContentType, text: &str) -> SinglePart {
    let encoding = ContentTransferEncoding::QuotedPrintable;
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let body = Body::dangerous_pre_encoded(quoted_printable::encode(&text), encoding);
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
