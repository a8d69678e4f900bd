//! Whether many queued rows, or many old rows, slow a worker down.

use std::time::Duration;

use super::Bench;
use super::worker::CONCURRENCY;
use crate::redis_stats;
use crate::report::Section;
use crate::sink::Sink;
use crate::system::System;
use crate::throughput::{LIMIT, watch};

/// How often an operator's command is run for its median.
const COMMANDS: usize = 5;

/// One of the three installations, which keep their rows over all runs.
struct BacklogCase {
    name: String,
    system: System,
    /// Rows that are queued again for each run.
    queued_each: u64,
    /// How many mails of it are measured.
    mails: u64,
    empty_redis: f64,
    runs: BacklogRuns,
}

#[derive(Default)]
struct BacklogRuns {
    rate: Vec<f64>,
    of_first: Vec<f64>,
    redis: Vec<f64>,
    memory: Vec<f64>,
    list: Vec<f64>,
    stats: Vec<f64>,
}

/// Measures it.
pub(super) async fn measure(bench: &Bench) -> anyhow::Result<Section> {
    let mut section = Section::new("Long queues, long pasts");
    let usual = bench.size(10_000, 100);
    let many = bench.size(if bench.full { 1_000_000 } else { 100_000 }, 300);
    bench.clear().await?;
    let mut cases = [
        case(bench, format!("{usual} queued"), usual, usual, (0, 0)).await?,
        case(bench, format!("{many} queued"), 0, 2 * usual, (many, 0)).await?,
        case(bench, format!("{many} sent beside {usual} queued"), usual, usual, (0, many)).await?,
    ];
    for _ in 0..bench.runs {
        let mut first = f64::NAN;
        for case in &mut cases {
            let rate = case.run(bench, &mut section).await?;
            if first.is_nan() {
                first = rate;
            }
            case.runs.of_first.push(100.0 * rate / first);
        }
    }
    for case in cases {
        let (name, runs) = (case.name, case.runs);
        section.row(&name, runs.rate, "mails/s", "");
        section.row(format!("{name}: of the first"), runs.of_first, "%", "≥ 90");
        section.row(format!("{name}: Redis, beside what it has when empty"), runs.redis, "MB", "≤ 10");
        section.row(format!("{name}: most memory of the worker"), runs.memory, "MB", "≤ 40");
        section.row(format!("{name}: `mail list`"), runs.list, "ms", "≤ 100");
        section.row(format!("{name}: `mail stats`"), runs.stats, "ms", "≤ 100");
    }
    section.note(
        "Rows were inserted by SQL, followed by a CHECKPOINT; nobody ran ANALYZE or VACUUM but Postgres itself. The commands' \
         times are those of whole processes, from start to end, with no worker beside them.",
    );
    Ok(section)
}

async fn case(
    bench: &Bench,
    name: String,
    queued_each: u64,
    mails: u64,
    (queued, sent): (u64, u64),
) -> anyhow::Result<BacklogCase> {
    let system = bench.system_beside(Sink::start(Duration::ZERO).await?).await?;
    if queued > 0 {
        system.queue(queued).await?;
    }
    if sent > 0 {
        system.was_sent(sent).await?;
    }
    let empty_redis = redis_stats::memory_mb(&system.redis).await?;
    Ok(BacklogCase { name, system, queued_each, mails, empty_redis, runs: BacklogRuns::default() })
}

impl BacklogCase {
    async fn run(&mut self, bench: &Bench, section: &mut Section) -> anyhow::Result<f64> {
        let system = &self.system;
        if self.queued_each > 0 {
            system.queue(self.queued_each).await?;
        }
        self.runs.list.push(command(bench, system, &["mail", "list"]).await?);
        self.runs.stats.push(command(bench, system, &["mail", "stats"]).await?);
        let before = system.sink.count().await?;
        let worker = system.worker(CONCURRENCY).await?;
        let mut redis_mb: f64 = 0.0;
        let measured = watch(&system.sink, before, self.mails, async || {
            redis_mb = redis_stats::memory_mb(&system.redis).await?;
            if self.queued_each > 0 { system.closed(LIMIT).await } else { Ok(()) }
        })
        .await?;
        self.runs.redis.push(redis_mb - self.empty_redis);
        self.runs.memory.push(worker.memory_mb()?.1);
        section.beside(measured.used.others);
        // Killed: what it had in flight waits for its leases and is none of the next run's first mails.
        drop(worker);
        self.runs.rate.push(measured.per_second);
        Ok(measured.per_second)
    }
}

/// The median time of a command, in milliseconds.
async fn command(bench: &Bench, system: &System, arguments: &[&str]) -> anyhow::Result<f64> {
    let mut took = Vec::new();
    for _ in 0..bench.size(COMMANDS, 1) {
        took.push(system.command_ms(arguments).await?);
    }
    Ok(crate::report::Spread::of(took).median)
}
