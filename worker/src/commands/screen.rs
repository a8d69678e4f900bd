//! Standard output as commands use it: colours for a person at a terminal, one JSON document for a program.
//!
//! Logs and errors go to standard error.

use std::fmt::Display;
use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use bookly_shared::domain::printable_lines;
use serde::Serialize;

/// Headings.
pub(super) const BOLD: Style = Style::new().bold();
/// Names before values.
pub(super) const DIM: Style = Style::new().dimmed();
/// The check passed.
pub(super) const GREEN: Style = AnsiColor::Green.on_default();
/// A warning.
pub(super) const YELLOW: Style = AnsiColor::Yellow.on_default();
/// A failure.
pub(super) const RED: Style = AnsiColor::Red.on_default();

/// The text in a style, for [`print_line`].
pub(super) fn styled(style: Style, text: impl Display) -> String {
    format!("{style}{text}{style:#}")
}

/// Writes a line. Texts of other programs in it must be [printable](bookly_shared::domain::printable). Colours reach a terminal only, and not where `NO_COLOR` (<https://no-color.org>) or `TERM=dumb`
/// asks for none.
///
/// # Errors
/// When standard output is closed, among others.
pub(super) fn print_line(text: impl Display) -> io::Result<()> {
    writeln!(anstream::stdout(), "{text}")
}

/// Writes one JSON document. JSON escapes most control characters, but not those above U+007E.
///
/// # Errors
/// When standard output is closed, among others.
pub(super) fn print_json(document: &impl Serialize) -> io::Result<()> {
    writeln!(io::stdout(), "{}", printable_lines(&serde_json::to_string_pretty(document)?))
}
