//! Sign-ups a second against what the hash alone gives on all cores, and how long a single one takes.

use std::time::Duration;

use super::{Bench, by_turns};
use crate::people;
use crate::report::Section;
use crate::sink::Sink;
use crate::system::GROUP;

const CLIENTS: [usize; 2] = [16, 64];

/// Measures it.
pub(super) async fn measure(bench: &Bench) -> anyhow::Result<Section> {
    let mut section = Section::new("Sign-ups");
    let system = bench.system(Sink::start(Duration::ZERO).await?).await?;
    let (_api, _worker) = (system.api().await?, system.worker(16).await?);
    people::sign_ups(&system.address, 4, bench.time(2)).run().await?.all(201)?;
    let mut with = CLIENTS.map(|clients| (clients, by_turns::RunsByTurns::default()));
    let (mut alone, mut one, mut beside_one) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..bench.runs {
        for (clients, runs) in &mut with {
            runs.add(by_turns::measure(bench, &system.address, *clients, &GROUP, &mut section).await?);
        }
        let (hash, sign_up) = by_turns::single(bench, &system.address).await?;
        alone.push(hash);
        one.push(sign_up);
        beside_one.push(sign_up - hash);
    }
    for (clients, runs) in with {
        runs.tell(clients, "service, Postgres and Redis", ("≥ 92", "≤ 1"), &mut section);
    }
    section.row("a hash alone, p50", alone, "ms", "");
    section.row("a sign-up with 1 client, p50", one, "ms", "");
    section.row("a sign-up with 1 client, p50, beside the hash", beside_one, "ms", "≤ 1");
    Ok(section)
}
