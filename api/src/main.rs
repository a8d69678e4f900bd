//! `bookly-api`: serves, or does one of the operator's commands.

use std::io::Write;
use std::process::ExitCode;

use bookly_api::commands;
use bookly_shared::config::Settings;
use bookly_shared::domain::{EmailAddress, Role};
use bookly_shared::telemetry;
use clap::{Parser, Subcommand};

/// Bookly's API. Without a command it serves; settings come from the environment and from `.env`.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Accounts
    #[command(subcommand)]
    User(UserCommand),
    /// Ask the service on this machine whether it is ready; exit code 0 when it is
    Health,
}

#[derive(Subcommand)]
enum UserCommand {
    /// Give an account a role: admin or user
    Role { email: EmailAddress, role: Role },
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let settings = match Settings::load() {
        Ok(settings) => settings,
        Err(error) => return end(&error.to_string(), 2),
    };
    telemetry::init("info");
    let done = match arguments.command {
        None => commands::serve(settings).await,
        Some(Command::Health) => commands::health(&settings).await,
        Some(Command::User(UserCommand::Role { email, role })) => {
            commands::set_role(settings, &email, role).await
        }
    };
    done.map_or_else(|error| end(&format!("{error:#}"), 1), |()| ExitCode::SUCCESS)
}

/// For whoever started this, as plain text: a log may not be what they look at.
fn end(why: &str, code: u8) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "bookly-api: {why}");
    ExitCode::from(code)
}
