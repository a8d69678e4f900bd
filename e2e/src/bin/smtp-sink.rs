//! An SMTP server for trying things by hand: it accepts every email, prints one line for it, and delivers nothing.
#![allow(clippy::print_stdout, reason = "what it prints is what it is for")]

use std::time::Duration;

use bookly_e2e::smtp_server::{SmtpServer, SmtpServerOptions};
use clap::Parser;

/// How long one wait for emails lasts; then the next one begins.
const WATCH: Duration = Duration::from_secs(24 * 3600);

/// An SMTP server for trying things by hand: it accepts every email, prints one line for it, and delivers nothing.
#[derive(Parser)]
struct Arguments {
    /// The port on this machine; a free one if it is not named
    port: Option<u16>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let Arguments { port } = Arguments::parse();
    let server = SmtpServer::start(SmtpServerOptions { port, keep: 10_000, ..Default::default() }).await?;
    println!("listening on 127.0.0.1:{}", server.port());
    let mut printed = 0;
    loop {
        if server.wait_for_total(printed + 1, WATCH).await.is_err() {
            continue;
        }
        let (mails, total) = server.mails_after(printed);
        for mail in mails {
            let (subject, id) = (mail.subject().unwrap_or_default(), mail.message_id().unwrap_or_default());
            println!("{}\t{subject}\t{id}", mail.to.join(","));
        }
        printed = total;
    }
}
