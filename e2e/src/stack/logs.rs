//! What the logs of a stack must not hold, and what they show when a test fails.
#![expect(clippy::print_stderr, reason = "the test runner shows it for tests that failed")]

use std::sync::Arc;

use anyhow::bail;

use super::settings::{JWT_SECRET, MAIL_PASSWORD};
use super::{Stack, lock};
use crate::log::Log;
use crate::person::{ADDRESS_MARK, PASSWORD_MARK};
use crate::postgres;

/// Lines of each log that are shown after a failure.
const SHOWN: usize = 40;

/// Everything secret begins with, or is, one of these. `eyJ` is `{"` in base64: links' and access tokens.
const SECRETS: [(&str, &str); 7] = [
    ("a token", "eyJ"),
    ("a link", "/verify/e"),
    ("a password", PASSWORD_MARK),
    ("a whole address", ADDRESS_MARK),
    ("the JWT secret", JWT_SECRET),
    ("the mail server's password", MAIL_PASSWORD),
    ("the database's password", postgres::PASSWORD),
];

/// What of it is secret, if anything is.
pub fn secret_in(text: &str) -> Option<&'static str> {
    SECRETS.into_iter().find(|(_, secret)| text.contains(secret)).map(|(what, _)| what)
}

impl Stack {
    /// Fails when a log of any process of the stack holds a token, a link, a password or a whole address.
    ///
    /// # Errors
    /// With the first such line.
    pub fn check_logs(&self) -> anyhow::Result<()> {
        for (name, log) in self.logs() {
            for line in log.lines() {
                if let Some(what) = secret_in(&line) {
                    bail!("the log of {name} holds {what}: {line}");
                }
            }
        }
        Ok(())
    }

    /// The logs of all processes that were started, with their names.
    pub fn logs(&self) -> Vec<(String, Arc<Log>)> {
        lock(&self.logs).clone()
    }

    pub(super) fn show_logs(&self) {
        for (name, log) in self.logs() {
            let lines = log.lines();
            eprintln!("--- the end of the log of {name} ({} lines)", lines.len());
            for line in lines.iter().skip(lines.len().saturating_sub(SHOWN)) {
                eprintln!("{line}");
            }
        }
    }
}
