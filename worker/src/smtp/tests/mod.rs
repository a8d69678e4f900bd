//! Tests of the SMTP client in memory, with any bytes that a server can send.

mod any_server;
mod dialogue;
mod error;
mod failure;
mod pipelining;
mod wire_form;

use bookly_shared::domain::MailServer;
use bookly_shared::metrics::{Exporter, table::SMTP_OPEN};
use lettre::address::Envelope;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

use super::error::SendError;
use super::options::StageTimeouts;
use super::session::Session;

/// A session over a connection in memory: greeting and EHLO.
async fn open(end: DuplexStream) -> Result<Session<DuplexStream>, SendError> {
    open_with(MailServer::First, end).await
}

async fn open_with(server: MailServer, end: DuplexStream) -> Result<Session<DuplexStream>, SendError> {
    let timeouts = StageTimeouts::default();
    Session::greet(end, "bookly.test", &timeouts, server, SMTP_OPEN.count(["".into()])).await
}

fn envelope(to: &[&str]) -> Envelope {
    let to = to.iter().map(|to| to.parse().unwrap()).collect();
    Envelope::new(Some("a@b.test".parse().unwrap()), to).unwrap()
}

#[tokio::test]
async fn the_times_of_the_stages_are_told_apart_by_server() {
    let (recorder, exporter) = Exporter::detached().unwrap();
    let _guard = metrics::set_default_local_recorder(&recorder);
    for (server, labels) in [
        (MailServer::First, "{stage=\"hello\"}"),
        (MailServer::Fallback, "{server=\"fallback\",stage=\"hello\"}"),
    ] {
        let (end, mut other) = tokio::io::duplex(1024);
        let answers = async {
            other.write_all(b"220 here\r\n").await.unwrap();
            assert!(other.read(&mut [0; 64]).await.unwrap() > 0, "EHLO");
            other.write_all(b"250 you\r\n").await.unwrap();
        };
        tokio::join!(open_with(server, end), answers).0.unwrap();
        let series = format!("bookly_smtp_stage_duration_seconds_count{labels} ");
        assert!(exporter.render().contains(&series), "{}", exporter.render());
    }
}
