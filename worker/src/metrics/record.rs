//! Counters of attempts and closed emails.

use bookly_shared::db::emails::attempts::AttemptOutcome;
use bookly_shared::db::emails::claim::ClaimedEmail;
use bookly_shared::db::emails::maintenance::OverdueEmail;
use bookly_shared::domain::{EmailKind, MailServer};
use bookly_shared::metrics::table::{
    EMAIL_ATTEMPTS, EMAIL_DELIVERY_SECONDS, EMAIL_LEASES_LOST, EMAILS_CLOSED, JOBS_REENQUEUED,
    MAINTENANCE_LEADER, SMTP_FAILURES, SMTP_OPENED, SMTP_REACHABLE,
};
use chrono::TimeDelta;

use crate::smtp::SendError;

/// The outcomes that close the email.
const ENDS: [AttemptOutcome; 3] = [AttemptOutcome::Sent, AttemptOutcome::Failed, AttemptOutcome::Cancelled];
/// The outcomes that leave the email open.
const OTHERS: [AttemptOutcome; 4] = [
    AttemptOutcome::Retried,
    AttemptOutcome::Released,
    AttemptOutcome::LeaseLost,
    AttemptOutcome::DatabaseAway,
];

/// Starts every series at 0: Prometheus sees no increase for the first event of a series.
pub(crate) fn begin(servers: &[MailServer]) {
    for kind in EmailKind::ALL {
        ENDS.into_iter().for_each(|end| EMAILS_CLOSED.add(0, [kind.as_str().into(), end.as_str().into()]));
        let outcomes = ENDS.into_iter().chain(OTHERS);
        outcomes.for_each(|outcome| EMAIL_ATTEMPTS.add(0, [kind.as_str().into(), outcome.as_str().into()]));
        EMAIL_LEASES_LOST.add(0, [kind.as_str().into()]);
    }
    JOBS_REENQUEUED.add(0, []);
    MAINTENANCE_LEADER.set(0.0, []);
    for server in servers {
        SMTP_OPENED.add(0, [server.label().into()]);
        SMTP_REACHABLE.set(1.0, [server.label().into()]);
    }
}

/// Counts an attempt.
pub(crate) fn attempt(kind: EmailKind, outcome: AttemptOutcome) {
    EMAIL_ATTEMPTS.add(1, [kind.as_str().into(), outcome.as_str().into()]);
}

/// Counts an email that the mail server accepted.
pub(crate) fn sent(mail: &ClaimedEmail, waited: TimeDelta) {
    EMAIL_DELIVERY_SECONDS.record(waited.as_seconds_f64().max(0.0), [mail.kind.as_str().into()]);
    closed(mail, AttemptOutcome::Sent);
}

/// Counts a closed email; an email that is retried is not closed.
pub(crate) fn closed(mail: &ClaimedEmail, outcome: AttemptOutcome) {
    if ENDS.contains(&outcome) {
        end(mail.kind, outcome, mail.lost_leases);
    }
}

/// Counts emails that failed because their deadline passed.
pub(crate) fn overdue(mails: &[OverdueEmail]) {
    mails.iter().for_each(|mail| end(mail.kind, AttemptOutcome::Failed, mail.lost_leases));
}

/// Counts a failed send or probe.
pub(crate) fn failure(server: MailServer, error: &SendError) {
    SMTP_FAILURES.add(1, [server.label().into(), error.stage.label().into(), error.kind().label().into()]);
}

/// A killed worker cannot count its lost lease. The row counts it, and the process that closes the row adds it here.
fn end(kind: EmailKind, outcome: AttemptOutcome, lost_leases: i32) {
    EMAILS_CLOSED.add(1, [kind.as_str().into(), outcome.as_str().into()]);
    EMAIL_LEASES_LOST.add(u64::try_from(lost_leases).unwrap_or(0), [kind.as_str().into()]);
}
