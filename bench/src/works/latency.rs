//! How soon an idle system hands a mail over, and what its worker asks of Redis while there is nothing to do.

use std::time::{Duration, Instant};

use anyhow::Context;
use bookly_e2e::redis_server::RedisServer;
use serde_json::json;
use tokio::time::timeout;

use super::Bench;
use crate::http::{ask, connect, post};
use crate::report::Section;
use crate::sink::Sink;

/// Between two mails: no multiple of any timer of the service.
const PAUSE: Duration = Duration::from_millis(173);
const LIMIT: Duration = Duration::from_secs(60);

/// Measures it.
pub(super) async fn measure(bench: &Bench) -> anyhow::Result<Section> {
    let mut section = Section::new("An idle system");
    let mails = bench.size(100, 3);
    let (mut p50, mut p99, mut commands) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..bench.runs {
        let (sink, mut arrivals) = Sink::watched().await?;
        let system = bench.system(sink).await?;
        // The first people of the ones with waiting mails: those go out first.
        system.queue(mails).await?;
        let (_api, _worker) = (system.api().await?, system.worker(16).await?);
        for _ in 0..mails {
            timeout(LIMIT, arrivals.recv()).await?.context("the sink is gone")?;
        }
        let mut connection = connect(&system.address).await?;
        let mut took = Vec::new();
        for person in 1..=mails {
            tokio::time::sleep(PAUSE).await;
            let body = json!({ "email": format!("kim-{person}@people.test") });
            let asked = Instant::now();
            ask(&mut connection, post("/auth/password-reset-request", &body)?).await?;
            let arrived = timeout(LIMIT, arrivals.recv()).await?.context("the sink is gone")?;
            took.push((arrived - asked).as_secs_f64() * 1000.0);
        }
        took.sort_by(f64::total_cmp);
        let at = |share: f64| took.get((took.len() as f64 * share) as usize).copied().context("no mail came");
        p50.push(at(0.5)?);
        p99.push(at(0.99)?);
        commands.push(commands_per_second(&system.redis, bench.time(10)).await?);
    }
    section.row("request sent → MAIL FROM, p50 (the commit lies between)", p50, "ms", "≤ 5");
    section.row("request sent → MAIL FROM, p99", p99, "ms", "≤ 25");
    section.row("Redis, with one worker and nothing to do", commands, "commands/s", "≤ 5");
    Ok(section)
}

/// As Redis counts them, those within scripts too.
async fn commands_per_second(redis: &RedisServer, time: Duration) -> anyhow::Result<f64> {
    let began = Instant::now();
    let before = commands(redis).await?;
    tokio::time::sleep(time).await;
    Ok((commands(redis).await? - before) / began.elapsed().as_secs_f64())
}

async fn commands(redis: &RedisServer) -> anyhow::Result<f64> {
    let info: String = redis.ask(&["INFO", "stats"]).await?;
    let line = info.lines().find_map(|line| line.strip_prefix("total_commands_processed:"));
    Ok(line.context("total_commands_processed")?.trim().parse()?)
}
