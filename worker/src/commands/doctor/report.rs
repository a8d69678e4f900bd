//! The results of the checks, for people and for programs.

use std::io;
use std::time::Duration;

use bookly_shared::domain::printable;
use serde::Serialize;
use tokio::time::timeout;

use crate::commands::screen::{GREEN, RED, YELLOW, print_line, styled};

/// The result of one check, from good to bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Status {
    /// Nothing is wrong.
    Ok,
    /// Something should be repaired, but emails are sent.
    Warn,
    /// Emails are not sent.
    Fail,
}

/// What one check found.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Finding {
    pub(super) name: &'static str,
    pub(super) status: Status,
    pub(super) fact: String,
    /// What to do about it.
    pub(super) remedy: Option<String>,
}

/// What all checks found.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    /// Nothing failed.
    pub(super) ok: bool,
    pub(super) checks: Vec<Finding>,
}

impl Finding {
    pub(super) fn ok(name: &'static str, fact: impl Into<String>) -> Finding {
        Finding { name, status: Status::Ok, fact: fact.into(), remedy: None }
    }

    pub(super) fn warn(name: &'static str, fact: impl Into<String>, remedy: impl Into<String>) -> Finding {
        Finding { name, status: Status::Warn, fact: fact.into(), remedy: Some(remedy.into()) }
    }

    pub(super) fn fail(name: &'static str, fact: impl Into<String>, remedy: impl Into<String>) -> Finding {
        Finding { name, status: Status::Fail, fact: fact.into(), remedy: Some(remedy.into()) }
    }
}

impl Report {
    pub(super) fn of(checks: Vec<Finding>) -> Report {
        Report { ok: checks.iter().all(|check| check.status != Status::Fail), checks }
    }

    pub(super) fn show(&self) -> io::Result<()> {
        for check in &self.checks {
            let status = match check.status {
                Status::Ok => styled(GREEN, "ok  "),
                Status::Warn => styled(YELLOW, "warn"),
                Status::Fail => styled(RED, "FAIL"),
            };
            print_line(format_args!("{status} {}: {}", check.name, printable(&check.fact)))?;
            if let Some(remedy) = &check.remedy {
                print_line(format_args!("     → {}", printable(remedy)))?;
            }
        }
        Ok(())
    }
}

/// Fails a check that gives no result in time.
pub(super) async fn within(
    limit: Duration,
    name: &'static str,
    check: impl Future<Output = Vec<Finding>>,
) -> Vec<Finding> {
    timeout(limit, check).await.unwrap_or_else(|_| {
        let remedy = "the server hangs, or the network drops packets: check the server and the firewalls";
        vec![Finding::fail(name, format!("no answer within {} s", limit.as_secs()), remedy)]
    })
}
