//! `bookly-worker suppression …`: the mailboxes that get no email, or no `welcome` email.

mod add;
mod list;
mod remove;

use bookly_shared::config::Settings;
use clap::Subcommand;

use super::on_database::on_database;

/// The commands about suppressions.
#[derive(Debug, Subcommand)]
pub enum SuppressionCommand {
    /// List the mailboxes that get no email, newest first
    #[command(after_help = list::HELP)]
    List(list::ListSuppressions),
    /// Stop emails to a mailbox
    #[command(after_help = add::HELP)]
    Add(add::Add),
    /// Allow emails to a mailbox again
    #[command(after_help = remove::HELP)]
    Remove(remove::Remove),
}

impl SuppressionCommand {
    /// Runs the command.
    ///
    /// # Errors
    /// When there is no such entry, or the database cannot be reached; in words for the operator.
    pub(super) async fn run(self, settings: &Settings) -> anyhow::Result<()> {
        match self {
            SuppressionCommand::List(list) => on_database(settings, async |db| list.run(db).await).await,
            SuppressionCommand::Add(add) => on_database(settings, async |db| add.run(db).await).await,
            SuppressionCommand::Remove(remove) => {
                on_database(settings, async |db| remove.run(db).await).await
            }
        }
    }
}
