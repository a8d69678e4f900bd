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
    use clap::{Command, CommandFactory};

    use super::*;

    /// The help of a command and of those below it, at this width; 0 wraps nothing.
    fn helps(command: &Command, width: usize) -> Vec<String> {
        let help = command.clone().term_width(width).render_long_help().to_string();
        let below = command.get_subcommands().flat_map(|below| helps(below, width));
        std::iter::once(help).chain(below).collect()
    }

    #[test]
    fn the_help_fits_a_terminal_of_80_columns() {
        let command = Arguments::command();
        for help in helps(&command, 80) {
            let long: Vec<&str> = help.lines().filter(|line| line.chars().count() > 80).collect();
            assert_eq!(long, [""; 0]);
        }
        for help in helps(&command, 0) {
            let is_rest = |line: &&str| line.starts_with(|c: char| c.is_lowercase());
            let broken: Vec<&str> = help.lines().skip(1).filter(is_rest).collect();
            assert_eq!(
                broken, [""; 0],
                "a paragraph is one line, so that it is broken where the terminal ends"
            );
        }
    }
}
