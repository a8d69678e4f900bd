//! The SQL of claims, leases, fences and the relay, driven through random interleavings on both databases.
//!
//! Time is a parameter of every call, so that nothing waits. After each call its answer and every row are compared
//! with a reference in plain Rust, and every claim that an older worker still has in its hands must have become void.
//!
//! SQLite always runs. Postgres runs when `TEST_DATABASE_URL` names one, in a schema of its own that is dropped
//! afterwards; `scripts/test` always sets it. `PROPTEST_CASES` sets how many histories are played (128).
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "in tests a panic is the verdict")]

mod at_once;
mod history;
mod play;
mod reference;

use std::io::Write;

use bookly_shared::db::{Db, DbUser};
use proptest::test_runner::{Config, TestRunner};
use secrecy::SecretString;
use sqlx::{Connection, PgConnection};
use tokio::runtime::Runtime;
use uuid::Uuid;

const HISTORIES: u32 = 128;
const NOT_RUN: &str = "was NOT RUN on Postgres: TEST_DATABASE_URL is not set";

/// An empty Postgres schema, as long as the test runs.
struct Postgres {
    url: String,
    schema: String,
    db: Db,
}

impl Postgres {
    async fn create() -> Option<Postgres> {
        let url = std::env::var("TEST_DATABASE_URL").ok()?;
        let schema = format!("claims_{}", Uuid::new_v4().simple());
        run(&url, format!("CREATE SCHEMA {schema}")).await;
        let mark = if url.contains('?') { '&' } else { '?' };
        let inside = SecretString::from(format!("{url}{mark}options[search_path]={schema}"));
        let db = Db::postgres(&inside, DbUser::Worker).await.expect("TEST_DATABASE_URL can be used");
        Some(Postgres { url, schema, db })
    }

    async fn remove(self) {
        self.db.close().await;
        run(&self.url, format!("DROP SCHEMA {} CASCADE", self.schema)).await;
    }
}

async fn run(url: &str, sql: String) {
    let mut connection = PgConnection::connect(url).await.expect("TEST_DATABASE_URL can be reached");
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
}

/// Past the test harness, which keeps to itself what a passing test prints.
fn say(line: &str) {
    std::io::stderr().write_all(format!("{line}\n").as_bytes()).unwrap();
}

/// Plays random histories; a failing one is shortened and printed.
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
    let Some(postgres) = runtime.block_on(Postgres::create()) else {
        return say(&format!("every_interleaving_obeys_the_reference {NOT_RUN}"));
    };
    obeys_the_reference(&runtime, &postgres.db);
    runtime.block_on(postgres.remove());
}

#[test]
fn workers_that_claim_at_once_share_no_mail_on_sqlite() {
    let runtime = Runtime::new().unwrap();
    let dir = tempfile::tempdir().unwrap();
    runtime.block_on(async { at_once::share_no_mail(&Db::sqlite(dir.path()).await.unwrap()).await });
}

#[test]
fn workers_that_claim_at_once_share_no_mail_on_postgres() {
    let runtime = Runtime::new().unwrap();
    runtime.block_on(async {
        let Some(postgres) = Postgres::create().await else {
            return say(&format!("workers_that_claim_at_once_share_no_mail {NOT_RUN}"));
        };
        at_once::share_no_mail(&postgres.db).await;
        postgres.remove().await;
    });
}

#[test]
fn a_worker_claims_no_more_than_it_has_room_for_whatever_postgres_statistics_say() {
    let runtime = Runtime::new().unwrap();
    runtime.block_on(async {
        let Some(postgres) = Postgres::create().await else {
            return say(&format!("a_worker_claims_no_more_than_it_has_room_for {NOT_RUN}"));
        };
        at_once::keep_the_limit_when_statistics_are_old(&postgres.db).await;
        postgres.remove().await;
    });
}
