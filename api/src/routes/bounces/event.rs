//! What the calls of all providers have in common.

use axum::http::HeaderMap;
use bookly_shared::domain::{
    EmailAddress, EnhancedCode, ReportSource, ReportVerdict, enhanced_code_in, judge,
};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// How far the time of a signature may be from now.
pub(super) const GOOD_FOR: TimeDelta = TimeDelta::minutes(5);

/// A call, read to its end.
pub(super) struct Call<'a> {
    pub(super) headers: &'a HeaderMap,
    pub(super) body: &'a [u8],
    pub(super) now: DateTime<Utc>,
}

/// Why a call is refused.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    WrongProof,
    Malformed(&'static str),
    /// The proof stands in the body, which cannot be read.
    Unproved(&'static str),
}

/// A bounce or a complaint about an email that this service may have sent.
#[derive(Debug)]
pub(super) struct Event {
    /// The row's id.
    pub(super) email_id: Uuid,
    /// The recipient that the report is about.
    pub(super) recipient: EmailAddress,
    pub(super) verdict: ReportVerdict,
    /// The reporter's words, as they came.
    pub(super) words: String,
    /// What the provider calls this event: the same when it is sent again.
    pub(super) event_id: String,
}

/// Why an event has no effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ignored {
    /// A delivery, an opened email, an automatic reply.
    OtherKind,
    /// It names no email that could be one of this service, or no recipient.
    NamesNone,
}

/// What was read of a call, event by event.
pub(super) type Events = Vec<Result<Event, Ignored>>;

/// What a provider says of one email.
pub(super) struct Said<'a> {
    /// From the general to the particular, as in the table of meanings.
    pub(super) what: &'a [&'a str],
    /// The enhanced code, where the call has a field for it.
    pub(super) code: &'a str,
    /// What the receiver said, else the provider's explanation.
    pub(super) words: &'a str,
    /// What may name the row: a value that the provider echoes, or a Message-ID.
    pub(super) names: &'a [&'a str],
    /// The address, alone or with a name.
    pub(super) recipient: &'a str,
    pub(super) event_id: &'a str,
}

impl Call<'_> {
    /// A header that is there once.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.get_all(name).iter();
        match (values.next(), values.next()) {
            (Some(value), None) => value.to_str().ok(),
            _ => None,
        }
    }

    /// Whether a Unix time in seconds is at most so long ago, and not in the future by more than clocks differ.
    pub(super) fn is_recent(&self, seconds: &str, good_for: TimeDelta) -> bool {
        let time = seconds.parse().ok().and_then(|seconds| DateTime::from_timestamp(seconds, 0));
        time.is_some_and(|time| time >= self.now - good_for && time <= self.now + GOOD_FOR)
    }

    /// The body as a document, or what is wrong with it.
    pub(super) fn json(&self) -> Result<Value, &'static str> {
        serde_json::from_slice(self.body).map_err(|_| "The body is not valid JSON")
    }
}

impl Event {
    pub(super) fn of(source: ReportSource, said: &Said<'_>) -> Result<Event, Ignored> {
        let code: Option<EnhancedCode> = said.code.parse().ok().or_else(|| enhanced_code_in(said.words));
        let verdict = judge(source, said.what, code).ok_or(Ignored::OtherKind)?;
        let named = said.names.iter().find_map(|name| id_in(name));
        let recipient = EmailAddress::parse(bare_address(said.recipient)).ok();
        let (email_id, recipient) = named.zip(recipient).ok_or(Ignored::NamesNone)?;
        let what = said.what.iter().filter(|word| !word.is_empty()).copied().collect::<Vec<_>>().join(" ");
        let words = if said.words.is_empty() { what } else { format!("{what}: {}", said.words) };
        // Without an id, two events are the same when they say the same of the same email.
        let named = Some(said.event_id).filter(|id| !id.is_empty()).map(str::to_owned);
        let event_id = named.unwrap_or_else(|| format!("{email_id} {words}"));
        Ok(Event { email_id, recipient, verdict, words, event_id })
    }

    /// A hash of the event's id, which the same event has when it is sent again.
    pub(super) fn mark(&self, source: ReportSource) -> [u8; 32] {
        mark_of(source, &self.event_id)
    }
}

/// A hash of what the provider calls an event.
pub(super) fn mark_of(source: ReportSource, event_id: &str) -> [u8; 32] {
    let hash = Sha256::new().chain_update(source.as_str()).chain_update([0]);
    hash.chain_update(event_id).finalize().into()
}

/// The id of a row, alone or as in its Message-ID: `<id@example.org>`.
fn id_in(name: &str) -> Option<Uuid> {
    let name = name.trim().trim_start_matches('<');
    name.split('@').next()?.parse().ok()
}

/// `ann@example.org` of `Ann <ann@example.org>`.
fn bare_address(text: &str) -> &str {
    match text.rsplit_once('<') {
        Some((_, address)) => address.trim_end().trim_end_matches('>'),
        None => text.trim(),
    }
}

/// A text of a document; empty where it is missing or something else.
pub(super) fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// The same for a text or a number.
pub(super) fn text_or_number(value: &Value, pointer: &str) -> String {
    match value.pointer(pointer) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        _ => String::new(),
    }
}

/// The first of these that is not empty, else an empty text.
pub(super) fn first_of<'a>(texts: &[&'a str]) -> &'a str {
    texts.iter().copied().find(|text| !text.is_empty()).unwrap_or_default()
}

/// A field of an object by its name in any case, for providers that change it.
pub(super) fn text_by_name<'a>(object: Option<&'a Value>, name: &str) -> &'a str {
    let fields = object.and_then(Value::as_object).into_iter().flatten();
    let mut values = fields.filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value);
    values.next().and_then(Value::as_str).unwrap_or_default()
}
