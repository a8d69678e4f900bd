//! Mailgun: the call holds a time, a token, and their HMAC under the account's signing key; one event a call
//! (<https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/securing-webhooks>).
//!
//! The signature does not cover the event. So the token is the call's mark: none counts twice, whatever came with it.

use bookly_shared::config::ECHOED_NAME;
use bookly_shared::domain::ReportSource;
use chrono::TimeDelta;
use data_encoding::HEXLOWER_PERMISSIVE;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;

use super::event::{
    Call, Event, Events, Refusal, Said, first_of, mark_of, text, text_by_name, text_or_number,
};

/// Mailgun tries for eight hours.
const GOOD_FOR: TimeDelta = TimeDelta::hours(12);

pub(super) fn read(call: &Call<'_>, key: &str) -> Result<Events, Refusal> {
    let document = call.json().map_err(Refusal::Unproved)?;
    if !is_proved(call, &document, key) {
        return Err(Refusal::WrongProof);
    }
    let event = document.get("event-data").filter(|event| event.is_object());
    let event = event.ok_or(Refusal::Malformed("An object event-data is needed"))?;
    let status = |name: &str| text(event, &format!("/delivery-status/{name}"));
    let said_by_receiver = first_of(&[status("message"), status("description")]);
    let words = format!("{} {said_by_receiver}", text_or_number(event, "/delivery-status/code"));
    let said = Said {
        what: &[text(event, "/event"), text(event, "/severity"), text(event, "/reason")],
        code: status("enhanced-code"),
        words: words.trim(),
        names: &[
            text_by_name(event.get("user-variables"), ECHOED_NAME),
            text(event, "/message/headers/message-id"),
        ],
        recipient: text(event, "/recipient"),
        event_id: text(&document, "/signature/token"),
    };
    Ok(vec![Event::of(ReportSource::Mailgun, &said)])
}

/// The mark of a call whose proof is right: its token is used up, whatever it holds.
pub(super) fn mark_of_call(call: &Call<'_>, read: &Result<Events, Refusal>) -> Option<[u8; 32]> {
    let is_proved = matches!(read, Ok(_) | Err(Refusal::Malformed(_)));
    let document = call.json().ok().filter(|_| is_proved)?;
    Some(mark_of(ReportSource::Mailgun, text(&document, "/signature/token")))
}

fn is_proved(call: &Call<'_>, document: &Value, key: &str) -> bool {
    let timestamp = text_or_number(document, "/signature/timestamp");
    let token = text(document, "/signature/token");
    let Ok(mac) = Hmac::<Sha256>::new_from_slice(key.as_bytes()) else { return false };
    let mac = mac.chain_update(&timestamp).chain_update(token);
    let signature = HEXLOWER_PERMISSIVE.decode(text(document, "/signature/signature").as_bytes());
    let is_signed = signature.is_ok_and(|signature| mac.verify_slice(&signature).is_ok());
    is_signed && !token.is_empty() && call.is_recent(&timestamp, GOOD_FOR)
}
