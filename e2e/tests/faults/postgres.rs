//! Postgres away, cut off, locked or silent: requests get a 503 in time, and accepted emails arrive.
#![allow(clippy::print_stdout, reason = "how long requests took is worth reading beside the verdict")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use bookly_e2e::load::{Load, LoadResults};
use bookly_e2e::poll::until;
use bookly_e2e::postgres::Postgres;
use bookly_e2e::prelude::*;
use bookly_e2e::smtp_server::{Fault, Stage};
use bookly_e2e::stack;
use sqlx::{Connection, PgConnection};

const LIMIT: Duration = Duration::from_secs(180);
/// No request takes longer than the service's own limit, with something on top for a busy machine.
const NO_HANG: Duration = Duration::from_secs(45);
const PART: usize = 30;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_killed_under_load_and_restarted_costs_no_mail() -> Result<()> {
    let (postgres, options) = own_postgres().await?;
    stack::run(options, async |stack| {
        let tally = Tally::begin(stack, "Postgres killed twice under load");
        let load = Load::start(&[stack.api().clone()], 4);
        for _ in 0..2 {
            load.accepted_more(PART, LIMIT).await?;
            postgres.crash()?;
            expect_refusals(&load, 5).await?;
            expect_live_but_not_ready(stack).await?;
            postgres.recover().await?;
        }
        load.accepted_more(PART, LIMIT).await?;
        let seen = load.finish().await?;
        expect_all_well(stack, tally, &seen).await
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_to_postgres_that_are_cut_cost_no_mail() -> Result<()> {
    stack::run(StackOptions::new(Kind::Full), async |stack| {
        let tally = Tally::begin(stack, "all connections cut 5 times");
        let load = Load::start(&[stack.api().clone()], 6);
        for _ in 0..5 {
            load.accepted_more(PART, LIMIT).await?;
            let mut knife = connect(stack).await?;
            sqlx::query(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                 WHERE datname = current_database() AND pid <> pg_backend_pid()",
            )
            .execute(&mut knife)
            .await?;
        }
        load.accepted_more(PART, LIMIT).await?;
        let seen = load.finish().await?;
        expect_all_well(stack, tally, &seen).await
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pool_exhausted_by_a_lock_turns_requests_away_in_time() -> Result<()> {
    // More clients than connections: some wait for the lock, some for a connection.
    let limit = "Every connection to the database is in use";
    while_users_are_locked("pool exhausted by a lock", 40, 80, limit).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lock_that_is_not_given_turns_requests_away_in_time() -> Result<()> {
    // Fewer: each has a connection and waits for the lock, twice. Their mails are not to blame for it either.
    let limit = "The database is busy with another change for too long";
    while_users_are_locked("table locked", 4, 8, limit).await
}

async fn while_users_are_locked(name: &str, clients: usize, refusals: usize, limit: &str) -> Result<()> {
    stack::run(StackOptions::new(Kind::Full), async |stack| {
        let tally = Tally::begin(stack, name);
        let load = Load::start(&[stack.api().clone()], clients);
        load.accepted(PART, LIMIT).await?;
        let mut holder = connect(stack).await?;
        let mut lock = holder.begin().await?;
        sqlx::query("LOCK TABLE users IN ACCESS EXCLUSIVE MODE").execute(&mut *lock).await?;
        expect_refusals(&load, refusals).await?;
        stack.api().get("//health/live").expect(200).await?;
        lock.rollback().await?;
        load.accepted_more(PART, LIMIT).await?;
        let seen = load.finish().await?;
        let names_it = seen.refused.iter().any(|answer| answer.body.contains(limit));
        ensure!(names_it, "no answer names the limit: {:?}", seen.refused.first());
        expect_all_well(stack, tally, &seen).await
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_postgres_turns_requests_away_in_time() -> Result<()> {
    let (postgres, options) = own_postgres().await?;
    stack::run(options, async |stack| {
        let tally = Tally::begin(stack, "Postgres silent");
        let load = Load::start(&[stack.api().clone()], 4);
        load.accepted(PART, LIMIT).await?;
        postgres.hang()?;
        expect_refusals(&load, 8).await?;
        expect_live_but_not_ready(stack).await?;
        postgres.go_on()?;
        load.accepted_more(PART, LIMIT).await?;
        let seen = load.finish().await?;
        expect_all_well(stack, tally, &seen).await
    })
    .await
}

/// The lease of a sent email ends while the database is away. The worker that got the 250 records it before another
/// worker claims the email.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_longer_than_the_lease_sends_nothing_twice() -> Result<()> {
    let (postgres, options) = own_postgres().await?;
    stack::run(options, async |stack| {
        let tally = Tally::begin(stack, "Postgres away longer than a lease");
        let smtp = stack.smtp()?;
        smtp.set_fault(Fault::HangAt(Stage::FinalDot).times(1));
        tally.sign_up().await?;
        smtp.wait_for_stage(Stage::FinalDot, 1, LIMIT).await?;
        postgres.crash()?;
        smtp.clear_faults();
        let outage = Instant::now();
        until("the lease to run out", LIMIT, async || {
            Ok((outage.elapsed() > Duration::from_secs(20)).then_some(()))
        })
        .await?;
        postgres.recover().await?;
        until("sign-ups to go on", LIMIT, async || Ok(tally.sign_up().await.ok())).await?;
        let figures = tally.settle().await?;
        ensure!(figures.arrived == 2, "{figures:?}");
        Ok(())
    })
    .await
}

/// No row can be completed. The worker that got the 250 keeps the email, and records it as soon as it can.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attempts_that_cannot_be_recorded_send_nothing_twice() -> Result<()> {
    stack::run(StackOptions::new(Kind::Full).workers(1), async |stack| {
        let tally = Tally::begin(stack, "the table of attempts is away");
        let mut owner = connect(stack).await?;
        sqlx::query("ALTER TABLE email_attempts RENAME TO away").execute(&mut owner).await?;
        tally.sign_up().await?;
        let worker = Arc::clone(&stack.workers()[0]);
        let said = worker.log().line(LIMIT, |line| line.contains("its row cannot be completed")).await?;
        ensure!(said.contains("email_attempts"), "{said}");
        sqlx::query("ALTER TABLE away RENAME TO email_attempts").execute(&mut owner).await?;
        let figures = tally.settle().await?;
        ensure!(figures.arrived == 1, "{figures:?}");
        Ok(())
    })
    .await
}

/// A server of the test's own, to be killed, and a stack on it.
async fn own_postgres() -> Result<(Postgres, StackOptions)> {
    let postgres = Postgres::start().await?;
    let database = postgres.new_database().await?;
    Ok((postgres, StackOptions::new(Kind::Full).with("DATABASE_URL", database)))
}

async fn connect(stack: &Stack) -> Result<PgConnection> {
    Ok(PgConnection::connect(&stack.settings()["DATABASE_URL"]).await?)
}

async fn expect_refusals(load: &Load, more: usize) -> Result<()> {
    let so_far = load.so_far().refused.len();
    load.until("refusals", LIMIT, |seen| seen.refused.len() >= so_far + more).await
}

async fn expect_live_but_not_ready(stack: &Stack) -> Result<()> {
    stack.api().get("//health/live").expect(200).await?;
    stack.api().get("//health/ready").refused(503, "unavailable").await?;
    Ok(())
}

async fn expect_all_well(stack: &Stack, tally: Tally<'_>, seen: &LoadResults) -> Result<()> {
    seen.only_unavailable()?;
    ensure!(seen.unanswered == 0, "{} requests got no answer", seen.unanswered);
    ensure!(seen.slowest < NO_HANG, "a request hung for {:?}", seen.slowest);
    seen.settle(tally).await?;
    for process in stack.workers().into_iter().chain([stack.api_process()]) {
        ensure!(process.is_running()?, "a process came to its end: {}", process.log().text());
    }
    Ok(())
}
