//! What the help of a program looks like in a terminal.

use anyhow::ensure;
use clap::Command;

/// The columns of a terminal.
const COLUMNS: usize = 80;

/// Whether every help of a program and of its commands fits a terminal.
///
/// # Errors
/// The lines that are too long, and those that break a paragraph at another place than the end of the terminal.
pub fn fits_a_terminal(program: &Command) -> anyhow::Result<()> {
    for help in helps(program, COLUMNS) {
        let long: Vec<&str> = help.lines().filter(|line| line.chars().count() > COLUMNS).collect();
        ensure!(long.is_empty(), "longer than {COLUMNS} columns: {long:?}");
    }
    for help in helps(program, 0) {
        let is_rest = |line: &&str| line.starts_with(|c: char| c.is_lowercase());
        let broken: Vec<&str> = help.lines().skip(1).filter(is_rest).collect();
        ensure!(
            broken.is_empty(),
            "a paragraph is one line, so that it is broken where the terminal ends: {broken:?}"
        );
    }
    Ok(())
}

/// The help of a command and of those below it, at this width; 0 wraps nothing.
fn helps(command: &Command, width: usize) -> Vec<String> {
    let help = command.clone().term_width(width).render_long_help().to_string();
    let below = command.get_subcommands().flat_map(|below| helps(below, width));
    std::iter::once(help).chain(below).collect()
}
