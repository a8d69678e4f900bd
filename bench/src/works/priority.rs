//! How soon a reset is sent while very many welcome emails wait, compared with the same system while nothing waits.

use std::time::Duration;

use super::Bench;
use super::latency::{at, follow};
use super::worker::CONCURRENCY;
use crate::report::Section;
use crate::sink::{Arrivals, Sink};
use crate::system::{PEOPLE, System};

/// Between two resets: short enough for bulk to be waiting until the last one.
const PAUSE: Duration = Duration::from_millis(53);
/// The mail server's time for an email, where it is slow.
const SLOW: Duration = Duration::from_millis(300);
/// The recipients whose MAIL FROM is reported: those of resets.
const WATCHED: &str = "kim-";

/// Emails a second of a worker, where they are limited. A turn is shorter than the pause: while nothing waits, no reset
/// waits for one.
const RATE: u32 = 50;

/// One installation: how many workers, how many emails each has in flight, the mail server's time for each email, and
/// each worker's limit in emails a second.
struct PriorityCase {
    workers: usize,
    concurrency: usize,
    server: Duration,
    rate: Option<u32>,
}

const CASES: [PriorityCase; 7] = [
    PriorityCase { workers: 1, concurrency: CONCURRENCY, server: Duration::ZERO, rate: None },
    PriorityCase { workers: 1, concurrency: CONCURRENCY, server: Duration::ZERO, rate: Some(RATE) },
    PriorityCase { workers: 4, concurrency: CONCURRENCY, server: Duration::ZERO, rate: None },
    PriorityCase { workers: 1, concurrency: CONCURRENCY, server: SLOW, rate: None },
    PriorityCase { workers: 4, concurrency: CONCURRENCY, server: SLOW, rate: None },
    PriorityCase { workers: 1, concurrency: 1, server: SLOW, rate: None },
    PriorityCase { workers: 1, concurrency: 1, server: SLOW, rate: Some(RATE) },
];
/// In a smoke run: the first without a rate and the first with one.
const SMOKE_CASES: usize = 2;

#[derive(Default)]
struct PriorityRuns {
    idle: Vec<f64>,
    beside_bulk: Vec<f64>,
    more: Vec<f64>,
    bulk_left: Vec<f64>,
}

/// Measures it.
pub(super) async fn measure(bench: &Bench) -> anyhow::Result<Section> {
    let mut section = Section::new("Resets while welcome emails wait");
    let bulk = bench.size(100_000, 300);
    let cases = CASES.into_iter().take(bench.size(CASES.len(), SMOKE_CASES));
    let mut cases: Vec<_> = cases.map(|case| (case, PriorityRuns::default())).collect();
    for _ in 0..bench.runs {
        for (case, runs) in &mut cases {
            case.run(bench, bulk, runs).await?;
        }
    }
    for (case, runs) in cases {
        let name = case.name();
        section.row(format!("{name}: p99 while nothing waits"), runs.idle, "ms", "");
        section.row(format!("{name}: p99 beside {bulk} welcome emails"), runs.beside_bulk, "ms", "");
        section.row(format!("{name}: longer by"), runs.more, "ms", &format!("≤ {}", case.allowed()));
        section.row(format!("{name}: welcome emails left at the end"), runs.bulk_left, "", "> 0");
    }
    section.note(
        "From the request to MAIL FROM. The welcome emails were inserted by SQL before the workers started.",
    );
    Ok(section)
}

impl PriorityCase {
    fn name(&self) -> String {
        let PriorityCase { workers, concurrency, server, rate } = self;
        let rate = rate.map(|rate| format!(", {rate} a second")).unwrap_or_default();
        format!("{workers} worker(s), {concurrency} at a time{rate}, {} ms a mail", server.as_millis())
    }

    /// One email's time at the server with one turn of the rate, or two where bulk may use all capacity; in
    /// milliseconds.
    fn allowed(&self) -> u128 {
        let turn = self.rate.map_or(Duration::ZERO, |rate| Duration::from_secs(1) / rate);
        (self.server + turn).as_millis() * if self.concurrency == 1 { 2 } else { 1 }
    }

    async fn run(&self, bench: &Bench, bulk: u64, runs: &mut PriorityRuns) -> anyhow::Result<()> {
        let (sink, mut arrivals) = Sink::watched(WATCHED, self.server).await?;
        let system = bench.system(sink).await?;
        system.people(bench.size(PEOPLE, 10)).await?;
        let _api = system.api().await?;
        let idle = self.p99(bench, &system, &mut arrivals).await?;
        system.queue_bulk(bulk).await?;
        let beside_bulk = self.p99(bench, &system, &mut arrivals).await?;
        runs.idle.push(idle);
        runs.beside_bulk.push(beside_bulk);
        runs.more.push(beside_bulk - idle);
        runs.bulk_left.push(system.queued().await? as f64);
        Ok(())
    }

    async fn p99(&self, bench: &Bench, system: &System, arrivals: &mut Arrivals) -> anyhow::Result<f64> {
        let mut settings = vec![("WORKER_CONCURRENCY", self.concurrency.to_string())];
        settings.extend(self.rate.map(|rate| ("WORKER_RATE", rate.to_string())));
        let mut workers = Vec::new();
        for _ in 0..self.workers {
            workers.push(system.worker_with(&settings).await?);
        }
        let (mut times, _) = follow(system, arrivals, bench.size(200, 3), PAUSE).await?;
        // Killed: a stop would wait for what is with the mail server.
        drop(workers);
        Ok(at(&mut times, 0.99))
    }
}
