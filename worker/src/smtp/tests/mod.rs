//! Tests of the SMTP client in memory, with any bytes that a server can send.

mod any_server;
mod dialogue;
mod error;
mod failure;
mod pipelining;
mod wire_form;

use lettre::address::Envelope;
use tokio::io::DuplexStream;

use super::error::SendError;
use super::options::StageTimeouts;
use super::session::Session;
use bookly_shared::metrics::table::SMTP_OPEN;

/// A session over a connection in memory: greeting and EHLO.
async fn open(end: DuplexStream) -> Result<Session<DuplexStream>, SendError> {
    Session::greet(end, "bookly.test", &StageTimeouts::default(), SMTP_OPEN.count(["".into()])).await
}

fn envelope(to: &[&str]) -> Envelope {
    let to = to.iter().map(|to| to.parse().unwrap()).collect();
    Envelope::new(Some("a@b.test".parse().unwrap()), to).unwrap()
}
