//! What a sign-up takes while the mail server hangs, or Redis is stopped, against a normal one, by turns.

use std::time::Duration;

use super::Bench;
use super::worker::CONCURRENCY;
use crate::machine::Meter;
use crate::people;
use crate::report::Section;
use crate::sink::Sink;

/// The fault.
#[derive(Clone, Copy, PartialEq)]
enum Trouble {
    None,
    MailServer,
    Redis,
}

const TROUBLES: [(Trouble, &str); 3] = [
    (Trouble::None, "normal"),
    (Trouble::MailServer, "the mail server takes connections and hangs"),
    (Trouble::Redis, "Redis is stopped (SIGSTOP)"),
];

#[derive(Default)]
struct OutageRuns {
    one: Vec<f64>,
    many: Vec<f64>,
    rate: Vec<f64>,
    one_ratio: Vec<f64>,
    many_ratio: Vec<f64>,
}

/// Measures it.
pub(super) async fn measure(bench: &Bench) -> anyhow::Result<Section> {
    let mut section = Section::new("Sign-ups during outages");
    let mut with = TROUBLES.map(|(trouble, name)| (trouble, name, OutageRuns::default()));
    for _ in 0..bench.runs {
        let mut normal = (f64::NAN, f64::NAN);
        for (trouble, _, runs) in &mut with {
            let (one, many, rate) = sign_up(bench, *trouble, &mut section).await?;
            if *trouble == Trouble::None {
                normal = (one, many);
            }
            runs.one.push(one);
            runs.many.push(many);
            runs.rate.push(rate);
            runs.one_ratio.push(one / normal.0);
            runs.many_ratio.push(many / normal.1);
        }
    }
    for (trouble, name, runs) in with {
        section.row(format!("{name}: 1 client, p50"), runs.one, "ms", "");
        section.row(format!("{name}: 16 clients, p50"), runs.many, "ms", "");
        section.row(format!("{name}: 16 clients"), runs.rate, "sign-ups/s", "");
        if trouble != Trouble::None {
            section.row(format!("{name}: 1 client, × normal"), runs.one_ratio, "×", "≤ 1.05");
            section.row(format!("{name}: 16 clients, × normal"), runs.many_ratio, "×", "≤ 1.05");
        }
    }
    Ok(section)
}

/// The median times of a sign-up with 1 and with 16 clients, and the latter's rate, in a fresh installation.
async fn sign_up(bench: &Bench, trouble: Trouble, section: &mut Section) -> anyhow::Result<(f64, f64, f64)> {
    let sink = match trouble {
        Trouble::MailServer => Sink::hanging().await?,
        _ => Sink::start(Duration::ZERO).await?,
    };
    let system = bench.system(sink).await?;
    let (_api, _worker) = (system.api().await?, system.worker(CONCURRENCY).await?);
    people::sign_ups(&system.address, 4, bench.time(1)).run().await?.all(201)?;
    if trouble == Trouble::Redis {
        system.redis.hang()?;
    }
    let meter = Meter::start()?;
    let one = people::sign_ups(&system.address, 1, bench.time(4)).run().await?.all(201)?;
    let many = people::sign_ups(&system.address, bench.clients(16), bench.time(6)).run().await?.all(201)?;
    section.beside(meter.read()?.others);
    Ok((one.within_ms(0.5), many.within_ms(0.5), many.per_second()))
}
