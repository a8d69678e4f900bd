//! What templates get: no name that could carry a message.

use bookly_shared::links::LinkTemplate;
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
fn a_name_that_could_carry_a_message_is_not_greeted() {
    for name in ["evil.example", "see //evil", "a@b", " ", "Anna\nBuy", "www.x", "<b>{{ 7*7 }}", "call 112"] {
        assert_eq!(verify_email(name, 60)["first_name"], Value::Null, "{name}");
    }
    for name in ["Zoë", "J. R.", "Dr. Who", "O'Brien", "李"] {
        assert_eq!(verify_email(name, 60)["first_name"], name);
    }
}
