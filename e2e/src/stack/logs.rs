//! The logs of a stack: no secrets, and their ends after a failure.
#![expect(clippy::print_stderr, reason = "the test runner shows it for tests that failed")]

use std::sync::Arc;

use anyhow::bail;

use super::installation::Stack;
use super::settings::{JWT_SECRET, MAIL_PASSWORD};
use crate::log::Log;
use crate::person::{ADDRESS_MARK, PASSWORD_MARK};
use crate::postgres;
use crate::token_server::TOKEN_MARK;

/// The lines of each log that are printed after a failure.
const SHOWN: usize = 40;

/// Every secret of the tests contains one of these. `eyJ` is `{"` in base64: links and access tokens.
const SECRETS: [(&str, &str); 8] = [
    ("a token", "eyJ"),
    ("a link", "/verify/e"),
    ("a password", PASSWORD_MARK),
    ("a whole address", ADDRESS_MARK),
    ("the JWT secret", JWT_SECRET),
    ("the mail server's password", MAIL_PASSWORD),
    ("a secret of OAuth", TOKEN_MARK),
    ("the database's password", postgres::PASSWORD),
];

/// The kind of secret in a text.
pub fn secret_in(text: &str) -> Option<&'static str> {
    SECRETS.into_iter().find(|(_, secret)| text.contains(secret)).map(|(what, _)| what)
}

impl Stack {
    /// Fails when a log of any process contains a token, a link, a password or an unmasked address.
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

    /// The logs of all processes, with their names.
    pub fn logs(&self) -> Vec<(String, Arc<Log>)> {
        self.logs.lock().clone()
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
