//! `mail test`: a mail past the queue.

use anyhow::Context;
use bookly_shared::clock::Clock;
use bookly_shared::config::Settings;
use bookly_shared::domain::EmailAddress;
use clap::Args;
use serde::Serialize;
use uuid::Uuid;

use crate::commands::screen::Screen;
use crate::render::{Composer, EmailBody};
use crate::transport::Transport;

/// Whom to send it to.
#[derive(Debug, Args)]
pub struct Test {
    /// Where to
    address: EmailAddress,
    /// Answer with one JSON document: {"code", "reply"}
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Document {
    code: Option<u16>,
    reply: String,
}

impl Test {
    /// Asks nothing of the database, so that it tells of the mail server alone.
    pub(super) async fn run(self, settings: &Settings, screen: Screen) -> anyhow::Result<()> {
        let (id, now) = (Uuid::now_v7(), Clock::local().now());
        let mail =
            Composer::new(settings)?.compose(id, self.address.as_str(), &EmailBody::Welcome {}, now)?;
        let transport = Transport::new(settings)?;
        let delivered = transport.send(&mail, async { true }).await.context("the mail was not taken")?;
        transport.close().await;
        if self.json {
            return Ok(screen.json(&Document { code: delivered.smtp_code(), reply: delivered.to_string() })?);
        }
        Ok(screen.line(format_args!("accepted: {delivered}"))?)
    }
}
