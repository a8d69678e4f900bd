//! Wrong jobs, wrong clocks, a killed leader: the rows are the truth, and each email is sent once.
//!
//! Every test prints a line: fault, accepted, arrived, failed, duplicates, seconds.

use std::fs;
use std::time::Duration;

use bookly_e2e::log::Log;
use bookly_e2e::person::new_address;
use bookly_e2e::poll::{LIMIT, until};
use bookly_e2e::prelude::*;
use bookly_e2e::process::Process;
use bookly_e2e::smtp_server::{Fault, Stage};
use bookly_e2e::stack::run;
use bookly_shared::queue::{RedisQueue, SendEmail};
use bookly_shared::tls::Trust;
use uuid::Uuid;

/// Longer than the leader waits before it enqueues again, and than workers take to restart.
const PATIENCE: Duration = Duration::from_secs(120);
/// How far the clocks are off, in seconds.
const HOUR: i64 = 3600;

fn full() -> StackOptions {
    StackOptions::new(Kind::Full)
}

fn all(accepted: usize) -> Figures {
    Figures { accepted, arrived: accepted, ..Figures::default() }
}

/// The queue of the stack.
fn queue(stack: &Stack) -> Result<RedisQueue> {
    Ok(RedisQueue::new(&stack.redis()?.url().into(), queue_name(stack), &Trust::default())?)
}

fn queue_name(stack: &Stack) -> &str {
    stack.settings().get("QUEUE_NAME").map_or("bookly", String::as_str)
}

async fn id_of(stack: &Stack, recipient: &str) -> Result<Uuid> {
    Ok(stack.sql().of_mail(recipient, "id").await?.parse()?)
}

/// Pushes a task with any payload into Redis, as apalis-redis does.
async fn push_payload(stack: &Stack, payload: &str) -> Result<()> {
    let (redis, name, task) = (stack.redis()?, queue_name(stack), Uuid::new_v4().to_string());
    let data = format!("{name}:data");
    let _: i64 = redis.ask(&["HSET", &data, &task, payload]).await?;
    let meta = format!("{name}:meta:{task}");
    let fields = ["attempts", "0", "max_attempts", "25", "status", "Pending", "idempotency_key", ""];
    let _: i64 = redis.ask(&[&["HSET", meta.as_str()][..], &fields[..]].concat()).await?;
    let _: i64 = redis.ask(&["RPUSH", &format!("{name}:active"), &task]).await?;
    Ok(())
}

async fn said(stack: &Stack, words: &str) -> Result<()> {
    until(words, PATIENCE, async || {
        let mut lines = stack.workers().into_iter().flat_map(|worker| worker.log().lines());
        Ok(lines.any(|line| line.contains(words)).then_some(()))
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jobs_without_a_row_are_ignored() -> Result<()> {
    run(full(), async |stack: &Stack| {
        let tally = Tally::begin(stack, "Queue: an id that does not exist, payloads that are none");
        queue(stack)?.push(&[Uuid::now_v7(), Uuid::now_v7()].map(|id| SendEmail { id })).await?;
        for payload in ["", "not an id", "{\"email_id\": 7}", "\u{0}\u{1}\u{fffd}"] {
            push_payload(stack, payload).await?;
        }
        said(stack, "a job whose payload is not an id was ignored").await?;
        for _ in 0..3 {
            tally.sign_up().await?;
        }
        assert_eq!(tally.settle().await?, all(3));
        let restarts = stack.workers().iter().map(|worker| restarts(worker.log())).sum::<usize>();
        assert_eq!(restarts, 0, "a payload ended a worker");
        Ok(())
    })
    .await
}

fn restarts(log: &Log) -> usize {
    log.lines().iter().filter(|line| line.contains("the job listener ended and starts again")).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_without_data_costs_no_mail() -> Result<()> {
    run(full(), async |stack: &Stack| {
        let tally = Tally::begin(stack, "Queue: tasks without data or metadata");
        let active = format!("{}:active", queue_name(stack));
        for _ in 0..3 {
            let _: i64 = stack.redis()?.ask(&["RPUSH", &active, "neither data nor metadata"]).await?;
            tally.sign_up().await?;
        }
        assert_eq!(tally.settle().await?, all(3));
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_of_another_type_are_deleted_and_created_again() -> Result<()> {
    run(full(), async |stack: &Stack| {
        let tally = Tally::begin(stack, "Queue: its keys in Redis hold something else");
        for key in ["data", "active", "scheduled", "workers", "done", "signal"] {
            let key = format!("{}:{key}", queue_name(stack));
            let _: String = stack.redis()?.ask(&["SET", &key, "something else"]).await?;
        }
        for _ in 0..3 {
            tally.sign_up().await?;
        }
        assert_eq!(tally.settle().await?, all(3));
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_email_of_a_newer_kind_is_not_changed_also_past_its_deadline() -> Result<()> {
    run(full(), async |stack: &Stack| {
        let tally = Tally::begin(stack, "Queue: a row of an unknown kind");
        let sql = stack.sql();
        tally.queue(2).await?;
        // This one's deadline has passed and it is due in an hour: once maintenance has expired it, it has seen both
        // rows.
        let (newer, late) = (new_address(), new_address());
        sql.run(&overdue_row("newsletter", "now()"), &newer).await?;
        sql.run(&overdue_row("welcome", "now() + interval '1 hour'"), &late).await?;
        queue(stack)?.push(&[SendEmail { id: id_of(stack, &newer).await? }]).await?;
        until("maintenance to expire emails", PATIENCE, async || {
            Ok((sql.of_mail(&late, "state").await? == "failed").then_some(()))
        })
        .await?;
        assert_eq!(sql.of_mail(&newer, "state").await?, "queued");
        assert_eq!(sql.of_mail(&newer, "attempts").await?, "0");
        assert_eq!(sql.run("DELETE FROM emails WHERE recipient = $1", &newer).await?, 1);
        tally.accept(&late);
        assert_eq!(
            tally.settle().await?,
            Figures { accepted: 3, arrived: 2, failed: 1, twice: 0, ..Figures::default() }
        );
        Ok(())
    })
    .await
}

fn overdue_row(kind: &str, due_at: &str) -> String {
    format!(
        "INSERT INTO emails (id, kind, recipient, mailbox, context, state, due_at, deadline_at, created_at)
         VALUES (gen_random_uuid(), '{kind}', $1, $1, '{{}}', 'queued', {due_at}, now() - interval '1 minute', now())"
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_email_whose_template_fails_is_failed_at_once() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let kind = folder.path().join("mail/verify_email");
    fs::create_dir_all(&kind)?;
    let template = "{% if first_name == \"Robert\" %}{{ no_such_variable }}{% endif %}{{ link }}\n";
    fs::write(kind.join("body.txt"), template)?;
    let options = full().with("TEMPLATE_FOLDER", folder.path().display().to_string());
    run(options, async |stack: &Stack| {
        let tally = Tally::begin(stack, "Queue: a template that fails to render");
        let robert = Person { first_name: "Robert".to_owned(), ..Person::new() };
        stack.sign_up(&robert).await?;
        tally.accept(&robert.email);
        tally.sign_up().await?;
        assert_eq!(
            tally.settle().await?,
            Figures { accepted: 2, arrived: 1, failed: 1, twice: 0, ..Figures::default() }
        );
        assert_eq!(stack.sql().of_mail(&robert.email, "attempts").await?, "1");
        let reason = stack.sql().of_mail(&robert.email, "last_error").await?;
        assert!(reason.contains("cannot be rendered"), "{reason}");
        said(stack, "the email cannot be rendered").await
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_jobs_for_one_row_are_one_email() -> Result<()> {
    run(full(), async |stack: &Stack| {
        let smtp = stack.smtp()?;
        // During the delivery by the first job, and after it.
        smtp.set_fault(Fault::HangAt(Stage::FinalDot));
        let tally = Tally::begin(stack, "Queue: 50 jobs for the same row");
        let person = tally.sign_up().await?;
        let jobs = vec![SendEmail { id: id_of(stack, &person.email).await? }; 25];
        queue(stack)?.push(&jobs).await?;
        smtp.wait_for_stage(Stage::FinalDot, 1, LIMIT).await?;
        taken(stack).await?;
        smtp.clear_faults();
        stack.settled().await?;
        queue(stack)?.push(&jobs).await?;
        taken(stack).await?;
        assert_eq!(tally.settle().await?, all(1));
        assert_eq!(stack.sql().of_mail(&person.email, "attempts").await?, "1");
        Ok(())
    })
    .await
}

/// Waits until Redis holds no job.
async fn taken(stack: &Stack) -> Result<()> {
    until("all jobs to be taken", LIMIT, async || Ok((waiting(stack).await? == 0).then_some(()))).await
}

/// The number of jobs in Redis, counted atomically.
async fn waiting(stack: &Stack) -> Result<usize> {
    let name = queue_name(stack);
    let count = "return redis.call('ZCARD', KEYS[1]) + redis.call('LLEN', KEYS[2])";
    let (scheduled, active) = (format!("{name}:scheduled"), format!("{name}:active"));
    stack.redis()?.ask(&["EVAL", count, "2", &scheduled, &active]).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_an_hour_ahead_does_no_harm() -> Result<()> {
    a_worker_with_a_wrong_clock("Queue: one worker's clock an hour ahead", "+1h", HOUR).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_an_hour_behind_does_no_harm() -> Result<()> {
    a_worker_with_a_wrong_clock("Queue: one worker's clock an hour behind", "-1h", -HOUR).await
}

/// A worker with a wrong clock, as the leader, alone and beside another one: emails arrive once, and their links work.
async fn a_worker_with_a_wrong_clock(name: &str, shift: &str, seconds: i64) -> Result<()> {
    run(full().workers(0), async |stack: &Stack| {
        let smtp = stack.smtp()?;
        let library = "/usr/$LIB/faketime/libfaketimeMT.so.1";
        let fake = [("LD_PRELOAD", library), ("FAKETIME", shift), ("FAKETIME_DONT_FAKE_MONOTONIC", "1")];
        let off = stack.start_worker_with(&fake).await?;
        is_off_by(&off, seconds)?;
        off.log().line(LIMIT, |line| line.contains("this process is the maintenance leader")).await?;
        let tally = Tally::begin(stack, name);
        // Alone: the API has the right clock.
        let alone = tally.sign_up().await?;
        let link = stack.link(&alone.email, "Verify your email").await?;
        stack.api().post(&link).expect(200).await?;
        // Beside a worker with the right clock: for longer than a lease, it does not claim the emails that hang.
        let right = stack.start_worker().await?;
        smtp.set_fault(Fault::HangAt(Stage::FinalDot));
        for _ in 0..6 {
            tally.sign_up().await?;
        }
        smtp.wait_for_stage(Stage::FinalDot, 7, PATIENCE).await?;
        let renewed = "SELECT count(*) FROM emails WHERE state = 'sending' AND lease_until > created_at + interval '35 seconds'";
        until("leases that were renewed", LIMIT, async || {
            Ok((stack.sql().number(renewed, "").await? == 6).then_some(()))
        })
        .await?;
        smtp.clear_faults();
        stack.settled().await?;
        assert_eq!(restarts(off.log()) + restarts(right.log()), 0, "workers removed each other");
        // Emails that the leader with the wrong clock enqueued are due for the other worker.
        smtp.set_fault(Fault::HangAt(Stage::FinalDot));
        tally.queue(100).await?;
        said(stack, "emails that waited were enqueued again").await?;
        off.kill()?;
        smtp.clear_faults();
        right.log().line(PATIENCE, |line| line.contains("this process is the maintenance leader")).await?;
        tally.sign_up().await?;
        // The killed worker had emails in flight, and lost their replies.
        let figures = tally.may_come_twice().settle().await?;
        assert_eq!(figures.arrived, 108);
        assert!(figures.twice <= 16, "{figures:?}");
        Ok(())
    })
    .await
}

/// Checks the time in the worker's log, so that a missing libfaketime fails the test.
fn is_off_by(worker: &Process, seconds: i64) -> Result<()> {
    let events = worker.log().events();
    let said = events.first().and_then(|event| event["timestamp"].as_str()).context("a time in the log")?;
    let said = chrono::DateTime::parse_from_rfc3339(said)?;
    let off = said.timestamp() - i64::try_from(std::time::UNIX_EPOCH.elapsed()?.as_secs())?;
    ensure!((off - seconds).abs() < 300, "is libfaketime installed? the worker's clock is off by {off} s");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_workers_need_a_few_jobs_for_30_000_due_rows() -> Result<()> {
    const DUE: usize = 30_000;
    /// The number that is sent; the test cancels the others.
    const SENT: usize = 6_000;
    /// The jobs of one round of maintenance, and those that busy workers push for others.
    const JOBS: usize = 32;
    run(full().workers(0), async |stack: &Stack| {
        let smtp = stack.smtp()?;
        let tally = Tally::begin(stack, "Queue: 30,000 due rows, an empty Redis, three workers");
        tally.queue(DUE).await?;
        for _ in 0..3 {
            stack.start_worker().await?;
        }
        let (mut most, mut taken_back) = (0, false);
        until("the mails to be sent", PATIENCE * 3, async || {
            most = most.max(waiting(stack).await?);
            ensure!(most <= JOBS, "{most} jobs are in Redis, {JOBS} are enough");
            if !taken_back && smtp.mails_total() >= SENT {
                let rest = "UPDATE emails SET state = 'cancelled', closed_at = now() WHERE state = 'queued' RETURNING recipient";
                tally.take_back(&stack.sql().texts(rest, "").await?);
                taken_back = true;
            }
            Ok((stack.sql().open_mails().await? == 0).then_some(()))
        })
        .await?;
        let figures = tally.settle().await?;
        assert!(figures.arrived >= SENT && figures.twice == 0, "{figures:?}");
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_queue_that_is_full_gets_no_more_jobs() -> Result<()> {
    const FULL: usize = 4_000;
    run(full().workers(0), async |stack: &Stack| {
        let active = format!("{}:active", queue_name(stack));
        let _: i64 = stack.redis()?.ask(&[&["RPUSH", &active][..], &["a task"; FULL]].concat()).await?;
        let pushed = async |metric: &str| {
            stack.sign_up(&Person::new()).await?;
            until(metric, LIMIT, async || Ok((stack.metric(metric).await? >= 1.0).then_some(()))).await
        };
        // After its first push the process knows.
        pushed("bookly_jobs_enqueued_total").await?;
        pushed("bookly_jobs_dropped_total").await?;
        assert_eq!(waiting(stack).await?, FULL + 1);
        let _: i64 = stack.redis()?.ask(&["DEL", &active]).await?;
        stack.sign_up(&Person::new()).await?;
        until("a job", LIMIT, async || Ok((waiting(stack).await? == 1).then_some(()))).await
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_pushed_to_a_redis_without_its_scripts_is_due_at_once() -> Result<()> {
    run(full().workers(0), async |stack: &Stack| {
        let redis = stack.redis()?;
        let active = format!("{}:active", queue_name(stack));
        let queue = queue(stack)?;
        let _: String = redis.ask(&["SCRIPT", "FLUSH"]).await?;
        // The second push finds the scripts that the first one loaded.
        for pushed in 1..=2 {
            let jobs = queue.push(&[SendEmail { id: Uuid::now_v7() }]).await?;
            let due: usize = redis.ask(&["LLEN", &active]).await?;
            assert_eq!((jobs, due), (pushed, pushed));
        }
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_worker_becomes_the_leader_when_the_leader_is_killed() -> Result<()> {
    run(full(), async |stack: &Stack| {
        let tally = Tally::begin(stack, "Queue: the leader killed");
        let workers = stack.workers();
        let is_leader = |line: &str| line.contains("this process is the maintenance leader");
        let leader = until("a leader", LIMIT, async || {
            Ok(workers.iter().position(|worker| worker.log().lines().iter().any(|line| is_leader(line))))
        })
        .await?;
        stack.kill_worker(leader)?;
        // There are no jobs for these: without a leader they would never be sent.
        tally.queue(20).await?;
        workers[1 - leader].log().line(LIMIT, is_leader).await?;
        assert_eq!(tally.settle().await?, all(20));
        Ok(())
    })
    .await
}
