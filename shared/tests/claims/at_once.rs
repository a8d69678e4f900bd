//! Claims at the same moment: what a single statement must decide.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bookly_shared::db::Db;
use bookly_shared::db::emails::claim::{AGED_AFTER, ClaimLimits, ClaimedEmail, LEASE};
use bookly_shared::db::emails::complete::SentEmail;
use bookly_shared::db::emails::insert::NewEmail;
use bookly_shared::db::emails::maintenance::REENQUEUE_AFTER;
use bookly_shared::domain::{EmailAddress, EmailKind};
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::try_join_all;
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::play::{queue, start};
use crate::scratch::Postgres;

const EMAILS: usize = 40;
/// So many that maintenance takes longer to mark them than a worker to claim some.
const MANY: usize = 4_000;
const WORKERS: usize = 8;
const ROUNDS: i32 = 5;
const BATCH: i64 = 3;

/// In each round all leases end, and all workers claim all emails.
pub(crate) async fn share_no_email(db: &Db) {
    let mut now = start();
    for _ in 0..EMAILS {
        queue(db, EmailKind::VerifyEmail, now).await;
    }
    for round in 0..ROUNDS {
        let claimed = claim_with_all_workers(db, now).await;
        assert_eq!(claimed.len(), EMAILS, "every email is claimed, and by one worker only");
        let ids: HashSet<Uuid> = claimed.iter().map(|email| email.id).collect();
        assert_eq!(ids.len(), EMAILS);
        for email in claimed {
            let counted = (email.fencing_token, email.attempts, email.lost_leases);
            assert_eq!(counted, (i64::from(round) + 1, round + 1, round));
        }
        now += LEASE + TimeDelta::microseconds(1);
        assert_eq!(db.rescue_lost_leases(now).await.unwrap(), EMAILS as u64);
    }
}

/// A kind whose priority in the row is another one than in the claim's lists is claimed by nobody.
pub(crate) async fn claim_every_kind(db: &Db) {
    let now = start();
    for kind in EmailKind::ALL {
        queue(db, kind, now).await;
    }
    let limits = ClaimLimits::of(EmailKind::ALL.len() as i64);
    let claimed = db.claim_due(limits, "worker", now).await.unwrap();
    let kinds: HashSet<EmailKind> = claimed.iter().map(|email| email.kind).collect();
    assert_eq!(kinds, HashSet::from(EmailKind::ALL));
}

/// Maintenance marks emails again and again while workers, each a process of its own, claim and complete them in
/// batches and in another order. A statement that waits for a row with others locked causes a deadlock, which
/// Postgres ends by an error.
pub(crate) async fn reenqueue_and_complete(postgres: &Postgres) {
    let (now, left) = (start(), Arc::new(AtomicUsize::new(MANY)));
    insert_many(&postgres.db, EmailKind::VerifyEmail, now).await;
    let mut processes = JoinSet::new();
    processes.spawn(reenqueue(postgres.db.clone(), now, left.clone()));
    for worker in 0..WORKERS {
        let db = postgres.open_again().await;
        processes.spawn(claim_and_complete(db, format!("worker-{worker}"), now, left.clone()));
    }
    processes.join_all().await;
    assert!(postgres.db.claim_due(ClaimLimits::of(1), "ann", now).await.unwrap().is_empty());
}

async fn insert_many(db: &Db, kind: EmailKind, now: DateTime<Utc>) {
    let to = EmailAddress::parse("ann@example.org").unwrap();
    let emails: Vec<NewEmail> = (0..MANY).map(|_| NewEmail::new(kind, &to, now)).collect();
    db.insert_emails(&emails).await.unwrap();
}

async fn reenqueue(db: Db, mut now: DateTime<Utc>, left: Arc<AtomicUsize>) {
    while left.load(Ordering::Relaxed) > 0 {
        now += REENQUEUE_AFTER + TimeDelta::seconds(1);
        db.take_unenqueued(MANY as i64, now).await.unwrap();
    }
}

async fn claim_and_complete(db: Db, name: String, now: DateTime<Utc>, left: Arc<AtomicUsize>) {
    while left.load(Ordering::Relaxed) > 0 {
        let mut emails = db.claim_due(ClaimLimits::of(16), &name, now).await.unwrap();
        emails.reverse();
        let sent = |email| SentEmail::new(email, Some(250), "250 taken".to_owned(), now);
        try_join_all(emails.iter().map(|email| db.complete_sent(sent(email)))).await.unwrap();
        left.fetch_sub(emails.len(), Ordering::Relaxed);
    }
    db.close().await;
}

/// Postgres planned an `IN (SELECT … LIMIT … FOR UPDATE SKIP LOCKED)` as a loop that ran again for every row, when its
/// statistics were of a table with one row. The limit then held for each run, and everything was claimed.
pub(crate) async fn keep_the_limit_with_old_statistics(postgres: &Postgres) {
    let (db, now) = (&postgres.db, start());
    queue(db, EmailKind::VerifyEmail, now).await;
    sqlx::query("ANALYZE emails").execute(&mut postgres.connect().await).await.unwrap();
    for later in 1..EMAILS {
        queue(db, EmailKind::VerifyEmail, now + TimeDelta::milliseconds(later as i64)).await;
    }
    let claimed = db.claim_due(ClaimLimits::of(BATCH), "ann", now + LEASE).await.unwrap();
    assert_eq!(claimed.len(), BATCH as usize);
}

/// Without statistics Postgres expected few due rows, and so read and sorted all of them for every claim.
pub(crate) async fn read_no_more_than_is_claimed_without_statistics(postgres: &Postgres) {
    let (db, now) = (&postgres.db, start());
    for kind in [EmailKind::VerifyEmail, EmailKind::PasswordChanged, EmailKind::Welcome] {
        insert_many(db, kind, now).await;
    }
    let limits = ClaimLimits { aged: 1, ..ClaimLimits::of(BATCH) };
    let claimed = db.claim_due(limits, "ann", now + AGED_AFTER).await.unwrap();
    assert_eq!(claimed.len(), BATCH as usize);
    let read = rows_read_by_claims(postgres).await;
    assert!((BATCH..10 * BATCH).contains(&read), "{read} of {MANY} due rows were read for {BATCH}");
}

/// A connection reports what it read when it ends.
async fn rows_read_by_claims(postgres: &Postgres) -> i64 {
    postgres.db.close().await;
    let mut connection = postgres.connect().await;
    let sql = "SELECT idx_tup_read FROM pg_stat_user_indexes
               WHERE indexrelname = 'emails_due' AND schemaname = current_schema()";
    for _ in 0..500 {
        let read: i64 = sqlx::query_scalar(sql).fetch_one(&mut connection).await.unwrap();
        if read > 0 {
            return read;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("Postgres never reported the rows that were read");
}

async fn claim_with_all_workers(db: &Db, now: DateTime<Utc>) -> Vec<ClaimedEmail> {
    let mut workers = JoinSet::new();
    for worker in 0..WORKERS {
        let (db, name) = (db.clone(), format!("worker-{worker}"));
        workers.spawn(async move { claim_all(&db, &name, now).await });
    }
    workers.join_all().await.into_iter().flatten().collect()
}

async fn claim_all(db: &Db, name: &str, now: DateTime<Utc>) -> Vec<ClaimedEmail> {
    let mut claimed = Vec::new();
    loop {
        let some = db.claim_due(ClaimLimits::of(BATCH), name, now).await.unwrap();
        assert!(some.len() <= BATCH as usize, "claimed more than the limit: {}", some.len());
        if some.is_empty() {
            return claimed;
        }
        claimed.extend(some);
    }
}
