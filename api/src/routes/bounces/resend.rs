//! Resend, by Svix: an HMAC over id, time and body; while a secret changes, several (<https://docs.svix.com/receiving/verifying-payloads/how-manual>).
//! One event a call (<https://resend.com/docs/webhooks/emails/bounced>).

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bookly_shared::config::{ECHOED_NAME, RESEND_HEADER, svix_key};
use bookly_shared::domain::ReportSource;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;

use super::event::{Call, Event, Events, GOOD_FOR, Refusal, Said, first_of, text, text_by_name};

pub(super) fn read(call: &Call<'_>, secret: &str) -> Result<Events, Refusal> {
    let Some(id) = call.header("svix-id").filter(|id| is_proved(call, id, secret)) else {
        return Err(Refusal::WrongProof);
    };
    let event = call.json().map_err(Refusal::Malformed)?;
    let data = event.get("data").filter(|data| data.is_object());
    let data = data.ok_or(Refusal::Malformed("An object data is needed"))?;
    // What the receiver said is a text, or a list with one.
    let diagnostics = ["/bounce/diagnosticCode/0", "/bounce/diagnosticCode"].map(|name| text(data, name));
    let said = Said {
        what: &[text(&event, "/type"), text(data, "/bounce/type"), text(data, "/bounce/subType")],
        code: "",
        words: first_of(&[diagnostics[0], diagnostics[1], text(data, "/bounce/message")]),
        names: &[
            header(data, RESEND_HEADER),
            text_by_name(data.get("tags"), ECHOED_NAME),
            text(data, "/message_id"),
            header(data, "Message-ID"),
        ],
        // Emails of this service have one recipient.
        recipient: text(data, "/to/0"),
        event_id: id,
    };
    Ok(vec![Event::of(ReportSource::Resend, &said)])
}

/// A header of the email: `[{"name": "X-…", "value": "…"}]`.
fn header<'a>(data: &'a Value, name: &str) -> &'a str {
    let headers = data.get("headers").and_then(Value::as_array).into_iter().flatten();
    let mut found = headers.filter(|header| text(header, "/name").eq_ignore_ascii_case(name));
    found.next().map(|header| text(header, "/value")).unwrap_or_default()
}

fn is_proved(call: &Call<'_>, id: &str, secret: &str) -> bool {
    let (Some(timestamp), Some(signatures)) = (call.header("svix-timestamp"), call.header("svix-signature"))
    else {
        return false;
    };
    let Some(key) = svix_key(secret) else { return false };
    let Ok(mac) = Hmac::<Sha256>::new_from_slice(&key) else { return false };
    let mac = mac.chain_update(format!("{id}.{timestamp}.")).chain_update(call.body);
    let is_right = |signature: &str| {
        let signature = signature.strip_prefix("v1,").and_then(|text| BASE64_STANDARD.decode(text).ok());
        signature.is_some_and(|signature| mac.clone().verify_slice(&signature).is_ok())
    };
    signatures.split(' ').any(is_right) && call.is_recent(timestamp, GOOD_FOR)
}
