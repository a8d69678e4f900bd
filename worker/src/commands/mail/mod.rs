//! `bookly-worker mail …`: a file for each command.

mod cancel;
mod list;
mod preview;
mod progress;
mod retry;
mod selection;
mod show;
mod since;
mod stats;
mod test;

use bookly_shared::config::Settings;
use clap::Subcommand;

use crate::commands::on_database::on_database;

/// The commands about emails.
#[derive(Debug, Subcommand)]
pub enum MailCommand {
    /// List emails, newest first
    #[command(after_help = list::HELP)]
    List(list::ListEmails),
    /// Show one email, with every attempt to send it
    #[command(after_help = show::HELP)]
    Show(show::Show),
    /// Send failed emails again: one, or all that match
    #[command(after_help = retry::HELP)]
    Retry(retry::Retry),
    /// Cancel a queued email
    #[command(after_help = cancel::HELP)]
    Cancel(cancel::Cancel),
    /// Count queued, failed and recently closed emails
    #[command(after_help = stats::HELP)]
    Stats(stats::Stats),
    /// Write every email with sample values to files
    #[command(after_help = preview::HELP)]
    Preview(preview::Preview),
    /// Send a welcome email at once, without the queue, to try the mail server
    #[command(after_help = test::HELP)]
    Test(test::Test),
}

impl MailCommand {
    /// Runs the command.
    ///
    /// # Errors
    /// When there is no such email, it is not in the right state, or a server cannot be reached; in words for the
    /// operator.
    pub(super) async fn run(self, settings: &Settings) -> anyhow::Result<()> {
        match self {
            MailCommand::List(list) => on_database(settings, async |db| list.run(db).await).await,
            MailCommand::Show(show) => on_database(settings, async |db| show.run(db).await).await,
            MailCommand::Retry(retry) => on_database(settings, async |db| retry.run(db).await).await,
            MailCommand::Cancel(cancel) => on_database(settings, async |db| cancel.run(db).await).await,
            MailCommand::Stats(stats) => on_database(settings, async |db| stats.run(db).await).await,
            MailCommand::Preview(preview) => preview.run(settings),
            MailCommand::Test(test) => test.run(settings).await,
        }
    }
}
