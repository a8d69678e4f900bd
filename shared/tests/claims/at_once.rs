//! Claims at the very same time: what one statement alone must decide.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bookly_shared::db::Db;
use bookly_shared::db::emails::claim::{ClaimedEmail, LEASE};
use bookly_shared::db::emails::complete::SentEmail;
use bookly_shared::db::emails::enqueue::NewEmail;
use bookly_shared::db::emails::maintenance::REENQUEUE_AFTER;
use bookly_shared::db::held_connection::HeldConnection;
use bookly_shared::domain::{EmailAddress, EmailKind};
use chrono::{DateTime, TimeDelta, Utc};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::play::{queue, start};

const MAILS: usize = 40;
/// So many that ringing for them takes longer than claiming some.
const MANY: usize = 4_000;
const WORKERS: usize = 8;
const ROUNDS: i32 = 5;
const BATCH: i64 = 3;

/// Round after round the leases run out, and everybody rushes for everything.
pub(crate) async fn share_no_mail(db: &Db) {
    let mut now = start();
    for _ in 0..MAILS {
        queue(db, EmailKind::VerifyEmail, now).await;
    }
    for round in 0..ROUNDS {
        let claimed = rush(db, now).await;
        assert_eq!(claimed.len(), MAILS, "every mail is claimed, and by one worker only");
        let told_apart: HashSet<Uuid> = claimed.iter().map(|mail| mail.id).collect();
        assert_eq!(told_apart.len(), MAILS);
        for mail in claimed {
            let counted = (mail.fencing_token, mail.attempts, mail.lost_leases);
            assert_eq!(counted, (i64::from(round) + 1, round + 1, round));
        }
        now += LEASE + TimeDelta::microseconds(1);
        assert_eq!(db.rescue_lost_leases(now).await.unwrap(), MAILS as u64);
    }
}

/// The relay rings for mails, again and again, while workers claim and close them in groups, each in an order of its
/// own. Whoever waited for a row with others locked would wait for ever: Postgres ends that by an error.
pub(crate) async fn ring_and_close(db: &Db) {
    let (now, left) = (start(), Arc::new(AtomicUsize::new(MANY)));
    let to = EmailAddress::parse("ann@example.org").unwrap();
    let mails: Vec<NewEmail> = (0..MANY).map(|_| NewEmail::new(EmailKind::VerifyEmail, &to, now)).collect();
    db.enqueue_emails(&mails).await.unwrap();
    let mut processes = JoinSet::new();
    processes.spawn(ring(db.clone(), now, left.clone()));
    for worker in 0..WORKERS {
        processes.spawn(claim_and_close(db.clone(), format!("worker-{worker}"), now, left.clone()));
    }
    processes.join_all().await;
    assert!(db.keep().await.unwrap().claim_due(1, "ann", now).await.unwrap().is_empty());
}

async fn ring(db: Db, mut now: DateTime<Utc>, left: Arc<AtomicUsize>) {
    while left.load(Ordering::Relaxed) > 0 {
        now += REENQUEUE_AFTER + TimeDelta::seconds(1);
        db.take_unenqueued(MANY as i64, now).await.unwrap();
    }
}

async fn claim_and_close(db: Db, name: String, now: DateTime<Utc>, left: Arc<AtomicUsize>) {
    while left.load(Ordering::Relaxed) > 0 {
        let mut mails = db.keep().await.unwrap().claim_due(16, &name, now).await.unwrap();
        mails.reverse();
        let sent: Vec<SentEmail> =
            mails.iter().map(|mail| SentEmail::new(mail, Some(250), "250 taken".to_owned(), now)).collect();
        db.keep().await.unwrap().complete_sent(&sent).await.unwrap();
        left.fetch_sub(sent.len(), Ordering::Relaxed);
    }
}

/// Postgres planned an `IN (SELECT … LIMIT … FOR UPDATE SKIP LOCKED)` as a loop that asked again for every row, when
/// its statistics were of a table with one row; the limit then held for each time, and everything was claimed.
pub(crate) async fn keep_the_limit_when_statistics_are_old(db: &Db) {
    let now = start();
    queue(db, EmailKind::VerifyEmail, now).await;
    if let Db::Postgres(pool) = db {
        sqlx::query("ANALYZE emails").execute(pool).await.unwrap();
    }
    for later in 1..MAILS {
        queue(db, EmailKind::VerifyEmail, now + TimeDelta::milliseconds(later as i64)).await;
    }
    let claimed = db.keep().await.unwrap().claim_due(BATCH, "ann", now + LEASE).await.unwrap();
    assert_eq!(claimed.len(), BATCH as usize);
}

/// Where Postgres took due rows for few, for want of statistics, it read and sorted all of them for every claim anew.
pub(crate) async fn read_no_more_than_is_claimed_without_statistics(db: &Db) {
    let now = start();
    let to = EmailAddress::parse("ann@example.org").unwrap();
    let mails: Vec<NewEmail> = (0..MANY).map(|_| NewEmail::new(EmailKind::VerifyEmail, &to, now)).collect();
    db.enqueue_emails(&mails).await.unwrap();
    let mut kept = db.keep().await.unwrap();
    assert_eq!(kept.claim_due(BATCH, "ann", now).await.unwrap().len(), BATCH as usize);
    let HeldConnection::Postgres(connection) = &mut kept else { return };
    sqlx::query("SELECT pg_stat_force_next_flush()").execute(&mut **connection).await.unwrap();
    let read = "SELECT idx_tup_read FROM pg_stat_user_indexes
                WHERE indexrelname = 'emails_due' AND schemaname = current_schema()";
    let read: i64 = sqlx::query_scalar(read).fetch_one(&mut **connection).await.unwrap();
    assert!((BATCH..10 * BATCH).contains(&read), "{read} of {MANY} due rows were read for {BATCH}");
}

async fn rush(db: &Db, now: DateTime<Utc>) -> Vec<ClaimedEmail> {
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
        let some = db.keep().await.unwrap().claim_due(BATCH, name, now).await.unwrap();
        assert!(some.len() <= BATCH as usize, "claimed more than there are slots: {}", some.len());
        if some.is_empty() {
            return claimed;
        }
        claimed.extend(some);
    }
}
