//! Runs a history on a real database and on the reference; any difference fails the test.

use bookly_shared::db::Db;
use bookly_shared::db::emails::attempts::{AttemptOutcome, Reason};
use bookly_shared::db::emails::claim::{ClaimLimits, ClaimedEmail};
use bookly_shared::db::emails::complete::SentEmail;
use bookly_shared::db::emails::insert::NewEmail;
use bookly_shared::db::emails::list::EmailFilter;
use bookly_shared::db::emails::reports::{Recorded, Report};
use bookly_shared::db::emails::retry::Retry;
use bookly_shared::domain::{EmailAddress, EmailKind, EmailState, MailServer, ReportSource, ReportVerdict};
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::try_join_all;
use proptest::sample::Index;
use uuid::Uuid;

use crate::history::{Op, Pick, WORKERS};
use crate::reference::{Email, FOR_EVER, to_claim};

pub(crate) struct Play<'a> {
    db: &'a Db,
    now: DateTime<Utc>,
    emails: Vec<Email>,
    /// All claims so far, each with the number of its worker.
    claims: Vec<(usize, ClaimedEmail)>,
    reports: u64,
}

/// Runs one history, which begins with an empty table.
pub(crate) async fn play(db: &Db, history: &[Op]) {
    empty(db).await;
    let mut play = Play { db, now: start(), emails: Vec::new(), claims: Vec::new(), reports: 0 };
    play.queue(EmailKind::VerifyEmail).await;
    for op in history {
        play.step(op).await;
        play.compare().await;
    }
    play.only_the_newest_claim_may_hold().await;
}

pub(crate) fn start() -> DateTime<Utc> {
    DateTime::from_timestamp(1_767_225_600, 0).unwrap()
}

/// Closes and deletes what an earlier history left.
pub(crate) async fn empty(db: &Db) {
    let later = start() + FOR_EVER;
    db.rescue_lost_leases(later).await.unwrap();
    while let [email, ..] = db.claim_due(ClaimLimits::of(1), "cleaner", later).await.unwrap().as_slice() {
        assert!(db.complete_failed(email, "cleared away".into(), later).await.unwrap());
    }
    db.purge(TimeDelta::zero(), TimeDelta::zero(), later + FOR_EVER).await.unwrap();
    assert!(db.list_emails(&EmailFilter::default(), 1).await.unwrap().0.is_empty());
}

pub(crate) async fn queue(db: &Db, kind: EmailKind, now: DateTime<Utc>) -> Uuid {
    let email = NewEmail::new(kind, &EmailAddress::parse("ann@example.org").unwrap(), now);
    db.insert_emails(std::slice::from_ref(&email)).await.unwrap();
    email.id
}

impl Play<'_> {
    async fn step(&mut self, op: &Op) {
        match op {
            Op::Queue(kind) => self.queue(*kind).await,
            Op::ClaimDue { worker, limits } => self.claim_due(*worker, *limits).await,
            Op::RenewLease(claim) => self.renew_lease(claim).await,
            Op::LeaseLasts { claim, left } => self.lease_lasts(claim, *left).await,
            Op::FreeLost => self.rescue_lost_leases().await,
            Op::RenewLeases { worker, emails } => self.renew_leases(*worker, *emails).await,
            Op::RetryLater { claim, wait, counts, answer_lost } => {
                self.retry_later(claim, *wait, *counts, *answer_lost).await;
            }
            Op::Release { claim, wait } => self.release(claim, *wait).await,
            Op::CloseSent(claims) => self.complete_sent(claims).await,
            Op::CloseFailed(claim) => self.close_as(claim, "failed").await,
            Op::CloseCancelled(claim) => self.close_as(claim, "cancelled").await,
            Op::TakeUnenqueued { limit } => self.take_unenqueued(*limit).await,
            Op::FailOverdue => self.fail_overdue().await,
            Op::RetryEmail(email) => self.retry_email(email).await,
            Op::CancelEmail(email) => self.cancel_email(email).await,
            Op::RecordLostLease(claim) => self.record_lost_lease(claim).await,
            Op::Report(email, verdict) => self.report(email, *verdict).await,
            Op::Wait(time) => self.now += *time,
        }
    }

    async fn queue(&mut self, kind: EmailKind) {
        let id = queue(self.db, kind, self.now).await;
        self.emails.push(Email::queued(id, kind, self.now));
    }

    async fn claim_due(&mut self, worker: usize, limits: ClaimLimits) {
        let (name, now) = self.worker(worker);
        let claimed = self.db.claim_due(limits, name, now).await.unwrap();
        let places = |emails: Vec<&Email>| -> Vec<_> {
            let mut places: Vec<_> =
                emails.into_iter().map(|email| (email.priority(), email.due_at)).collect();
            places.sort_unstable();
            places
        };
        let taken =
            claimed.iter().map(|claim| self.emails.iter().find(|email| email.id == claim.id).unwrap());
        assert_eq!(places(taken.collect()), places(to_claim(&self.emails, limits, now)), "{limits:?}");
        self.take(claimed, worker).await;
    }

    /// A claim has one worker and a new fencing token, and voids every older claim.
    async fn take(&mut self, claimed: impl IntoIterator<Item = ClaimedEmail>, worker: usize) {
        let (name, now) = self.worker(worker);
        for claim in claimed {
            let older = self.claims.iter().map(|(_, older)| older).filter(|older| older.id == claim.id);
            for older in older {
                assert!(
                    older.fencing_token < claim.fencing_token,
                    "the fencing token must grow: {older:?} {claim:?}"
                );
                assert!(
                    !self.db.renew_lease(older.claim(), now).await.unwrap(),
                    "two hold it: {older:?} {claim:?}"
                );
            }
            let email = find(&mut self.emails, claim.id);
            email.claim(name, now);
            email.assert_claimed(&claim);
            self.claims.push((worker, claim));
        }
    }

    async fn renew_lease(&mut self, pick: &Pick) {
        let Some((claim, now)) = self.pick(pick) else { return };
        let expected = find(&mut self.emails, claim.id).renew_lease(&claim, now);
        assert_eq!(self.db.renew_lease(claim.claim(), now).await.unwrap(), expected, "{claim:?}");
    }

    async fn lease_lasts(&mut self, pick: &Pick, left: TimeDelta) {
        let Some((claim, now)) = self.pick(pick) else { return };
        let expected = find(&mut self.emails, claim.id).lease_lasts(&claim, now + left);
        let lasts = self.db.lease_lasts(claim.claim(), now + left).await.unwrap();
        assert_eq!(lasts, expected, "{claim:?}");
    }

    async fn rescue_lost_leases(&mut self) {
        let now = self.now;
        let expected =
            self.emails.iter_mut().filter_map(|email| email.rescue_lost_leases(now).then_some(())).count();
        assert_eq!(self.db.rescue_lost_leases(now).await.unwrap(), expected as u64);
    }

    async fn renew_leases(&mut self, worker: usize, chosen: u8) {
        let (name, now) = self.worker(worker);
        let chosen = self.emails.iter_mut().enumerate().filter(|(n, _)| chosen & (1 << (n % 8)) != 0);
        let (mut ids, mut expected) = (Vec::new(), Vec::new());
        for (_, email) in chosen {
            ids.push(email.id);
            expected.extend(email.renew(name, now));
        }
        // The worker does not renew an empty list.
        if ids.is_empty() {
            return;
        }
        let mut renewed = self.db.renew_leases(&ids, name, now).await.unwrap();
        renewed.sort_unstable();
        expected.sort_unstable();
        assert_eq!(renewed, expected);
    }

    async fn retry_later(&mut self, pick: &Pick, wait: TimeDelta, counts: bool, answer_lost: bool) {
        let Some((claim, now)) = self.pick(pick) else { return };
        let reason = Reason { smtp_code: Some(450), text: "450 not now", server: None };
        let bound_to = answer_lost.then_some(MailServer::Fallback);
        let (due_at, outcome) = (now + wait, AttemptOutcome::Retried);
        let retry = Retry { due_at, outcome, reason, counts, answer_lost, bound_to };
        let email = find(&mut self.emails, claim.id);
        let expected = email.retry_later(&claim, retry.due_at, reason.text, (counts, answer_lost));
        assert_eq!(self.db.retry_later(&claim, &retry, now).await.unwrap(), expected, "{claim:?}");
    }

    async fn release(&mut self, pick: &Pick, wait: Option<TimeDelta>) {
        let Some((claim, now)) = self.pick(pick) else { return };
        let due_at = wait.map(|wait| now + wait);
        let expected = find(&mut self.emails, claim.id).release(&claim, due_at);
        assert_eq!(self.db.release(claim.claim(), due_at).await.unwrap(), expected, "{claim:?}");
    }

    async fn complete_sent(&mut self, picks: &[Pick]) {
        let mut sent = Vec::<SentEmail>::new();
        for (claim, now) in picks.iter().filter_map(|pick| self.pick(pick)).collect::<Vec<_>>() {
            let reply = format!("250 taken under fencing token {}", claim.fencing_token);
            find(&mut self.emails, claim.id).complete_sent(&claim, &reply, now);
            sent.push(SentEmail::new(&claim, Some(250), reply, now));
        }
        try_join_all(sent.into_iter().map(|email| self.db.complete_sent(email))).await.unwrap();
    }

    async fn close_as(&mut self, pick: &Pick, state: &'static str) {
        let Some((claim, now)) = self.pick(pick) else { return };
        let expected = find(&mut self.emails, claim.id).close_as(&claim, state, "because", now);
        let closed = match state {
            "failed" => self.db.complete_failed(&claim, "because".into(), now).await,
            _ => self.db.cancel(&claim, "because", now).await,
        };
        assert_eq!(closed.unwrap(), expected, "{claim:?}");
    }

    async fn take_unenqueued(&mut self, limit: i64) {
        let now = self.now;
        let any = self.emails.iter().any(|email| email.is_unenqueued(now));
        assert_eq!(self.db.any_unenqueued(now).await.unwrap(), any);
        let taken = self.db.take_unenqueued(limit, now).await.unwrap();
        let unenqueued = self.emails.iter().filter(|email| email.is_unenqueued(now));
        self.assert_first(unenqueued, taken.clone(), limit);
        for id in taken {
            find(&mut self.emails, id).enqueued_at = Some(now);
        }
    }

    async fn fail_overdue(&mut self) {
        let now = self.now;
        let expected =
            self.emails.iter_mut().filter_map(|email| email.fail_overdue(now).then_some(())).count();
        assert_eq!(self.db.fail_overdue(now).await.unwrap().len(), expected);
    }

    async fn retry_email(&mut self, email: &Index) {
        let email = email.get_mut(&mut self.emails);
        let expected = email.retry_by_hand(self.now);
        assert_eq!(self.db.retry_email(email.id, self.now).await.unwrap(), expected);
    }

    async fn cancel_email(&mut self, email: &Index) {
        let email = email.get_mut(&mut self.emails);
        let expected = email.cancel_by_hand(self.now);
        assert_eq!(self.db.cancel_email(email.id, self.now).await.unwrap(), expected);
    }

    async fn record_lost_lease(&mut self, pick: &Pick) {
        let Some((claim, now)) = self.pick(pick) else { return };
        find(&mut self.emails, claim.id).outcomes.insert(claim.fencing_token, "lease_lost");
        self.db.record_lost_lease(&claim, "stopped".into(), now).await.unwrap();
    }

    async fn report(&mut self, email: &Index, verdict: ReportVerdict) {
        let email = email.get_mut(&mut self.emails);
        let expected = match email.report(verdict, self.now) {
            Some(state) => Recorded::Closed(state.parse::<EmailState>().unwrap()),
            None => Recorded::Noted,
        };
        self.reports += 1;
        let mut mark = [0; 32];
        mark[..16].copy_from_slice(email.id.as_bytes());
        mark[16..24].copy_from_slice(&self.reports.to_be_bytes());
        let (source, words) = (ReportSource::Dsn, "reported");
        let report = Report { email_id: email.id, mailbox: None, source, verdict, words, mark: Some(mark) };
        assert_eq!(self.db.record_report(&report, self.now).await.unwrap(), expected, "{email:?}");
    }

    /// As many as there are, up to the limit, and no other one waits longer.
    /// By priority, and within one those that are due for longest.
    fn assert_first<'m>(&self, all: impl Iterator<Item = &'m Email>, taken: Vec<Uuid>, limit: i64) {
        let (inside, left): (Vec<_>, Vec<_>) = all.partition(|email| taken.contains(&email.id));
        assert_eq!(inside.len(), taken.len(), "one was taken that must not be taken, or twice: {taken:?}");
        assert_eq!(taken.len(), (limit as usize).min(inside.len() + left.len()));
        let place = |email: &&Email| (email.priority(), email.due_at);
        let first_left = left.iter().map(place).min();
        assert!(
            inside.iter().all(|email| first_left.is_none_or(|left| place(email) <= left)),
            "out of order"
        );
    }

    async fn compare(&self) {
        for email in &self.emails {
            email.assert_stored(&self.db.email(email.id).await.unwrap().expect("the row is there"));
            email.assert_attempts(&self.db.attempts_of(email.id).await.unwrap());
        }
    }

    async fn only_the_newest_claim_may_hold(&self) {
        for (worker, claim) in &self.claims {
            let email = self.emails.iter().find(|email| email.id == claim.id).unwrap();
            let holds = self.db.renew_lease(claim.claim(), self.worker(*worker).1).await.unwrap();
            assert_eq!(holds, email.is_held_by(claim), "{email:?} {claim:?}");
        }
    }

    /// A worker's name, and the time by its clock.
    fn worker(&self, worker: usize) -> (&'static str, DateTime<Utc>) {
        let (name, off) = WORKERS[worker];
        (name, self.now + off)
    }

    /// A claim, and the time by the clock of its worker.
    fn pick(&self, pick: &Pick) -> Option<(ClaimedEmail, DateTime<Utc>)> {
        let (worker, claim) = pick.of(&self.claims)?;
        Some((claim.clone(), self.worker(*worker).1))
    }
}

fn find(emails: &mut [Email], id: Uuid) -> &mut Email {
    emails.iter_mut().find(|email| email.id == id).expect("a email of this history")
}
