//! `bookly-api`: serves, or runs a command of the operator.

use std::io::Write;
use std::process::ExitCode;

use bookly_api::commands::{self, Command};
use bookly_shared::config::Settings;
use bookly_shared::domain::printable_lines;
use bookly_shared::telemetry;
use clap::Parser;

/// Serves Bookly's API.
///
/// Without a command it serves until it is stopped.
#[derive(Parser)]
#[command(name = "bookly-api", version, after_help = HELP)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

const HELP: &str = "\
Settings come from the environment and from .env in the current folder. Wrong settings are reported at the start. \
Commands for emails, templates and the check of an installation (doctor) belong to bookly-worker.

Exit codes: 0 done, 1 failed (standard error says why), 2 wrong arguments or settings.";

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let settings = match &arguments.command {
        None => Settings::load(),
        Some(_) => Settings::load_read_only(),
    };
    let settings = match settings {
        Ok(settings) => settings,
        Err(error) => return end(&error.to_string(), 2),
    };
    telemetry::init("info");
    let done = match arguments.command {
        None => commands::serve(settings).await,
        Some(command) => command.run(settings).await,
    };
    done.map_or_else(|error| end(&format!("{error:#}"), 1), |()| ExitCode::SUCCESS)
}

/// Plain text on standard error: the person who started this may not read the log.
fn end(why: &str, code: u8) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "bookly-api: {}", printable_lines(why));
    ExitCode::from(code)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_help_fits_a_terminal_of_80_columns() {
        bookly_e2e::help::fits_a_terminal(&Arguments::command()).unwrap();
    }
}
