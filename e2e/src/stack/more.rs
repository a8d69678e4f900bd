//! More of a stack than its usual processes, and what can be read of them from outside.

use std::sync::Arc;

use anyhow::{Context, ensure};

use super::{Kind, Stack, lock, start_api};
use crate::client::{Api, Expect};
use crate::ports;
use crate::process::Process;

impl Stack {
    /// Starts another API beside the first one, over the same database and Redis. It ends with its `Process`.
    ///
    /// # Errors
    /// On the embedded stack, whose file only one process serves from.
    pub async fn another_api(&self) -> anyhow::Result<(Arc<Process>, Api)> {
        ensure!(self.kind == Kind::Full, "one process at a time serves from a file");
        let address = format!("127.0.0.1:{}", ports::free()?);
        let mut settings = self.settings.clone();
        settings.insert("LISTEN".to_owned(), address.clone());
        let (process, log) = start_api(&settings, self.folder()).await?;
        lock(&self.logs).push(("another api".to_owned(), log));
        Ok((process, Api::new(&format!("http://{address}"))?))
    }

    /// The value of a series at `/metrics`, by its whole name with labels; 0 for one that is not there.
    ///
    /// # Errors
    /// When there are no metrics.
    pub async fn metric(&self, series: &str) -> anyhow::Result<f64> {
        let text = self.api().get("//metrics").answer().await?;
        ensure!(text.status == 200, "no metrics: {text:?}");
        let value = text.body.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        Ok(value.map_or(Ok(0.0), str::parse)?)
    }
}

impl Process {
    /// The most memory that it ever had in RAM, in bytes: `VmHWM` of proc_pid_status(5).
    ///
    /// # Errors
    /// When it has ended.
    pub fn peak_memory(&self) -> anyhow::Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB")).context("VmHWM")?;
        Ok(kib.trim().parse::<u64>()? * 1024)
    }
}
