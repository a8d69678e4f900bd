//! The HTTP API: sign-up, sessions, links of mails, books. It queues mails and never waits for a mail server.

pub mod app;
pub mod commands;
pub mod error;
pub mod extract;
pub mod hasher;
pub mod jwt;
mod layers;
pub mod login_guard;
mod openapi;
pub mod pages;
pub mod password_policy;
pub mod rate_limit;
pub mod routes;
pub mod serve;
pub mod state;

pub use app::{App, StartError};
pub use error::ApiError;
pub use state::AppState;

#[cfg(test)]
mod testing;
