//! The HTTP API: sign-up, sessions, links in emails, books. It queues emails and never waits for a mail server.

pub mod address_locks;
pub mod app;
pub mod client_address;
pub mod commands;
pub mod error;
pub mod extract;
pub mod hasher;
pub mod idempotency;
pub mod jwt;
mod layers;
pub mod login_guard;
mod openapi;
pub mod pages;
pub mod password_policy;
pub mod rate_limit;
mod request_source;
pub mod routes;
pub mod serve;
pub mod state;

pub use app::{App, StartError};
pub use error::ApiError;
pub use state::AppState;

#[cfg(test)]
mod testing;
