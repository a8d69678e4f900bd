//! What templates get: lifetimes as text, and no name that could carry a message.

use bookly_shared::config::LinkTemplate;
use serde_json::{Value, to_value};

use super::*;

fn verify_email(first_name: &str, lifetime: u64) -> Value {
    let (first_name, lifetime) = (first_name.to_owned(), Duration::from_secs(lifetime));
    to_value(EmailBody::VerifyEmail {
        first_name,
        link: LinkTemplate::default().with_token(""),
        code: String::new(),
        lifetime,
    })
    .unwrap()
}

#[test]
fn a_lifetime_is_text_and_never_too_long() {
    let cases = [
        (1, "1 second"),
        (60, "1 minute"),
        (3599, "59 minutes"),
        (3600, "1 hour"),
        (5400, "90 minutes"),
        (7200, "2 hours"),
        (12_000, "3 hours"),
        (86_400, "24 hours"),
        (259_200, "3 days"),
    ];
    for (seconds, text) in cases {
        assert_eq!(verify_email("Zoë", seconds)["lifetime"], text);
    }
}

#[test]
fn a_name_that_could_carry_a_message_is_not_greeted() {
    for name in ["evil.example", "see //evil", "a@b", " ", "Anna\nBuy", "www.x", "<b>{{ 7*7 }}", "call 112"] {
        assert_eq!(verify_email(name, 60)["first_name"], Value::Null, "{name}");
    }
    for name in ["Zoë", "J. R.", "Dr. Who", "O'Brien", "李"] {
        assert_eq!(verify_email(name, 60)["first_name"], name);
    }
}
