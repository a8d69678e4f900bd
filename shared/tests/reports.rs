//! Reports about emails that were accepted, on both databases.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "in tests a panic is the verdict")]

mod scratch;

use std::collections::BTreeMap;
use std::time::Duration;

use bookly_shared::db::Db;
use bookly_shared::db::emails::attempts::{AttemptOutcome, Reason};
use bookly_shared::db::emails::claim::{ClaimLimits, ClaimedEmail};
use bookly_shared::db::emails::complete::SentEmail;
use bookly_shared::db::emails::insert::NewEmail;
use bookly_shared::db::emails::reports::{KEEP_MARKS_FOR, MAX_REPORTS, Recorded, Report};
use bookly_shared::db::emails::retry::Retry;
use bookly_shared::db::suppressions::SuppressionFilter;
use bookly_shared::domain::ReportVerdict::{Complaint, Delay, Hard, Soft};
use bookly_shared::domain::{EmailAddress, EmailKind, EmailState, ReportSource, ReportVerdict};
use chrono::{DateTime, TimeDelta, Utc};
use sqlx::Connection;
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::scratch::{Postgres, on_both};

const WORDS: &str = "550 5.1.1 no such user";

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_767_225_600 + seconds, 0).unwrap()
}

fn mark() -> [u8; 32] {
    let mut mark = [0; 32];
    mark[..16].copy_from_slice(Uuid::new_v4().as_bytes());
    mark
}

async fn queue(db: &Db) -> Uuid {
    let to = EmailAddress::parse(&format!("Ann+{}@Example.org", Uuid::new_v4())).unwrap();
    let email = NewEmail::new(EmailKind::Welcome, &to, at(0));
    db.insert_emails(std::slice::from_ref(&email)).await.unwrap();
    email.id
}

async fn claim(db: &Db, id: Uuid, seconds: i64) -> ClaimedEmail {
    let claimed = db.claim_due(ClaimLimits::of(1_000), "mail-1", at(seconds)).await.unwrap();
    claimed.into_iter().find(|email| email.id == id).unwrap()
}

async fn send(db: &Db, email: &ClaimedEmail) {
    db.complete_sent(SentEmail::new(email, Some(250), "250 taken".into(), at(2))).await.unwrap();
}

async fn report(db: &Db, email_id: Uuid, verdict: ReportVerdict) -> Recorded {
    let report = Report {
        email_id,
        mailbox: None,
        source: ReportSource::Postmark,
        verdict,
        words: WORDS,
        mark: Some(mark()),
    };
    db.record_report(&report, at(9)).await.unwrap()
}

async fn state(db: &Db, id: Uuid) -> (String, Option<String>) {
    let row = db.email(id).await.unwrap().unwrap();
    (row.state, row.last_error)
}

/// The reasons for which the recipient of an email gets no more of them.
async fn suppressed(db: &Db, id: Uuid) -> Vec<String> {
    let recipient = EmailAddress::parse(&db.email(id).await.unwrap().unwrap().recipient).unwrap();
    let filter =
        SuppressionFilter { mailbox: Some(recipient.canonical().to_owned()), ..SuppressionFilter::default() };
    let (entries, _) = db.suppressions(&filter, 10, at(9)).await.unwrap();
    assert!(entries.iter().all(|entry| entry.source == "postmark"), "{entries:?}");
    let mut reasons: Vec<String> = entries.into_iter().map(|entry| entry.reason).collect();
    reasons.sort_unstable();
    reasons
}

fn closed(state: &str) -> (String, Option<String>) {
    (state.to_owned(), Some(WORDS.to_owned()))
}

#[tokio::test]
async fn a_hard_bounce_closes_a_sent_email_and_a_soft_one_stands_in_its_history() {
    on_both("a_hard_bounce_closes_a_sent_email", async |db: Db| {
        let id = queue(&db).await;
        send(&db, &claim(&db, id, 1).await).await;
        assert_eq!(report(&db, id, Soft).await, Recorded::Noted);
        assert_eq!(state(&db, id).await.0, "sent");
        assert!(suppressed(&db, id).await.is_empty(), "a soft bounce suppresses nothing");
        assert_eq!(report(&db, id, Hard).await, Recorded::Closed(EmailState::Bounced));
        assert_eq!(state(&db, id).await, closed("bounced"));
        assert_eq!(suppressed(&db, id).await, ["bounce"]);
        let reports = db.reports_of(id).await.unwrap();
        let told: Vec<_> = reports.iter().map(|row| (row.outcome.as_str(), row.source.as_str())).collect();
        assert_eq!(told, [("soft_bounced", "postmark"), ("bounced", "postmark")]);
        assert!(reports.iter().all(|row| row.reply == WORDS && row.reported_at == at(9)), "{reports:?}");
        assert_eq!(db.email(id).await.unwrap().unwrap().reply.as_deref(), Some("250 taken"));
    })
    .await;
}

#[tokio::test]
async fn complained_beats_bounced_and_neither_can_be_retried_or_cancelled() {
    on_both("complained_beats_bounced", async |db: Db| {
        let id = queue(&db).await;
        send(&db, &claim(&db, id, 1).await).await;
        let mut ends = Vec::new();
        for verdict in [Hard, Hard, Complaint, Hard, Complaint] {
            ends.push(report(&db, id, verdict).await);
            assert!(!db.retry_email(id, at(10)).await.unwrap());
            assert!(!db.cancel_email(id, at(10)).await.unwrap());
        }
        let closed = |state| Recorded::Closed(state);
        let noted = Recorded::Noted;
        assert_eq!(ends, [closed(EmailState::Bounced), noted, closed(EmailState::Complained), noted, noted]);
        assert_eq!(state(&db, id).await.0, "complained");
        assert_eq!(suppressed(&db, id).await, ["bounce", "complaint"]);
    })
    .await;
}

#[tokio::test]
async fn a_report_is_the_acceptance_that_the_worker_does_not_know_and_a_later_250_changes_nothing() {
    on_both("a_report_is_the_acceptance", async |db: Db| {
        let sending = queue(&db).await;
        let held = claim(&db, sending, 1).await;
        assert_eq!(report(&db, sending, Hard).await, Recorded::Closed(EmailState::Bounced));
        assert!(!db.renew_lease(held.claim(), at(10)).await.unwrap(), "the claim holds no more");
        assert!(!db.complete_failed(&held, "550 no".into(), at(10)).await.unwrap());
        let reason = Reason { smtp_code: Some(450), text: "450 later", server: None };
        let (outcome, due_at) = (AttemptOutcome::Retried, at(20));
        let retry = Retry { due_at, outcome, reason, counts: true, answer_lost: true, bound_to: None };
        assert!(!db.retry_later(&held, &retry, at(10)).await.unwrap());
        send(&db, &held).await;
        assert_eq!(state(&db, sending).await, closed("bounced"));
        assert_eq!(db.attempts_of(sending).await.unwrap()[0].outcome, "sent", "the attempt is known");

        let queued = queue(&db).await;
        let first = claim(&db, queued, 1).await;
        assert!(db.retry_later(&first, &retry, at(3)).await.unwrap());
        assert_eq!(report(&db, queued, Complaint).await, Recorded::Closed(EmailState::Complained));
        let later = db.claim_due(ClaimLimits::of(1_000), "mail-2", at(100)).await.unwrap();
        assert!(later.iter().all(|email| email.id != queued), "it is not sent again");
        assert_eq!(db.rescue_lost_leases(at(1_000)).await.unwrap(), 0);
    })
    .await;
}

#[tokio::test]
async fn a_refusal_stays_a_refusal_but_an_unknown_outcome_is_known_by_a_report() {
    on_both("a_refusal_stays_a_refusal", async |db: Db| {
        let refused = queue(&db).await;
        let held = claim(&db, refused, 1).await;
        assert!(db.complete_failed(&held, "550 no such user".into(), at(2)).await.unwrap());
        assert_eq!(report(&db, refused, Hard).await, Recorded::Noted);
        assert!(suppressed(&db, refused).await.is_empty());
        assert_eq!(state(&db, refused).await, ("failed".into(), Some("550 no such user".into())));

        let unknown = queue(&db).await;
        claim(&db, unknown, 1).await;
        assert_eq!(db.rescue_lost_leases(at(100)).await.unwrap(), 1);
        let held = claim(&db, unknown, 101).await;
        assert!(db.complete_failed(&held, "given up".into(), at(102)).await.unwrap());
        assert_eq!(report(&db, unknown, Hard).await, Recorded::Closed(EmailState::Bounced));
        assert_eq!(state(&db, unknown).await, closed("bounced"));
    })
    .await;
}

#[tokio::test]
async fn a_report_counts_once_and_only_for_the_rows_own_recipient() {
    on_both("a_report_counts_once", async |db: Db| {
        let id = queue(&db).await;
        send(&db, &claim(&db, id, 1).await).await;
        let own = EmailAddress::parse(&db.email(id).await.unwrap().unwrap().recipient).unwrap();
        let of = |email_id, mailbox, mark| {
            let (source, verdict, words) = (ReportSource::SendGrid, Hard, WORDS);
            Report { email_id, mailbox: Some(mailbox), source, verdict, words, mark: Some(mark) }
        };
        let mark = mark();
        let record = async |report: &Report<'_>| db.record_report(report, at(9)).await.unwrap();
        assert_eq!(record(&of(id, "eve@example.org", mark)).await, Recorded::NotOurs);
        assert_eq!(record(&of(Uuid::now_v7(), own.canonical(), mark)).await, Recorded::NotOurs);
        assert!(db.reports_of(id).await.unwrap().is_empty(), "the report of another recipient has no effect");
        let report = of(id, own.canonical(), mark);
        assert_eq!(record(&report).await, Recorded::Closed(EmailState::Bounced));
        assert_eq!(record(&report).await, Recorded::Repeated);
        assert_eq!(db.reports_of(id).await.unwrap().len(), 1);
        db.purge(TimeDelta::days(30), TimeDelta::zero(), at(9) + KEEP_MARKS_FOR).await.unwrap();
        assert_eq!(record(&report).await, Recorded::Repeated);
        let later = at(10) + KEEP_MARKS_FOR;
        db.purge(TimeDelta::days(30), TimeDelta::zero(), later).await.unwrap();
        assert_eq!(record(&report).await, Recorded::Noted, "the mark is forgotten");
    })
    .await;
}

#[tokio::test]
async fn the_mark_of_a_call_is_used_up_by_any_call_and_together_with_what_the_call_changes() {
    on_both("the_mark_of_a_call_is_used_up", async |db: Db| {
        let (id, other) = (queue(&db).await, queue(&db).await);
        for email in db.claim_due(ClaimLimits::of(2), "mail-1", at(1)).await.unwrap() {
            send(&db, &email).await;
        }
        let of = |email_id| {
            let report = hard_bounce(email_id, mark());
            Report { source: ReportSource::Mailgun, mark: None, ..report }
        };
        let record = async |reports: &[Report<'_>], call| {
            let mut recorded = Vec::new();
            let done = db.record_reports(reports, Some(call), at(9), |_, effect| recorded.push(effect)).await;
            done.map(|()| recorded)
        };
        let [nobodys, empty, good, broken] = [mark(), mark(), mark(), mark()];
        assert_eq!(record(&[of(Uuid::now_v7())], nobodys).await.unwrap(), [Recorded::NotOurs]);
        assert_eq!(record(&[], empty).await.unwrap(), []);
        for call in [nobodys, empty] {
            assert_eq!(record(&[of(id)], call).await.unwrap(), [Recorded::Repeated]);
        }
        assert_eq!(state(&db, id).await.0, "sent");
        let bounced = [Recorded::Closed(EmailState::Bounced)];
        assert_eq!(record(&[of(id)], good).await.unwrap(), bounced);
        assert_eq!(record(&[of(id)], good).await.unwrap(), [Recorded::Repeated]);
        // Postgres stores no NUL.
        if record(&[Report { words: "\0", ..of(other) }], broken).await.is_err() {
            assert_eq!(
                record(&[of(other)], broken).await.unwrap(),
                bounced,
                "the mark was not used up alone"
            );
        }
    })
    .await;
}

#[tokio::test]
async fn the_history_of_an_email_has_an_end() {
    on_both("the_history_of_an_email_has_an_end", async |db: Db| {
        let id = queue(&db).await;
        send(&db, &claim(&db, id, 1).await).await;
        for _ in 0..MAX_REPORTS + 5 {
            assert_eq!(report(&db, id, Soft).await, Recorded::Noted);
        }
        assert_eq!(db.reports_of(id).await.unwrap().len() as i64, MAX_REPORTS);
        assert_eq!(report(&db, id, Hard).await, Recorded::Closed(EmailState::Bounced));
        assert_eq!(report(&db, id, Hard).await, Recorded::Noted);
        let reports = db.reports_of(id).await.unwrap();
        assert_eq!((reports.len() as i64, &*reports.last().unwrap().outcome), (MAX_REPORTS + 1, "bounced"));
        let flow = db.mail_flow(1, at(9)).await.unwrap();
        assert_eq!((flow[0].1.bounced, flow[0].1.sent), (1, 0));
        let later = at(10) + KEEP_MARKS_FOR;
        let marks = db.purge(TimeDelta::days(30), TimeDelta::zero(), later).await.unwrap() as i64;
        assert_eq!(marks, MAX_REPORTS + 1, "what is not stored leaves no mark");
    })
    .await;
}

#[tokio::test]
async fn a_mailbox_that_is_gone_is_suppressed_also_after_a_complaint() {
    on_both("a_mailbox_that_is_gone_is_suppressed", async |db: Db| {
        let id = queue(&db).await;
        send(&db, &claim(&db, id, 1).await).await;
        assert_eq!(report(&db, id, Complaint).await, Recorded::Closed(EmailState::Complained));
        assert_eq!(suppressed(&db, id).await, ["complaint"]);
        assert_eq!(report(&db, id, Hard).await, Recorded::Noted);
        assert_eq!(state(&db, id).await, closed("complained"));
        assert_eq!(suppressed(&db, id).await, ["bounce", "complaint"]);
    })
    .await;
}

#[tokio::test]
async fn a_report_of_a_copy_before_a_retry_by_hand_closes_what_was_refused_later() {
    on_both("a_report_of_a_copy_before_a_retry_by_hand", async |db: Db| {
        let id = queue(&db).await;
        claim(&db, id, 1).await;
        assert_eq!(db.rescue_lost_leases(at(100)).await.unwrap(), 1);
        let held = claim(&db, id, 101).await;
        assert!(db.complete_failed(&held, "given up".into(), at(102)).await.unwrap());
        for seconds in [103, 106] {
            assert!(db.retry_email(id, at(seconds)).await.unwrap());
            let held = claim(&db, id, seconds + 1).await;
            assert!(db.complete_failed(&held, "550 no".into(), at(seconds + 2)).await.unwrap());
        }
        assert_eq!(report(&db, id, Hard).await, Recorded::Closed(EmailState::Bounced));
        assert_eq!(suppressed(&db, id).await, ["bounce"]);
    })
    .await;
}

#[tokio::test]
async fn a_soft_bounce_or_a_delay_is_the_acceptance_whose_answer_was_lost() {
    on_both("a_soft_bounce_or_a_delay_is_the_acceptance", async |db: Db| {
        for verdict in [Soft, Delay] {
            let waits = queue(&db).await;
            assert_eq!(report(&db, waits, verdict).await, Recorded::Noted, "no attempt is unknown");
            let held = claim(&db, waits, 1).await;
            assert_eq!(report(&db, waits, verdict).await, Recorded::Noted, "its worker knows");
            send(&db, &held).await;

            let unknown = queue(&db).await;
            claim(&db, unknown, 1).await;
            assert_eq!(db.rescue_lost_leases(at(100)).await.unwrap(), 1);
            assert_eq!(report(&db, unknown, verdict).await, Recorded::Closed(EmailState::Sent));
            assert_eq!(state(&db, unknown).await, ("sent".into(), None));
            assert!(suppressed(&db, unknown).await.is_empty());
            let later = db.claim_due(ClaimLimits::of(1_000), "mail-2", at(200)).await.unwrap();
            assert!(later.iter().all(|email| email.id != unknown), "it is not sent again");
        }
    })
    .await;
}

fn hard_bounce(email_id: Uuid, mark: [u8; 32]) -> Report<'static> {
    let (source, verdict) = (ReportSource::SendGrid, Hard);
    Report { email_id, mailbox: None, source, verdict, words: WORDS, mark: Some(mark) }
}

/// More than SQLite records in one transaction, and more than Postgres records at once.
#[tokio::test]
async fn a_list_of_reports_is_recorded_in_the_order_of_each_email_and_once() {
    on_both("a_list_of_reports_is_recorded", async |db: Db| {
        let mut ids = Vec::new();
        for _ in 0..30 {
            ids.push(queue(&db).await);
        }
        for email in db.claim_due(ClaimLimits::of(1_000), "mail-1", at(1)).await.unwrap() {
            send(&db, &email).await;
        }
        let unknown = Uuid::now_v7();
        let mut reports = Vec::new();
        for verdict in [Soft, Hard, Complaint, Hard] {
            let of = |id: &Uuid| Report { verdict, ..hard_bounce(*id, mark()) };
            reports.extend(ids.iter().chain([&unknown]).map(of));
        }
        let record = async || {
            let mut recorded = BTreeMap::new();
            db.record_reports(&reports, None, at(9), |number, outcome| {
                assert!(recorded.insert(number, outcome).is_none(), "{number} is told twice");
            })
            .await
            .unwrap();
            recorded.into_values().collect::<Vec<_>>()
        };
        let closed = Recorded::Closed;
        let expected =
            [Recorded::Noted, closed(EmailState::Bounced), closed(EmailState::Complained), Recorded::Noted];
        let of_each = |outcome: Recorded| ids.iter().map(move |_| outcome).chain([Recorded::NotOurs]);
        assert_eq!(record().await, expected.into_iter().flat_map(of_each).collect::<Vec<_>>());
        let again = [Recorded::Repeated; 4];
        assert_eq!(record().await, again.into_iter().flat_map(of_each).collect::<Vec<_>>());
        for id in ids {
            assert_eq!(db.reports_of(id).await.unwrap().len(), 4);
        }
    })
    .await;
}

/// A worker, or another call, has the row of one email.
#[tokio::test]
async fn a_list_of_reports_does_not_wait_for_one_email() {
    const EMAILS: usize = 20;
    let Some(postgres) = Postgres::create("a_list_of_reports_does_not_wait").await else { return };
    let db = postgres.db.clone();
    let mut ids = Vec::new();
    for _ in 0..EMAILS {
        ids.push(queue(&db).await);
    }
    let mut connection = postgres.connect().await;
    let mut lock = connection.begin().await.unwrap();
    sqlx::query("SELECT 1 FROM emails WHERE id = $1 FOR UPDATE")
        .bind(ids[0])
        .execute(&mut *lock)
        .await
        .unwrap();
    let (told, mut recorded) = mpsc::unbounded_channel();
    let recording = tokio::spawn(async move {
        let reports: Vec<Report<'_>> = ids.into_iter().map(|id| hard_bounce(id, mark())).collect();
        db.record_reports(&reports, None, at(9), |number, _| told.send(number).unwrap()).await
    });
    let others = async {
        for _ in 1..EMAILS {
            assert_ne!(recorded.recv().await.unwrap(), 0);
        }
    };
    tokio::time::timeout(Duration::from_secs(60), others).await.expect("the others are recorded");
    lock.rollback().await.unwrap();
    recording.await.unwrap().unwrap();
    assert_eq!(recorded.recv().await, Some(0));
    postgres.remove().await;
}
