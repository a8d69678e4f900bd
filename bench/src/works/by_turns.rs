//! Sign-ups against the hash alone, by turns of seconds: how fast a machine is that others share changes within a minute.

use std::time::Duration;

use super::Bench;
use crate::http::Answers;
use crate::machine::Meter;
use crate::report::{Section, Spread};
use crate::{hash, people};

const TURNS: u32 = 5;

/// What all turns of a run gave.
#[derive(Debug, Default)]
pub(super) struct Turns {
    hashes: f64,
    hash_seconds: f64,
    hash_cpu_ms: f64,
    sign_ups: f64,
    seconds: f64,
    cpu_ms: f64,
    generator_ms: f64,
}

/// What several runs gave.
#[derive(Debug, Default)]
pub(super) struct RunsByTurns(Vec<Turns>);

/// Hashes, signs up, hashes, signs up. `group` are the processes whose CPU time counts.
pub(super) async fn measure(
    bench: &Bench,
    address: &str,
    clients: usize,
    group: &[&str],
    section: &mut Section,
) -> anyhow::Result<Turns> {
    let mut all = Turns::default();
    for _ in 0..bench.size(TURNS, 1) {
        let hashes =
            hash::on_all_cores(bench.size(Duration::from_millis(1_500), Duration::from_millis(200))).await?;
        all.hashes += hashes.count;
        all.hash_seconds += hashes.seconds;
        all.hash_cpu_ms += hashes.cpu_ms;
        let meter = Meter::start()?;
        let answers =
            people::sign_ups(address, bench.clients(clients), bench.time(3)).run().await?.all(201)?;
        let used = meter.read()?;
        all.sign_ups += answers.count();
        all.seconds += answers.seconds();
        all.cpu_ms += used.cpu_ms(group);
        all.generator_ms += used.cpu_ms(&["bench"]);
        section.beside(used.others);
    }
    Ok(all)
}

/// The median times in milliseconds of a hash alone, and of sign-ups by one client.
pub(super) async fn single(bench: &Bench, address: &str) -> anyhow::Result<(f64, f64)> {
    let (mut hashes, mut answers) = (Vec::new(), Answers::default());
    for _ in 0..bench.size(TURNS, 1) {
        hashes.extend(hash::alone(bench.time(1)).await?);
        answers.add(people::sign_ups(address, 1, bench.time(2)).run().await?.all(201)?);
    }
    Ok((Spread::of(hashes).median, answers.within_ms(0.5)))
}

impl RunsByTurns {
    pub(super) fn add(&mut self, turns: Turns) {
        self.0.push(turns);
    }

    /// Adds the rows of the table.
    pub(super) fn tell(
        &self,
        clients: usize,
        group: &str,
        (share, beside): (&str, &str),
        section: &mut Section,
    ) {
        let mut row = |what: &str, of: fn(&Turns) -> f64, unit, goal| {
            section.row(format!("{clients} clients{what}"), self.0.iter().map(of), unit, goal);
        };
        row(", the hash alone, a thread per core, by turns with them", Turns::limit, "hashes/s", "");
        row("", Turns::rate, "sign-ups/s", "");
        row(", of the hash alone", |turns| 100.0 * turns.rate() / turns.limit(), "%", share);
        row(&format!(", CPU of {group}"), |turns| turns.cpu_ms / turns.sign_ups, "ms a sign-up", "");
        row(", that CPU beside the hash", Turns::beside, "ms a sign-up", beside);
        row(
            ", CPU of load generator and sink",
            |turns| turns.generator_ms / turns.sign_ups,
            "ms a sign-up",
            "",
        );
    }
}

impl Turns {
    fn limit(&self) -> f64 {
        self.hashes / self.hash_seconds
    }

    fn rate(&self) -> f64 {
        self.sign_ups / self.seconds
    }

    fn beside(&self) -> f64 {
        self.cpu_ms / self.sign_ups - self.hash_cpu_ms / self.hashes
    }
}
