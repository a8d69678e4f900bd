//! Requests to reset a password with 32 clients, with and without the worker beside the API, against the peer.

use std::time::Duration;

use super::Bench;
use super::worker::CONCURRENCY;
use crate::machine::Meter;
use crate::peer;
use crate::people;
use crate::report::Section;
use crate::sink::Sink;
use crate::system::{GROUP, PEOPLE};

const CLIENTS: usize = 32;

#[derive(Default)]
struct ResetRuns {
    rate: Vec<f64>,
    p50: Vec<f64>,
    p99: Vec<f64>,
    api_ms: Vec<f64>,
    group_ms: Vec<f64>,
}

/// Measures it.
pub(super) async fn measure(bench: &Bench) -> anyhow::Result<Section> {
    let mut section = Section::new("Requests to reset a password, 32 clients");
    let mut with = [false, true].map(|worker| (worker, ResetRuns::default(), ResetRuns::default()));
    for _ in 0..bench.runs {
        for (worker, own, others) in &mut with {
            ask_own(bench, *worker, own, &mut section).await?;
            let sink = Sink::start(Duration::ZERO).await?;
            if let Some(peer) = bench.peer(sink).await? {
                let _api = peer.api().await?;
                let _worker = if *worker { Some(peer.celery().await?) } else { None };
                ask(bench, &peer.address, (&peer::NAMES, &peer::GROUP), others, &mut section).await?;
            }
        }
    }
    for (worker, own, others) in with {
        let beside = if worker { "worker beside it" } else { "API alone" };
        let ratio = own.ratio(&others);
        own.tell(beside, &mut section);
        if let Some((rate, p99)) = ratio {
            others.tell(&format!("FastAPI with two processes, {beside}"), &mut section);
            section.row(format!("{beside}, rate × FastAPI's"), rate, "×", "≥ 5");
            section.row(format!("{beside}, p99 of FastAPI's"), p99, "×", "≤ 0.2");
        }
    }
    Ok(section)
}

async fn ask_own(
    bench: &Bench,
    worker: bool,
    runs: &mut ResetRuns,
    section: &mut Section,
) -> anyhow::Result<()> {
    let system = bench.system(Sink::start(Duration::ZERO).await?).await?;
    system.people(PEOPLE).await?;
    let _api = system.api().await?;
    let _worker = if worker { Some(system.worker(CONCURRENCY).await?) } else { None };
    ask(bench, &system.address, (&["bookly-api"], &GROUP), runs, section).await
}

async fn ask(
    bench: &Bench,
    address: &str,
    (api, group): (&[&str], &[&str]),
    runs: &mut ResetRuns,
    section: &mut Section,
) -> anyhow::Result<()> {
    people::resets(address, 4, bench.time(1)).run().await?.all(200)?;
    let meter = Meter::start()?;
    let answers = people::resets(address, CLIENTS, bench.time(8)).run().await?.all(200)?;
    let used = meter.read()?;
    runs.rate.push(answers.per_second());
    runs.p50.push(answers.within_ms(0.5));
    runs.p99.push(answers.within_ms(0.99));
    runs.api_ms.push(used.cpu_ms(api) / answers.count());
    runs.group_ms.push(used.cpu_ms(group) / answers.count());
    section.beside(used.others);
    Ok(())
}

impl ResetRuns {
    /// Rate and p99 by those of others, run by run; nothing where there are no others.
    fn ratio(&self, others: &ResetRuns) -> Option<(Vec<f64>, Vec<f64>)> {
        let by =
            |own: &[f64], others: &[f64]| own.iter().zip(others).map(|(own, other)| own / other).collect();
        (!others.rate.is_empty()).then(|| (by(&self.rate, &others.rate), by(&self.p99, &others.p99)))
    }

    fn tell(self, name: &str, section: &mut Section) {
        section.row(name, self.rate, "requests/s", "");
        section.row(format!("{name}, p50"), self.p50, "ms", "");
        section.row(format!("{name}, p99"), self.p99, "ms", "");
        section.row(format!("{name}, CPU of its processes"), self.api_ms, "ms a request", "");
        section.row(format!("{name}, CPU with all beside them"), self.group_ms, "ms a request", "");
    }
}
