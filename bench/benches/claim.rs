//! Claiming mails and closing them as sent, by the size of the batch: `cargo bench -p bench --bench claim`.
//!
//! On SQLite, and on Postgres where `TEST_DATABASE_URL` names one that may be filled.
#![expect(clippy::expect_used, reason = "a bench that cannot begin has nothing to say")]

use bookly_shared::clock::Clock;
use bookly_shared::db::Db;
use bookly_shared::db::emails::claim::ClaimLimits;
use bookly_shared::db::emails::complete::SentEmail;
use bookly_shared::db::emails::insert::NewEmail;
use bookly_shared::domain::{EmailAddress, EmailKind};
use divan::Bencher;
use divan::counter::ItemsCount;
use futures_util::future::try_join_all;
use tokio::runtime::Runtime;

const GROUPS: [usize; 3] = [1, 8, 64];

fn main() {
    divan::main();
}

#[divan::bench(args = GROUPS)]
fn sqlite(bencher: Bencher, group: usize) {
    let (runtime, folder) = (Runtime::new().expect("a runtime"), tempfile::tempdir().expect("a folder"));
    let db = runtime.block_on(Db::sqlite(folder.path())).expect("a database");
    claim_and_close(bencher, &runtime, &db, group);
}

#[divan::bench(args = GROUPS)]
fn postgres(bencher: Bencher, group: usize) {
    let Ok(url) = std::env::var("TEST_DATABASE_URL") else { return };
    let runtime = Runtime::new().expect("a runtime");
    let db = runtime.block_on(Db::postgres(&url.into())).expect("a database");
    claim_and_close(bencher, &runtime, &db, group);
}

fn claim_and_close(bencher: Bencher, runtime: &Runtime, db: &Db, group: usize) {
    let to = EmailAddress::parse("kim@people.test").expect("an address");
    let queue = || {
        let mails: Vec<_> =
            (0..group).map(|_| NewEmail::new(EmailKind::Welcome, &to, Clock::local().now())).collect();
        runtime.block_on(db.insert_emails(&mails)).expect("rows");
    };
    let round = |()| {
        runtime.block_on(async {
            let now = Clock::local().now();
            let claimed = db.claim_due(ClaimLimits::of(group as i64), "bench", now).await?;
            let sent = |email| SentEmail::new(email, Some(250), "250 2.0.0 ok".to_owned(), now);
            try_join_all(claimed.iter().map(|email| db.complete_sent(sent(email)))).await
        })
    };
    bencher.counter(ItemsCount::new(group)).with_inputs(queue).bench_values(round);
}
