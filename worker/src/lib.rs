//! Sends queued emails: claim, prepare (still wanted? make the link), render, send, complete.
//!
//! `bookly-worker` is a small binary over this library. Without Redis the API runs the same code in its own process.

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
