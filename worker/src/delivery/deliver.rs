//! A mail's way through the worker, in order: claim → write → render → send → close.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bookly_shared::clock::Clock;
use bookly_shared::db::batch::Batcher;
use bookly_shared::db::emails::attempts::{Ending, Reason};
use bookly_shared::db::emails::claim::ClaimedEmail;
use bookly_shared::db::emails::complete::{Retry, SentEmail};
use bookly_shared::db::emails::maintenance::DEADLINE_PASSED;
use bookly_shared::db::{Db, DbError};
use bookly_shared::domain::EmailAddress;
use bookly_shared::trace::{SpanPlace, Tracer};
use tracing::Instrument;

use crate::delivery::backoff;
use crate::delivery::capacity::Slot;
use crate::delivery::circuit_breaker::CircuitBreaker;
use crate::delivery::completer::Completer;
use crate::delivery::lease::{Lease, Leases};
use crate::delivery::prepare::{Decision, Letter, Preparer};
use crate::delivery::spans;
use crate::metrics::record;
use crate::render::{Composer, Outgoing};
use crate::smtp::{FailureKind, SendError};
use crate::transport::{Delivered, Transport};

/// A mail that kills its worker must not loop.
const MAX_LOST_LEASES: i32 = 5;
/// Copies that the recipient may have got already.
const MAX_LOST_ANSWERS: i32 = 3;
/// How often the closing of a sent mail is tried while the database is away.
const CLOSE_AGAIN_AFTER: Duration = Duration::from_millis(500);

const OUTCOME_UNKNOWN: &str =
    "outcome unknown: the server got the mail three times and its answer was lost each time";
const NOT_RENDERED: &str = "the mail cannot be rendered, see the worker's log";
const TAKEN_OVER: &str = "stopped before DATA: the lease was lost, or the database could not confirm it";
const WORKER_LOST: &str = "given up: five workers were lost while they had this mail";

/// Delivers mails, one call a mail. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Delivery(Arc<Parts>);

#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) db: Db,
    pub(crate) clock: Clock,
    pub(crate) letters: Preparer,
    pub(crate) composer: Composer,
    pub(crate) transport: Transport,
    pub(crate) leases: Leases,
    pub(crate) closings: Batcher<Completer>,
    pub(crate) gate: CircuitBreaker,
    pub(crate) tracer: Tracer,
}

/// What became of one attempt.
enum Outcome {
    /// The server took it.
    Sent(Delivered),
    /// It makes no sense any more, for this reason.
    Cancelled(&'static str),
    /// It will never be sent, for this reason; with the server's code if it was the server who said so.
    Failed(String, Option<u16>),
    /// Try again.
    Retry(SendError),
    /// Another worker has it, or the database could not say so: touch nothing.
    NotOurs,
}

impl Outcome {
    fn ending(&self) -> Ending {
        match self {
            Outcome::Sent(_) => Ending::Sent,
            Outcome::Cancelled(_) => Ending::Cancelled,
            Outcome::Failed(..) => Ending::Failed,
            Outcome::Retry(_) => Ending::Retried,
            Outcome::NotOurs => Ending::LeaseLost,
        }
    }
}

impl Delivery {
    pub(crate) fn new(parts: Parts) -> Delivery {
        Delivery(Arc::new(parts))
    }

    /// Delivers a mail, whose claim was asked for at `asked`, and closes its row, whatever comes. The slot is free for
    /// the next mail as soon as the mail server has answered.
    pub(crate) async fn deliver(&self, mail: ClaimedEmail, asked: Instant, slot: Slot) {
        let parts = &self.0;
        let place = spans::place_of(&mail);
        let log = tracing::info_span!(
            "mail", id = %mail.id, kind = %mail.kind, attempt = mail.attempts,
            request = mail.request_id.as_deref().unwrap_or("-"), trace_id = %place.context.trace_id()
        );
        let mut span = spans::delivery(&parts.tracer, &mail, &place);
        async move {
            let lease = parts.leases.keep(&mail, asked);
            let attempt = parts.attempt(&mail, &lease, &slot, &place).await;
            let _until_closed = slot.answered();
            spans::ended(&mut span, attempt.as_ref().map_or(Ending::DatabaseAway, Outcome::ending));
            match attempt {
                Ok(outcome) => parts.close(&mail, outcome).await,
                Err(error) => parts.put_back_unsent(&mail, &error).await,
            }
        }
        .instrument(log)
        .await;
    }
}

impl Parts {
    async fn attempt(
        &self,
        mail: &ClaimedEmail,
        lease: &Lease<'_>,
        slot: &Slot,
        place: &SpanPlace,
    ) -> Result<Outcome, Arc<DbError>> {
        if let Some(reason) = hopeless(mail, self.clock.now()) {
            return Ok(Outcome::Failed(reason.to_owned(), None));
        }
        let letter = match self.letters.write(mail, self.clock.now()).await? {
            Decision::Send(letter) => letter,
            Decision::Cancel(reason) => return Ok(Outcome::Cancelled(reason)),
        };
        let Some(message) = self.compose(mail, &letter) else {
            return Ok(Outcome::Failed(NOT_RENDERED.to_owned(), None));
        };
        let turn = slot.turn().await;
        let mut span = spans::sending(&self.tracer, &self.transport, place);
        let sent = self.transport.send(&message, lease.still_holds()).await;
        spans::answered(&mut span, &sent);
        drop((span, turn));
        Ok(match sent {
            Ok(delivered) => Outcome::Sent(delivered),
            Err(error) => self.judge(mail, error),
        })
    }

    /// A template that fails is a dead letter, not a loop: no later attempt would render it.
    fn compose(&self, mail: &ClaimedEmail, letter: &Letter) -> Option<Outgoing> {
        let composed = self.composer.compose(mail.id, &letter.to, &letter.body(), self.clock.now());
        composed.inspect_err(|error| tracing::error!(%error, "the mail cannot be rendered")).ok()
    }

    fn judge(&self, mail: &ClaimedEmail, error: SendError) -> Outcome {
        record::failure(&error);
        match error.kind() {
            FailureKind::Permanent => Outcome::Failed(error.to_string(), error.code()),
            FailureKind::LeaseLost => Outcome::NotOurs,
            FailureKind::OutcomeUnknown if mail.lost_answers + 1 >= MAX_LOST_ANSWERS => {
                Outcome::Failed(OUTCOME_UNKNOWN.to_owned(), None)
            }
            FailureKind::OutcomeUnknown | FailureKind::Temporary => Outcome::Retry(error),
            FailureKind::ServerUnavailable => {
                self.gate.close(&error);
                Outcome::Retry(error)
            }
        }
    }

    async fn close(&self, mail: &ClaimedEmail, outcome: Outcome) {
        let now = self.clock.now();
        let to = masked(&mail.recipient);
        let ending = outcome.ending();
        record::attempt(mail.kind, ending);
        let closed = match outcome {
            Outcome::Sent(delivered) => return self.complete_sent(mail, &delivered, &to).await,
            Outcome::NotOurs => {
                tracing::warn!(to, "stopped: the mail is not this worker's any more");
                self.db.record_lost_lease(mail, TAKEN_OVER.into(), now).await.map(|()| true)
            }
            Outcome::Cancelled(reason) => {
                tracing::info!(to, reason, "mail cancelled");
                self.db.cancel(mail, reason, now).await
            }
            Outcome::Failed(reason, smtp_code) => {
                tracing::error!(to, reason, "mail failed");
                self.db.complete_failed(mail, Reason { smtp_code, text: &reason }, now).await
            }
            Outcome::Retry(error) => self.put_back(mail, &error, &to).await,
        };
        match closed {
            Ok(true) => record::closed(mail, ending),
            Ok(false) => {
                tracing::warn!("the mail was claimed by another worker meanwhile, its row is left alone");
            }
            Err(error) => tracing::warn!(%error, "the mail's row could not be closed, its lease runs out"),
        }
    }

    async fn put_back(&self, mail: &ClaimedEmail, error: &SendError, to: &str) -> Result<bool, DbError> {
        let verdict = error.kind();
        let counts = verdict != FailureKind::ServerUnavailable;
        let wait = if counts { backoff::after_attempt(mail.attempts) } else { backoff::after_attempt(1) };
        let reason = error.to_string();
        tracing::warn!(to, reason, wait_s = wait.num_seconds(), "mail not sent, will be tried again");
        let now = self.clock.now();
        let retry = Retry {
            due_at: now + wait,
            ending: Ending::Retried,
            reason: Reason { smtp_code: error.code(), text: &reason },
            counts,
            answer_lost: verdict == FailureKind::OutcomeUnknown,
        };
        self.db.retry_later(mail, &retry, now).await
    }

    /// A 250 is worth any patience: a row left open would send the mail again. The lease is renewed meanwhile.
    async fn complete_sent(&self, mail: &ClaimedEmail, delivered: &Delivered, to: &str) {
        let now = self.clock.now();
        let waited = now - mail.created_at;
        let reply = delivered.to_string();
        tracing::info!(to, reply, waited_ms = waited.num_milliseconds(), "mail sent");
        record::sent(mail, waited);
        while let Err(error) =
            self.closings.ask(SentEmail::new(mail, delivered.smtp_code(), reply.clone(), now)).await
        {
            tracing::warn!(%error, "the mail was sent but its row cannot be closed yet");
            if !error.is_unavailable() {
                return;
            }
            tokio::time::sleep(CLOSE_AGAIN_AFTER).await;
        }
    }

    /// The database failed between the claim and the mail server. Where it is back already, or only one table
    /// is locked, the row is put back: a lease that runs out would count as a worker that the mail killed.
    async fn put_back_unsent(&self, mail: &ClaimedEmail, error: &DbError) {
        record::attempt(mail.kind, Ending::DatabaseAway);
        tracing::warn!(%error, "the database went away in the middle of an attempt");
        let reason = error.to_string();
        let now = self.clock.now();
        let retry = Retry {
            due_at: now + backoff::after_attempt(1),
            ending: Ending::DatabaseAway,
            reason: Reason::from(reason.as_str()),
            counts: false,
            answer_lost: false,
        };
        if self.db.retry_later(mail, &retry, now).await.is_err() {
            tracing::warn!("its row could not be put back either, its lease runs out");
        }
    }
}

/// Why a claimed mail is not even tried.
fn hopeless(mail: &ClaimedEmail, now: chrono::DateTime<chrono::Utc>) -> Option<&'static str> {
    if mail.lost_leases >= MAX_LOST_LEASES {
        Some(WORKER_LOST)
    } else if mail.deadline_at <= now {
        Some(DEADLINE_PASSED)
    } else {
        None
    }
}

/// Addresses are people's: logs hold no more of them than it takes to recognise one.
fn masked(recipient: &str) -> String {
    EmailAddress::parse(recipient).map_or_else(|_| "***".to_owned(), |address| address.masked())
}
