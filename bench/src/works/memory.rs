//! What the processes hold in memory, idle and after work.

use std::time::Duration;

use super::Bench;
use super::worker::CONCURRENCY;
use crate::people;
use crate::report::Section;
use crate::sink::Sink;
use crate::throughput::{LIMIT, watch};

/// A process that has started and does nothing is looked at after this time.
const SETTLE: u64 = 3;

/// Measures it.
pub(super) async fn measure(bench: &Bench) -> anyhow::Result<Section> {
    let mut section = Section::new("Memory (resident)");
    let mails = bench.size(10_000, 100);
    let mut rows: [(&str, &str, Vec<f64>); 9] = [
        ("API, idle", "≤ 25", Vec::new()),
        ("API, most while 64 clients sign up", "≤ 80", Vec::new()),
        ("API, after that", "", Vec::new()),
        ("worker, idle", "≤ 25", Vec::new()),
        ("worker, after 10,000 mails", "≤ 25", Vec::new()),
        ("worker, most until then", "≤ 25", Vec::new()),
        ("all in one, idle", "≤ 40", Vec::new()),
        ("all in one, most while 16 clients sign up", "≤ 40", Vec::new()),
        ("all in one, after that", "≤ 40", Vec::new()),
    ];
    for _ in 0..bench.runs {
        let (api, worker, one) = (api(bench).await?, worker(bench, mails).await?, all_in_one(bench).await?);
        for (row, mb) in rows.iter_mut().zip(api.into_iter().chain(worker).chain(one)) {
            row.2.push(mb);
        }
    }
    for (what, goal, runs) in rows {
        section.row(what, runs, "MB", goal);
    }
    Ok(section)
}

async fn api(bench: &Bench) -> anyhow::Result<[f64; 3]> {
    let system = bench.system(Sink::start(Duration::ZERO).await?).await?;
    let api = system.api().await?;
    tokio::time::sleep(bench.time(SETTLE)).await;
    let (idle, _) = api.memory_mb()?;
    people::sign_ups(&system.address, bench.clients(64), bench.time(8)).run().await?.all(201)?;
    let (after, most) = api.memory_mb()?;
    Ok([idle, most, after])
}

async fn worker(bench: &Bench, mails: u64) -> anyhow::Result<[f64; 3]> {
    let system = bench.system(Sink::start(Duration::ZERO).await?).await?;
    let worker = system.worker(CONCURRENCY).await?;
    tokio::time::sleep(bench.time(SETTLE)).await;
    let (idle, _) = worker.memory_mb()?;
    system.queue(mails).await?;
    watch(&system.sink, 0, mails, async || system.closed(LIMIT).await).await?;
    let (after, most) = worker.memory_mb()?;
    Ok([idle, after, most])
}

async fn all_in_one(bench: &Bench) -> anyhow::Result<[f64; 3]> {
    let service = bench.embedded().await?;
    let process = service.start().await?;
    tokio::time::sleep(bench.time(SETTLE)).await;
    let (idle, _) = process.memory_mb()?;
    people::sign_ups(&service.address, bench.clients(16), bench.time(8)).run().await?.all(201)?;
    let (after, most) = process.memory_mb()?;
    Ok([idle, most, after])
}
