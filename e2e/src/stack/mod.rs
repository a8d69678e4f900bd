//! A whole installation: embedded (one process, SQLite, mails in files) or full (Postgres, Redis, workers, SMTP).

mod logs;
mod mails;
mod more;
mod options;
mod people;
mod settings;

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, ensure};
use tempfile::TempDir;

pub use logs::secret_in;
pub use options::{Kind, StackOptions};
pub use people::{Member, Tokens};
pub use settings::{JWT_SECRET, MAIL_PASSWORD, MAIL_USER};

use crate::client::Api;
use crate::log::Log;
use crate::poll::LIMIT;
use crate::ports;
use crate::process::{Finished, Process, Settings};
use crate::redis_server::RedisServer;
use crate::smtp_server::SmtpServer;
use crate::sql::Sql;

/// Longest wait for a process that was asked to stop: mails in flight get 30 s.
pub const STOP_LIMIT: Duration = Duration::from_secs(45);

/// A running installation. Dropping it stops everything; after a failure it shows the logs first.
pub struct Stack {
    kind: Kind,
    settings: Settings,
    api_client: Api,
    api: Mutex<Arc<Process>>,
    workers: Mutex<Vec<Arc<Process>>>,
    logs: Mutex<Vec<(String, Arc<Log>)>>,
    redis: Option<RedisServer>,
    smtp: Option<SmtpServer>,
    sql: Sql,
    passed: AtomicBool,
    folder: TempDir,
}

/// Starts a stack, runs the test on it, and searches the logs for what must not be in them.
///
/// # Errors
/// The test's own.
pub async fn run(
    options: StackOptions,
    test: impl AsyncFnOnce(&Stack) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let stack = Stack::start(options).await?;
    test(&stack).await?;
    stack.check_logs()?;
    stack.passed.store(true, Ordering::Relaxed);
    Ok(())
}

impl Stack {
    /// Starts what the options ask for; the API answers when this returns.
    ///
    /// # Errors
    /// When anything cannot be started, with its log.
    pub async fn start(options: StackOptions) -> anyhow::Result<Stack> {
        let folder = tempfile::Builder::new().prefix("bookly-e2e-").tempdir()?;
        let port = ports::free()?;
        let mut settings = settings::common(port, folder.path());
        let (mut redis, mut smtp) = (None, None);
        if options.kind == Kind::Full {
            let server = RedisServer::start().await?;
            settings.extend(settings::full(&server).await?);
            redis = Some(server);
        }
        if options.mail_server {
            let server = settings::mail_server().await?;
            fs::write(folder.path().join("ca.pem"), server.ca_pem())?;
            settings.extend(settings::mail(&server, folder.path()));
            smtp = Some(server);
        }
        settings.extend(options.settings);
        let sql = match settings.get("DATABASE_URL") {
            Some(url) => Sql::postgres(url)?,
            None => Sql::sqlite(Path::new(&settings["DATA_DIR"])),
        };
        let api_client = Api::new(&format!("http://127.0.0.1:{port}"))?;
        let (api, log) = start_api(&settings, folder.path()).await?;
        let stack = Stack {
            kind: options.kind,
            settings,
            api_client,
            api: Mutex::new(api),
            workers: Mutex::default(),
            logs: Mutex::new(vec![("api".to_owned(), log)]),
            redis,
            smtp,
            sql,
            passed: AtomicBool::new(false),
            folder,
        };
        if stack.kind == Kind::Full {
            for _ in 0..options.workers {
                stack.start_worker().await?;
            }
        }
        Ok(stack)
    }

    /// Which of the two it is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// A client of its API.
    pub fn api(&self) -> &Api {
        &self.api_client
    }

    /// The process of its API.
    pub fn api_process(&self) -> Arc<Process> {
        Arc::clone(&lock(&self.api))
    }

    /// What its processes are started with.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The folder that its processes work in: `data/` where no test says otherwise, and the logs.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Its database.
    pub fn sql(&self) -> &Sql {
        &self.sql
    }

    /// Its mail server.
    ///
    /// # Errors
    /// When it has none: an embedded stack that was not asked to.
    pub fn smtp(&self) -> anyhow::Result<&SmtpServer> {
        self.smtp.as_ref().context("this stack's mails go to files")
    }

    /// The full stack's Redis.
    ///
    /// # Errors
    /// On the embedded stack, which has none.
    pub fn redis(&self) -> anyhow::Result<&RedisServer> {
        self.redis.as_ref().context("only the full stack has Redis")
    }

    /// Kills the API, as `kill -9` does, and starts it again.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn restart_api(&self) -> anyhow::Result<()> {
        self.api_process().kill()?;
        let (api, log) = start_api(&self.settings, self.folder()).await?;
        *lock(&self.api) = api;
        lock(&self.logs).push(("api again".to_owned(), log));
        Ok(())
    }

    /// Starts one more worker; it takes mails when this returns.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn start_worker(&self) -> anyhow::Result<Arc<Process>> {
        self.start_worker_with(&[]).await
    }

    /// Starts one more worker with settings that are only its own.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn start_worker_with(&self, own: &[(&str, &str)]) -> anyhow::Result<Arc<Process>> {
        let name = format!("worker-{}", lock(&self.workers).len());
        let mut settings = self.settings.clone();
        settings.extend(own.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
        let worker = Arc::new(Process::start("bookly-worker", &[], &settings, self.folder(), &name)?);
        lock(&self.logs).push((name, Arc::clone(worker.log())));
        worker.log().line(LIMIT, |line| line.contains("the worker takes emails")).await?;
        lock(&self.workers).push(Arc::clone(&worker));
        Ok(worker)
    }

    /// The workers that were started, in that order, also those that have ended.
    pub fn workers(&self) -> Vec<Arc<Process>> {
        lock(&self.workers).clone()
    }

    /// Kills a worker, as `kill -9` does.
    ///
    /// # Errors
    /// When there is no such worker.
    pub fn kill_worker(&self, index: usize) -> anyhow::Result<()> {
        self.workers().get(index).context("no such worker")?.kill()
    }

    /// Runs a command of `bookly-api` or `bookly-worker` to its end.
    ///
    /// # Errors
    /// When it does not end.
    pub async fn command(&self, binary: &str, arguments: &[&str]) -> anyhow::Result<Finished> {
        let name = format!("command-{}", uuid::Uuid::new_v4().simple());
        let process = Process::start(binary, arguments, &self.settings, self.folder(), &name)?;
        process.finished(LIMIT).await
    }

    /// Stops the API as an operator does, and expects that it says goodbye.
    ///
    /// # Errors
    /// When it does not end, or not with 0.
    pub async fn stop_api(&self) -> anyhow::Result<()> {
        let api = self.api_process();
        api.signal("TERM")?;
        let status = api.exited(STOP_LIMIT).await?;
        ensure!(status.success(), "SIGTERM ended the API with {status}: {}", api.log().text());
        Ok(())
    }
}

async fn start_api(settings: &Settings, folder: &Path) -> anyhow::Result<(Arc<Process>, Arc<Log>)> {
    let api = Process::start("bookly-api", &[], settings, folder, "api")?;
    let address = settings.get("LISTEN").context("LISTEN is set")?;
    api.log().line(LIMIT, |line| line.contains("listen") && line.contains(address.as_str())).await?;
    let log = Arc::clone(api.log());
    Ok((Arc::new(api), log))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Drop for Stack {
    fn drop(&mut self) {
        if !self.passed.load(Ordering::Relaxed) {
            self.show_logs();
        }
    }
}
