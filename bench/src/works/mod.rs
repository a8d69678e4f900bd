//! The measurements, one file each.

mod backlog;
mod bench;
mod by_turns;
mod embedded;
mod fallback;
mod latency;
mod memory;
mod outage;
mod priority;
mod reads;
mod reset;
mod sign_up;
mod worker;

use futures_util::future::LocalBoxFuture;

use crate::report::Section;

pub(crate) use self::bench::Bench;

/// One measurement: a name for `--only`, and its function.
pub(crate) struct Work {
    pub(crate) name: &'static str,
    pub(crate) measure: fn(&Bench) -> LocalBoxFuture<'_, anyhow::Result<Section>>,
}

/// All of them, in the order of the report.
pub(crate) const WORKS: &[Work] = &[
    Work { name: "sign-up", measure: |bench| Box::pin(sign_up::measure(bench)) },
    Work { name: "outage", measure: |bench| Box::pin(outage::measure(bench)) },
    Work { name: "reads", measure: |bench| Box::pin(reads::measure(bench)) },
    Work { name: "reset", measure: |bench| Box::pin(reset::measure(bench)) },
    Work { name: "worker", measure: |bench| Box::pin(worker::measure(bench)) },
    Work { name: "slow-sink", measure: |bench| Box::pin(worker::measure_slow_sink(bench)) },
    Work { name: "fallback", measure: |bench| Box::pin(fallback::measure(bench)) },
    Work { name: "latency", measure: |bench| Box::pin(latency::measure(bench)) },
    Work { name: "priority", measure: |bench| Box::pin(priority::measure(bench)) },
    Work { name: "backlog", measure: |bench| Box::pin(backlog::measure(bench)) },
    Work { name: "memory", measure: |bench| Box::pin(memory::measure(bench)) },
    Work { name: "embedded", measure: |bench| Box::pin(embedded::measure(bench)) },
];
