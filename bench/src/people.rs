//! The requests that people send.

use std::sync::Arc;
use std::time::Duration;

use bookly_e2e::person::Person;
use serde_json::json;
use uuid::Uuid;

use crate::http::{Load, Make, post};
use crate::system::PEOPLE;

/// Sign-ups, each with a new address, by clients that send the next request as soon as they have an answer.
pub(crate) fn sign_ups(address: &str, clients: usize, time: Duration) -> Load {
    let make: Make = Arc::new(|_| {
        let person = Person::new().with_password(&password());
        post("/auth/signup", &serde_json::to_value(person)?)
    });
    Load { address: address.to_owned(), clients, time, pause: Duration::ZERO, make }
}

/// Letters and digits as a password manager makes them. How long a password is decides what the check for guessable
/// ones costs: 0.1 ms for these, 1.1 ms for 36 characters.
fn password() -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let random = Uuid::new_v4();
    random.as_bytes().iter().map(|byte| char::from(LETTERS[usize::from(*byte) % LETTERS.len()])).collect()
}

/// Requests to reset a password, of one person with an account after the other. Their addresses are of example.com:
/// the peer's check of addresses takes none of the reserved top-level domains.
pub(crate) fn resets(address: &str, clients: usize, time: Duration) -> Load {
    let make: Make = Arc::new(|n| {
        let email = format!("kim-{}@example.com", n % PEOPLE + 1);
        post("/auth/password-reset-request", &json!({ "email": email }))
    });
    Load { address: address.to_owned(), clients, time, pause: Duration::ZERO, make }
}
