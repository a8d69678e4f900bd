//! `mail test`: an email without the queue.

use anyhow::Context;
use bookly_shared::clock::Clock;
use bookly_shared::config::Settings;
use bookly_shared::domain::{EmailAddress, printable};
use clap::Args;
use serde::Serialize;
use uuid::Uuid;

use crate::commands::screen::{print_json, print_line};
use crate::render::{Composer, EmailBody};
use crate::transport::Transport;

/// Where to send the email.
#[derive(Debug, Args)]
pub struct Test {
    /// The recipient
    address: EmailAddress,
    /// Answer with one JSON document
    #[arg(long)]
    json: bool,
}

pub(super) const HELP: &str =
    "JSON: {\"code\": the mail server's code, null for files, \"reply\": its reply}";

#[derive(Serialize)]
struct TestDocument {
    code: Option<u16>,
    reply: String,
}

impl Test {
    /// Does not use the database, so that an error is the mail server's.
    pub(super) async fn run(self, settings: &Settings) -> anyhow::Result<()> {
        let (id, clock) = (Uuid::now_v7(), Clock::local());
        let (to, locale) = (self.address.as_str(), settings.default_locale);
        let body = &EmailBody::Welcome { unsubscribe: None };
        let mail = Composer::new(settings)?.compose(id, to, locale, body, clock.now())?;
        let transport = Transport::new(settings, clock)?;
        let delivered = transport.send(&mail, async { true }).await.context("the email was not accepted")?;
        transport.close().await;
        if self.json {
            return Ok(print_json(&TestDocument {
                code: delivered.smtp_code(),
                reply: delivered.to_string(),
            })?);
        }
        Ok(print_line(format_args!("accepted: {}", printable(&delivered.to_string())))?)
    }
}
