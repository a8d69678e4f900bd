//! How many requests one client may send to calls that cost a hash, an email or a guess.

use std::time::Duration;

use bookly_e2e::client::Answer;
use bookly_e2e::person::new_address;
use bookly_e2e::poll::{LIMIT, until};
use bookly_e2e::prelude::*;
use bookly_e2e::redis_server::RedisServer;
use bookly_e2e::stack::run;
use reqwest::RequestBuilder;

/// Far beyond the burst, so that a bucket that refills meanwhile does not matter.
const MANY: usize = 200;
const WARNING: &str = "no proxy is trusted";

/// The calls that are limited, each with a cheap request.
fn limited_calls(stack: &Stack) -> Vec<(&'static str, RequestBuilder)> {
    let api = stack.api();
    let email = json!({"email": "nobody"});
    let code = json!({"email": "nobody", "code": "1"});
    vec![
        ("signup", api.post("/auth/signup").json(&json!({}))),
        ("login", api.post("/auth/login").json(&json!({}))),
        ("reset", api.post("/auth/password-reset-request").json(&email)),
        ("resend", api.post("/auth/resend-verification").json(&email)),
        ("verify", api.get("/auth/verify/x")),
        ("verify by button", api.post("/auth/verify/x")),
        ("reset confirm", api.post("/auth/password-reset-confirm/x")),
        ("e-mail change", api.post("/auth/email-change-confirm/x")),
        ("verify by code", api.post("/auth/verify").json(&code)),
        ("reset by code", api.post("/auth/password-reset-confirm").json(&code)),
        ("profile", api.request(reqwest::Method::PATCH, "/auth/me").json(&json!({}))),
        ("e-mail change by code", api.post("/auth/email-change-confirm").json(&code)),
    ]
}

/// A cheap request to a limited call, through these hops.
fn limited_request(stack: &Stack, forwarded_for: &str) -> RequestBuilder {
    let request = stack.api().get("/auth/verify/x");
    if forwarded_for.is_empty() { request } else { request.header("X-Forwarded-For", forwarded_for) }
}

/// Sends requests until one is refused, each through the hops that `hops` gives.
async fn exhaust(stack: &Stack, hops: impl Fn(usize) -> String) -> Result<Answer> {
    for times in 0..MANY {
        let answer = limited_request(stack, &hops(times)).answer().await?;
        if answer.status == 429 {
            ensure!(times >= 60, "refused after {times}");
            return Ok(answer);
        }
    }
    anyhow::bail!("{MANY} requests are not limited")
}

fn limited(kind: Kind) -> StackOptions {
    StackOptions::new(kind).workers(0).with("RATE_LIMIT", "on")
}

both! {
    async fn every_limited_endpoint_answers_again_after_the_time_in_retry_after(stack: &Stack, RATE_LIMIT = "on") {
        let refused = exhaust(stack, |_| String::new()).await?;
        let told: u64 = refused.header("retry-after").parse()?;
        let waited = tokio::time::Instant::now() + Duration::from_secs(told);
        assert_eq!(refused.json()?["error_code"], "too_many_requests");
        for (call, request) in limited_calls(stack) {
            // The bucket refills by one a second: the first request after a pause may be let in.
            let answer = request.try_clone().context("a request")?.answer().await?;
            let answer = if answer.status == 429 { answer } else { request.answer().await? };
            assert_eq!(answer.status, 429, "{call}: {answer:?}");
            assert_eq!(answer.json()?["message"], "Too many requests", "{call}");
        }
        stack.api().get("//health/live").expect(200).await.context("others are not limited")?;
        stack.api().get("/auth/me").refused(401, "not_authenticated").await?;
        let last: u64 = limited_request(stack, "").answer().await?.header("retry-after").parse().unwrap_or(told);
        tokio::time::sleep_until(waited.max(tokio::time::Instant::now() + Duration::from_secs(last))).await;
        limited_request(stack, "").refused(400, "invalid_token").await.context("it was told when")?;
    }

    async fn changing_forwarding_headers_helps_nobody_where_no_proxy_is_trusted(stack: &Stack, RATE_LIMIT = "on") {
        exhaust(stack, |times| format!("203.0.113.{times}")).await?;
        let rotated = stack.api().get("/auth/verify/x").header("Forwarded", "for=192.0.2.7").header("X-Real-IP", "192.0.2.7");
        assert_eq!(rotated.answer().await?.status, 429);
        let log = stack.api_process().log().lines();
        let warnings: Vec<_> = log.iter().filter(|line| line.contains(WARNING)).collect();
        assert_eq!(warnings.len(), 1, "said, and said once: {warnings:?}");
        assert!(warnings[0].contains("WARN") && warnings[0].contains("TRUSTED_PROXIES"), "{warnings:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn behind_a_trusted_proxy_the_rightmost_hop_that_is_not_trusted_is_the_client() -> Result<()> {
    run(limited(Kind::Embedded).with("TRUSTED_PROXIES", "127.0.0.1, 10.0.0.0/8"), async |stack| {
        // The client can write anything to the left of its own address.
        exhaust(stack, |times| format!("203.0.113.{times}, 198.51.100.7")).await?;
        for same in ["198.51.100.7", "1.2.3.4, 198.51.100.7, 10.0.0.9", "198.51.100.7:4711"] {
            assert_eq!(limited_request(stack, same).answer().await?.status, 429, "{same}");
        }
        for other in ["198.51.100.8", "198.51.100.7, 198.51.100.8", "2001:db8:1:2::1"] {
            assert_eq!(limited_request(stack, other).answer().await?.status, 400, "{other}");
        }
        assert!(!stack.api_process().log().text().contains(WARNING), "nothing to warn of");
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_ipv6_client_is_its_whole_64_network() -> Result<()> {
    run(limited(Kind::Embedded).with("TRUSTED_PROXIES", "127.0.0.1"), async |stack| {
        exhaust(stack, |times| format!("2001:db8:1:2::{times:x}")).await?;
        assert_eq!(limited_request(stack, "2001:db8:1:2:ffff:ffff:ffff:ffff").answer().await?.status, 429);
        assert_eq!(limited_request(stack, "2001:db8:1:3::1").answer().await?.status, 400);
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rate_limit_off_lifts_the_limits_per_client_and_nothing_else() -> Result<()> {
    run(StackOptions::new(Kind::Embedded), async |stack| {
        for _ in 0..100 {
            limited_request(stack, "").refused(400, "invalid_token").await?;
        }
        let email = new_address();
        for _ in 0..5 {
            stack.ask_for_reset(&email).expect(200).await?;
        }
        let rows = stack.sql().number("SELECT count(*) FROM emails WHERE mailbox = $1", &email).await?;
        assert_eq!(rows, 3, "a mailbox is still limited");
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_count_a_clients_requests_together() -> Result<()> {
    run(limited(Kind::Full), async |stack| {
        let (_process, other) = stack.another_api().await?;
        exhaust(stack, |_| String::new()).await?;
        ensure!(is_limited(&other).await?, "the other process starts at nought");
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_redis_is_silent_each_process_counts_for_itself_and_waits_for_nothing() -> Result<()> {
    count_for_itself(async |redis, well| if well { redis.go_on() } else { redis.hang() }).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_redis_is_full_each_process_counts_for_itself() -> Result<()> {
    count_for_itself(async |redis, well| {
        let limit = if well { "0" } else { "1" };
        redis.ask(&["CONFIG", "SET", "maxmemory-policy", "noeviction", "maxmemory", limit]).await
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_redis_is_a_read_only_replica_each_process_counts_for_itself() -> Result<()> {
    count_for_itself(async |redis, well| {
        let (host, port) = if well { ("NO", "ONE") } else { ("127.0.0.1", "1") };
        redis.ask(&["REPLICAOF", host, port]).await
    })
    .await
}

/// Two processes before, during and after a fault, which `set(false)` begins and `set(true)` ends.
async fn count_for_itself(set: impl AsyncFn(&RedisServer, bool) -> Result<()>) -> Result<()> {
    run(limited(Kind::Full), async |stack| {
        let (_process, other) = stack.another_api().await?;
        set(stack.redis()?, false).await?;
        let begin = tokio::time::Instant::now();
        exhaust(stack, |_| String::new()).await?;
        // The first request waits 50 ms for Redis; if each of them did, they would take three seconds.
        assert!(begin.elapsed() < Duration::from_secs(2), "{:?}", begin.elapsed());
        ensure!(!is_limited(&other).await?, "the other process counts for itself");
        set(stack.redis()?, true).await?;
        let log = stack.api_process();
        log.log().line(LIMIT, |line| line.contains("Redis counts requests again")).await?;
        let warnings =
            log.log().lines().into_iter().filter(|line| line.contains("counts for itself")).count();
        assert_eq!(warnings, 1, "one line, not one a request");
        exhaust(stack, |_| String::new()).await?;
        until("the other process to count in Redis again", LIMIT, async || {
            Ok(is_limited(&other).await?.then_some(()))
        })
        .await?;
        Ok(())
    })
    .await
}

/// Whether one of three requests is refused: the bucket may have refilled by one.
async fn is_limited(api: &Api) -> Result<bool> {
    for _ in 0..3 {
        if api.get("/auth/verify/x").answer().await?.status == 429 {
            return Ok(true);
        }
    }
    Ok(false)
}
