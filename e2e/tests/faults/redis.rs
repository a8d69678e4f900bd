//! Redis away, empty, full or silent: sign-ups work, and no email is lost with its job.

use std::time::{Duration, Instant};

use bookly_e2e::load::{Load, LoadResults};
use bookly_e2e::person::new_address;
use bookly_e2e::poll::until;
use bookly_e2e::prelude::*;
use bookly_e2e::redis_server::RedisServer;
use bookly_e2e::{ports, stack};

const LIMIT: Duration = Duration::from_secs(180);
/// Less than the 10 s after which maintenance enqueues a row again whose job was lost.
const REENQUEUED_AFTER: Duration = Duration::from_secs(8);
/// Sign-ups of each part of a test: before, during and after the fault.
const PART: usize = 40;
/// No more than a machine has cores: no request waits for a hash, and every answer must be 201.
const CLIENTS: usize = 2;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_killed_and_restarted_empty_costs_no_mail() -> Result<()> {
    let port = ports::free()?;
    let mut redis = Some(RedisServer::start_on(port).await?);
    let options = StackOptions::new(Kind::Full).with("REDIS_URL", format!("redis://127.0.0.1:{port}/0"));
    stack::run(options, async |stack| {
        through_a_fault("Redis killed, restarted empty", stack, async |well| {
            redis = if well { Some(RedisServer::start_on(port).await?) } else { None };
            Ok(())
        })
        .await
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_redis_costs_no_mail() -> Result<()> {
    stack::run(StackOptions::new(Kind::Full), async |stack| {
        through_a_fault("Redis silent", stack, async |well| {
            let redis = stack.redis()?;
            if well { redis.go_on() } else { redis.hang() }
        })
        .await
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_at_its_memory_limit_costs_no_mail() -> Result<()> {
    stack::run(StackOptions::new(Kind::Full), async |stack| {
        through_a_fault("Redis at maxmemory, noeviction", stack, async |well| {
            let limit = if well { "0" } else { "1" };
            let set: String = stack.redis()?.ask(&["CONFIG", "SET", "maxmemory", limit]).await?;
            ensure!(set == "OK", "{set}");
            Ok(())
        })
        .await
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_down_from_the_start_costs_no_mail() -> Result<()> {
    let port = ports::free()?;
    let options = StackOptions::new(Kind::Full).with("REDIS_URL", format!("redis://127.0.0.1:{port}/0"));
    stack::run(options, async |stack| {
        let tally = Tally::begin(stack, "Redis down from the start");
        expect_degraded(stack).await?;
        let load = Load::start(&[stack.api().clone()], CLIENTS);
        load.accepted_more(PART, LIMIT).await?;
        let _redis = RedisServer::start_on(port).await?;
        expect_well(stack).await?;
        load.accepted_more(PART, LIMIT).await?;
        load.finish().await?.settle(tally).await?;
        expect_same_processes(stack)
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_queued_mails_survive_flushall() -> Result<()> {
    stack::run(StackOptions::new(Kind::Full), async |stack| {
        let admin = stack.admin().await?;
        stack.settled().await?;
        let tally = Tally::begin(stack, "FLUSHALL with 10,000 queued");
        stack.workers().iter().try_for_each(|worker| worker.signal("STOP"))?;
        for _ in 0..10 {
            let addresses: Vec<String> = (0..1_000).map(|_| new_address()).collect();
            let send = stack.api().post("/auth/send_mail").bearer_auth(&admin.tokens.access);
            send.json(&json!({"addresses": addresses})).expect(200).await?;
            addresses.iter().for_each(|address| tally.accept(address));
        }
        until("jobs in Redis", LIMIT, async || {
            Ok((stack.redis()?.ask::<usize>(&["DBSIZE"]).await? > 0).then_some(()))
        })
        .await?;
        stack.redis()?.ask::<String>(&["FLUSHALL"]).await?;
        stack.workers().iter().try_for_each(|worker| worker.signal("CONT"))?;
        let figures = tally.settle().await?;
        ensure!(figures.arrived == 10_000, "{figures:?}");
        expect_same_processes(stack)
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_closes_idle_connections_delays_no_email() -> Result<()> {
    stack::run(StackOptions::new(Kind::Full), async |stack| {
        let redis = stack.redis()?;
        let tally = Tally::begin(stack, "Redis closes idle connections");
        redis.ask::<String>(&["CONFIG", "SET", "timeout", "1"]).await?;
        for _ in 0..3 {
            until("all idle connections to be closed", LIMIT, async || {
                let clients = redis.ask::<String>(&["CLIENT", "LIST", "TYPE", "normal"]).await?;
                // One of them asks.
                Ok((clients.lines().count() == 1).then_some(()))
            })
            .await?;
            let _: usize = redis.ask(&["CLIENT", "KILL", "TYPE", "pubsub"]).await?;
            let requested = Instant::now();
            let person = tally.sign_up().await?;
            stack.link(&person.email, "Verify your email").await?;
            let took = requested.elapsed();
            ensure!(took < REENQUEUED_AFTER, "the job was lost, the email came after {took:?}");
        }
        ensure!(tally.settle().await?.arrived == 3);
        expect_no_restart(stack)
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_with_the_documented_rights_is_enough_and_one_with_fewer_is_degraded() -> Result<()> {
    let rule =
        include_str!("../../../docs/operations.md").lines().find(|line| line.starts_with("ACL SETUSER"));
    let rule: Vec<&str> = rule.context("operations.md has no ACL rule")?.split_whitespace().collect();
    let redis = RedisServer::start().await?;
    redis.ask::<String>(&rule).await?;
    let url = redis.url().replacen("//", "//bookly:PASSWORD@", 1);
    let options = StackOptions::new(Kind::Full).with("QUEUE_NAME", "bookly").with("REDIS_URL", url);
    stack::run(options, async |stack| {
        let tally = Tally::begin(stack, "Redis user with the documented rights, then with fewer");
        expect_well(stack).await?;
        for _ in 0..3 {
            tally.sign_up().await?;
        }
        stack.settled().await?;
        expect_no_restart(stack)?;
        redis.ask::<String>(&["ACL", "SETUSER", "bookly", "resetkeys", "~bookly*"]).await?;
        expect_degraded(stack).await?;
        tally.sign_up().await?;
        ensure!(tally.settle().await?.arrived == 4);
        Ok(())
    })
    .await
}

fn expect_no_restart(stack: &Stack) -> Result<()> {
    for worker in stack.workers() {
        let lines = worker.log().lines();
        let restart = lines.iter().find(|line| line.contains("the job listener ended"));
        ensure!(restart.is_none(), "{restart:?}");
    }
    Ok(())
}

/// Signs people up before, during and after a fault, which `set(false)` begins and `set(true)` ends.
async fn through_a_fault(
    name: &str,
    stack: &Stack,
    mut set: impl AsyncFnMut(bool) -> Result<()>,
) -> Result<()> {
    let tally = Tally::begin(stack, name);
    expect_well(stack).await?;
    let load = Load::start(&[stack.api().clone()], CLIENTS);
    load.accepted(PART, LIMIT).await?;
    set(false).await?;
    let fault_from = load.so_far().accepted.len();
    expect_degraded(stack).await?;
    load.accepted_more(PART, LIMIT).await?;
    let fault_to = load.so_far().accepted.len();
    set(true).await?;
    load.accepted_more(PART, LIMIT).await?;
    let seen = load.finish().await?;
    expect_quick(&seen, fault_from, fault_to)?;
    expect_well(stack).await?;
    seen.settle(tally).await?;
    expect_same_processes(stack)
}

/// All 201, and during the fault as quick as before: compared within the run, with a wide margin.
fn expect_quick(seen: &LoadResults, fault_from: usize, fault_to: usize) -> Result<()> {
    ensure!(seen.refused.is_empty() && seen.unanswered == 0, "not all 201: {:?}", seen.refused.first());
    let before =
        LoadResults { took: seen.took[..fault_from].to_vec(), ..LoadResults::default() }.median_from(0);
    let during = LoadResults { took: seen.took[fault_from..fault_to].to_vec(), ..LoadResults::default() }
        .median_from(0);
    let most = before * 5 + Duration::from_millis(500);
    ensure!(during < most, "sign-ups wait on Redis: {during:?}, without the fault {before:?}");
    Ok(())
}

async fn expect_degraded(stack: &Stack) -> Result<()> {
    expect_ready(stack, &json!({"status": "ready", "degraded": ["redis"]})).await
}

async fn expect_well(stack: &Stack) -> Result<()> {
    expect_ready(stack, &json!({"status": "ready"})).await
}

/// Ready at every time; what is degraded shows as soon as it is noticed.
async fn expect_ready(stack: &Stack, body: &Value) -> Result<()> {
    until(&format!("{body}"), LIMIT, async || {
        let ready = stack.api().get("//health/ready").expect(200).await?;
        Ok((ready == *body).then_some(()))
    })
    .await
}

fn expect_same_processes(stack: &Stack) -> Result<()> {
    for worker in stack.workers() {
        ensure!(worker.is_running()?, "a worker came to its end: {}", worker.log().text());
    }
    Ok(())
}
