//! The processes of a stack: more of them, restarts, and commands.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};

use super::api_process::start_api;
use super::installation::Stack;
use super::options::Kind;
use crate::client::Api;
use crate::poll::LIMIT;
use crate::ports;
use crate::process::{Finished, Process};

/// The longest wait for a process after SIGTERM: emails in flight get 30 s.
pub const STOP_LIMIT: Duration = Duration::from_secs(45);

impl Stack {
    /// Kills the API with SIGKILL and starts it again.
    pub async fn restart_api(&self) -> anyhow::Result<()> {
        self.api_process().kill()?;
        let (api, log) = start_api(&self.settings, self.folder()).await?;
        *self.api.lock() = api;
        self.logs.lock().push(("api again".to_owned(), log));
        Ok(())
    }

    /// Starts one more worker and waits until it is ready.
    pub async fn start_worker(&self) -> anyhow::Result<Arc<Process>> {
        self.start_worker_with(&[]).await
    }

    /// Starts one more worker with further settings.
    pub async fn start_worker_with(&self, own: &[(&str, &str)]) -> anyhow::Result<Arc<Process>> {
        let name = format!("worker-{}", self.workers.lock().len());
        let mut settings = self.settings.clone();
        settings.extend(own.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
        let worker = Arc::new(Process::start("bookly-worker", &[], &settings, self.folder(), &name)?);
        self.logs.lock().push((name, Arc::clone(worker.log())));
        worker.log().line(LIMIT, |line| line.contains("the worker takes emails")).await?;
        self.workers.lock().push(Arc::clone(&worker));
        Ok(worker)
    }

    /// All workers in the order of their starts, also those that have ended.
    pub fn workers(&self) -> Vec<Arc<Process>> {
        self.workers.lock().clone()
    }

    /// Kills a worker with SIGKILL.
    pub fn kill_worker(&self, index: usize) -> anyhow::Result<()> {
        self.workers().get(index).context("no such worker")?.kill()
    }

    /// Runs a command of `bookly-api` or `bookly-worker`.
    pub async fn command(&self, binary: &str, arguments: &[&str]) -> anyhow::Result<Finished> {
        let name = format!("command-{}", uuid::Uuid::new_v4().simple());
        let process = Process::start(binary, arguments, &self.settings, self.folder(), &name)?;
        process.finished(LIMIT).await
    }

    /// Stops the API with SIGTERM and expects exit code 0.
    pub async fn stop_api(&self) -> anyhow::Result<()> {
        let api = self.api_process();
        api.signal("TERM")?;
        let status = api.exited(STOP_LIMIT).await?;
        ensure!(status.success(), "SIGTERM ended the API with {status}: {}", api.log().text());
        Ok(())
    }

    /// Starts another API with the same database and Redis. It ends with its `Process`.
    pub async fn another_api(&self) -> anyhow::Result<(Arc<Process>, Api)> {
        self.another_api_with(&[]).await
    }

    /// The API, and another one where several processes can serve. That one ends with its `Process`.
    pub async fn apis(&self) -> anyhow::Result<(Vec<Api>, Option<Arc<Process>>)> {
        let mut apis = vec![self.api().clone()];
        if self.kind == Kind::Embedded {
            return Ok((apis, None));
        }
        let (process, api) = self.another_api().await?;
        apis.push(api);
        Ok((apis, Some(process)))
    }

    /// [`another_api`](Self::another_api) with further settings.
    pub async fn another_api_with(&self, own: &[(&str, &str)]) -> anyhow::Result<(Arc<Process>, Api)> {
        ensure!(self.kind == Kind::Full, "one process at a time serves from a file");
        let address = format!("127.0.0.1:{}", ports::free()?);
        let mut settings = self.settings.clone();
        settings.insert("LISTEN".to_owned(), address.clone());
        settings.extend(own.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
        let (process, log) = start_api(&settings, self.folder()).await?;
        self.logs.lock().push(("another api".to_owned(), log));
        Ok((process, Api::new(&format!("http://{address}"))?))
    }
}
