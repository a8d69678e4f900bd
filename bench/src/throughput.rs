//! How fast the workers send a backlog to the sink.

use std::time::Duration;

use crate::machine::{Meter, Used};
use crate::report::Section;
use crate::sink::Sink;

/// The longest wait for a backlog.
pub(crate) const LIMIT: Duration = Duration::from_secs(900);

/// The rate of a backlog without its first tenth, in which processes start and connections open.
pub(crate) struct Throughput {
    /// Emails per second at the sink.
    pub(crate) per_second: f64,
    /// Emails per second until the last row was `sent`.
    pub(crate) until_closed: f64,
    /// The number of emails that `used` is for.
    pub(crate) mails: f64,
    /// CPU time until the last row was `sent`.
    pub(crate) used: Used,
}

/// Waits until the sink, which has `before` emails, has `mails` more, and then for `closed`.
pub(crate) async fn watch(
    sink: &Sink,
    before: u64,
    mails: u64,
    closed: impl AsyncFnOnce() -> anyhow::Result<()>,
) -> anyhow::Result<Throughput> {
    let tenth = before + (mails / 10).max(1);
    let at_start = sink.has(tenth, LIMIT).await?;
    let meter = Meter::start()?;
    let at_end = sink.has(before + mails, LIMIT).await?;
    closed().await?;
    let used = meter.read()?;
    let closed_at = crate::machine::Clock::now();
    let (first, last) = (sink.taken_at(tenth).await?, sink.taken_at(before + mails).await?);
    let mail_count = (before + mails - tenth).max(1) as f64;
    Ok(Throughput {
        per_second: mail_count * 1000.0 / last.ms_since(first).max(f64::MIN_POSITIVE),
        until_closed: mail_count * 1000.0 / closed_at.ms_since(first),
        mails: at_end.saturating_sub(at_start).max(1) as f64,
        used,
    })
}

/// The results of several runs.
#[derive(Default)]
pub(crate) struct Runs {
    pub(crate) per_second: Vec<f64>,
    pub(crate) until_closed: Vec<f64>,
    pub(crate) worker_ms: Vec<f64>,
    pub(crate) group_ms: Vec<f64>,
}

impl Runs {
    /// Adds a run, with the names of the worker processes and of all processes that belong to them.
    pub(crate) fn add(&mut self, measured: &Throughput, workers: &[&str], group: &[&str]) {
        self.per_second.push(measured.per_second);
        self.until_closed.push(measured.until_closed);
        self.worker_ms.push(measured.used.cpu_ms(workers) / measured.mails);
        self.group_ms.push(measured.used.cpu_ms(group) / measured.mails);
    }

    /// The rate of the last run.
    pub(crate) fn last(&self) -> f64 {
        self.per_second.last().copied().unwrap_or(f64::NAN)
    }

    /// Adds the rows of the table.
    pub(crate) fn tell(self, name: &str, section: &mut Section, cpu_goal: &str) {
        section.row(name, self.per_second, "mails/s", "");
        section.row(format!("{name}, until all are recorded"), self.until_closed, "mails/s", "");
        section.row(format!("{name}, CPU of the workers"), self.worker_ms, "ms a mail", cpu_goal);
        section.row(format!("{name}, CPU with Postgres and Redis"), self.group_ms, "ms a mail", "");
    }
}
