//! `bookly-worker bounce`: records a bounce that came by email, for an alias or a pipe of a mail server.

mod dsn;

use std::env;
use std::ffi::OsString;
use std::fmt::Display;
use std::io::{self, Read, Write};
use std::process::ExitCode;

use bookly_shared::bounce_address::BounceAddress;
use bookly_shared::clock::Clock;
use bookly_shared::config::Settings;
use bookly_shared::db::Db;
use bookly_shared::db::emails::reports::{Recorded, Report};
use bookly_shared::domain::{EmailAddress, ReportSource, ReportVerdict, judge};
use bookly_shared::redactor::Redactor;
use bookly_shared::report_words;
use clap::Args;
use mail_parser::Message;
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use self::dsn::{Notification, RecipientStatus};
use super::on_database::on_database;
use super::screen::print_line;

/// Records a bounce.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub struct Bounce {
    /// The envelope's recipient of the report: the address of MAIL_BOUNCE_ADDRESS to which it was sent
    #[arg(long, value_name = "ADDRESS")]
    recipient: Option<String>,
}

const HELP: &str = "\
Reads one report of a mail server (RFC 3464) on standard input. Which email it is about is in its envelope's recipient: \
--recipient, else ORIGINAL_RECIPIENT or RECIPIENT of the environment, else the headers Delivered-To and To. An address without \
our signature is not ours.

Exit codes, as mail servers read them (sysexits.h): 0 recorded, or not ours; 65 malformed; 75 try \
again: the database is away, an argument or a setting is wrong, a secret is missing, or standard input ends in an error.";

/// `EX_DATAERR`: the report cannot be read, so no later attempt can.
const MALFORMED: u8 = 65;
/// `EX_TEMPFAIL`: the mail server keeps the report and tries again.
pub(super) const TRY_AGAIN: u8 = 75;

/// A report begins with what it says; what is beyond this is the email that it returns.
const MAX_BYTES: u64 = 1024 * 1024;

impl Bounce {
    pub(super) async fn run(self, settings: &Settings) -> ExitCode {
        let email = read_all(io::stdin().lock());
        exit_code(match email {
            Ok(raw) => self.record(&raw, settings).await,
            Err(error) => Err(anyhow::Error::new(error).context("standard input cannot be read")),
        })
    }

    async fn record(&self, raw: &[u8], settings: &Settings) -> anyhow::Result<ExitCode> {
        let read = dsn::parse(raw).and_then(|email| Ok((dsn::read(&email)?, email)));
        let (notification, email) = match read {
            Ok(read) => read,
            Err(error) => {
                complain(error);
                return Ok(ExitCode::from(MALFORMED));
            }
        };
        let Notification::Report(recipients) = notification else {
            return Ok(done("no report of a bounce"));
        };
        let Some(addresses) = BounceAddress::of_settings(settings) else {
            anyhow::bail!(
                "MAIL_BOUNCE_ADDRESS is not set; does the command run in the folder of the .env file?"
            );
        };
        let candidates = self.candidates(&email, |name| env::var(name).ok());
        let Some(id) = candidates.iter().find_map(|address| addresses.row_of(address)) else {
            return Ok(done("not ours: no recipient has our signature"));
        };
        let mark = mark_of(id, &email);
        let recorded =
            on_database(settings, async |db| record(db, settings, id, &recipients, mark).await).await?;
        Ok(done(&recorded))
    }

    /// The addresses that may be the envelope's recipient. The signature shows which one is. `variable` reads the
    /// environment.
    fn candidates(&self, email: &Message<'_>, variable: impl Fn(&str) -> Option<String>) -> Vec<String> {
        if let Some(recipient) = &self.recipient {
            return vec![recipient.clone()];
        }
        let variables = ["ORIGINAL_RECIPIENT", "RECIPIENT"].into_iter().filter_map(variable);
        let delivered_to = email.header_raw("Delivered-To").map(|text| text.trim().to_owned());
        let to = email.to().into_iter().flat_map(mail_parser::Address::iter);
        let to = to.filter_map(|address| address.address().map(str::to_owned));
        variables.chain(delivered_to).chain(to).collect()
    }
}

fn read_all(mut input: impl Read) -> io::Result<Vec<u8>> {
    let mut raw = Vec::new();
    input.by_ref().take(MAX_BYTES).read_to_end(&mut raw)?;
    // A mail server that cannot write everything takes that for a failure.
    io::copy(&mut input, &mut io::sink())?;
    Ok(raw)
}

/// Whether these arguments of the program, without its name, are of this command, also where they are wrong.
pub(super) fn is_named_in(arguments: impl IntoIterator<Item = OsString>) -> bool {
    let mut words = arguments.into_iter().filter(|word| !word.as_encoded_bytes().starts_with(b"-"));
    words.next().is_some_and(|word| word == "bounce")
}

/// A mail server gives a report up for good at any other code than 75, so each error that may pass is that one.
fn exit_code(recorded: anyhow::Result<ExitCode>) -> ExitCode {
    recorded.unwrap_or_else(|error| {
        complain(format_args!("{error:#}"));
        ExitCode::from(TRY_AGAIN)
    })
}

/// The report has had its effect, whether standard output can be written or not.
fn done(what: &str) -> ExitCode {
    let _ = print_line(what);
    ExitCode::SUCCESS
}

/// For the mail server's log, if it reads standard error.
fn complain(error: impl Display) {
    let _ = writeln!(io::stderr(), "error: {error}");
}

/// What a report is called that is delivered again.
fn mark_of(id: Uuid, email: &Message<'_>) -> [u8; 32] {
    let report = email.message_id().map_or_else(|| email.raw_message().to_vec(), |id| id.as_bytes().to_vec());
    Sha256::new().chain_update(b"dsn\0").chain_update(id.as_bytes()).chain_update(report).finalize().into()
}

async fn record(
    db: &Db,
    settings: &Settings,
    id: Uuid,
    recipients: &[RecipientStatus],
    mark: [u8; 32],
) -> anyhow::Result<String> {
    let now = Clock::synchronised(db).await?.now();
    let Some(row) = db.email(id).await? else {
        return Ok(format!("not ours any more: email {id} is deleted"));
    };
    let mailbox = EmailAddress::parse(&row.recipient).ok().map(|address| address.base_mailbox());
    let Some((verdict, status)) = verdict_of(recipients, mailbox.as_deref()) else {
        return Ok(format!("email {id}: the report is not about a bounce"));
    };
    let redactor = Redactor::new(settings.mail.passwords().map(ExposeSecret::expose_secret));
    let words = report_words::clean(&format!("{}: {}", status.action, status.words), &redactor);
    let report = Report {
        email_id: id,
        mailbox: None,
        source: ReportSource::Dsn,
        verdict,
        words: &words,
        mark: Some(mark),
    };
    Ok(match db.record_report(&report, now).await? {
        Recorded::Closed(state) => format!("email {id} is {state}"),
        Recorded::Noted => format!("email {id}: recorded in its history"),
        Recorded::Repeated => format!("email {id}: recorded before"),
        Recorded::NotOurs => format!("not ours any more: email {id} is deleted"),
    })
}

/// What the report means. A mailbox that forwards to one that does not exist does exist, so a bounce of another recipient
/// is a soft one.
fn verdict_of<'a>(
    recipients: &'a [RecipientStatus],
    mailbox: Option<&str>,
) -> Option<(ReportVerdict, &'a RecipientStatus)> {
    let is_of_row =
        |status: &RecipientStatus| status.mailbox.is_none() || status.mailbox.as_deref() == mailbox;
    let judged = recipients.iter().filter_map(|status| {
        let verdict = judge(ReportSource::Dsn, &[&status.action], status.code)?;
        let is_forwarded = verdict == ReportVerdict::Hard && !is_of_row(status);
        Some((if is_forwarded { ReportVerdict::Soft } else { verdict }, status))
    });
    // Hard before soft, and a bounce before a delay.
    judged.max_by_key(|(verdict, _)| (*verdict == ReportVerdict::Hard, *verdict != ReportVerdict::Delay))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(action: &str, code: &str, mailbox: Option<&str>) -> RecipientStatus {
        RecipientStatus {
            action: action.into(),
            code: code.parse().ok(),
            words: code.into(),
            mailbox: mailbox.map(str::to_owned),
        }
    }

    #[test]
    fn only_a_bounce_of_the_rows_own_recipient_is_hard() {
        let of = |recipients: &[RecipientStatus]| {
            verdict_of(recipients, Some("ann@example.org")).map(|(verdict, _)| verdict)
        };
        let (own, other) = (Some("ann@example.org"), Some("old@example.net"));
        let (hard, soft) = (Some(ReportVerdict::Hard), Some(ReportVerdict::Soft));
        assert_eq!(of(&[status("failed", "5.1.1", own)]), hard);
        assert_eq!(of(&[status("failed", "5.1.1", None)]), hard, "it does not say whose");
        assert_eq!(of(&[status("failed", "5.1.1", other)]), soft, "the mailbox forwards");
        assert_eq!(of(&[status("failed", "5.2.2", own)]), soft);
        let late = status("delayed", "4.4.1", own);
        assert_eq!(of(std::slice::from_ref(&late)), Some(ReportVerdict::Delay));
        assert_eq!(of(&[status("failed", "5.2.2", own), late]), soft, "a bounce before a delay");
        assert_eq!(of(&[status("relayed", "2.0.0", own)]), None);
        assert_eq!(of(&[status("failed", "5.1.1", own), status("failed", "5.2.2", other)]), hard);
    }
    #[test]
    fn what_may_pass_lets_the_mail_server_try_again() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
                Err(std::io::ErrorKind::UnexpectedEof.into())
            }
        }
        let failed = read_all(Broken).map(|_| ExitCode::SUCCESS).map_err(anyhow::Error::new);
        assert_eq!(format!("{:?}", exit_code(failed)), format!("{:?}", ExitCode::from(75)));
        let bounce = crate::commands::Command::Bounce(Bounce { recipient: None });
        assert_eq!(bounce.code_of_wrong_settings(), 75);
        let malformed = exit_code(Ok(ExitCode::from(MALFORMED)));
        assert_eq!(format!("{malformed:?}"), format!("{:?}", ExitCode::from(65)));
    }

    const HEADERS: &str = "From: MAILER-DAEMON@mail.test\nDelivered-To: header@example.org\n\
        To: Bounces <to@example.org>, second@example.org\n\nGone";

    fn candidates(recipient: Option<&str>, variables: &[(&str, &str)], email: &str) -> Vec<String> {
        let bounce = Bounce { recipient: recipient.map(str::to_owned) };
        let variable = |name: &str| {
            let value = variables.iter().find(|(of, _)| *of == name).map(|(_, value)| *value);
            value.map(str::to_owned)
        };
        bounce.candidates(&dsn::parse(email.as_bytes()).unwrap(), variable)
    }

    #[test]
    fn the_envelopes_recipient_is_looked_for_in_the_option_the_environment_and_the_headers_in_this_order() {
        let variables = [("RECIPIENT", "alias@example.org"), ("ORIGINAL_RECIPIENT", "original@example.org")];
        let option = Some("option@example.org");
        assert_eq!(candidates(option, &variables, HEADERS), ["option@example.org"], "the option alone");
        let headers = ["header@example.org", "to@example.org", "second@example.org"];
        let expected = [&["original@example.org", "alias@example.org"], &headers[..]].concat();
        assert_eq!(candidates(None, &variables, HEADERS), expected);
        assert_eq!(candidates(None, &[], HEADERS), headers);
        assert!(candidates(None, &[], "From: MAILER-DAEMON@mail.test\n\nGone").is_empty());
    }

    #[test]
    fn wrong_arguments_of_this_command_are_known_as_such() {
        let named = |words: &str| is_named_in(words.split_whitespace().map(OsString::from));
        assert!(named("bounce --recipent a@example.org") && named("--quiet bounce") && named("bounce a b"));
        assert!(!named("") && !named("mail list bounce") && !named("--version"));
    }
}
