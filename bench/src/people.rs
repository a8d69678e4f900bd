//! The requests of people who sign up, each somebody new.

use std::sync::Arc;

use bookly_e2e::person::Person;

use crate::http::{Make, post};

/// Sign-ups.
pub(crate) fn sign_ups() -> Make {
    Arc::new(|_| post("/auth/signup", &serde_json::to_value(Person::new())?))
}
