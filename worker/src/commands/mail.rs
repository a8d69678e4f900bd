//! `bookly-worker mail …`.
#![expect(
    clippy::print_stdout,
    reason = "answers to an operator go to standard output, logs to standard error"
)]

use anyhow::{Context, bail};
use bookly_shared::clock::Clock;
use bookly_shared::config::Settings;
use bookly_shared::db::Db;
use bookly_shared::db::mail_admin::{MailFilter, MailRow};
use bookly_shared::domain::{EmailAddress, MailKind, MailState};
use clap::{Subcommand, ValueEnum};
use uuid::Uuid;

use crate::render::{Composer, MailBody};
use crate::transport::Transport;

/// What can be asked of the mails.
#[derive(Debug, Subcommand)]
pub enum MailCommand {
    /// List mails, newest first
    List {
        /// Only mails in this state
        #[arg(long, value_enum)]
        state: Option<State>,
        /// Only mails to this address
        #[arg(long)]
        to: Option<String>,
        /// At most this many
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=10_000))]
        limit: i64,
    },
    /// Show all that is known of one mail
    Show {
        /// The id that `list` and the logs show
        id: Uuid,
    },
    /// Send a failed mail again
    Retry {
        /// The id that `list` and the logs show
        id: Uuid,
    },
    /// Send a welcome mail now, past the queue, to see whether the mail server takes ours
    Test {
        /// Where to
        address: String,
    },
}

/// The states of a mail.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum State {
    /// Waits for its first or next attempt
    Queued,
    /// A worker has it
    Sending,
    /// The mail server took it
    Sent,
    /// Given up, with the reason
    Failed,
    /// Made no sense any more, with the reason
    Cancelled,
}

impl State {
    fn as_state(self) -> MailState {
        match self {
            State::Queued => MailState::Queued,
            State::Sending => MailState::Sending,
            State::Sent => MailState::Sent,
            State::Failed => MailState::Failed,
            State::Cancelled => MailState::Cancelled,
        }
    }
}

/// Carries a command out.
///
/// # Errors
/// When there is no such mail, it cannot be retried, or a server cannot be reached; with words for the operator.
pub async fn run(command: MailCommand, settings: &Settings, db: Db) -> anyhow::Result<()> {
    match command {
        MailCommand::List { state, to, limit } => list(&db, state, to, limit).await,
        MailCommand::Show { id } => show(&db, id).await,
        MailCommand::Retry { id } => retry(&db, id).await,
        MailCommand::Test { address } => test(&db, settings, &address).await,
    }
}

async fn list(db: &Db, state: Option<State>, to: Option<String>, limit: i64) -> anyhow::Result<()> {
    let mailbox = match to {
        Some(text) => {
            Some(EmailAddress::parse(&text).context("--to is no mail address")?.canonical().to_owned())
        }
        None => None,
    };
    let filter = MailFilter { state: state.map(State::as_state), mailbox, ..MailFilter::default() };
    let rows = db.list_mails(&filter, limit).await?;
    println!("{:36}  {:20}  {:9}  {:22}  {:>5}  TO", "ID", "ACCEPTED", "STATE", "KIND", "TRIES");
    for row in &rows {
        let accepted = row.created_at.format("%Y-%m-%dT%H:%M:%SZ");
        println!(
            "{:36}  {accepted}  {:9}  {:22}  {:>5}  {}",
            row.id, row.state, row.kind, row.attempts, row.recipient
        );
    }
    println!("{} {}", rows.len(), if rows.len() == 1 { "mail" } else { "mails" });
    Ok(())
}

async fn show(db: &Db, id: Uuid) -> anyhow::Result<()> {
    let row = found(db, id).await?;
    let time =
        |time: Option<chrono::DateTime<chrono::Utc>>| time.map_or("-".to_owned(), |time| time.to_rfc3339());
    let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    let lines = [
        ("id", row.id.to_string()),
        ("kind", row.kind.clone()),
        ("to", row.recipient.clone()),
        ("state", row.state.clone()),
        ("attempts", row.attempts.to_string()),
        ("lost workers", row.lost_leases.to_string()),
        ("lost answers", row.lost_answers.to_string()),
        ("accepted", time(Some(row.created_at))),
        ("due", time(Some(row.due_at))),
        ("deadline", time(Some(row.deadline_at))),
        ("closed", time(row.closed_at)),
        ("worker", text(&row.worker)),
        ("server said", text(&row.reply)),
        ("last error", text(&row.last_error)),
        ("request", text(&row.request_id)),
    ];
    for (name, value) in lines {
        println!("{name:13} {value}");
    }
    Ok(())
}

async fn found(db: &Db, id: Uuid) -> anyhow::Result<MailRow> {
    db.mail(id)
        .await?
        .with_context(|| format!("there is no mail {id}; closed ones go after MAIL_RETENTION_DAYS"))
}

async fn retry(db: &Db, id: Uuid) -> anyhow::Result<()> {
    let row = found(db, id).await?;
    row.kind.parse::<MailKind>().with_context(|| format!("this version does not know {}", row.kind))?;
    let now = Clock::synchronised(db).await?.now();
    if !db.retry_mail(id, now).await? {
        bail!("mail {id} is {}; only failed mails can be retried", row.state);
    }
    println!("mail {id} is queued again; a running worker takes it within seconds");
    Ok(())
}

async fn test(db: &Db, settings: &Settings, address: &str) -> anyhow::Result<()> {
    let to = EmailAddress::parse(address).context("that is no mail address")?;
    let now = Clock::synchronised(db).await?.now();
    let mail = Composer::new(settings)?.compose(Uuid::now_v7(), to.as_str(), &MailBody::Welcome {}, now)?;
    let transport = Transport::new(settings)?;
    let receipt = transport.send(&mail, async { true }).await.context("the mail was not taken")?;
    transport.close().await;
    println!("taken: {}", receipt.words);
    Ok(())
}
