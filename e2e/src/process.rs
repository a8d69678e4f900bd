//! The real binaries as child processes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use parking_lot::Mutex;

use crate::log::Log;
use crate::poll::until;
use crate::spawn;

pub type Settings = BTreeMap<String, String>;

/// A running binary. Dropping it kills it.
#[derive(Debug)]
pub struct Process {
    child: Mutex<Child>,
    log: Arc<Log>,
    output: Arc<Log>,
}

/// The result of a command.
#[derive(Debug)]
pub struct Finished {
    pub status: ExitStatus,
    pub output: String,
    /// Standard error.
    pub log: String,
}

/// The path of `bookly-api` or `bookly-worker`, from the same build as the running test.
pub fn binary(name: &str) -> anyhow::Result<PathBuf> {
    let test = std::env::current_exe().context("where the test's executable lies")?;
    let beside = |folder: &Path| folder.join(name);
    // target/debug/deps/accounts-…: the binaries are one folder up.
    let found = test.ancestors().skip(1).take(2).map(beside).find(|path| path.is_file());
    found.with_context(|| {
        format!(
            "there is no {name} beside {}: build it first, with `cargo build --workspace`",
            test.display()
        )
    })
}

impl Process {
    /// Starts a binary in `folder` with these settings, without the environment of the tests.
    /// Its log is also in `<folder>/<log_name>.log`.
    pub fn start(
        name: &str,
        arguments: &[&str],
        settings: &Settings,
        folder: &Path,
        log_name: &str,
    ) -> anyhow::Result<Process> {
        let mut command = spawn::mortal("KILL", binary(name)?);
        command.args(arguments).env_clear().envs(settings).env("RUST_BACKTRACE", "1");
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).current_dir(folder);
        Self::run(command, &folder.join(format!("{log_name}.log")))
    }

    /// Starts any command and captures its output. Standard error is also in a file.
    pub fn run(mut command: Command, copy: &Path) -> anyhow::Result<Process> {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = spawn::spawn(command)?;
        let (stderr, stdout) = (child.stderr.take(), child.stdout.take());
        let log = Log::follow(stderr.context("standard error")?, copy)?;
        let output = Log::follow(stdout.context("standard output")?, &copy.with_extension("out"))?;
        Ok(Process { child: Mutex::new(child), log, output })
    }

    /// Standard error, which is its log.
    pub fn log(&self) -> &Arc<Log> {
        &self.log
    }

    /// Standard output.
    pub fn output(&self) -> &Arc<Log> {
        &self.output
    }

    pub fn id(&self) -> u32 {
        self.with_child(|child| child.id())
    }

    /// Its highest memory use, in KiB (`VmHWM` of proc_pid_status(5)).
    pub fn peak_memory_kib(&self) -> anyhow::Result<u64> {
        self.memory_kib("VmHWM:")
    }

    /// The same without the pages of the program's file (`RssFile`): a debug build has 35 MB of them, and more with each
    /// new function.
    pub fn peak_memory_beside_the_program_kib(&self) -> anyhow::Result<u64> {
        Ok(self.memory_kib("VmHWM:")? - self.memory_kib("RssFile:")?)
    }

    fn memory_kib(&self, name: &'static str) -> anyhow::Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id()))?;
        let value = status.lines().find_map(|line| line.strip_prefix(name)).context(name)?;
        Ok(value.trim().trim_end_matches(" kB").parse()?)
    }

    /// Sends a signal by name: `TERM`, `KILL`, `STOP`, `CONT`.
    pub fn signal(&self, name: &str) -> anyhow::Result<()> {
        let id = self.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &id]).status().context("running kill")?;
        ensure!(sent.success(), "process {id} takes no {name}: it has ended");
        Ok(())
    }

    pub fn is_running(&self) -> anyhow::Result<bool> {
        Ok(self.with_child(|child| child.try_wait())?.is_none())
    }

    /// Kills it with SIGKILL and waits for its end.
    pub fn kill(&self) -> anyhow::Result<()> {
        self.with_child(|child| {
            child.kill()?;
            child.wait()
        })?;
        Ok(())
    }

    /// Waits for its end without a time limit, for code that is not async.
    pub fn wait(&self) -> anyhow::Result<ExitStatus> {
        Ok(self.with_child(Child::wait)?)
    }

    pub async fn exited(&self, within: Duration) -> anyhow::Result<ExitStatus> {
        let status =
            until("the process to end", within, async || Ok(self.with_child(|child| child.try_wait())?));
        let status = status.await?;
        self.log.ended(within).await?;
        self.output.ended(within).await?;
        Ok(status)
    }

    /// Waits for its end and returns its output.
    pub async fn finished(&self, within: Duration) -> anyhow::Result<Finished> {
        let status = self.exited(within).await?;
        Ok(Finished { status, output: self.output.text(), log: self.log.text() })
    }

    fn with_child<T>(&self, work: impl FnOnce(&mut Child) -> T) -> T {
        work(&mut self.child.lock())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // This fails only when the process has ended.
        let _ = self.kill();
    }
}

impl Finished {
    /// The standard output of a command that succeeded.
    pub fn succeeded(self) -> anyhow::Result<String> {
        if !self.status.success() {
            // On a terminal of `script` errors are part of the output.
            bail!("{}: {}\n{}", self.status, self.log, self.output);
        }
        Ok(self.output)
    }
}
