//! Processes that are asked to stop: they finish their work, a second signal ends them at once, and no client
//! notices when all of them are replaced one after the other.

use std::sync::Arc;
use std::time::Duration;

use bookly_e2e::load::Load;
use bookly_e2e::postgres::Postgres;
use bookly_e2e::prelude::*;
use bookly_e2e::process::{Process, Settings};
use bookly_e2e::smtp_server::{Fault, Stage};
use bookly_e2e::stack::STOP_LIMIT;
use bookly_e2e::{ports, stack};
use sqlx::{Connection, PgConnection};

const LIMIT: Duration = Duration::from_secs(180);
/// What the second signal ends a process with: 128 + SIGTERM.
const ENDED_BY_SIGNAL: i32 = 143;
const USERS: &str = "SELECT count(*) FROM users";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_api_that_stops_under_load_answers_what_it_began() -> Result<()> {
    stack::run(StackOptions::new(Kind::Full), async |stack| {
        let tally = Tally::begin(stack, "SIGTERM for the API under load");
        let load = Load::start(&[stack.api().clone()], 8);
        load.accepted(40, LIMIT).await?;
        stack.stop_api().await?;
        let seen = load.finish().await?;
        // A busy machine may answer 503 because too many passwords wait; nothing else is refused.
        seen.only_unavailable()?;
        expect_no_account_without_answer(stack, seen.accepted.len()).await?;
        seen.settle(tally).await?;
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_stops_finishes_the_mail_in_flight() -> Result<()> {
    stack::run(StackOptions::new(Kind::Full).workers(1), async |stack| {
        let tally = Tally::begin(stack, "SIGTERM for a worker with a mail in flight");
        stack.smtp()?.set_fault(Fault::HangAt(Stage::FinalDot).times(1));
        tally.sign_up().await?;
        stack.smtp()?.wait_for_stage(Stage::FinalDot, 1, LIMIT).await?;
        let worker = Arc::clone(&stack.workers()[0]);
        worker.signal("TERM")?;
        worker.log().line(LIMIT, |line| line.contains("finishing the emails in flight")).await?;
        stack.smtp()?.clear_faults();
        expect_goodbye(&worker).await?;
        let figures = tally.settle().await?;
        ensure!(figures.arrived == 1, "the worker closed the row before it ended: {figures:?}");
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_signal_ends_a_worker_at_once() -> Result<()> {
    stack::run(StackOptions::new(Kind::Full).workers(1), async |stack| {
        stack.smtp()?.set_fault(Fault::HangAt(Stage::RcptTo).times(1));
        let tally = Tally::begin(stack, "second SIGTERM for a worker with a mail in flight");
        tally.sign_up().await?;
        stack.smtp()?.wait_for_stage(Stage::RcptTo, 1, LIMIT).await?;
        expect_end_at_second_signal(&stack.workers()[0]).await?;
        stack.smtp()?.clear_faults();
        stack.start_worker().await?;
        tally.settle().await?;
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_signal_ends_an_api_at_once() -> Result<()> {
    stack::run(StackOptions::new(Kind::Full), async |stack| {
        let mut holder = PgConnection::connect(&stack.settings()["DATABASE_URL"]).await?;
        let mut lock = holder.begin().await?;
        sqlx::query("LOCK TABLE users IN ACCESS EXCLUSIVE MODE").execute(&mut *lock).await?;
        let sign_up = tokio::spawn(stack.api().post("/auth/signup").json(&Person::new()).send());
        let waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted";
        bookly_e2e::poll::until("the request to wait for the lock", LIMIT, async || {
            Ok((stack.sql().number(waiting, "").await? > 0).then_some(()))
        })
        .await?;
        expect_end_at_second_signal(&stack.api_process()).await?;
        ensure!(sign_up.await?.is_err(), "it was not answered");
        lock.rollback().await?;
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_does_not_wait_for_a_silent_redis() -> Result<()> {
    stack::run(StackOptions::new(Kind::Full), async |stack| {
        let load = Load::start(&[stack.api().clone()], 2);
        load.accepted(10, LIMIT).await?;
        stack.redis()?.hang()?;
        load.accepted_more(10, LIMIT).await?;
        load.finish().await?;
        for worker in stack.workers() {
            worker.signal("TERM")?;
        }
        stack.stop_api().await?;
        for worker in stack.workers() {
            expect_goodbye(&worker).await?;
        }
        stack.redis()?.go_on()
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_does_not_wait_for_a_silent_postgres() -> Result<()> {
    let postgres = Postgres::start().await?;
    let database = postgres.new_database().await?;
    stack::run(StackOptions::new(Kind::Full).with("DATABASE_URL", database), async |stack| {
        let load = Load::start(&[stack.api().clone()], 2);
        load.accepted(10, LIMIT).await?;
        load.finish().await?;
        stack.settled().await?;
        postgres.hang()?;
        for worker in stack.workers() {
            worker.signal("TERM")?;
        }
        stack.stop_api().await?;
        for worker in stack.workers() {
            expect_goodbye(&worker).await?;
        }
        postgres.go_on()
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rolling_restart_under_load_loses_and_doubles_nothing() -> Result<()> {
    stack::run(StackOptions::new(Kind::Full).workers(3), async |stack| {
        let tally = Tally::begin(stack, "rolling restart of two APIs and three workers");
        let mut apis = [start_api(stack, "api-1").await?, start_api(stack, "api-2").await?];
        let clients = apis.each_ref().map(|(client, ..)| client.clone());
        let load = Load::start(&clients, 6);
        for (_, process, settings) in &mut apis {
            load.accepted_more(30, LIMIT).await?;
            process.signal("TERM")?;
            expect_goodbye(process).await?;
            *process = start(settings, stack, "api-new").await?;
        }
        for worker in stack.workers() {
            load.accepted_more(30, LIMIT).await?;
            stack.start_worker().await?;
            worker.signal("TERM")?;
            expect_goodbye(&worker).await?;
        }
        load.accepted_more(30, LIMIT).await?;
        let seen = load.finish().await?;
        // A busy machine may answer 503 because too many passwords wait; nothing else is refused.
        seen.only_unavailable()?;
        expect_no_account_without_answer(stack, seen.accepted.len()).await?;
        seen.settle(tally).await?;
        Ok(())
    })
    .await
}

/// One more API beside the stack's own, on a port of its own.
async fn start_api(stack: &Stack, name: &str) -> Result<(Api, Process, Settings)> {
    let address = format!("127.0.0.1:{}", ports::free()?);
    let mut settings = stack.settings().clone();
    settings.insert("LISTEN".to_owned(), address.clone());
    let process = start(&settings, stack, name).await?;
    Ok((Api::new(&format!("http://{address}"))?, process, settings))
}

async fn start(settings: &Settings, stack: &Stack, name: &str) -> Result<Process> {
    let process = Process::start("bookly-api", &[], settings, stack.folder(), name)?;
    process.log().line(LIMIT, |line| line.contains("\"listening\"")).await?;
    Ok(process)
}

/// A request that made an account and got no answer was interrupted by the stop.
async fn expect_no_account_without_answer(stack: &Stack, accepted: usize) -> Result<()> {
    let users = usize::try_from(stack.sql().number(USERS, "").await?)?;
    ensure!(users == accepted, "{users} accounts were made, {accepted} answered");
    Ok(())
}

async fn expect_goodbye(process: &Process) -> Result<()> {
    let status = process.exited(STOP_LIMIT).await?;
    ensure!(status.success(), "SIGTERM ended it with {status}: {}", process.log().text());
    Ok(())
}

async fn expect_end_at_second_signal(process: &Process) -> Result<()> {
    process.signal("TERM")?;
    process.log().line(LIMIT, |line| line.contains("a second signal ends the process at once")).await?;
    ensure!(process.is_running()?, "the first signal waits for what is under way");
    process.signal("TERM")?;
    let status = process.exited(LIMIT).await?;
    ensure!(status.code() == Some(ENDED_BY_SIGNAL), "{status}: {}", process.log().text());
    Ok(())
}
