//! What is measured, a file each.

mod latency;
mod sign_up;
mod worker;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use bookly_e2e::postgres::Postgres;
use futures_util::future::LocalBoxFuture;

use crate::Arguments;
use crate::report::Section;
use crate::sink::Sink;
use crate::system::System;

/// One work: a name for `--only`, and how it is measured.
pub(crate) struct Work {
    pub(crate) name: &'static str,
    pub(crate) measure: fn(&Bench) -> LocalBoxFuture<'_, anyhow::Result<Section>>,
}

/// All of them, in the order of the report.
pub(crate) const WORKS: &[Work] = &[
    Work { name: "sign-up", measure: |bench| Box::pin(sign_up::measure(bench)) },
    Work { name: "worker", measure: |bench| Box::pin(worker::measure(bench)) },
    Work { name: "slow-sink", measure: |bench| Box::pin(worker::measure_slow_sink(bench)) },
    Work { name: "latency", measure: |bench| Box::pin(latency::measure(bench)) },
];

/// What all works share: the throwaway Postgres, and how long they may take.
pub(crate) struct Bench {
    /// How often each figure is measured.
    pub(crate) runs: u16,
    smoke: bool,
    postgres: Postgres,
    binaries: PathBuf,
}

impl Bench {
    /// Starts the Postgres.
    pub(crate) async fn start(arguments: &Arguments) -> anyhow::Result<Bench> {
        let (smoke, runs) = (arguments.smoke, if arguments.smoke { 1 } else { arguments.runs });
        let own = std::env::current_exe()?;
        let beside = || own.parent().map(Path::to_path_buf);
        let binaries = arguments.bin.clone().or_else(beside).context("a program lies in a folder")?;
        // Services run in folders of their own.
        let binaries = binaries.canonicalize().with_context(|| binaries.display().to_string())?;
        Ok(Bench { runs, smoke, postgres: Postgres::start().await?, binaries })
    }

    /// The usual number, or the tiny one of a smoke run.
    pub(crate) fn size<T>(&self, usual: T, smoke: T) -> T {
        if self.smoke { smoke } else { usual }
    }

    /// The usual time, or the blink of a smoke run.
    pub(crate) fn time(&self, seconds: u64) -> Duration {
        self.size(Duration::from_secs(seconds), Duration::from_millis(200))
    }

    /// A fresh installation that mails to `sink`.
    pub(crate) async fn system(&self, sink: Sink) -> anyhow::Result<System> {
        System::new(&self.postgres, &self.binaries, sink).await
    }
}
