//! Standard output as commands use it: colours for a person at a terminal, one JSON document for a program.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};

use serde::Serialize;

/// Where a command's answer goes. Logs and errors go to standard error.
#[derive(Clone, Copy, Debug)]
pub struct Screen {
    colours: bool,
}

/// How a word stands out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Colour {
    /// Not at all.
    Plain,
    /// Headings.
    Bold,
    /// What is less important.
    Dim,
    /// All is well.
    Green,
    /// Look at it.
    Yellow,
    /// Something is wrong.
    Red,
}

impl Colour {
    /// "Select graphic rendition" (ECMA-48 §8.3.117).
    fn code(self) -> &'static str {
        match self {
            Colour::Plain => "0",
            Colour::Bold => "1",
            Colour::Dim => "2",
            Colour::Green => "32",
            Colour::Yellow => "33",
            Colour::Red => "31",
        }
    }
}

impl Screen {
    /// Colours only on a terminal, and not where `NO_COLOR` (<https://no-color.org>) or `TERM=dumb` asks for none.
    pub fn of_stdout() -> Screen {
        let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|value| value == "dumb");
        Screen { colours: io::stdout().is_terminal() && !is_set("NO_COLOR") && !dumb }
    }

    /// Without colours, as in a pipe.
    #[cfg(test)]
    pub(super) fn plain() -> Screen {
        Screen { colours: false }
    }

    /// The text, coloured where colours are wanted.
    pub(super) fn paint(self, colour: Colour, text: impl Display) -> String {
        match colour {
            Colour::Plain => text.to_string(),
            _ if !self.colours => text.to_string(),
            _ => format!("\x1b[{}m{text}\x1b[0m", colour.code()),
        }
    }

    /// Writes a line.
    ///
    /// # Errors
    /// When nobody reads any more, among others.
    pub(super) fn line(self, text: impl Display) -> io::Result<()> {
        writeln!(io::stdout(), "{text}")
    }

    /// Writes one JSON document.
    ///
    /// # Errors
    /// When nobody reads any more, among others.
    pub(super) fn json(self, document: &impl Serialize) -> io::Result<()> {
        let mut out = io::stdout().lock();
        serde_json::to_writer_pretty(&mut out, document)?;
        writeln!(out)
    }
}
