//! The operator's commands: where is her mail, try it again, do the templates work, what is wrong here.

mod doctor;
mod mail;
mod screen;
mod table;
mod templates;

use std::process::ExitCode;

use bookly_shared::config::Settings;
use clap::Subcommand;

pub use doctor::Doctor;
pub use mail::MailCommand;
pub use screen::Screen;
pub use templates::TemplatesCommand;

/// A command other than working.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Find mails, see what became of them, send them again, try the mail server
    #[command(subcommand)]
    Mail(MailCommand),
    /// Check the templates of the mails, with those of TEMPLATE_FOLDER
    #[command(subcommand)]
    Templates(TemplatesCommand),
    /// Check everything that the service needs, and say what to do about what is wrong
    Doctor(Doctor),
}

impl Command {
    /// Does it. The code is 1 where something was found to be wrong that the answer already says.
    ///
    /// # Errors
    /// Why it was not done, in words for who typed it.
    pub async fn run(self, settings: &Settings) -> anyhow::Result<ExitCode> {
        let screen = Screen::of_stdout();
        match self {
            Command::Mail(command) => command.run(settings, screen).await.map(|()| ExitCode::SUCCESS),
            Command::Templates(command) => command.run(settings, screen),
            Command::Doctor(doctor) => doctor.run(settings, screen).await,
        }
    }
}
