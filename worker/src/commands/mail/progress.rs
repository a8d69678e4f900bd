//! Progress of a long command, for a person at a terminal.

use std::io::{self, IsTerminal, Write};

/// One line on standard error that is overwritten; nothing where standard error is not a terminal.
pub(super) struct Progress {
    shown: bool,
}

impl Progress {
    pub(super) fn of_stderr() -> Progress {
        Progress { shown: io::stderr().is_terminal() }
    }

    /// Replaces the line.
    pub(super) fn show(&self, text: impl std::fmt::Display) {
        if self.shown {
            // A closed terminal does not stop the work.
            let _ = write!(io::stderr(), "\r\x1b[K{text}");
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.show("");
    }
}
