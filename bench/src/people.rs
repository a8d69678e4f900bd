//! The requests that people send.

use std::sync::Arc;
use std::time::Duration;

use bookly_e2e::person::Person;
use serde_json::json;

use crate::http::{Load, Make, post};
use crate::system::PEOPLE;

/// Sign-ups, each of somebody new, by clients that ask again as soon as they are answered.
pub(crate) fn sign_ups(address: &str, clients: usize, time: Duration) -> Load {
    let make: Make = Arc::new(|_| post("/auth/signup", &serde_json::to_value(Person::new())?));
    Load { address: address.to_owned(), clients, time, pause: Duration::ZERO, make }
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
