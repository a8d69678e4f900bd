//! The SQL of claims, leases, fencing tokens and maintenance, in random interleavings on both databases.
//!
//! Time is a parameter of every call, so that nothing waits. After each call its result and every row are compared
//! with a reference in plain Rust, and every older claim must be void.
//!
//! SQLite always runs, Postgres when there is a server (`scratch`). `PROPTEST_CASES` sets the number of histories (128).
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "in tests a panic is the verdict")]

mod at_once;
mod history;
mod play;
mod probe;
mod reference;
#[path = "../scratch/mod.rs"]
mod scratch;

use bookly_shared::db::Db;
use proptest::test_runner::{Config, TestRunner};
use tokio::runtime::Runtime;

use crate::scratch::Postgres;

const HISTORIES: u32 = 128;

/// Runs random histories; a failing one is shortened and printed.
fn obeys_the_reference(runtime: &Runtime, db: &Db) {
    let mut config = Config { failure_persistence: None, ..Config::default() };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = HISTORIES;
    }
    let played = TestRunner::new(config).run(&history::histories(), |history| {
        runtime.block_on(play::play(db, &history));
        Ok(())
    });
    played.unwrap_or_else(|difference| panic!("{difference}"));
}

fn on_postgres(test: &str, check: impl AsyncFnOnce(&Postgres)) {
    Runtime::new().unwrap().block_on(async {
        let Some(postgres) = Postgres::create(test).await else { return };
        check(&postgres).await;
        postgres.remove().await;
    });
}

#[test]
fn every_interleaving_obeys_the_reference_on_sqlite() {
    let runtime = Runtime::new().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let db = runtime.block_on(Db::sqlite(dir.path())).unwrap();
    obeys_the_reference(&runtime, &db);
}

#[test]
fn every_interleaving_obeys_the_reference_on_postgres() {
    let runtime = Runtime::new().unwrap();
    let created = Postgres::create("every_interleaving_obeys_the_reference");
    let Some(postgres) = runtime.block_on(created) else { return };
    obeys_the_reference(&runtime, &postgres.db);
    runtime.block_on(postgres.remove());
}

#[test]
fn workers_that_claim_at_once_share_no_email_on_sqlite() {
    let runtime = Runtime::new().unwrap();
    let dir = tempfile::tempdir().unwrap();
    runtime.block_on(async { at_once::share_no_email(&Db::sqlite(dir.path()).await.unwrap()).await });
}

#[test]
fn workers_that_claim_at_once_share_no_email_on_postgres() {
    on_postgres("workers_that_claim_at_once_share_no_email", async |postgres| {
        at_once::share_no_email(&postgres.db).await;
    });
}

#[test]
fn every_kind_is_claimed_on_sqlite() {
    let runtime = Runtime::new().unwrap();
    let dir = tempfile::tempdir().unwrap();
    runtime.block_on(async { at_once::claim_every_kind(&Db::sqlite(dir.path()).await.unwrap()).await });
}

#[test]
fn every_kind_is_claimed_on_postgres() {
    on_postgres("every_kind_is_claimed", async |postgres| at_once::claim_every_kind(&postgres.db).await);
}

#[test]
fn a_probe_prefers_an_email_that_was_not_refused_on_sqlite() {
    let runtime = Runtime::new().unwrap();
    let dir = tempfile::tempdir().unwrap();
    runtime.block_on(async {
        probe::prefers_an_email_that_was_not_refused(&Db::sqlite(dir.path()).await.unwrap()).await;
    });
}

#[test]
fn a_probe_prefers_an_email_that_was_not_refused_on_postgres() {
    on_postgres("a_probe_prefers_an_email_that_was_not_refused", async |postgres| {
        probe::prefers_an_email_that_was_not_refused(&postgres.db).await;
    });
}

#[test]
fn maintenance_and_workers_cause_no_deadlock_on_postgres() {
    on_postgres("maintenance_and_workers_cause_no_deadlock", at_once::reenqueue_and_complete);
}

#[test]
fn a_worker_claims_no_more_than_its_limit_whatever_postgres_statistics_say() {
    on_postgres("a_worker_claims_no_more_than_its_limit", at_once::keep_the_limit_with_old_statistics);
}

#[test]
fn a_worker_reads_no_more_than_it_claims_when_postgres_has_no_statistics() {
    on_postgres(
        "a_worker_reads_no_more_than_it_claims",
        at_once::read_no_more_than_is_claimed_without_statistics,
    );
}
