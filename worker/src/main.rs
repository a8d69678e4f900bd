//! `bookly-worker`: sends queued emails, or runs one of the operator's commands.

use std::process::ExitCode;

use bookly_shared::config::Settings;
use bookly_worker::commands::Command;
use bookly_worker::process;
use clap::Parser;

/// Sends Bookly's account emails.
///
/// Without a command it sends emails until it is stopped.
#[derive(Parser)]
#[command(name = "bookly-worker", version, after_help = HELP)]
struct WorkerArguments {
    #[command(subcommand)]
    command: Option<Command>,
}

const HELP: &str = "\
Settings are read from the environment and from .env in the current folder, as bookly-api does. Wrong settings stop the \
start, all of them reported together. The commands for accounts and health are those of bookly-api.

Exit codes: 0 done, 1 failed, with the reason on standard error, 2 wrong arguments or settings. `bounce` has those that mail \
servers read.";

/// What a command logs: its output tells the rest.
const OF_COMMANDS: &str = "warn,bookly_shared::audit=info";

fn main() -> ExitCode {
    let arguments = match WorkerArguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let _ = error.print();
            // Help and the version were asked for.
            return if error.use_stderr() {
                Command::code_of_wrong_arguments().into()
            } else {
                ExitCode::SUCCESS
            };
        }
    };
    match arguments.command {
        None => match Settings::load() {
            Ok(settings) => process::run("info", process::work(settings)),
            Err(error) => process::refuse(&error, process::BAD_CONFIGURATION),
        },
        Some(command) => match command.settings() {
            Ok(settings) => process::run(OF_COMMANDS, command.run(&settings)),
            Err(error) => process::refuse(&error, command.code_of_wrong_settings()),
        },
    }
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
        let command = WorkerArguments::command();
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
