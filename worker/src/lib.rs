//! Takes queued mails and sends them: claim → still sensible? → mint the link → render → send → close the row.
//!
//! `bookly-worker` is a thin binary over this library, and the API runs the same code in process when there
//! is no Redis.

pub mod commands;
mod delivery;
mod metrics;
pub mod process;
mod queue;
pub mod render;
pub mod smtp;
pub mod transport;
mod worker;

pub use worker::{StartError, Wake, Worker};
