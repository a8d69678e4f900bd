//! Processes that are killed, or stopped for too long: every accepted email still arrives.

use std::sync::Arc;
use std::time::Duration;

use bookly_e2e::load::Load;
use bookly_e2e::poll::until;
use bookly_e2e::prelude::*;
use bookly_e2e::smtp_server::{Fault, Stage};
use bookly_e2e::stack;
use sqlx::{Connection, PgConnection};

/// Leases of 15 s run out several times over within it.
const LIMIT: Duration = Duration::from_secs(180);

const ROW: &str =
    "SELECT concat_ws(' ', state, attempts, fencing_token, worker, reply, last_error, closed_at, lease_until)
                   FROM emails WHERE recipient = $1";
const STATE: &str = "SELECT state FROM emails WHERE recipient = $1";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_api_that_is_killed_under_load_loses_nothing() -> Result<()> {
    stack::run(StackOptions::new(Kind::Full), async |stack| {
        let tally = Tally::begin(stack, "API killed 5 times under load");
        let load = Load::start(&[stack.api().clone()], 6);
        for _ in 0..5 {
            load.accepted_more(30, LIMIT).await?;
            stack.restart_api().await?;
        }
        load.accepted_more(30, LIMIT).await?;
        let seen = load.finish().await?;
        ensure!(seen.unanswered > 0, "the kills hit no request");
        seen.settle(tally).await?;
        // Committed, and the answer was lost: such emails arrive, too.
        let rows = stack.sql().number("SELECT count(*) FROM emails", "").await?;
        ensure!(
            usize::try_from(rows)? == stack.mails()?.len(),
            "{rows} rows, {} mails",
            stack.mails()?.len()
        );
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_killed_before_mail_from_loses_nothing() -> Result<()> {
    killed_at("worker killed before MAIL", Stage::Hello, 0).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_killed_before_the_final_dot_loses_nothing() -> Result<()> {
    killed_at("worker killed before the final dot", Stage::Data, 0).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_killed_after_the_final_dot_sends_a_copy_that_is_known_as_one() -> Result<()> {
    killed_at("worker killed after the final dot", Stage::FinalDot, 1).await
}

/// Kills the only worker while the mail server keeps it waiting at `stage`, and starts another.
async fn killed_at(name: &str, stage: Stage, copies: usize) -> Result<()> {
    stack::run(StackOptions::new(Kind::Full).workers(1), async |stack| {
        let tally = Tally::begin(stack, name).may_come_twice();
        stack.smtp()?.set_fault(Fault::HangAt(stage).times(1));
        tally.sign_up().await?;
        stack.smtp()?.wait_for_stage(stage, 1, LIMIT).await?;
        stack.kill_worker(0)?;
        stack.smtp()?.clear_faults();
        stack.start_worker().await?;
        arrived(1, copies, &tally.settle().await?)
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_killed_between_the_250_and_its_row_sends_a_copy_that_is_known_as_one() -> Result<()> {
    stack::run(StackOptions::new(Kind::Full).workers(1), async |stack| {
        let tally = Tally::begin(stack, "worker killed between the 250 and its row").may_come_twice();
        stack.smtp()?.set_fault(Fault::HangAt(Stage::FinalDot).times(1));
        tally.sign_up().await?;
        stack.smtp()?.wait_for_stage(Stage::FinalDot, 1, LIMIT).await?;
        let mut holder = PgConnection::connect(&stack.settings()["DATABASE_URL"]).await?;
        let mut row = holder.begin().await?;
        sqlx::query("SELECT 1 FROM emails FOR UPDATE").execute(&mut *row).await?;
        stack.smtp()?.clear_faults();
        let worker = Arc::clone(&stack.workers()[0]);
        worker.log().line(LIMIT, |line| line.contains("email sent")).await?;
        worker.kill()?;
        // Its last statement waits inside the server, which would run it although its client is gone.
        sqlx::query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE datname = current_database() AND pid <> pg_backend_pid()",
        )
        .execute(&mut *row)
        .await?;
        row.rollback().await?;
        stack.start_worker().await?;
        // This window cannot be closed (RFC 1047).
        arrived(1, 1, &tally.settle().await?)
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_killed_after_its_row_was_closed_sends_nothing_again() -> Result<()> {
    stack::run(StackOptions::new(Kind::Full).workers(1), async |stack| {
        let tally = Tally::begin(stack, "worker killed after its row was closed");
        let first = tally.sign_up().await?;
        until("the row to be closed", LIMIT, async || {
            Ok(stack.sql().texts(STATE, &first.email).await?.contains(&"sent".to_owned()).then_some(()))
        })
        .await?;
        stack.kill_worker(0)?;
        stack.start_worker().await?;
        tally.sign_up().await?;
        arrived(2, 0, &tally.settle().await?)
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_workers_that_are_killed_six_times_during_200_sign_ups_lose_nothing() -> Result<()> {
    stack::run(StackOptions::new(Kind::Full), async |stack| {
        let tally = Tally::begin(stack, "two workers killed 6 times in 200 sign-ups").may_come_twice();
        // Long enough that every kill finds mails under way.
        stack.smtp()?.set_fault(Fault::DelayAt(Stage::FinalDot, Duration::from_millis(200)));
        let load = Load::start(&[stack.api().clone()], 4);
        for kill in 0..6 {
            load.accepted_more(25, LIMIT).await?;
            let came = stack.smtp()?.mails_total();
            stack.smtp()?.wait_for_total(came + 5, LIMIT).await?;
            // The workers that were started first, one after the other: two are always there.
            stack.kill_worker(kill)?;
            stack.start_worker().await?;
        }
        load.accepted(200, LIMIT).await?;
        let seen = load.finish().await?;
        seen.only_unavailable()?;
        ensure!(seen.unanswered == 0, "sign-ups do without workers: {} unanswered", seen.unanswered);
        seen.settle(tally).await?;
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_stopped_past_its_lease_sends_nothing_and_changes_nothing() -> Result<()> {
    stack::run(StackOptions::new(Kind::Full).workers(1), async |stack| {
        let tally = Tally::begin(stack, "worker stopped past its lease");
        let smtp = stack.smtp()?;
        // The leader: no other worker can do maintenance until its lease ends.
        let sleeper = Arc::clone(&stack.workers()[0]);
        sleeper.log().line(LIMIT, |line| line.contains("this process is the maintenance leader")).await?;
        smtp.set_fault(Fault::HangAt(Stage::RcptTo).times(1));
        let person = tally.sign_up().await?;
        smtp.wait_for_stage(Stage::RcptTo, 1, LIMIT).await?;
        sleeper.signal("STOP")?;
        stack.start_worker().await?;
        smtp.wait_for_mail_to(&person.email, LIMIT).await?;
        stack.settled_within(LIMIT).await?;
        let row = stack.sql().texts(ROW, &person.email).await?;
        smtp.clear_faults();
        sleeper.signal("CONT")?;
        let gives_up =
            |line: &str| line.contains("stopped before DATA") || line.contains("the row is not changed");
        sleeper.log().line(LIMIT, gives_up).await?;
        ensure!(stack.sql().texts(ROW, &person.email).await? == row, "the row was changed: {row:?}");
        ensure!(smtp.count(Stage::Data) == 1, "only the worker with the lease sends DATA");
        ensure!(sleeper.is_running()?, "it keeps running");
        arrived(1, 0, &tally.settle().await?)
    })
    .await
}

fn arrived(mails: usize, copies: usize, figures: &Figures) -> Result<()> {
    let expected =
        Figures { accepted: mails, arrived: mails, failed: 0, twice: copies, ..Figures::default() };
    ensure!(*figures == expected, "expected {expected:?}: {figures:?}");
    Ok(())
}
