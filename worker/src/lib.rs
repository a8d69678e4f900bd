//! Sends queued emails: claim → prepare → render → send → complete the row.
//!
//! `bookly-worker` is a thin binary over this library. Without Redis the API runs the same code in its process.

pub mod commands;
mod delivery;
mod metrics;
mod oauth;
pub mod process;
mod queue;
pub mod render;
pub mod smtp;
mod status;
pub mod transport;
mod worker;

pub use worker::{JobSource, StartError, Worker};
