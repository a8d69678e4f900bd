//! Which mailboxes get no email, or no bulk email: on both databases, with times chosen by the tests.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "in tests a panic is the verdict")]

mod scratch;

use bookly_shared::db::Db;
use bookly_shared::db::emails::claim::{ClaimLimits, ClaimedEmail};
use bookly_shared::db::emails::complete::SentEmail;
use bookly_shared::db::emails::insert::NewEmail;
use bookly_shared::db::emails::reports::{Recorded, Report};
use bookly_shared::db::suppressions::{NewSuppression, Suppression, SuppressionFilter};
use bookly_shared::domain::SuppressionReason::{self, Bounce, Complaint, Operator, Unsubscribe};
use bookly_shared::domain::{EmailAddress, EmailKind, ReportSource, ReportVerdict};
use chrono::{DateTime, TimeDelta, Utc};

use crate::scratch::on_both;

fn at(hours: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_767_225_600, 0).unwrap() + TimeDelta::hours(hours)
}

fn address(text: &str) -> EmailAddress {
    EmailAddress::parse(text).unwrap()
}

fn entry(to: &str, reason: SuppressionReason, hours: i64) -> NewSuppression {
    NewSuppression::new(address(to).canonical(), reason, "test", at(hours))
}

/// The mailboxes and reasons that are listed, the newest first.
async fn listed(db: &Db, filter: &SuppressionFilter, hours: i64) -> Vec<(String, String)> {
    let (rows, more) = db.suppressions(filter, 100, at(hours)).await.unwrap();
    assert!(!more);
    rows.into_iter().map(|row| (row.mailbox, row.reason)).collect()
}

fn pair(mailbox: &str, reason: &str) -> (String, String) {
    (mailbox.to_owned(), reason.to_owned())
}

#[test]
fn a_bounce_and_an_operator_stop_every_kind_and_the_others_only_bulk() {
    for kind in EmailKind::ALL {
        let bulk = kind == EmailKind::Welcome;
        let holds = [Bounce, Operator, Complaint, Unsubscribe].map(|reason| reason.holds_for(kind));
        assert_eq!(holds, [true, true, bulk, bulk], "{kind}");
    }
    for reason in SuppressionReason::ALL {
        assert_eq!(reason.as_str().parse(), Ok(reason));
        assert_eq!(reason.lifetime().is_some(), reason == Bounce, "{reason}");
    }
}

#[tokio::test]
async fn a_mailbox_has_one_entry_for_each_reason() {
    on_both("a_mailbox_has_one_entry_for_each_reason", async |db: Db| {
        db.suppress(&entry("Ann+News@Example.org", Bounce, 0)).await.unwrap();
        db.suppress(&entry("ann+news@example.org", Bounce, 2)).await.unwrap();
        db.suppress(&entry("ann+news@example.org", Unsubscribe, 1)).await.unwrap();
        db.suppress(&entry("ann@example.org", Operator, 3)).await.unwrap();
        let all = [("ann@example.org", "operator"), ("ann+news@example.org", "bounce")];
        let all = [all[0], all[1], ("ann+news@example.org", "unsubscribe")].map(|(m, r)| pair(m, r));
        assert_eq!(
            listed(&db, &SuppressionFilter::default(), 4).await,
            all,
            "the tag is part of the mailbox"
        );
        let of = SuppressionFilter { mailbox: Some("ann+news@example.org".into()), ..Default::default() };
        assert_eq!(listed(&db, &of, 4).await, all[1..]);
        let bounces = SuppressionFilter { reason: Some(Bounce), ..Default::default() };
        assert_eq!(listed(&db, &bounces, 4).await, all[1..2]);
        let (first, more) = db.suppressions(&SuppressionFilter::default(), 1, at(4)).await.unwrap();
        assert!(more);
        assert_eq!(
            first,
            [Suppression {
                mailbox: "ann@example.org".into(),
                reason: "operator".into(),
                source: "test".into(),
                created_at: at(3),
                until: None,
            }]
        );
        let rest = SuppressionFilter { offset: 1, ..Default::default() };
        assert_eq!(listed(&db, &rest, 4).await, all[1..]);
    })
    .await;
}

#[tokio::test]
async fn an_entry_is_removed_by_its_reason_or_with_all_that_the_recipient_did_not_ask_for() {
    let name = "an_entry_is_removed_by_its_reason_or_with_all_that_the_recipient_did_not_ask_for";
    on_both(name, async |db: Db| {
        for reason in SuppressionReason::ALL {
            db.suppress(&entry("ann@example.org", reason, 0)).await.unwrap();
            db.suppress(&entry("bob@example.org", reason, 0)).await.unwrap();
        }
        let (ann, bob) = (address("ANN@example.org"), address("bob@example.org"));
        assert_eq!(db.unsuppress(&ann, Some(Bounce)).await.unwrap(), ["bounce"]);
        assert!(db.unsuppress(&ann, Some(Bounce)).await.unwrap().is_empty());
        let mut removed = db.unsuppress(&bob, None).await.unwrap();
        removed.sort_unstable();
        let (wishes, rest): (Vec<_>, Vec<_>) =
            SuppressionReason::ALL.into_iter().partition(|reason| reason.is_own_wish());
        let mut expected: Vec<&str> = rest.into_iter().map(SuppressionReason::as_str).collect();
        expected.sort_unstable();
        assert_eq!(removed, expected);
        assert!(db.unsuppress(&bob, None).await.unwrap().is_empty());
        for wish in wishes {
            assert_eq!(db.unsuppress(&bob, Some(wish)).await.unwrap(), [wish.as_str()]);
        }
        let left = ["complaint", "operator", "unsubscribe"].map(|reason| pair("ann@example.org", reason));
        assert_eq!(listed(&db, &SuppressionFilter::default(), 1).await, left);
    })
    .await;
}

#[tokio::test]
async fn a_wish_that_is_sent_again_changes_nothing_but_one_that_would_end_is_replaced() {
    let name = "a_wish_that_is_sent_again_changes_nothing_but_one_that_would_end_is_replaced";
    on_both(name, async |db: Db| {
        let stored = async || {
            let (rows, _) = db.suppressions(&SuppressionFilter::default(), 9, at(9)).await.unwrap();
            (rows[0].source.clone(), rows[0].created_at, rows[0].until)
        };
        let wish =
            |hours| NewSuppression { source: "recipient".into(), ..entry("a@b.test", Unsubscribe, hours) };
        assert!(db.suppress_once(&wish(0)).await.unwrap());
        assert!(!db.suppress_once(&wish(1)).await.unwrap());
        assert_eq!(stored().await, ("recipient".into(), at(0), None));
        db.suppress(&wish(2).lasting(TimeDelta::days(1))).await.unwrap();
        assert!(db.suppress_once(&wish(3)).await.unwrap(), "it would have ended");
        assert_eq!(stored().await, ("recipient".into(), at(3), None));
        db.suppress(&entry("a@b.test", Unsubscribe, 4)).await.unwrap();
        assert!(db.suppress_once(&wish(5)).await.unwrap(), "its source was another one");
        assert_eq!(stored().await, ("recipient".into(), at(5), None));
    })
    .await;
}

#[tokio::test]
async fn a_bounce_ends_after_30_days_and_is_then_purged() {
    on_both("a_bounce_ends_after_30_days_and_is_then_purged", async |db: Db| {
        for reason in SuppressionReason::ALL {
            db.suppress(&entry("ann@example.org", reason, 0)).await.unwrap();
        }
        let short = entry("bob@example.org", Operator, 0).lasting(TimeDelta::days(1));
        db.suppress(&short).await.unwrap();
        let all = SuppressionFilter::default();
        assert_eq!(listed(&db, &all, 23).await.len(), 5);
        assert_eq!(listed(&db, &all, 30 * 24 - 1).await.len(), 4);
        assert_eq!(listed(&db, &all, 30 * 24).await.len(), 3);
        let purged =
            async |hours| db.purge(TimeDelta::days(30), TimeDelta::hours(1), at(hours)).await.unwrap();
        assert_eq!(purged(30 * 24 + 1).await, 2);
        assert_eq!(listed(&db, &all, 0).await.len(), 3);
    })
    .await;
}

/// Queues an email and begins an attempt at it.
async fn claimed(db: &Db, kind: EmailKind, to: &str, hours: i64) -> ClaimedEmail {
    let email = NewEmail::new(kind, &address(to), at(hours));
    db.insert_emails(std::slice::from_ref(&email)).await.unwrap();
    let claimed = db.claim_due(ClaimLimits::of(100), "test", at(hours)).await.unwrap();
    claimed.into_iter().find(|claimed| claimed.id == email.id).unwrap()
}

async fn send(db: &Db, kind: EmailKind, to: &str, hours: i64) -> ClaimedEmail {
    let email = claimed(db, kind, to, hours).await;
    db.complete_sent(SentEmail::new(&email, Some(250), "250 ok".into(), at(hours))).await.unwrap();
    email
}

#[tokio::test]
async fn a_claim_tells_why_its_mailbox_is_suppressed() {
    on_both("a_claim_tells_why_its_mailbox_is_suppressed", async |db: Db| {
        for reason in [Unsubscribe, Bounce, Complaint] {
            db.suppress(&entry("ann+news@example.org", reason, 0)).await.unwrap();
        }
        db.suppress(&entry("bob@example.org", Unsubscribe, 0)).await.unwrap();
        let told = async |kind, to, hours| claimed(&db, kind, to, hours).await.suppression();
        let (welcome, reset) = (EmailKind::Welcome, EmailKind::ResetPassword);
        assert_eq!(told(reset, "Ann+News@example.org", 1).await, Some(Bounce));
        assert_eq!(told(welcome, "ann+news@example.org", 1).await, Some(Bounce));
        assert_eq!(told(welcome, "bob@example.org", 1).await, Some(Unsubscribe));
        assert_eq!(told(reset, "bob@example.org", 1).await, None, "bulk only");
        assert_eq!(told(welcome, "ann@example.org", 1).await, None, "the tag is part of the mailbox");
        assert_eq!(told(reset, "ann+news@example.org", 30 * 24 + 1).await, None, "the bounce has ended");
        assert_eq!(told(welcome, "ann+news@example.org", 30 * 24 + 1).await, Some(Complaint));
        db.suppress(&entry("bob@example.org", Operator, 2)).await.unwrap();
        let email = NewEmail::new(reset, &address("bob@example.org"), at(3));
        db.insert_emails(std::slice::from_ref(&email)).await.unwrap();
        let probe = db.claim_probe("test", at(3)).await.unwrap();
        assert_eq!(probe.iter().map(ClaimedEmail::suppression).collect::<Vec<_>>(), [Some(Operator)]);
    })
    .await;
}

#[tokio::test]
async fn one_reset_and_one_verification_a_day_and_every_undo_pass_a_bounce() {
    let name = "one_reset_and_one_verification_a_day_and_every_undo_pass_a_bounce";
    on_both(name, async |db: Db| {
        let to = "ann@example.org";
        let passes = async |kind, hours| {
            let email = claimed(&db, kind, to, hours).await;
            db.passes_bounce(&email, at(hours)).await.unwrap()
        };
        let first = claimed(&db, EmailKind::ResetPassword, to, 0).await;
        assert!(db.passes_bounce(&first, at(0)).await.unwrap());
        assert!(!passes(EmailKind::ResetPassword, 1).await);
        assert!(db.passes_bounce(&first, at(2)).await.unwrap(), "a further attempt");
        assert!(passes(EmailKind::VerifyEmail, 3).await, "counted apart");
        assert!(!passes(EmailKind::VerifyEmail, 3).await);
        assert!(!passes(EmailKind::ResetPassword, 23).await);
        assert!(passes(EmailKind::ResetPassword, 24).await, "the next day");
        assert!(!passes(EmailKind::ResetPassword, 47).await);
        for kind in EmailKind::ALL {
            let undo = kind == EmailKind::EmailChanged;
            assert_eq!(passes(kind, 25).await, undo, "{kind}");
            assert_eq!(passes(kind, 25).await, undo, "{kind}");
        }
        let other = claimed(&db, EmailKind::ResetPassword, "ann+x@example.org", 25).await;
        assert!(db.passes_bounce(&other, at(25)).await.unwrap(), "another mailbox");
    })
    .await;
}

#[tokio::test]
async fn an_email_that_does_not_bounce_for_three_days_lifts_the_bounce_and_nothing_else() {
    let name = "an_email_that_does_not_bounce_for_three_days_lifts_the_bounce_and_nothing_else";
    on_both(name, async |db: Db| {
        let reset = EmailKind::ResetPassword;
        let people =
            ["ann@example.org", "bob@example.org", "cid@example.org", "dan@example.org", "eve@example.org"];
        for to in people {
            // Earlier than the entry: it may be the email that bounced.
            send(&db, reset, to, 0).await;
            for reason in SuppressionReason::ALL {
                db.suppress(&entry(to, reason, 1)).await.unwrap();
            }
        }
        send(&db, reset, "ann@example.org", 2).await;
        send(&db, reset, "bob@example.org", 2).await;
        // It bounced, too.
        db.suppress(&entry("bob@example.org", Bounce, 3)).await.unwrap();
        claimed(&db, reset, "cid@example.org", 2).await;
        for (to, verdict) in
            [("dan@example.org", ReportVerdict::Soft), ("eve@example.org", ReportVerdict::Delay)]
        {
            let reported = send(&db, reset, to, 2).await;
            let report = Report {
                email_id: reported.id,
                mailbox: None,
                source: ReportSource::Dsn,
                verdict,
                words: "452 4.2.2 mailbox full",
                mark: Some([verdict as u8; 32]),
            };
            assert_eq!(db.record_report(&report, at(4)).await.unwrap(), Recorded::Noted);
        }
        assert!(db.lift_bounces(at(2 + 71)).await.unwrap().is_empty());
        let mut lifted = db.lift_bounces(at(2 + 72)).await.unwrap();
        lifted.sort_unstable();
        assert_eq!(lifted, ["ann@example.org", "eve@example.org"], "a delay is no bounce");
        assert!(db.lift_bounces(at(200)).await.unwrap().is_empty());
        let left = SuppressionFilter { mailbox: Some("ann@example.org".into()), ..Default::default() };
        let reasons = listed(&db, &left, 200).await;
        assert_eq!(
            reasons,
            ["complaint", "operator", "unsubscribe"].map(|reason| pair("ann@example.org", reason))
        );
    })
    .await;
}

#[tokio::test]
async fn an_email_that_may_lift_a_bounce_stays_for_it_and_no_other_one() {
    on_both("an_email_that_may_lift_a_bounce_is_kept_for_it", async |db: Db| {
        let (day, undo) = (TimeDelta::days(1), EmailKind::EmailChanged);
        db.suppress(&entry("ann@example.org", Bounce, 0)).await.unwrap();
        db.suppress(&entry("bob@example.org", Operator, 0)).await.unwrap();
        for to in ["ann@example.org", "bob@example.org"] {
            send(&db, undo, to, 1).await;
        }
        assert_eq!(db.purge(day, TimeDelta::hours(1), at(72)).await.unwrap(), 1, "that of another reason");
        assert_eq!(db.lift_bounces(at(1 + 72)).await.unwrap(), ["ann@example.org"]);
        assert_eq!(db.purge(day, TimeDelta::hours(1), at(1 + 72)).await.unwrap(), 1);
        db.suppress(&entry("ann@example.org", Bounce, 100)).await.unwrap();
        send(&db, undo, "ann@example.org", 101).await;
        assert_eq!(db.purge(day, TimeDelta::hours(1), at(101 + 96)).await.unwrap(), 0);
        assert_eq!(db.purge(day, TimeDelta::hours(1), at(101 + 97)).await.unwrap(), 1, "not for ever");
    })
    .await;
}
