//! How soon an idle system begins to send an email, and its commands to Redis while there is nothing to do.

use std::time::{Duration, Instant};

use anyhow::Context;
use bookly_e2e::redis_server::RedisServer;
use serde_json::json;
use tokio::time::timeout;

use super::Bench;
use super::worker::CONCURRENCY;
use crate::http::{ask, connect, post};
use crate::machine::{Clock, Meter};
use crate::redis_stats::{calls, commands};
use crate::report::Section;
use crate::sink::{Arrivals, Sink};
use crate::system::{PEOPLE, System};

/// Between two mails: no multiple of any timer of the service.
const PAUSE: Duration = Duration::from_millis(173);
const LIMIT: Duration = Duration::from_secs(60);

/// Measures it.
pub(super) async fn measure(bench: &Bench) -> anyhow::Result<Section> {
    let mut section = Section::new("An idle system");
    let mails = bench.size(200, 3);
    let mut times: [Vec<f64>; 4] = Default::default();
    let (mut with_worker, mut api_alone) = (Vec::new(), Vec::new());
    for _ in 0..bench.runs {
        let (sink, mut arrivals) = Sink::watched("", Duration::ZERO).await?;
        let system = bench.system(sink).await?;
        system.people(bench.size(PEOPLE, 10)).await?;
        let (_api, worker) = (system.api().await?, system.worker(CONCURRENCY).await?);
        let meter = Meter::start()?;
        let (mut sent, mut answered) = follow(&system, &mut arrivals, mails, PAUSE).await?;
        section.beside(meter.read()?.others);
        let figures = [&mut sent, &mut answered].map(|times| (at(times, 0.5), at(times, 0.99)));
        let [(sent_p50, sent_p99), (answered_p50, answered_p99)] = figures;
        for (runs, ms) in times.iter_mut().zip([sent_p50, sent_p99, answered_p50, answered_p99]) {
            runs.push(ms);
        }
        let before = calls(&system.redis).await?;
        with_worker.push(commands_per_second(&system.redis, bench.time(10)).await?);
        if with_worker.len() == usize::from(bench.runs) {
            section.note(tell(&before, &calls(&system.redis).await?));
        }
        worker.stop().await?;
        api_alone.push(commands_per_second(&system.redis, bench.time(5)).await?);
    }
    let [sent_p50, sent_p99, answered_p50, answered_p99] = times;
    section.row("request sent → MAIL FROM, p50 (the commit lies between)", sent_p50, "ms", "≤ 5");
    section.row("request sent → MAIL FROM, p99", sent_p99, "ms", "≤ 25");
    section.row("request answered → MAIL FROM, p50 (the commit came before)", answered_p50, "ms", "≤ 5");
    section.row("request answered → MAIL FROM, p99", answered_p99, "ms", "≤ 25");
    section.row("Redis, one idle worker and the API", with_worker, "commands/s", "≤ 5");
    section.row("Redis, the idle API alone", api_alone, "commands/s", "");
    Ok(section)
}

/// Requests one email after the other; milliseconds to its MAIL FROM since the request was sent, and answered.
pub(super) async fn follow(
    system: &System,
    arrivals: &mut Arrivals,
    mails: u64,
    pause: Duration,
) -> anyhow::Result<(Vec<f64>, Vec<f64>)> {
    let mut connection = connect(&system.address).await?;
    let (mut since_sent, mut since_answered) = (Vec::new(), Vec::new());
    for person in 1..=mails {
        tokio::time::sleep(pause).await;
        let body = json!({ "email": format!("kim-{person}@example.com") });
        let request = post("/auth/password-reset-request", &body)?;
        let sent = Clock::now();
        ask(&mut connection, request).await?;
        let answered = Clock::now();
        let arrived = timeout(LIMIT, arrivals.recv()).await?.context("the sink is gone")?;
        since_sent.push(arrived.ms_since(sent));
        since_answered.push(arrived.ms_since(answered));
    }
    Ok((since_sent, since_answered))
}

/// The value below which this share of the times lies. Sorts them.
pub(super) fn at(times: &mut [f64], share: f64) -> f64 {
    times.sort_by(f64::total_cmp);
    let index = ((times.len() as f64 * share) as usize).min(times.len().saturating_sub(1));
    times.get(index).copied().unwrap_or(f64::NAN)
}

/// As Redis counts them, without the commands of this program.
async fn commands_per_second(redis: &RedisServer, time: Duration) -> anyhow::Result<f64> {
    let first = commands(redis).await?;
    let (own, began) = (commands(redis).await? - first, Instant::now());
    tokio::time::sleep(time).await;
    let during = commands(redis).await? - first - 2.0 * own;
    Ok(during.max(0.0) / began.elapsed().as_secs_f64())
}

fn tell(
    before: &std::collections::BTreeMap<String, f64>,
    after: &std::collections::BTreeMap<String, f64>,
) -> String {
    let more = |(name, calls): (&String, &f64)| {
        let more = calls - before.get(name).unwrap_or(&0.0);
        (more > 0.0).then(|| format!("{more:.0} × {name}"))
    };
    let asked: Vec<String> = after.iter().filter_map(more).collect();
    format!("In the last run these seconds had, the question itself included: {}.", asked.join(", "))
}
