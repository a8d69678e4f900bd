//! What a stack is to be like.

use crate::process::Settings;

/// Workers of a full stack, where a test says nothing.
const WORKERS: usize = 2;

/// The two ways to run that every test knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// One process with nothing set: SQLite, the worker inside, mails in files.
    Embedded,
    /// Postgres, Redis, workers of their own, and a mail server with STARTTLS and AUTH.
    Full,
}

/// A stack to be started.
#[derive(Debug, Clone)]
pub struct StackOptions {
    pub(super) kind: Kind,
    pub(super) settings: Settings,
    pub(super) workers: usize,
    pub(super) mail_server: bool,
}

impl StackOptions {
    /// The usual one of its kind.
    pub fn new(kind: Kind) -> StackOptions {
        StackOptions { kind, settings: Settings::new(), workers: WORKERS, mail_server: kind == Kind::Full }
    }

    /// With one setting, for all its processes.
    pub fn with(mut self, name: &str, value: impl Into<String>) -> StackOptions {
        self.settings.insert(name.to_owned(), value.into());
        self
    }

    /// With a mail server, also where mails would go to files.
    pub fn mail_server(mut self) -> StackOptions {
        self.mail_server = true;
        self
    }

    /// With this many worker processes (only the full stack has any).
    pub fn workers(mut self, count: usize) -> StackOptions {
        self.workers = count;
        self
    }
}
