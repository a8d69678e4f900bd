//! Takes queued mails and sends them: claim → still sensible? → mint the link → render → send → close the row.
//!
//! `bookly-worker` is a thin binary over this library, and the API runs the same code in process when there
//! is no Redis.

mod backoff;
mod bells;
pub mod commands;
mod deliver;
mod gate;
mod lease;
mod letter;
mod metrics;
pub mod process;
mod relay;
pub mod render;
pub mod smtp;
mod table;
mod traces;
pub mod transport;
mod worker;

pub use worker::{StartError, Wake, Worker};
