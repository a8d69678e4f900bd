//! A program that runs while it is measured.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::Duration;

use anyhow::ensure;
use bookly_e2e::poll::{LIMIT, until};
use bookly_e2e::spawn;

use crate::machine::memory_mb;

/// SIGTERM lets mails in flight end, which may take half a minute.
const STOP_LIMIT: Duration = Duration::from_secs(45);

/// Environment variables.
pub(crate) type Settings = BTreeMap<String, String>;

/// A program that runs. Dropping it kills it.
pub(crate) struct Service {
    child: Child,
    name: String,
    log: PathBuf,
}

impl Service {
    /// Starts one of this project's programs; it is ready when this returns.
    pub(crate) async fn start(
        binary: &Path,
        settings: &Settings,
        folder: &Path,
        ready: &str,
    ) -> anyhow::Result<Service> {
        ensure!(
            binary.is_file(),
            "there is no {}: `cargo build --release -p bookly-api -p bookly-worker` makes it",
            binary.display()
        );
        let mut service = Self::spawn(binary, &[], settings, folder, folder)?;
        service.says(ready).await?;
        Ok(service)
    }

    /// Starts any program in `folder`, its log in `logs`.
    pub(crate) fn spawn(
        program: &Path,
        arguments: &[&str],
        settings: &Settings,
        folder: &Path,
        logs: &Path,
    ) -> anyhow::Result<Service> {
        let name = program.file_name().unwrap_or_default().display().to_string();
        // A file, not a pipe: reading a pipe would use CPU time during the measurement.
        let log = logs.join(format!("{name}-{}.log", uuid::Uuid::new_v4().simple()));
        let file = File::create(&log)?;
        let mut command = spawn::mortal("KILL", program);
        command.args(arguments).env_clear().envs(settings).current_dir(folder);
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
        Ok(Service { child: spawn::spawn(command)?, name, log })
    }

    /// Waits until its log holds these words.
    pub(crate) async fn says(&mut self, words: &str) -> anyhow::Result<()> {
        self.says_times(words, 1).await
    }

    /// Waits until its log holds these words as often.
    pub(crate) async fn says_times(&mut self, words: &str, times: usize) -> anyhow::Result<()> {
        until(&format!("{} to say {words}", self.name), LIMIT, async || {
            let text = std::fs::read_to_string(&self.log)?;
            ensure!(self.child.try_wait()?.is_none(), "{} ended: {text}", self.name);
            Ok((text.matches(words).count() >= times).then_some(()))
        })
        .await
    }

    /// Waits for the end of a program that ends by itself.
    pub(crate) async fn done(&mut self, within: Duration) -> anyhow::Result<()> {
        let name = self.name.clone();
        let status = until(&format!("{name} to end"), within, async || Ok(self.child.try_wait()?)).await?;
        ensure!(status.success(), "{name}: {}", std::fs::read_to_string(&self.log)?);
        Ok(())
    }

    /// Its memory in MB: now, and the most that it ever had.
    pub(crate) fn memory_mb(&self) -> anyhow::Result<(f64, f64)> {
        memory_mb(self.child.id())
    }

    /// Stops it as an operator does, and waits for its end.
    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        let sent = std::process::Command::new("kill").arg(self.child.id().to_string()).status()?;
        ensure!(sent.success(), "the process has ended already");
        until("the process to end", STOP_LIMIT, async || Ok(self.child.try_wait()?)).await?;
        Ok(())
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // Fails only when it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
