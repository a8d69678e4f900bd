//! Postmark: basic authentication in the URL of the webhook; one event a call
//! (<https://postmarkapp.com/developer/webhooks/bounce-webhook>).

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bookly_shared::config::POSTMARK_METADATA;
use bookly_shared::domain::ReportSource;
use subtle::ConstantTimeEq;

use super::event::{Call, Event, Events, Refusal, Said, first_of, text, text_by_name, text_or_number};

pub(super) fn read(call: &Call<'_>, credentials: &str) -> Result<Events, Refusal> {
    if !is_proved(call, credentials) {
        return Err(Refusal::WrongProof);
    }
    let event = call.json().map_err(Refusal::Malformed)?;
    if !event.is_object() {
        return Err(Refusal::Malformed("An object is needed"));
    }
    let record_type = text(&event, "/RecordType");
    // The id of a bounce; a message can bounce more than once.
    let event_id = text_or_number(&event, "/ID");
    let said = Said {
        what: &[record_type, text(&event, "/Type")],
        code: "",
        words: first_of(&[text(&event, "/Details"), text(&event, "/Description")]),
        names: &[text_by_name(event.get("Metadata"), POSTMARK_METADATA), text(&event, "/MessageID")],
        recipient: text(&event, "/Email"),
        event_id: &event_id,
    };
    Ok(vec![Event::of(ReportSource::Postmark, &said)])
}

/// RFC 7617. Needs no body.
pub(super) fn is_proved(call: &Call<'_>, credentials: &str) -> bool {
    let Some((scheme, encoded)) = call.header("authorization").and_then(|value| value.split_once(' ')) else {
        return false;
    };
    let sent = BASE64_STANDARD.decode(encoded.trim()).unwrap_or_default();
    scheme.eq_ignore_ascii_case("basic") && sent.ct_eq(credentials.as_bytes()).into()
}
