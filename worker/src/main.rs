//! `bookly-worker`: sends queued emails, or runs one of the operator's commands.

use std::process::ExitCode;

use bookly_shared::config::Settings;
use bookly_worker::commands::Command;
use bookly_worker::process;
use clap::Parser;
use mimalloc::MiMalloc;

/// An email is made of about 500 small pieces of memory. With this allocator a worker sends 20 % more emails a second than with
/// glibc's. Its feature `no_thp` is on: with transparent huge pages a worker holds 43 MB instead of 31, and is no faster.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

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

/// What a command logs. The rest is in its output.
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
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_help_fits_a_terminal_of_80_columns() {
        bookly_e2e::help::fits_a_terminal(&WorkerArguments::command()).unwrap();
    }
}
