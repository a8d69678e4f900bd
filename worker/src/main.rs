//! `bookly-worker`: takes mails from the queue, and answers an operator's questions about them.

use std::process::ExitCode;

use bookly_shared::config::Settings;
use bookly_worker::commands::Command;
use bookly_worker::process;
use clap::Parser;

/// Sends Bookly's account e-mail, and answers operators' questions about it.
///
/// Without a command it works until it is stopped.
#[derive(Parser)]
#[command(name = "bookly-worker", version, after_help = HELP)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

const HELP: &str = "\
Settings come from the environment and from .env in the current folder, the same as bookly-api's; what is wrong with them
is said at the start. Accounts and health are commands of bookly-api.

Exit codes: 0 done, 1 not possible (standard error says why), 2 wrong arguments or settings.";

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match arguments.command {
        None => match Settings::load() {
            Ok(settings) => process::main("info", process::work(settings)),
            Err(error) => process::refuse(&error),
        },
        Some(command) => match Settings::load_to_look() {
            Ok(settings) => process::main("warn", command.run(&settings)),
            Err(error) => process::refuse(&error),
        },
    }
}
