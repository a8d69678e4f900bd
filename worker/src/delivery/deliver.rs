//! One attempt at an email, in order: prepare → render → send → complete the row.

use std::time::{Duration, Instant};

use bookly_shared::clock::Clock;
use bookly_shared::db::emails::attempts::{AttemptOutcome, Reason};
use bookly_shared::db::emails::claim::ClaimedEmail;
use bookly_shared::db::emails::complete::SentEmail;
use bookly_shared::db::{Db, DbError};
use bookly_shared::domain::MailServer;
use bookly_shared::domain::closing_reason::{DEADLINE_PASSED, NOT_RENDERED, OUTCOME_UNKNOWN, WORKER_LOST};
use bookly_shared::redactor::{mask_address, masked};
use bookly_shared::trace::{SpanPlace, Tracer};
use chrono::{DateTime, Utc};
use tracing::Instrument;

use crate::delivery::capacity::{DeliveryPermit, SendingPermit};
use crate::delivery::circuit_breaker::CircuitBreaker;
use crate::delivery::fallback::{Fallback, Released};
use crate::delivery::lease::{Lease, Leases};
use crate::delivery::prepare::{Decision, EmailContent, Preparer};
use crate::delivery::spans;
use crate::metrics::record;
use crate::render::{Composer, Outgoing};
use crate::smtp::{FailureKind, SendError};
use crate::transport::{Delivered, Transport};

/// An email that kills its worker must not loop.
const MAX_LOST_LEASES: i32 = 5;
/// Each lost answer may be a copy that the recipient has.
pub(super) const MAX_LOST_ANSWERS: i32 = 3;
/// How often the completion of a sent email is tried while the database is away or must be repaired.
pub(crate) const COMPLETE_AGAIN_AFTER: Duration = Duration::from_millis(500);
/// How many tries share a line of the log where the database must be repaired.
const REPAIR_IS_ASKED_EVERY: u32 = 20;

const STOPPED_BEFORE_DATA: &str = "stopped before DATA: the lease is lost or could not be confirmed";

/// Delivers emails, one call for each.
#[derive(Debug)]
pub(crate) struct Delivery {
    pub(crate) db: Db,
    pub(crate) clock: Clock,
    pub(crate) preparer: Preparer,
    pub(crate) composer: Composer,
    pub(crate) transport: Transport,
    pub(crate) leases: Leases,
    pub(crate) circuit_breaker: CircuitBreaker,
    /// The way to the fallback, if one is set.
    pub(crate) fallback: Option<Fallback>,
    pub(crate) tracer: Tracer,
}

/// What became of one attempt.
enum Outcome {
    /// The server took the email.
    Sent(Delivered, MailServer),
    /// It is not wanted any more, for this reason.
    Cancelled(&'static str),
    /// It will never be sent, for this reason; with the server's code, and the server, when one refused it.
    Failed(String, Option<u16>, Option<MailServer>),
    /// It is tried again.
    Retry(SendError, MailServer),
    /// No mail server was asked to take it: it waits for one.
    Released(Released),
    /// The lease is lost, or the database could not confirm it: the row is not changed.
    LeaseLost,
}

impl Outcome {
    fn attempt_outcome(&self) -> AttemptOutcome {
        match self {
            Outcome::Sent(..) => AttemptOutcome::Sent,
            Outcome::Cancelled(_) => AttemptOutcome::Cancelled,
            Outcome::Failed(..) => AttemptOutcome::Failed,
            Outcome::Retry(..) => AttemptOutcome::Retried,
            Outcome::Released(_) => AttemptOutcome::Released,
            Outcome::LeaseLost => AttemptOutcome::LeaseLost,
        }
    }
}

impl Delivery {
    /// Makes one attempt and completes the row, whatever the result. The claim was sent to the database at
    /// `claim_began`. The capacity is free for the next email as soon as the mail server has answered.
    pub(crate) async fn deliver(
        &self,
        email: ClaimedEmail,
        claim_began: Instant,
        mut permit: DeliveryPermit,
    ) {
        let place = spans::place_of(&email);
        let log = tracing::info_span!(
            "email", id = %email.id, kind = %email.kind, attempt = email.attempts,
            request = email.request_id.as_deref().unwrap_or("-"), trace_id = %place.context.trace_id()
        );
        let mut span = spans::delivery(&self.tracer, &email, &place);
        async move {
            let lease = self.leases.keep(&email, claim_began);
            let attempt = self.attempt(&email, &lease, &mut permit, &place).await;
            let _until_completed = permit.answered();
            spans::ended(
                &mut span,
                attempt.as_ref().map_or(AttemptOutcome::DatabaseAway, Outcome::attempt_outcome),
            );
            match attempt {
                Ok(outcome) => self.complete(&email, outcome).await,
                Err(error) => self.retry_after_database_error(&email, &error).await,
            }
        }
        .instrument(log)
        .await;
    }

    async fn attempt(
        &self,
        email: &ClaimedEmail,
        lease: &Lease<'_>,
        permit: &mut DeliveryPermit,
        place: &SpanPlace,
    ) -> Result<Outcome, DbError> {
        if let Some(reason) = reason_to_give_up(email, self.clock.now()) {
            return Ok(Outcome::Failed(reason.to_owned(), None, None));
        }
        let content = match self.preparer.prepare(email, self.clock.now()).await? {
            Decision::Send(content) => content,
            Decision::Cancel(reason) => return Ok(Outcome::Cancelled(reason)),
        };
        let Some(message) = self.compose(email, &content) else {
            return Ok(Outcome::Failed(NOT_RENDERED.to_owned(), None, None));
        };
        let (server, sending) = match self.start_sending(email, permit).await {
            Ok(started) => started,
            Err(released) => return Ok(Outcome::Released(released)),
        };
        let (transport, circuit_breaker) = self.way_to(server);
        let mut span = spans::sending(&self.tracer, transport, place);
        let sent = transport.send(&message, lease.still_holds()).await;
        spans::answered(&mut span, &sent);
        drop((span, sending));
        Ok(match sent {
            Ok(delivered) => {
                circuit_breaker.accepted();
                Outcome::Sent(delivered, server)
            }
            Err(error) => self.judge(email, server, error),
        })
    }

    /// Chooses the server, and waits until one more SMTP dialogue with it may begin.
    async fn start_sending(
        &self,
        email: &ClaimedEmail,
        permit: &mut DeliveryPermit,
    ) -> Result<(MailServer, SendingPermit), Released> {
        let Some(fallback) = &self.fallback else {
            return Ok((MailServer::First, permit.start_sending().await));
        };
        let (claimed_for, bound_to) = (permit.claimed_for, email.bound_server());
        let server = fallback.choose(claimed_for, bound_to, &self.circuit_breaker)?;
        if server != claimed_for.server {
            let sending = permit.start_sending_to_other().ok_or(Released::BoundServerAway)?;
            return Ok((server, sending));
        }
        let sending = permit.start_sending().await;
        // The circuit may have opened meanwhile.
        match fallback.choose(claimed_for, bound_to, &self.circuit_breaker) {
            Ok(server) => Ok((server, sending)),
            Err(released) => {
                sending.give_back();
                Err(released)
            }
        }
    }

    fn way_to(&self, server: MailServer) -> (&Transport, &CircuitBreaker) {
        match &self.fallback {
            Some(fallback) if server == MailServer::Fallback => {
                (&fallback.transport, &fallback.circuit_breaker)
            }
            _ => (&self.transport, &self.circuit_breaker),
        }
    }

    /// The server as attempts record it: only where there are two.
    pub(super) fn recorded(&self, server: MailServer) -> Option<MailServer> {
        self.fallback.as_ref().map(|_| server)
    }

    /// A template, a recipient or a header that cannot be used makes the email fail: a later attempt would meet the same.
    fn compose(&self, email: &ClaimedEmail, content: &EmailContent) -> Option<Outgoing> {
        let EmailContent { recipient, locale, body } = content;
        let composed = self.composer.compose(email.id, recipient, *locale, body, self.clock.now());
        composed.inspect_err(|error| tracing::error!(%error, "the email cannot be rendered")).ok()
    }

    fn judge(&self, email: &ClaimedEmail, server: MailServer, error: SendError) -> Outcome {
        record::failure(server, &error);
        let (_, circuit_breaker) = self.way_to(server);
        circuit_breaker.failed(&error, &mask_address(&error.to_string(), &email.recipient));
        match error.kind() {
            FailureKind::Permanent if server == MailServer::First => {
                Outcome::Failed(error.to_string(), error.code(), self.recorded(server))
            }
            FailureKind::LeaseLost => Outcome::LeaseLost,
            FailureKind::OutcomeUnknown if email.lost_answers + 1 >= MAX_LOST_ANSWERS => {
                Outcome::Failed(OUTCOME_UNKNOWN.to_owned(), None, self.recorded(server))
            }
            // The first server may take what the fallback refuses.
            FailureKind::Permanent
            | FailureKind::OutcomeUnknown
            | FailureKind::Temporary
            | FailureKind::Ambiguous
            | FailureKind::ServerUnavailable => Outcome::Retry(error, server),
        }
    }

    async fn complete(&self, email: &ClaimedEmail, outcome: Outcome) {
        let now = self.clock.now();
        let to = masked(&email.recipient);
        let attempt = outcome.attempt_outcome();
        record::attempt(email.kind, attempt);
        let completed = match outcome {
            Outcome::Sent(delivered, server) => {
                return self.complete_sent(email, &delivered, server, &to).await;
            }
            Outcome::LeaseLost => {
                tracing::warn!(to, "{STOPPED_BEFORE_DATA}");
                self.db.record_lost_lease(email, STOPPED_BEFORE_DATA.into(), now).await.map(|()| true)
            }
            Outcome::Cancelled(reason) => {
                tracing::info!(to, reason, "email cancelled");
                self.db.cancel(email, reason, now).await
            }
            Outcome::Failed(reason, smtp_code, server) => {
                tracing::error!(to, reason = mask_address(&reason, &email.recipient), "email failed");
                self.db.complete_failed(email, Reason { smtp_code, text: &reason, server }, now).await
            }
            Outcome::Retry(error, server) => self.retry(email, &error, server, &to).await,
            Outcome::Released(released) => self.db.release(email.claim(), released.until(now)).await,
        };
        match completed {
            Ok(true) => record::closed(email, attempt),
            Ok(false) => {
                tracing::warn!("this worker's claim no longer holds; the row is not changed");
            }
            Err(error) => tracing::warn!(%error, "the row could not be completed, its lease runs out"),
        }
    }

    /// While the database is away, or completes no row, tries again: a row left open would be sent again. Its lease is
    /// renewed meanwhile, and its place in the capacity is taken, so that soon this worker claims no more. After an error of
    /// this row alone the lease ends, and a copy is sent.
    async fn complete_sent(&self, email: &ClaimedEmail, delivered: &Delivered, server: MailServer, to: &str) {
        let now = self.clock.now();
        let waited = now - email.created_at;
        let reply = delivered.to_string();
        let shown = mask_address(&reply, &email.recipient);
        tracing::info!(
            to,
            server = self.recorded(server).map(MailServer::as_str),
            reply = shown,
            waited_ms = waited.num_milliseconds(),
            "email sent"
        );
        record::sent(email, waited);
        let sent = SentEmail::new(email, delivered.smtp_code(), reply, now).by(self.recorded(server));
        let mut tries = 0_u32;
        while let Err(error) = self.db.complete_sent(sent.clone()).await {
            if error.is_unavailable() {
                tracing::warn!(%error, "the email was sent but its row cannot be completed yet");
            } else if tries.is_multiple_of(REPAIR_IS_ASKED_EVERY) {
                tracing::error!(%error, "the email was sent but its row cannot be completed");
            }
            tries = tries.wrapping_add(1);
            if !error.concerns_every_row() {
                return;
            }
            tokio::time::sleep(COMPLETE_AGAIN_AFTER).await;
        }
    }
}

/// Why a claimed email is not tried at all.
fn reason_to_give_up(email: &ClaimedEmail, now: DateTime<Utc>) -> Option<&'static str> {
    if email.lost_leases >= MAX_LOST_LEASES {
        Some(WORKER_LOST)
    } else if email.deadline_at <= now {
        Some(DEADLINE_PASSED)
    } else {
        None
    }
}
