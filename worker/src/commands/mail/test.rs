//! `mail test`: an email without the queue.

use std::fmt::Display;
use std::io::{self, Write};
use std::time::Duration;

use anyhow::Context;
use bookly_shared::clock::Clock;
use bookly_shared::config::Settings;
use bookly_shared::domain::{EmailAddress, printable};
use clap::Args;
use serde::Serialize;
use tokio::time::timeout;
use uuid::Uuid;

use crate::commands::on_database::on_database;
use crate::commands::screen::{print_json, print_line};
use crate::render::{Composer, EmailBody};
use crate::transport::Transport;

/// Where to send the email.
#[derive(Debug, Args)]
pub struct Test {
    /// The recipient
    address: EmailAddress,
    /// Send it by the fallback, the mail server of MAIL_FALLBACK_SERVER
    #[arg(long)]
    fallback: bool,
    /// Answer with one JSON document
    #[arg(long)]
    json: bool,
}

pub(super) const HELP: &str = "\
The email goes to the mail server of MAIL_SERVER, or with --fallback to that of MAIL_FALLBACK_SERVER; it is in no list. It is \
sent to a suppressed mailbox, too: a note on standard error says before that the service itself would not.

JSON: {\"code\": the mail server's code, null for files, \"reply\": its reply, \"suppressions\": [reasons of the mailbox's \
entries], null if the database cannot be read}";

#[derive(Serialize)]
struct TestDocument {
    code: Option<u16>,
    reply: String,
    suppressions: Option<Vec<String>>,
}

/// The database may take so long: it is asked for a note only.
const DATABASE_LIMIT: Duration = Duration::from_secs(5);

impl Test {
    pub(super) async fn run(self, settings: &Settings) -> anyhow::Result<()> {
        let (id, clock) = (Uuid::now_v7(), Clock::local());
        let (to, locale) = (self.address.as_str(), settings.default_locale);
        let body = &EmailBody::Welcome { unsubscribe: None };
        let mail = Composer::new(settings)?.compose(id, to, locale, body, clock.now())?;
        let transport = self.transport(settings, clock)?;
        let suppressions = reasons_of(settings, &self.address).await;
        if let Some(note) = note(self.address.canonical(), &suppressions) {
            // If standard error is closed, the email is sent anyway.
            let _ = writeln!(io::stderr(), "note: {}", printable(&note));
        }
        let delivered = transport.send(&mail, async { true }).await.context("the email was not accepted")?;
        transport.close().await;
        if self.json {
            return Ok(print_json(&TestDocument {
                code: delivered.smtp_code(),
                reply: delivered.to_string(),
                suppressions: suppressions.ok(),
            })?);
        }
        Ok(print_line(format_args!("accepted: {}", printable(&delivered.to_string())))?)
    }

    fn transport(&self, settings: &Settings, clock: Clock) -> anyhow::Result<Transport> {
        if !self.fallback {
            return Ok(Transport::new(settings, clock)?);
        }
        let second = Transport::fallback(settings, clock)?;
        second.context("there is no fallback: MAIL_FALLBACK_SERVER is not set")
    }
}

/// Why the service would send this mailbox no email, or no `welcome`. Makes no database and changes none.
async fn reasons_of(settings: &Settings, address: &EmailAddress) -> anyhow::Result<Vec<String>> {
    let settings = Settings { migrate_on_start: false, ..settings.clone() };
    let found = on_database(&settings, async |db| {
        let now = Clock::synchronised(db).await?.now();
        Ok(db.suppression_reasons(address.canonical(), now).await?)
    });
    timeout(DATABASE_LIMIT, found).await.context("the database does not answer")?
}

/// What the operator should know before the email is sent.
fn note(mailbox: &str, suppressions: &Result<Vec<String>, impl Display>) -> Option<String> {
    match suppressions {
        Ok(reasons) if reasons.is_empty() => None,
        Ok(reasons) => Some(format!(
            "{mailbox} is suppressed ({}), so the service itself would not send this email; it is sent now all the same. \
             `bookly-worker suppression remove {mailbox} --reason {}` ends that",
            reasons.join(", "),
            reasons[0]
        )),
        Err(error) => {
            Some(format!("whether {mailbox} is suppressed is not known: {error:#}; the email is sent now"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(further: &[(&str, &str)]) -> Settings {
        let folder = tempfile::tempdir().unwrap();
        let first = [
            ("MAIL_SERVER", "first.test"),
            ("MAIL_FROM", "a@b.test"),
            ("USE_CREDENTIALS", "false"),
            ("DOMAIN", "b.test"),
            ("DATA_DIR", folder.path().to_str().unwrap()),
        ];
        let vars = first.iter().chain(further).map(|(name, value)| ((*name).into(), (*value).into()));
        Settings::from_vars(vars).unwrap()
    }

    #[tokio::test]
    async fn the_option_chooses_the_second_server_and_needs_one() {
        let test = |fallback| Test { address: "a@b.test".parse().unwrap(), fallback, json: false };
        let (one, two) = (
            settings(&[]),
            settings(&[("MAIL_FALLBACK_SERVER", "second.test"), ("MAIL_FALLBACK_USE_CREDENTIALS", "false")]),
        );
        let refused = test(true).transport(&one, Clock::local()).unwrap_err().to_string();
        assert!(refused.contains("MAIL_FALLBACK_SERVER"), "{refused}");
        for (settings, fallback) in [(&one, false), (&two, false), (&two, true)] {
            test(fallback).transport(settings, Clock::local()).unwrap();
        }
    }

    #[tokio::test]
    async fn a_database_that_is_not_there_is_not_made_and_does_not_stop_the_email() {
        let folder = tempfile::tempdir().unwrap();
        let data_dir = folder.path().join("data");
        let mut settings = settings(&[]);
        settings.database = bookly_shared::config::DatabaseSettings::Sqlite { data_dir: data_dir.clone() };
        let unknown = reasons_of(&settings, &"a@b.test".parse().unwrap()).await;
        assert!(note("a@b.test", &unknown).unwrap().contains("is not known: there is no "), "{unknown:?}");
        assert!(!data_dir.exists());
    }

    #[test]
    fn a_suppressed_mailbox_is_told_before_with_the_way_to_end_it() {
        let none: Result<Vec<String>, &str> = Ok(Vec::new());
        assert_eq!(note("a@b.test", &none), None);
        let some: Result<_, &str> = Ok(vec!["bounce".to_owned(), "unsubscribe".to_owned()]);
        let note = note("a@b.test", &some).unwrap();
        assert!(note.starts_with("a@b.test is suppressed (bounce, unsubscribe)"), "{note}");
        assert!(note.contains("suppression remove a@b.test --reason bounce"), "{note}");
    }
}
