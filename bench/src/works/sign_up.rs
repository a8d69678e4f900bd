//! Sign-ups a second against what the hash alone gives on all cores, by turns.

use std::time::Duration;

use super::Bench;
use crate::machine::Meter;
use crate::report::Section;
use crate::sink::Sink;
use crate::system::GROUP;
use crate::{hash, people};

const CLIENTS: [usize; 2] = [16, 64];

#[derive(Default)]
struct Runs {
    per_second: Vec<f64>,
    of_limit: Vec<f64>,
    cpu_ms: Vec<f64>,
    beside_hash_ms: Vec<f64>,
    generator_ms: Vec<f64>,
}

/// Measures it.
pub(super) async fn measure(bench: &Bench) -> anyhow::Result<Section> {
    let mut section = Section::new("Sign-ups");
    let system = bench.system(Sink::start(Duration::ZERO).await?).await?;
    let (_api, _worker) = (system.api().await?, system.worker(16).await?);
    people::sign_ups(&system.address, 4, bench.time(2)).run().await?.all(201)?;
    let (mut limits, mut with) = (Vec::new(), CLIENTS.map(|clients| (clients, Runs::default())));
    let (mut alone, mut one) = (Vec::new(), Vec::new());
    let mut beside_one = Vec::new();
    for _ in 0..bench.runs {
        let limit = hash::on_all_cores(bench.time(5)).await?;
        limits.push(limit.per_second);
        for (clients, runs) in &mut with {
            let meter = Meter::start()?;
            let answers = people::sign_ups(&system.address, bench.clients(*clients), bench.time(10))
                .run()
                .await?
                .all(201)?;
            let used = meter.read()?;
            let cpu_ms = used.cpu_ms(&GROUP) / answers.count();
            runs.per_second.push(answers.per_second());
            runs.of_limit.push(100.0 * answers.per_second() / limit.per_second);
            runs.cpu_ms.push(cpu_ms);
            runs.beside_hash_ms.push(cpu_ms - limit.cpu_ms);
            runs.generator_ms.push(used.cpu_ms(&["bench"]) / answers.count());
            section.beside(used.others);
        }
        let hash = hash::alone(bench.time(2)).await?;
        let sign_up =
            people::sign_ups(&system.address, 1, bench.time(4)).run().await?.all(201)?.within_ms(0.5);
        alone.push(hash);
        one.push(sign_up);
        beside_one.push(sign_up - hash);
    }
    section.row("the hash alone, a thread per core", limits, "hashes/s", "");
    for (clients, runs) in with {
        section.row(format!("{clients} clients"), runs.per_second, "sign-ups/s", "");
        section.row(format!("{clients} clients, of the hash alone"), runs.of_limit, "%", "≥ 92");
        section.row(
            format!("{clients} clients, CPU of service, Postgres and Redis"),
            runs.cpu_ms,
            "ms a sign-up",
            "",
        );
        section.row(
            format!("{clients} clients, that CPU beside the hash"),
            runs.beside_hash_ms,
            "ms a sign-up",
            "≤ 1",
        );
        section.row(
            format!("{clients} clients, CPU of load generator and sink"),
            runs.generator_ms,
            "ms a sign-up",
            "",
        );
    }
    section.row("a hash alone, p50", alone, "ms", "");
    section.row("a sign-up with 1 client, p50", one, "ms", "");
    section.row("a sign-up with 1 client, p50, beside the hash", beside_one, "ms", "≤ 1");
    Ok(section)
}
