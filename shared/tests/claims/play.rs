//! Plays a history on a real database and, beside it, on the reference; any difference fails.

use bookly_shared::db::Db;
use bookly_shared::db::emails::admin::EmailFilter;
use bookly_shared::db::emails::attempts::{Ending, Reason};
use bookly_shared::db::emails::claim::ClaimedEmail;
use bookly_shared::db::emails::complete::{Retry, SentEmail};
use bookly_shared::db::emails::enqueue::NewEmail;
use bookly_shared::domain::{EmailAddress, EmailKind};
use chrono::{DateTime, TimeDelta, Utc};
use proptest::sample::Index;
use uuid::Uuid;

use crate::history::{Op, Pick, WORKERS};
use crate::reference::{FOR_EVER, Mail};

pub(crate) struct Play<'a> {
    db: &'a Db,
    now: DateTime<Utc>,
    mails: Vec<Mail>,
    /// Every claim that was ever given, with its worker's number.
    claims: Vec<(usize, ClaimedEmail)>,
}

/// Plays one history from an empty table on.
pub(crate) async fn play(db: &Db, history: &[Op]) {
    empty(db).await;
    let mut play = Play { db, now: start(), mails: Vec::new(), claims: Vec::new() };
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

/// Closes whatever an earlier history left, and clears it away.
pub(crate) async fn empty(db: &Db) {
    let later = start() + FOR_EVER;
    db.rescue_lost_leases(later).await.unwrap();
    while let [mail, ..] = db.keep().await.unwrap().claim_due(1, "cleaner", later).await.unwrap().as_slice() {
        assert!(db.complete_failed(mail, "cleared away".into(), later).await.unwrap());
    }
    db.purge(TimeDelta::zero(), later + FOR_EVER).await.unwrap();
    assert!(db.list_emails(&EmailFilter::default(), 1).await.unwrap().is_empty());
}

pub(crate) async fn queue(db: &Db, kind: EmailKind, now: DateTime<Utc>) -> Uuid {
    let mail = NewEmail::new(kind, &EmailAddress::parse("ann@example.org").unwrap(), now);
    db.enqueue_emails(std::slice::from_ref(&mail)).await.unwrap();
    mail.id
}

impl Play<'_> {
    async fn step(&mut self, op: &Op) {
        match op {
            Op::Queue(kind) => self.queue(*kind).await,
            Op::ClaimDue { worker, limit } => self.claim_due(*worker, *limit).await,
            Op::HoldClaim(claim) => self.hold_claim(claim).await,
            Op::LeasedUntil { claim, left } => self.leased_until(claim, *left).await,
            Op::FreeLost => self.rescue_lost_leases().await,
            Op::RenewLeases { worker, mails } => self.renew_leases(*worker, *mails).await,
            Op::RetryLater { claim, wait, counts, answer_lost } => {
                self.retry_later(claim, *wait, *counts, *answer_lost).await;
            }
            Op::CloseSent(claims) => self.complete_sent(claims).await,
            Op::CloseFailed(claim) => self.close_as(claim, "failed").await,
            Op::CloseCancelled(claim) => self.close_as(claim, "cancelled").await,
            Op::TakeUnenqueued { limit } => self.take_unenqueued(*limit).await,
            Op::FailOverdue => self.fail_overdue().await,
            Op::RetryMail(mail) => self.retry_email(mail).await,
            Op::CancelMail(mail) => self.cancel_email(mail).await,
            Op::RecordLostLease(claim) => self.record_lost_lease(claim).await,
            Op::Wait(time) => self.now += *time,
        }
    }

    async fn queue(&mut self, kind: EmailKind) {
        let id = queue(self.db, kind, self.now).await;
        self.mails.push(Mail::queued(id, kind, self.now));
    }

    async fn claim_due(&mut self, worker: usize, limit: i64) {
        let (name, now) = self.worker(worker);
        let claimed = self.db.keep().await.unwrap().claim_due(limit, name, now).await.unwrap();
        let due = self.mails.iter().filter(|mail| mail.is_claimable(now));
        self.assert_longest_due(due, claimed.iter().map(|mail| mail.id).collect(), limit);
        self.take(claimed, worker).await;
    }

    /// A claim was given: to one worker, under a number that was never used, and every older one is void.
    async fn take(&mut self, claimed: impl IntoIterator<Item = ClaimedEmail>, worker: usize) {
        let (name, now) = self.worker(worker);
        for claim in claimed {
            let older = self.claims.iter().map(|(_, older)| older).filter(|older| older.id == claim.id);
            for older in older {
                assert!(
                    older.fencing_token < claim.fencing_token,
                    "the fencing_token must grow: {older:?} {claim:?}"
                );
                assert!(
                    !self.db.hold_claim(older.id, older.fencing_token, now).await.unwrap(),
                    "two hold it: {older:?} {claim:?}"
                );
            }
            let mail = find(&mut self.mails, claim.id);
            mail.claim(name, now);
            mail.assert_claimed(&claim);
            self.claims.push((worker, claim));
        }
    }

    async fn hold_claim(&mut self, pick: &Pick) {
        let Some((claim, now)) = self.pick(pick) else { return };
        let expected = find(&mut self.mails, claim.id).hold(&claim, now);
        assert_eq!(
            self.db.hold_claim(claim.id, claim.fencing_token, now).await.unwrap(),
            expected,
            "{claim:?}"
        );
    }

    async fn leased_until(&mut self, pick: &Pick, left: TimeDelta) {
        let Some((claim, now)) = self.pick(pick) else { return };
        let expected = find(&mut self.mails, claim.id).is_leased_until(now + left);
        let leased = self.db.keep().await.unwrap().leased_until(&[claim.id], now + left).await.unwrap();
        assert_eq!(leased, expected.into_iter().collect::<Vec<_>>(), "{claim:?}");
    }

    async fn rescue_lost_leases(&mut self) {
        let now = self.now;
        let expected =
            self.mails.iter_mut().filter_map(|mail| mail.rescue_lost_leases(now).then_some(())).count();
        assert_eq!(self.db.rescue_lost_leases(now).await.unwrap(), expected as u64);
    }

    async fn renew_leases(&mut self, worker: usize, chosen: u8) {
        let (name, now) = self.worker(worker);
        let chosen = self.mails.iter_mut().enumerate().filter(|(n, _)| chosen & (1 << (n % 8)) != 0);
        let (mut ids, mut expected) = (Vec::new(), Vec::new());
        for (_, mail) in chosen {
            ids.push(mail.id);
            expected.extend(mail.renew(name, now));
        }
        // An empty list is no SQL; the worker does not ask then.
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
        let reason = Reason { smtp_code: Some(450), text: "450 not now" };
        let retry = Retry { due_at: now + wait, ending: Ending::Retried, reason, counts, answer_lost };
        let mail = find(&mut self.mails, claim.id);
        let expected = mail.retry_later(&claim, retry.due_at, reason.text, (counts, answer_lost));
        assert_eq!(self.db.retry_later(&claim, &retry, now).await.unwrap(), expected, "{claim:?}");
    }

    async fn complete_sent(&mut self, picks: &[Pick]) {
        let mut sent = Vec::<SentEmail>::new();
        for (claim, now) in picks.iter().filter_map(|pick| self.pick(pick)).collect::<Vec<_>>() {
            // Each mail is named once.
            if sent.iter().any(|mail| mail.id == claim.id) {
                continue;
            }
            let reply = format!("250 taken under fencing_token {}", claim.fencing_token);
            find(&mut self.mails, claim.id).complete_sent(&claim, &reply, now);
            sent.push(SentEmail::new(&claim, Some(250), reply, now));
        }
        self.db.keep().await.unwrap().complete_sent(&sent).await.unwrap();
    }

    async fn close_as(&mut self, pick: &Pick, state: &'static str) {
        let Some((claim, now)) = self.pick(pick) else { return };
        let expected = find(&mut self.mails, claim.id).close_as(&claim, state, "because", now);
        let closed = match state {
            "failed" => self.db.complete_failed(&claim, "because".into(), now).await,
            _ => self.db.cancel(&claim, "because", now).await,
        };
        assert_eq!(closed.unwrap(), expected, "{claim:?}");
    }

    async fn take_unenqueued(&mut self, limit: i64) {
        let now = self.now;
        let any = self.mails.iter().any(|mail| mail.is_unenqueued(now));
        assert_eq!(self.db.any_unenqueued(now).await.unwrap(), any);
        let taken = self.db.take_unenqueued(limit, now).await.unwrap();
        let unrung = self.mails.iter().filter(|mail| mail.is_unenqueued(now));
        self.assert_longest_due(unrung, taken.clone(), limit);
        for id in taken {
            find(&mut self.mails, id).enqueued_at = Some(now);
        }
    }

    async fn fail_overdue(&mut self) {
        let now = self.now;
        let expected = self.mails.iter_mut().filter_map(|mail| mail.fail_overdue(now).then_some(())).count();
        assert_eq!(self.db.fail_overdue(now).await.unwrap().len(), expected);
    }

    async fn retry_email(&mut self, mail: &Index) {
        let mail = mail.get_mut(&mut self.mails);
        let expected = mail.retry_by_hand(self.now);
        assert_eq!(self.db.retry_email(mail.id, self.now).await.unwrap(), expected);
    }

    async fn cancel_email(&mut self, mail: &Index) {
        let mail = mail.get_mut(&mut self.mails);
        let expected = mail.cancel_by_hand(self.now);
        assert_eq!(self.db.cancel_email(mail.id, self.now).await.unwrap(), expected);
    }

    async fn record_lost_lease(&mut self, pick: &Pick) {
        let Some((claim, now)) = self.pick(pick) else { return };
        find(&mut self.mails, claim.id).endings.insert(claim.fencing_token, "lease_lost");
        self.db.record_lost_lease(&claim, "stopped".into(), now).await.unwrap();
    }

    /// As many as there are, up to the limit, and none that waits longer was left out.
    fn assert_longest_due<'m>(&self, all: impl Iterator<Item = &'m Mail>, taken: Vec<Uuid>, limit: i64) {
        let (inside, left): (Vec<_>, Vec<_>) = all.partition(|mail| taken.contains(&mail.id));
        assert_eq!(inside.len(), taken.len(), "one was taken that was not to be taken, or twice: {taken:?}");
        assert_eq!(taken.len(), (limit as usize).min(inside.len() + left.len()));
        let longest_left = left.iter().map(|mail| mail.due_at).min();
        assert!(
            inside.iter().all(|mail| longest_left.is_none_or(|left| mail.due_at <= left)),
            "out of order"
        );
    }

    async fn compare(&self) {
        for mail in &self.mails {
            mail.assert_stored(&self.db.mail(mail.id).await.unwrap().expect("the row is there"));
            mail.assert_attempts(&self.db.attempts_of(mail.id).await.unwrap());
        }
    }

    async fn only_the_newest_claim_may_hold(&self) {
        for (worker, claim) in &self.claims {
            let mail = self.mails.iter().find(|mail| mail.id == claim.id).unwrap();
            let holds =
                self.db.hold_claim(claim.id, claim.fencing_token, self.worker(*worker).1).await.unwrap();
            assert_eq!(holds, mail.is_held_by(claim), "{mail:?} {claim:?}");
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

fn find(mails: &mut [Mail], id: Uuid) -> &mut Mail {
    mails.iter_mut().find(|mail| mail.id == id).expect("a mail of this history")
}
