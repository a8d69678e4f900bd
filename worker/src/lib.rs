//! Takes queued mails and sends them: claim → still sensible? → mint the link → render → send → close the row.
//!
//! `bookly-worker` is a thin binary over this library, and the API runs the same code in process when there
//! is no Redis.

mod accounts;
mod backoff;
mod bells;
mod closings;
pub mod commands;
mod deliver;
mod drain;
mod gate;
mod lease;
mod letter;
mod metrics;
pub mod process;
mod relay;
pub mod render;
mod slots;
pub mod smtp;
mod traces;
pub mod transport;
mod worker;

pub use worker::{StartError, Wake, Worker};
