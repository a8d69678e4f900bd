//! SendGrid: ECDSA on P-256 over the time and the body; a list of events a call
//! (<https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/getting-started-event-webhook-security-features>).

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bookly_shared::config::{ECHOED_NAME, p256_point};
use bookly_shared::domain::ReportSource;
use ring::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use serde_json::Value;

use super::event::{Call, Event, Events, GOOD_FOR, Ignored, Refusal, Said, first_of, text, text_by_name};

const SIGNATURE: &str = "x-twilio-email-event-webhook-signature";
const TIMESTAMP: &str = "x-twilio-email-event-webhook-timestamp";

pub(super) fn read(call: &Call<'_>, public_key: &str) -> Result<Events, Refusal> {
    if !is_proved(call, public_key) {
        return Err(Refusal::WrongProof);
    }
    let document = call.json().map_err(Refusal::Malformed)?;
    let events = document.as_array().filter(|events| events.iter().all(Value::is_object));
    let events = events.ok_or(Refusal::Malformed("A list of objects is needed"))?;
    Ok(events.iter().map(event_of).collect())
}

fn event_of(event: &Value) -> Result<Event, Ignored> {
    let said = Said {
        what: &[text(event, "/event"), text(event, "/type"), text(event, "/bounce_classification")],
        code: text(event, "/status"),
        words: first_of(&[text(event, "/reason"), text(event, "/response")]),
        names: &[text_by_name(Some(event), ECHOED_NAME), text(event, "/smtp-id")],
        recipient: text(event, "/email"),
        event_id: text(event, "/sg_event_id"),
    };
    Event::of(ReportSource::SendGrid, &said)
}

fn is_proved(call: &Call<'_>, public_key: &str) -> bool {
    let (Some(signature), Some(timestamp)) = (call.header(SIGNATURE), call.header(TIMESTAMP)) else {
        return false;
    };
    let (Some(point), Ok(signature)) = (p256_point(public_key), BASE64_STANDARD.decode(signature)) else {
        return false;
    };
    let signed = [timestamp.as_bytes(), call.body].concat();
    let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point);
    key.verify(&signed, &signature).is_ok() && call.is_recent(timestamp, GOOD_FOR)
}
