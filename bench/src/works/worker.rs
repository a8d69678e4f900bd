//! Mails a second of worker processes, from rows that wait when they start, against the same SMTP code in a loop.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bookly_worker::smtp::{Security, SmtpPool, SmtpSettings};
use lettre::address::Envelope;
use tokio::task::JoinSet;

use super::Bench;
use crate::machine::{Meter, memory_mb};
use crate::report::Section;
use crate::sink::Sink;
use crate::system::{GROUP, System};

/// Mails in flight, as the setting has it by default.
const CONCURRENCY: usize = 16;
const WORKERS: [usize; 3] = [1, 2, 4];
/// A generous end of the wait for a backlog.
const LIMIT: Duration = Duration::from_secs(600);
/// About as long as a verification mail with both its parts.
const MESSAGE_BYTES: usize = 4_000;

#[derive(Default)]
struct Runs {
    per_second: Vec<f64>,
    worker_ms: Vec<f64>,
    group_ms: Vec<f64>,
    memory: Vec<f64>,
}

/// Measures one, two and four workers with a fast sink.
pub(super) async fn measure(bench: &Bench) -> anyhow::Result<Section> {
    let mut section = Section::new("Workers, fast mail server");
    let mails = bench.size(10_000, 100);
    let (mut bare, mut with) = (Vec::new(), WORKERS.map(|workers| (workers, Runs::default())));
    for _ in 0..bench.runs {
        bare.push(bare_loop(mails).await?);
        for (workers, runs) in &mut with {
            let system = bench.system(Sink::start(Duration::ZERO).await?).await?;
            drain(&system, *workers, CONCURRENCY, mails, runs, &mut section).await?;
        }
    }
    section.row("the SMTP code in a bare loop", bare, "mails/s", "");
    for (workers, runs) in with {
        let name = format!("{workers} worker processes");
        runs.tell(&name, &mut section, if workers == 1 { "≤ 0.25" } else { "" });
    }
    Ok(section)
}

/// Measures one worker with 500 mails in flight and a sink that takes 300 ms a mail.
pub(super) async fn measure_slow_sink(bench: &Bench) -> anyhow::Result<Section> {
    let mut section = Section::new("One worker, 500 mails in flight, a mail server that takes 300 ms a mail");
    let (mut runs, mails) = (Runs::default(), bench.size(10_000, 100));
    for _ in 0..bench.runs {
        let system = bench.system(Sink::start(Duration::from_millis(300)).await?).await?;
        drain(&system, 1, 500, mails, &mut runs, &mut section).await?;
    }
    runs.tell("1 worker process", &mut section, "");
    Ok(section)
}

/// The first tenth, in which processes start and connections open, counts neither in rate nor in CPU.
async fn drain(
    system: &System,
    workers: usize,
    concurrency: usize,
    mails: u64,
    runs: &mut Runs,
    section: &mut Section,
) -> anyhow::Result<()> {
    system.queue(mails).await?;
    let mut services = Vec::new();
    for _ in 0..workers {
        services.push(system.worker(concurrency).await?);
    }
    system.delivered(mails / 10, LIMIT).await?;
    let (meter, before) = (Meter::start()?, system.sink.count());
    system.delivered(mails, LIMIT).await?;
    let (used, sent) = (meter.read()?, (mails - before).max(1) as f64);
    runs.per_second.push(sent / used.seconds);
    runs.worker_ms.push(used.cpu_ms(&["bookly-worker"]) / sent);
    runs.group_ms.push(used.cpu_ms(&GROUP) / sent);
    for service in services {
        runs.memory.push(memory_mb(service.id())?.1);
    }
    section.beside(used.others);
    Ok(())
}

impl Runs {
    fn tell(self, name: &str, section: &mut Section, goal: &str) {
        section.row(name, self.per_second, "mails/s", "");
        section.row(format!("{name}, CPU of the workers"), self.worker_ms, "ms a mail", goal);
        section.row(format!("{name}, CPU with Postgres and Redis"), self.group_ms, "ms a mail", "");
        section.row(format!("{name}, most memory of each"), self.memory, "MB", "");
    }
}

/// The worker's own pool with as many senders, without rows, bells and templates: mails a second.
async fn bare_loop(mails: u64) -> anyhow::Result<f64> {
    let sink = Sink::start(Duration::ZERO).await?;
    let mut settings = SmtpSettings::new("127.0.0.1", sink.port(), Security::Plain);
    settings.max_connections = CONCURRENCY;
    let pool = SmtpPool::new(settings)?;
    let envelope = Envelope::new(Some("bookly@bookly.test".parse()?), vec!["kim@people.test".parse()?])?;
    let message: Arc<[u8]> = message().into();
    let mut senders = JoinSet::new();
    let began = Instant::now();
    for _ in 0..CONCURRENCY {
        let (pool, envelope, message) = (pool.clone(), envelope.clone(), Arc::clone(&message));
        senders.spawn(async move {
            for _ in 0..mails.div_ceil(CONCURRENCY as u64) {
                pool.send(&envelope, &message, async { true }).await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(sender) = senders.join_next().await {
        sender??;
    }
    Ok(sink.count() as f64 / began.elapsed().as_secs_f64())
}

fn message() -> Vec<u8> {
    let mut message =
        b"From: bookly@bookly.test\r\nTo: kim@people.test\r\nSubject: Verify your email\r\n\r\n".to_vec();
    while message.len() < MESSAGE_BYTES {
        message.extend_from_slice(b"A line of a mail, about as long as the lines of a text part are.\r\n");
    }
    message
}
