//! The claim that shows whether the mail server accepts emails again.

use bookly_shared::db::Db;
use bookly_shared::db::emails::attempts::{AttemptOutcome, Reason};
use bookly_shared::db::emails::claim::ClaimLimits;
use bookly_shared::db::emails::retry::Retry;
use bookly_shared::domain::EmailKind;
use chrono::TimeDelta;

use crate::play::{queue, start};

pub(crate) async fn prefers_an_email_that_was_not_refused(db: &Db) {
    let now = start();
    queue(db, EmailKind::VerifyEmail, now).await;
    let refused = db.claim_due(ClaimLimits::of(1), "ann", now).await.unwrap().remove(0);
    for later in [1, 2] {
        queue(db, EmailKind::VerifyEmail, now + TimeDelta::seconds(later)).await;
    }
    let reason = Reason {
        smtp_code: Some(504),
        text: "RCPT TO: 504 5.5.2 need fully-qualified hostname",
        server: None,
    };
    let outcome = AttemptOutcome::Retried;
    let retry = Retry { due_at: now, outcome, reason, counts: true, answer_lost: false, bound_to: None };
    assert!(db.retry_later(&refused, &retry, now).await.unwrap());
    let later = now + TimeDelta::seconds(10);
    let mut claimed = Vec::new();
    for _ in 0..3 {
        let probe = db.claim_probe("ann", later).await.unwrap();
        assert_eq!(probe.len(), 1);
        claimed.push(probe[0].id);
    }
    assert_eq!(claimed[2], refused.id, "the refused one is due first and claimed last");
    assert!(db.claim_probe("ann", later).await.unwrap().is_empty());
}
