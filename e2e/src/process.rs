//! The real binaries as child processes: started with nothing but given settings, listened to, signalled, ended.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, bail, ensure};

use crate::log::Log;
use crate::poll::until;
use crate::spawn;

/// Environment variables.
pub type Settings = BTreeMap<String, String>;

/// A running binary. Dropping it kills it.
#[derive(Debug)]
pub struct Process {
    child: Mutex<Child>,
    log: Arc<Log>,
    output: Arc<Log>,
}

/// What a command that ran to its end left.
#[derive(Debug)]
pub struct Finished {
    /// Its exit status.
    pub status: ExitStatus,
    /// Its standard output.
    pub output: String,
    /// Its standard error.
    pub log: String,
}

/// `bookly-api` or `bookly-worker`, as built beside the running test.
///
/// # Errors
/// When it is not there.
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
    /// Starts a binary in `folder` with these settings and nothing of the tests' own environment.
    /// Its log goes to `<folder>/<log_name>.log` too.
    ///
    /// # Errors
    /// When it is not built or cannot be started.
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

    /// Starts any command; standard error and output are captured, the former also to a file.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn run(mut command: Command, copy: &Path) -> anyhow::Result<Process> {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = spawn::spawn(command)?;
        let (stderr, stdout) = (child.stderr.take(), child.stdout.take());
        let log = Log::follow(stderr.context("standard error")?, copy)?;
        let output = Log::follow(stdout.context("standard output")?, &copy.with_extension("out"))?;
        Ok(Process { child: Mutex::new(child), log, output })
    }

    /// What it writes to standard error: its log.
    pub fn log(&self) -> &Arc<Log> {
        &self.log
    }

    /// What it writes to standard output.
    pub fn output(&self) -> &Arc<Log> {
        &self.output
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.with_child(|child| child.id())
    }

    /// The most memory that it ever had in use, in KiB (`VmHWM` of proc(5)).
    ///
    /// # Errors
    /// When it has ended, or where there is no `/proc`.
    pub fn peak_memory_kib(&self) -> anyhow::Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id()))?;
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("VmHWM")?;
        Ok(peak.trim().trim_end_matches(" kB").parse()?)
    }

    /// Sends a signal by name: `TERM`, `KILL`, `STOP`, `CONT`.
    ///
    /// # Errors
    /// When the process has ended already.
    pub fn signal(&self, name: &str) -> anyhow::Result<()> {
        let id = self.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &id]).status().context("running kill")?;
        ensure!(sent.success(), "process {id} takes no {name}: it has ended");
        Ok(())
    }

    /// Whether it has not ended yet.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn is_running(&self) -> anyhow::Result<bool> {
        Ok(self.with_child(|child| child.try_wait())?.is_none())
    }

    /// Kills it, as `kill -9` does, and waits until it is gone.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn kill(&self) -> anyhow::Result<()> {
        self.with_child(|child| {
            child.kill()?;
            child.wait()
        })?;
        Ok(())
    }

    /// Waits for its end, however long that takes, where nothing can be awaited.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn wait(&self) -> anyhow::Result<ExitStatus> {
        Ok(self.with_child(Child::wait)?)
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// When it does not end `within` the time.
    pub async fn exited(&self, within: Duration) -> anyhow::Result<ExitStatus> {
        let status =
            until("the process to end", within, async || Ok(self.with_child(|child| child.try_wait())?));
        let status = status.await?;
        self.log.ended(within).await?;
        self.output.ended(within).await?;
        Ok(status)
    }

    /// Waits for its end and takes what it wrote.
    ///
    /// # Errors
    /// When it does not end `within` the time.
    pub async fn finished(&self, within: Duration) -> anyhow::Result<Finished> {
        let status = self.exited(within).await?;
        Ok(Finished { status, output: self.output.text(), log: self.log.text() })
    }

    fn with_child<T>(&self, work: impl FnOnce(&mut Child) -> T) -> T {
        work(&mut self.child.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Fails only when it has ended already.
        let _ = self.kill();
    }
}

impl Finished {
    /// The standard output of a command that succeeded.
    ///
    /// # Errors
    /// When it did not, with what it said.
    pub fn succeeded(self) -> anyhow::Result<String> {
        if !self.status.success() {
            // At a terminal of `script`, what a command complains of comes with its output.
            bail!("{}: {}\n{}", self.status, self.log, self.output);
        }
        Ok(self.output)
    }
}
