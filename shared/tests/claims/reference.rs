//! The table `emails` in plain Rust: what each call must return, and what it must write.

use std::collections::BTreeMap;

use bookly_shared::db::emails::attempts::AttemptRow;
use bookly_shared::db::emails::claim::{AGED_AFTER, CLOCK_SLACK, Claim, ClaimLimits, ClaimedEmail, LEASE};
use bookly_shared::db::emails::insert::deadline_of;
use bookly_shared::db::emails::list::EmailRow;
use bookly_shared::db::emails::maintenance::REENQUEUE_AFTER;
use bookly_shared::domain::closing_reason::{CANCELLED_BY_OPERATOR, DEADLINE_PASSED};
use bookly_shared::domain::{EmailKind, MailServer, ReportVerdict};
use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

/// A row.
#[derive(Clone, Debug)]
pub(crate) struct Email {
    pub(crate) id: Uuid,
    pub(crate) kind: EmailKind,
    pub(crate) state: &'static str,
    pub(crate) attempts: i32,
    pub(crate) fencing_token: i64,
    pub(crate) lost_leases: i32,
    pub(crate) lost_answers: i32,
    /// Before a retry by hand the outcome was not known.
    pub(crate) may_be_taken: bool,
    pub(crate) bound_to: Option<MailServer>,
    pub(crate) due_at: DateTime<Utc>,
    pub(crate) deadline_at: DateTime<Utc>,
    pub(crate) enqueued_at: Option<DateTime<Utc>>,
    pub(crate) lease_until: Option<DateTime<Utc>>,
    pub(crate) worker: Option<&'static str>,
    pub(crate) last_error: Option<String>,
    pub(crate) reply: Option<String>,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) closed_at: Option<DateTime<Utc>>,
    /// The outcome of each claim, by its fencing token.
    pub(crate) outcomes: BTreeMap<i64, &'static str>,
}

impl Email {
    pub(crate) fn queued(id: Uuid, kind: EmailKind, now: DateTime<Utc>) -> Email {
        Email {
            id,
            kind,
            state: "queued",
            attempts: 0,
            fencing_token: 0,
            lost_leases: 0,
            lost_answers: 0,
            may_be_taken: false,
            bound_to: None,
            due_at: now,
            deadline_at: now + deadline_of(kind),
            enqueued_at: Some(now),
            lease_until: None,
            worker: None,
            last_error: None,
            reply: None,
            created_at: now,
            closed_at: None,
            outcomes: BTreeMap::new(),
        }
    }

    /// 1 somebody waits for it, 2 notices, 3 bulk.
    pub(crate) fn priority(&self) -> i16 {
        match self.kind {
            EmailKind::VerifyEmail | EmailKind::ResetPassword | EmailKind::ChangeEmail => 1,
            EmailKind::PasswordChanged | EmailKind::EmailChangeRequested | EmailKind::EmailChanged => 2,
            EmailKind::Welcome => 3,
        }
    }

    pub(crate) fn is_claimable(&self, now: DateTime<Utc>) -> bool {
        self.state == "queued" && self.due_at <= now + CLOCK_SLACK
    }

    /// One row of `Db::rescue_lost_leases`: an email whose worker let its lease end.
    pub(crate) fn rescue_lost_leases(&mut self, now: DateTime<Utc>) -> bool {
        let lost = self.state == "sending" && self.lease_until.is_some_and(|until| until < now);
        if lost {
            self.state = "queued";
            self.lost_leases += 1;
            (self.enqueued_at, self.lease_until) = (None, None);
            self.outcomes.entry(self.fencing_token).or_insert("worker_lost");
        }
        lost
    }

    /// `Db::lease_lasts`
    pub(crate) fn lease_lasts(&self, claim: &ClaimedEmail, until: DateTime<Utc>) -> bool {
        self.is_held_by(claim) && self.lease_until.is_some_and(|lease| lease >= until)
    }

    /// Due, and without a job of the last ten seconds.
    pub(crate) fn is_unenqueued(&self, now: DateTime<Utc>) -> bool {
        let has_recent_job = self.enqueued_at.is_some_and(|at| at >= now - REENQUEUE_AFTER);
        self.state == "queued" && self.due_at <= now && !has_recent_job
    }

    pub(crate) fn claim(&mut self, worker: &'static str, now: DateTime<Utc>) {
        self.state = "sending";
        self.attempts += 1;
        self.fencing_token += 1;
        self.lease_until = Some(now + LEASE);
        self.worker = Some(worker);
    }

    pub(crate) fn is_held_by(&self, claim: &ClaimedEmail) -> bool {
        self.state == "sending" && self.fencing_token == claim.fencing_token
    }

    /// `Db::renew_lease`
    pub(crate) fn renew_lease(&mut self, claim: &ClaimedEmail, now: DateTime<Utc>) -> bool {
        let held = self.is_held_by(claim);
        if held {
            self.lease_until = Some(now + LEASE);
        }
        held
    }

    /// One row of `Db::renew_leases`.
    pub(crate) fn renew(&mut self, worker: &str, now: DateTime<Utc>) -> Option<Claim> {
        let held = self.state == "sending" && self.worker == Some(worker);
        held.then(|| {
            self.lease_until = Some(now + LEASE);
            Claim { id: self.id, fencing_token: self.fencing_token }
        })
    }

    /// `Db::complete_sent`: for every claim, and once. A report stays.
    pub(crate) fn complete_sent(&mut self, claim: &ClaimedEmail, reply: &str, now: DateTime<Utc>) {
        self.outcomes.insert(claim.fencing_token, "sent");
        if !matches!(self.state, "sent" | "bounced" | "complained") {
            self.close("sent", now);
            self.last_error = None;
            self.reply = Some(reply.to_owned());
        }
    }

    /// `Db::complete_failed`, `Db::cancel`
    pub(crate) fn close_as(
        &mut self,
        claim: &ClaimedEmail,
        state: &'static str,
        reason: &str,
        now: DateTime<Utc>,
    ) -> bool {
        let held = self.is_held_by(claim);
        if held {
            self.close(state, now);
            self.outcomes.insert(claim.fencing_token, state);
            self.last_error = Some(reason.to_owned());
        }
        held
    }

    /// `Db::retry_later`
    pub(crate) fn retry_later(
        &mut self,
        claim: &ClaimedEmail,
        due_at: DateTime<Utc>,
        error: &str,
        (counts, answer_lost): (bool, bool),
    ) -> bool {
        let held = self.is_held_by(claim);
        if held {
            self.state = "queued";
            self.outcomes.insert(claim.fencing_token, "retried");
            self.due_at = due_at;
            self.last_error = Some(error.to_owned());
            (self.enqueued_at, self.lease_until) = (None, None);
            self.attempts -= i32::from(!counts);
            self.lost_answers += i32::from(answer_lost);
            self.bound_to = answer_lost.then_some(MailServer::Fallback);
        }
        held
    }

    /// `Db::release`: the claim is not an attempt.
    pub(crate) fn release(&mut self, claim: &ClaimedEmail, due_at: Option<DateTime<Utc>>) -> bool {
        let held = self.is_held_by(claim);
        if held {
            self.state = "queued";
            self.due_at = due_at.unwrap_or(self.due_at);
            (self.enqueued_at, self.lease_until) = (None, None);
            self.attempts -= 1;
        }
        held
    }

    /// One row of `Db::fail_overdue`. Emails in flight are left to their workers.
    pub(crate) fn fail_overdue(&mut self, now: DateTime<Utc>) -> bool {
        let overdue = self.state == "queued" && self.deadline_at <= now;
        if overdue {
            self.close("failed", now);
            let last = self.last_error.take().map(|error| format!("; last: {error}"));
            self.last_error = Some(format!("{DEADLINE_PASSED}{}", last.unwrap_or_default()));
        }
        overdue
    }

    /// `Db::retry_email`
    pub(crate) fn retry_by_hand(&mut self, now: DateTime<Utc>) -> bool {
        let failed = self.state == "failed";
        if failed {
            let fresh = Email::queued(self.id, self.kind, now);
            *self = Email {
                fencing_token: self.fencing_token,
                may_be_taken: self.may_be_taken || self.is_unknown(),
                due_at: now,
                enqueued_at: None,
                worker: self.worker,
                last_error: self.last_error.take(),
                reply: self.reply.take(),
                created_at: self.created_at,
                outcomes: std::mem::take(&mut self.outcomes),
                ..fresh
            };
        }
        failed
    }

    /// `Db::cancel_email`: an email that a worker has may be on its way already.
    pub(crate) fn cancel_by_hand(&mut self, now: DateTime<Utc>) -> bool {
        let waits = self.state == "queued";
        if waits {
            self.close("cancelled", now);
            self.last_error = Some(CANCELLED_BY_OPERATOR.to_owned());
        }
        waits
    }

    /// `Db::record_report`: the new state, if the row gets one.
    pub(crate) fn report(&mut self, verdict: ReportVerdict, now: DateTime<Utc>) -> Option<&'static str> {
        let state = match (verdict, self.state) {
            (ReportVerdict::Soft | ReportVerdict::Delay, "queued") if self.is_unknown() => "sent",
            (ReportVerdict::Soft | ReportVerdict::Delay, _) => return None,
            (_, "complained") | (ReportVerdict::Hard, "bounced") => return None,
            (_, "failed" | "cancelled") if !self.may_be_taken && !self.is_unknown() => return None,
            (ReportVerdict::Hard, _) => "bounced",
            (ReportVerdict::Complaint, _) => "complained",
        };
        self.close(state, now);
        self.last_error = (state != "sent").then(|| "reported".to_owned());
        Some(state)
    }

    fn is_unknown(&self) -> bool {
        self.lost_leases > 0 || self.lost_answers > 0
    }

    fn close(&mut self, state: &'static str, now: DateTime<Utc>) {
        self.state = state;
        self.closed_at = Some(now);
        self.lease_until = None;
    }

    /// Compares with the claim that the database gave a worker.
    pub(crate) fn assert_claimed(&self, claim: &ClaimedEmail) {
        let given = (
            claim.id,
            (claim.kind, claim.priority),
            claim.fencing_token,
            claim.attempts,
            claim.lost_leases,
            claim.lost_answers,
        );
        let due = (
            self.id,
            (self.kind, self.priority()),
            self.fencing_token,
            self.attempts,
            self.lost_leases,
            self.lost_answers,
        );
        assert_eq!(given, due);
        assert_eq!(claim.bound_server(), self.bound_to);
        assert_eq!((claim.created_at, claim.deadline_at), (self.created_at, self.deadline_at));
    }

    /// Compares with the attempts in the database.
    pub(crate) fn assert_attempts(&self, rows: &[AttemptRow]) {
        let stored: BTreeMap<i64, &str> =
            rows.iter().map(|row| (row.fencing_token, row.outcome.as_str())).collect();
        assert_eq!(stored, self.outcomes, "{self:?}");
    }

    /// Compares with the row in the database.
    pub(crate) fn assert_stored(&self, row: &EmailRow) {
        let stored = (row.state.as_str(), row.attempts, row.lost_leases, row.lost_answers);
        assert_eq!(stored, (self.state, self.attempts, self.lost_leases, self.lost_answers), "{row:?}");
        let stored = (row.due_at, row.deadline_at, row.created_at, row.closed_at);
        assert_eq!(stored, (self.due_at, self.deadline_at, self.created_at, self.closed_at), "{row:?}");
        let stored = (row.worker.as_deref(), row.last_error.as_deref(), row.reply.as_deref());
        assert_eq!(stored, (self.worker, self.last_error.as_deref(), self.reply.as_deref()), "{row:?}");
    }
}

/// `Db::claim_due`: first some that have waited for long, then by priority, then by the time for which they are due.
pub(crate) fn to_claim(emails: &[Email], limits: ClaimLimits, now: DateTime<Utc>) -> Vec<&Email> {
    let mut due: Vec<&Email> = emails.iter().filter(|email| email.is_claimable(now)).collect();
    due.sort_by_key(|email| (email.due_at, email.priority()));
    let mut taken: Vec<&Email> = Vec::new();
    let bulk_is_full =
        |taken: &[&Email]| taken.iter().filter(|email| email.priority() == 3).count() as i64 >= limits.bulk;
    for email in due.iter().filter(|email| email.priority() > 1 && email.due_at <= now - AGED_AFTER) {
        let full = email.priority() == 3 && bulk_is_full(&taken);
        if (taken.len() as i64) < limits.aged && !full {
            taken.push(email);
        }
    }
    due.sort_by_key(|email| (email.priority(), email.due_at));
    for email in due {
        let full = email.priority() == 3 && bulk_is_full(&taken);
        if (taken.len() as i64) < limits.emails && !full && !taken.iter().any(|other| other.id == email.id) {
            taken.push(email);
        }
    }
    taken
}

/// Longer than any deadline: by then everything can be claimed.
pub(crate) const FOR_EVER: TimeDelta = TimeDelta::days(3650);
