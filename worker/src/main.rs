//! `bookly-worker`: takes mails from the queue, and answers an operator's questions about them.

use std::process::ExitCode;

use bookly_shared::config::Settings;
use bookly_worker::commands::{self, MailCommand};
use bookly_worker::process;
use clap::{Parser, Subcommand};

/// Sends Bookly's account e-mail. Without a command it works until it is stopped.
#[derive(Parser)]
#[command(name = "bookly-worker", version)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Ask after mails, send failed ones again, try the mail server
    Mail {
        #[command(subcommand)]
        command: MailCommand,
    },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let settings = match Settings::load() {
        Ok(settings) => settings,
        Err(error) => return process::refuse(&error),
    };
    process::main(async move {
        match arguments.command {
            None => process::work(settings).await,
            Some(Command::Mail { command }) => {
                let db = process::open_database(&settings).await?;
                commands::run(command, &settings, db).await
            }
        }
    })
}
