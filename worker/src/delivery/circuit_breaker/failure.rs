//! What opens the circuit.

use std::borrow::Cow;

use bookly_shared::config::with_names_of_fallback;
use bookly_shared::domain::MailServer;
use bookly_shared::metrics::table::SMTP_REACHABLE;
use tokio::time::Instant;

use super::{Circuit, CircuitBreaker, OpenedBy, State};
use crate::smtp::{FailureKind, SendError, Stage};

impl CircuitBreaker {
    /// A send failed. Opens the circuit if the error is about more than this email. `reason` is logged.
    pub(crate) fn failed(&self, error: &SendError, reason: &str) {
        let mut opened = None;
        self.state.send_if_modified(|state| {
            opened = match error.kind() {
                FailureKind::ServerUnavailable => state.open_for(error.stage),
                // After a lost answer the email is sent again, and may come twice; after the third one it fails.
                FailureKind::Ambiguous | FailureKind::OutcomeUnknown => state.ambiguous_refusal(self),
                // A server that hangs, or defers every email, would keep them from the other one.
                FailureKind::Temporary if self.is_of_two => state.ambiguous_refusal(self),
                _ => None,
            };
            opened.is_some()
        });
        match opened {
            Some(Opened::Now) => {
                SMTP_REACHABLE.set(0.0, [self.server.label().into()]);
                let remedy = error.remedy().unwrap_or("run `bookly-worker doctor`");
                let remedy = self.with_its_settings(remedy);
                let has_other = self.is_of_two && self.server == MailServer::First;
                let emails = if has_other { "emails go to the fallback" } else { "emails wait" };
                tracing::error!(
                    server = self.named(),
                    reason,
                    remedy = &*remedy,
                    "the mail server cannot be used; {emails} while it is probed"
                );
            }
            Some(Opened::Again) => {
                tracing::warn!(server = self.named(), reason, "the mail server still cannot be used")
            }
            None => {}
        }
    }

    /// A remedy with the names of this server's settings.
    fn with_its_settings(&self, remedy: &'static str) -> Cow<'static, str> {
        match self.server {
            MailServer::First => remedy.into(),
            MailServer::Fallback => with_names_of_fallback(remedy).into(),
        }
    }
}

/// What a failed send did to the circuit.
enum Opened {
    /// It was closed before.
    Now,
    /// It was half-open: the email that was a probe failed.
    Again,
}

impl State {
    /// An error at this stage that concerns all emails.
    fn open_for(&mut self, stage: Stage) -> Option<Opened> {
        let session = match stage {
            Stage::Token | Stage::Connect | Stage::Hello | Stage::Tls | Stage::Auth | Stage::MailFrom => true,
            Stage::RcptTo | Stage::LeaseCheck | Stage::Data | Stage::FinalDot => false,
        };
        let opened_by = if session { OpenedBy::Session } else { OpenedBy::Transaction };
        match &mut self.circuit {
            Circuit::Closed => self.open(opened_by, Opened::Now),
            // The probe email met an outage: the refusal that opened the circuit may still be there.
            Circuit::HalfOpen(_) => self.open(OpenedBy::Transaction, Opened::Again),
            Circuit::Open(known) => {
                if !session {
                    *known = OpenedBy::Transaction;
                }
                None
            }
        }
    }

    /// A refusal that could be about one email or about all.
    fn ambiguous_refusal(&mut self, limits: &CircuitBreaker) -> Option<Opened> {
        let now = Instant::now();
        let remembered =
            self.refused.filter(|(_, latest)| now.duration_since(*latest) < limits.forgotten_after);
        let since = remembered.map_or(now, |(since, _)| since);
        self.refused = Some((since, now));
        match self.circuit {
            Circuit::HalfOpen(_) => self.open(OpenedBy::Transaction, Opened::Again),
            Circuit::Closed if since.elapsed() >= limits.no_acceptance => {
                self.open(OpenedBy::Transaction, Opened::Now)
            }
            Circuit::Closed | Circuit::Open(_) => None,
        }
    }

    fn open(&mut self, opened_by: OpenedBy, opened: Opened) -> Option<Opened> {
        self.circuit = Circuit::Open(opened_by);
        Some(opened)
    }
}
