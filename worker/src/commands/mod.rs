//! The operator's commands: find an email, send it again, check the templates, check the installation.

mod bounce;
mod doctor;
mod mail;
mod on_database;
mod one_of;
mod screen;
mod suppression;
mod table;
mod templates;

use std::env;
use std::process::ExitCode;

use bookly_shared::config::{Settings, SettingsError};
use clap::Subcommand;

use crate::process::BAD_CONFIGURATION;

pub use bounce::Bounce;
pub use doctor::Doctor;
pub use mail::MailCommand;
pub use suppression::SuppressionCommand;
pub use templates::TemplatesCommand;

/// A command of the operator.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Find emails, see what happened to them, send them again, try the mail server
    #[command(subcommand)]
    Mail(MailCommand),
    /// Stop emails to a mailbox, allow them again, list the mailboxes that get none
    #[command(subcommand)]
    Suppression(SuppressionCommand),
    /// Check the templates of the emails, with those of TEMPLATE_FOLDER
    #[command(subcommand)]
    Templates(TemplatesCommand),
    /// Record a bounce that came by email, from standard input
    Bounce(Bounce),
    /// Check everything that the service needs, and say how to repair what is wrong
    Doctor(Doctor),
}

impl Command {
    /// Runs the command. The exit code is 1 where the output names something that is wrong.
    ///
    /// # Errors
    /// Why the command could not run, in words for the operator.
    pub async fn run(self, settings: &Settings) -> anyhow::Result<ExitCode> {
        match self {
            Command::Mail(command) => command.run(settings).await.map(|()| ExitCode::SUCCESS),
            Command::Suppression(command) => command.run(settings).await.map(|()| ExitCode::SUCCESS),
            Command::Templates(command) => command.run(settings),
            Command::Bounce(bounce) => Ok(bounce.run(settings).await),
            Command::Doctor(doctor) => doctor.run(settings).await,
        }
    }

    /// Reads the settings, and makes no file.
    ///
    /// # Errors
    /// Every wrong value.
    pub fn settings(&self) -> Result<Settings, SettingsError> {
        match self {
            // With another secret each report would be taken for one that is not ours, and be lost.
            Command::Bounce(_) => Settings::load_with_link_secret(),
            _ => Settings::load_read_only(),
        }
    }

    /// The exit code for wrong arguments of this process, which clap has refused.
    pub fn code_of_wrong_arguments() -> u8 {
        if bounce::is_named_in(env::args_os().skip(1)) { bounce::TRY_AGAIN } else { BAD_CONFIGURATION }
    }

    /// The exit code for wrong settings, where the command cannot run.
    pub fn code_of_wrong_settings(&self) -> u8 {
        match self {
            Command::Bounce(_) => bounce::TRY_AGAIN,
            _ => BAD_CONFIGURATION,
        }
    }
}
