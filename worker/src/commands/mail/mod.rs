//! `bookly-worker mail …`: a file per command.

mod cancel;
mod document;
mod list;
mod preview;
mod progress;
mod retry;
mod selection;
mod show;
mod since;
mod stats;
mod test;

use anyhow::{Context, bail};
use bookly_shared::config::{DatabaseSettings, Settings};
use bookly_shared::db::emails::admin::EmailRow;
use bookly_shared::db::inspect::missing_file;
use bookly_shared::db::{Db, DbUser};
use clap::Subcommand;
use uuid::Uuid;

use super::Screen;
use super::screen::Colour;
use crate::process::open_database;

/// What can be asked of the mails.
#[derive(Debug, Subcommand)]
pub enum MailCommand {
    /// List mails, newest first
    #[command(after_help = list::HELP)]
    List(list::List),
    /// Show one mail, with every attempt to send it
    #[command(after_help = show::HELP)]
    Show(show::Show),
    /// Send failed mails again: one, or all that fit
    #[command(after_help = retry::HELP)]
    Retry(retry::Retry),
    /// Do not send a mail that waits
    #[command(after_help = cancel::HELP)]
    Cancel(cancel::Cancel),
    /// Count what waits, what failed and what ended lately
    #[command(after_help = stats::HELP)]
    Stats(stats::Stats),
    /// Write the mails as people see them to files, with sample values
    #[command(after_help = preview::HELP)]
    Preview(preview::Preview),
    /// Send a welcome mail now, past the queue: does the mail server take ours?
    Test(test::Test),
}

impl MailCommand {
    /// Carries it out.
    ///
    /// # Errors
    /// When there is no such mail, it is not in the right state, or a server cannot be reached; in words for the
    /// operator.
    pub(super) async fn run(self, settings: &Settings, screen: Screen) -> anyhow::Result<()> {
        match self {
            MailCommand::Preview(preview) => preview.run(settings, screen),
            MailCommand::Test(test) => test.run(settings, screen).await,
            asking => {
                let db = open(settings).await?;
                let done = asking.ask(&db, screen).await;
                db.close().await;
                done
            }
        }
    }

    async fn ask(self, db: &Db, screen: Screen) -> anyhow::Result<()> {
        match self {
            MailCommand::List(list) => list.run(db, screen).await,
            MailCommand::Show(show) => show.run(db, screen).await,
            MailCommand::Retry(retry) => retry.run(db, screen).await,
            MailCommand::Cancel(cancel) => cancel.run(db, screen).await,
            MailCommand::Stats(stats) => stats.run(db, screen).await,
            MailCommand::Preview(_) | MailCommand::Test(_) => Ok(()),
        }
    }
}

/// An empty database, made in whatever folder the command is run, would answer that there are no mails.
async fn open(settings: &Settings) -> anyhow::Result<Db> {
    if let DatabaseSettings::Sqlite { data_dir } = &settings.database
        && let Some(file) = missing_file(data_dir)
    {
        let file = file.display();
        bail!("there is no {file}: run this where bookly-api runs, or set DATA_DIR or DATABASE_URL as there");
    }
    open_database(settings, DbUser::Api).await
}

async fn found(db: &Db, id: Uuid) -> anyhow::Result<EmailRow> {
    db.mail(id)
        .await?
        .with_context(|| format!("there is no mail {id}; closed ones go after MAIL_RETENTION_DAYS"))
}

/// How a state, or an attempt's outcome, stands out.
fn colour_of(state: &str) -> Colour {
    match state {
        "sent" => Colour::Green,
        "failed" => Colour::Red,
        "sending" | "retried" | "worker_lost" | "lease_lost" | "database_away" => Colour::Yellow,
        "cancelled" => Colour::Dim,
        _ => Colour::Plain,
    }
}
