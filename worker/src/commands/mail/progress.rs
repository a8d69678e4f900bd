//! How far a long command is, for whoever waits at a terminal.

use std::io::{self, IsTerminal, Write};

/// One line on standard error that is written over; nothing where no terminal shows it.
pub(super) struct Progress {
    shown: bool,
}

impl Progress {
    pub(super) fn of_stderr() -> Progress {
        Progress { shown: io::stderr().is_terminal() }
    }

    /// Says how far it is.
    pub(super) fn show(&self, text: impl std::fmt::Display) {
        if self.shown {
            // A terminal that is gone is no reason to stop the work.
            let _ = write!(io::stderr(), "\r\x1b[K{text}");
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.show("");
    }
}
