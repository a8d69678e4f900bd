//! When an email is tried again: after 5 s, 15 s, 45 s, … three times as long each time, at most 30 minutes apart. The third
//! copy after lost answers comes later, because it is the last.

use bookly_shared::db::DbError;
use bookly_shared::db::emails::attempts::{AttemptOutcome, Reason};
use bookly_shared::db::emails::claim::ClaimedEmail;
use bookly_shared::db::emails::retry::Retry;
use bookly_shared::domain::MailServer;
use bookly_shared::domain::smtp_reply::one_short_line;
use bookly_shared::redactor::mask_address;
use chrono::TimeDelta;
use rand::RngExt;

use crate::delivery::deliver::{COMPLETE_AGAIN_AFTER, Delivery, MAX_LOST_ANSWERS};
use crate::delivery::fallback::{bound_after, wait_after_fallback};
use crate::metrics::record;
use crate::smtp::{FailureKind, SendError};

const FIRST_SECONDS: f64 = 5.0;
/// With jitter it is 20 to 30 minutes.
const LONGEST_SECONDS: f64 = 25.0 * 60.0;
/// The wait before the last copy: a fault that breaks every dialogue after the final dot may last for minutes.
const LAST_COPY_AFTER: TimeDelta = TimeDelta::minutes(10);

impl Delivery {
    /// Queues an email again that was not sent. Returns whether the claim still held.
    pub(super) async fn retry(
        &self,
        email: &ClaimedEmail,
        error: &SendError,
        server: MailServer,
        to: &str,
    ) -> Result<bool, DbError> {
        let kind = error.kind();
        let after_fallback = wait_after_fallback(server, error);
        let counts = kind != FailureKind::ServerUnavailable && after_fallback.is_none();
        let answer_lost = kind == FailureKind::OutcomeUnknown;
        let is_before_last_copy = answer_lost && email.lost_answers + 2 >= MAX_LOST_ANSWERS;
        let own_wait = after_fallback.or_else(|| is_before_last_copy.then_some(LAST_COPY_AFTER));
        let usual_wait = || if counts { wait_after(email.attempts) } else { wait_after(1) };
        let wait = own_wait.map_or_else(usual_wait, with_jitter);
        let reason = error.to_string();
        let shown = mask_address(&reason, &email.recipient);
        tracing::warn!(
            to,
            server = self.recorded(server).map(MailServer::as_str),
            reason = shown,
            wait_s = wait.num_seconds(),
            "email not sent, will be tried again"
        );
        let now = self.clock.now();
        let retry = Retry {
            due_at: now + wait,
            outcome: AttemptOutcome::Retried,
            reason: Reason { smtp_code: error.code(), text: &reason, server: self.recorded(server) },
            counts,
            answer_lost,
            bound_to: bound_after(email.bound_server(), server, error),
        };
        loop {
            match self.db.retry_later(email, &retry, now).await {
                // It is tried until it is written: the row names the server whose answer was lost, and the other server must
                // not send a copy. The lease is renewed meanwhile.
                Err(error) if retry.answer_lost && error.is_unavailable() => {
                    tracing::warn!(%error, "an answer was lost, and that cannot be written yet");
                    tokio::time::sleep(COMPLETE_AGAIN_AFTER).await;
                }
                written => return written,
            }
        }
    }

    /// The database failed before the mail server was asked. When the row can be queued again now, it is: a lease
    /// that runs out would count as a worker that this email killed.
    pub(super) async fn retry_after_database_error(&self, email: &ClaimedEmail, error: &DbError) {
        record::attempt(email.kind, AttemptOutcome::DatabaseAway);
        tracing::warn!(%error, "the database failed during an attempt");
        let reason = one_short_line(&error.to_string());
        let now = self.clock.now();
        let retry = Retry {
            due_at: now + wait_after(1),
            outcome: AttemptOutcome::DatabaseAway,
            reason: Reason::from(reason.as_str()),
            counts: false,
            answer_lost: false,
            bound_to: email.bound_server(),
        };
        if self.db.retry_later(email, &retry, now).await.is_err() {
            tracing::warn!("the row could not be queued again either, its lease runs out");
        }
    }
}

/// The wait after this many attempts (1 is the first), with ±20 % of jitter, so that emails which failed together do
/// not come back together.
fn wait_after(attempts: i32) -> TimeDelta {
    with_jitter(TimeDelta::milliseconds((unjittered_seconds(attempts) * 1000.0) as i64))
}

fn with_jitter(wait: TimeDelta) -> TimeDelta {
    TimeDelta::milliseconds((wait.num_milliseconds() as f64 * rand::rng().random_range(0.8..1.2)) as i64)
}

fn unjittered_seconds(attempts: i32) -> f64 {
    (FIRST_SECONDS * 3f64.powi(attempts.clamp(1, 20) - 1)).min(LONGEST_SECONDS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_threefold_up_to_half_an_hour() {
        let waits: Vec<f64> = (1..=8).map(unjittered_seconds).collect();
        assert_eq!(waits, [5.0, 15.0, 45.0, 135.0, 405.0, 1215.0, 1500.0, 1500.0]);
        assert_eq!(unjittered_seconds(i32::MAX), 1500.0);
    }

    #[test]
    fn jitter_stays_within_a_fifth_and_half_an_hour() {
        for _ in 0..1000 {
            let wait = wait_after(2).num_milliseconds();
            assert!((12_000..=18_000).contains(&wait), "{wait}");
            assert!(wait_after(i32::MAX) <= TimeDelta::minutes(30));
        }
    }
}
