//! Mails a second of worker processes, from rows that wait when they start, against the same SMTP code in a loop.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use bookly_shared::config::{Security, SmtpSettings};
use bookly_worker::smtp::{SmtpOptions, SmtpPool};
use lettre::address::Envelope;
use tokio::task::JoinSet;

use super::Bench;
use crate::peer::{self, Peer};
use crate::report::Section;
use crate::sink::Sink;
use crate::system::{GROUP, System};
use crate::throughput::{LIMIT, Runs, watch};

/// Mails in flight, as the setting has it by default.
pub(super) const CONCURRENCY: usize = 16;
const WORKERS: [usize; 3] = [1, 2, 4];
/// The mail server's time for a mail, where it is slow, and the mails in flight there.
const SLOW: Duration = Duration::from_millis(300);
const SLOW_CONCURRENCY: usize = 500;

#[derive(Default)]
struct Own {
    runs: Runs,
    memory: Vec<f64>,
    fairness: Vec<f64>,
    of_one: Vec<f64>,
}

#[derive(Default)]
struct Other {
    runs: Runs,
    ratio: Vec<f64>,
}

/// Measures one, two and four workers with a fast sink.
pub(super) async fn measure(bench: &Bench) -> anyhow::Result<Section> {
    let mut section = Section::new("Workers, fast mail server");
    let mails = bench.size(10_000, 100);
    let (mut bare, mut of_bare, mut bytes) = (Vec::new(), Vec::new(), Vec::new());
    let mut with = WORKERS.map(|workers| (workers, Own::default()));
    let (mut bullmq, mut celery) = (Other::default(), Other::default());
    for _ in 0..bench.runs {
        let mut one = f64::NAN;
        for (workers, own) in &mut with {
            let system = bench.system(Sink::start(Duration::ZERO).await?).await?;
            send_backlog(&system, *workers, CONCURRENCY, mails, own, &mut section).await?;
            if *workers == 1 {
                one = own.runs.last();
                let size = system.sink.mean_bytes().await?;
                bytes.push(size as f64);
                bare.push(bare_loop(mails, usize::try_from(size)?).await?);
                of_bare.push(100.0 * one / bare.last().context("a run")?);
            }
            own.of_one.push(own.runs.last() / one);
        }
        if let Some(peer) = bench.peer(Sink::start(Duration::ZERO).await?).await? {
            bullmq.add(peer.bullmq_backlog(CONCURRENCY, mails).await?, one, &peer, &mut section);
        }
        if let Some(peer) = bench.peer(Sink::start(Duration::ZERO).await?).await? {
            celery.add(peer.celery_backlog(bench.size(1_500, 20)).await?, one, &peer, &mut section);
        }
    }
    section.row("the SMTP code in a bare loop, mails of the same size", bare, "mails/s", "");
    section.row("one worker, of the bare loop", of_bare, "%", "≥ 50");
    for (workers, own) in with {
        let (name, is_one) = (format!("{workers} worker process(es)"), workers == 1);
        own.runs.tell(&name, &mut section, if is_one { "≤ 0.25" } else { "" });
        section.row(format!("{name}, most memory of each"), own.memory, "MB", "≤ 25");
        if !is_one {
            section.row(format!("{name}, × the rate of one"), own.of_one, "×", "≥ 1");
            section.row(format!("{name}, the smallest share of the largest"), own.fairness, "%", "");
        }
    }
    bullmq.tell("BullMQ + Nodemailer, concurrency 16", "≥ 2", &mut section);
    celery.tell("Celery, prefork", "≥ 10", &mut section);
    section.row("size of a mail", bytes, "bytes", "");
    Ok(section)
}

/// Measures one worker with 500 mails in flight and a sink that takes 300 ms a mail.
pub(super) async fn measure_slow_sink(bench: &Bench) -> anyhow::Result<Section> {
    let mut section = Section::new("One worker, 500 mails in flight, a mail server that takes 300 ms a mail");
    let (mut own, mails) = (Own::default(), bench.size(10_000, 100));
    for _ in 0..bench.runs {
        let system = bench.system(Sink::start(SLOW).await?).await?;
        send_backlog(&system, 1, SLOW_CONCURRENCY, mails, &mut own, &mut section).await?;
    }
    section.row("rate (500 / 0.3 s would be 1,667)", own.runs.per_second, "mails/s", "≥ 1,500");
    section.row("rate until all are recorded", own.runs.until_closed, "mails/s", "");
    section.row("most memory of the worker", own.memory, "MB", "≤ 60");
    section.row("CPU of the worker", own.runs.worker_ms, "ms a mail", "");
    section.row("CPU with Postgres and Redis", own.runs.group_ms, "ms a mail", "");
    Ok(section)
}

/// Measures a backlog that is queued before the workers start.
async fn send_backlog(
    system: &System,
    workers: usize,
    concurrency: usize,
    mails: u64,
    own: &mut Own,
    section: &mut Section,
) -> anyhow::Result<()> {
    system.queue(mails).await?;
    let mut services = Vec::new();
    for _ in 0..workers {
        services.push(system.worker(concurrency).await?);
    }
    let measured = watch(&system.sink, 0, mails, async || system.closed(LIMIT).await).await?;
    own.runs.add(&measured, &["bookly-worker"], &GROUP);
    for service in services {
        own.memory.push(service.memory_mb()?.1);
    }
    let shares = system.shares().await?;
    let least = if shares.len() < workers { 0 } else { shares.iter().min().copied().unwrap_or_default() };
    own.fairness.push(100.0 * least as f64 / shares.iter().max().copied().unwrap_or(1) as f64);
    section.beside(measured.used.others);
    Ok(())
}

impl Other {
    fn add(&mut self, measured: crate::throughput::Throughput, one: f64, _: &Peer, section: &mut Section) {
        self.runs.add(&measured, &peer::NAMES, &peer::GROUP);
        self.ratio.push(one / self.runs.last());
        section.beside(measured.used.others);
    }

    fn tell(self, name: &str, goal: &str, section: &mut Section) {
        if self.ratio.is_empty() {
            return;
        }
        section.row(name, self.runs.per_second, "mails/s", "");
        section.row(format!("{name}, CPU of the workers"), self.runs.worker_ms, "ms a mail", "");
        section.row(format!("{name}, CPU with Redis"), self.runs.group_ms, "ms a mail", "");
        section.row(format!("one worker process, × {name}"), self.ratio, "×", goal);
    }
}

/// The worker's connection pool with as many senders, without database, jobs and templates: emails per second.
async fn bare_loop(mails: u64, bytes: usize) -> anyhow::Result<f64> {
    let sink = Sink::start(Duration::ZERO).await?;
    let settings = SmtpSettings::new("127.0.0.1", sink.port(), Security::Plain);
    let options = SmtpOptions { max_connections: CONCURRENCY, ..SmtpOptions::default() };
    let pool = SmtpPool::new(settings, options)?;
    let envelope = Envelope::new(Some("bookly@bookly.test".parse()?), vec!["kim@example.com".parse()?])?;
    let message: Arc<[u8]> = message(bytes).into();
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
    Ok(sink.count().await? as f64 / began.elapsed().as_secs_f64())
}

fn message(bytes: usize) -> Vec<u8> {
    let mut message =
        b"From: bookly@bookly.test\r\nTo: kim@example.com\r\nSubject: Reset Your Password\r\n\r\n".to_vec();
    while message.len() < bytes {
        message.extend_from_slice(b"A line of a mail, about as long as the lines of a text part are.\r\n");
    }
    message
}
