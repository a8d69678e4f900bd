//! The options of a stack.

use crate::process::Settings;
use crate::token_server::AccessTokens;

/// The default number of workers of a full stack.
const WORKERS: usize = 2;

/// The two kinds of stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// One process without settings: SQLite, the worker inside, emails in files.
    Embedded,
    /// Postgres, Redis, worker processes, and a mail server with STARTTLS and AUTH.
    Full,
}

/// The options for starting a stack.
#[derive(Debug, Clone)]
pub struct StackOptions {
    pub(super) kind: Kind,
    pub(super) settings: Settings,
    pub(super) workers: usize,
    pub(super) mail_server: bool,
    pub(super) second_mail_server: bool,
    pub(super) trusted: String,
    pub(super) access_tokens: Option<AccessTokens>,
}

impl StackOptions {
    /// The defaults of a kind.
    pub fn new(kind: Kind) -> StackOptions {
        let (mail_server, trusted) = (kind == Kind::Full, String::new());
        StackOptions {
            kind,
            settings: Settings::new(),
            workers: WORKERS,
            mail_server,
            second_mail_server: false,
            trusted,
            access_tokens: None,
        }
    }

    /// Sets a variable for all processes.
    pub fn with(mut self, name: &str, value: impl Into<String>) -> StackOptions {
        self.settings.insert(name.to_owned(), value.into());
        self
    }

    /// Adds a mail server, also to an embedded stack.
    pub fn mail_server(mut self) -> StackOptions {
        self.mail_server = true;
        self
    }

    /// Lets the mail server accept these access tokens, and no password.
    pub fn access_tokens(mut self, tokens: AccessTokens) -> StackOptions {
        self.access_tokens = Some(tokens);
        self
    }

    /// Adds two mail servers; the second one is the fallback.
    pub fn two_mail_servers(mut self) -> StackOptions {
        (self.mail_server, self.second_mail_server) = (true, true);
        self
    }

    /// Adds a certificate (PEM) to those that the processes trust.
    pub fn trusting(mut self, pem: &str) -> StackOptions {
        self.trusted.push_str(pem);
        self
    }

    /// Sets the number of worker processes (full stack only).
    pub fn workers(mut self, count: usize) -> StackOptions {
        self.workers = count;
        self
    }
}
