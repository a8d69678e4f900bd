//! Systems to compare with, which are outside of this repository: FastAPI with Celery, BullMQ with Nodemailer.
//!
//! Their folder holds `requirements.txt` and the package `bookly` (a FastAPI application and Celery's `c_app`), and
//! `node/` with `package.json`, `fill.mjs` and `worker.mjs`. They get a Postgres, a Redis and a sink of their own,
//! of the same kind as the measured service.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use bookly_e2e::ports;
use bookly_e2e::postgres::Postgres;
use bookly_e2e::redis_server::RedisServer;

use crate::service::{Service, Settings};
use crate::sink::Sink;
use crate::throughput::{Throughput, watch};

/// Their processes, as the system names them.
pub(crate) const NAMES: [&str; 5] = ["python", "python3", "celery", "node", "MainThread"];
/// The same with what they stand on.
pub(crate) const GROUP: [&str; 7] =
    ["python", "python3", "celery", "node", "MainThread", "postgres", "redis-server"];

/// Downloads packages.
const INSTALL_LIMIT: Duration = Duration::from_secs(900);
const FILL_LIMIT: Duration = Duration::from_secs(300);
/// A mail like the tutorial's: a heading and a link.
const FILL_CELERY: &str = "from bookly.tasks import send_email; import sys
for i in range(int(sys.argv[1])):
    send_email.delay([f'kim-{i}@example.com'], 'Reset Your Password', '<h1>Reset Your Password</h1><p>' + 'x' * 250 + '</p>')";
const CREATE_TABLES: &str =
    "import asyncio; from bookly.db import create_tables; asyncio.run(create_tables())";

/// The peers, installed.
pub(crate) struct Peers {
    source: PathBuf,
    cache: PathBuf,
}

/// One installation with servers of its own.
pub(crate) struct Peer<'a> {
    peers: &'a Peers,
    /// `host:port` of its API.
    pub(crate) address: String,
    settings: Settings,
    sink: Sink,
    _redis: RedisServer,
    logs: tempfile::TempDir,
}

impl Peers {
    /// Installs what they need into `cache`, unless it is there.
    pub(crate) async fn install(source: &Path, cache: &Path) -> anyhow::Result<Peers> {
        std::fs::create_dir_all(cache.join("node"))?;
        let source = source.canonicalize().with_context(|| source.display().to_string())?;
        let peers = Peers { source, cache: cache.canonicalize()? };
        if !peers.python().is_file() {
            peers.run("python3", &["-m", "venv", "venv"], &peers.cache).await?;
            let requirements = peers.source.join("requirements.txt").display().to_string();
            let python = peers.python().display().to_string();
            peers.run(&python, &["-m", "pip", "install", "-q", "-r", &requirements], &peers.cache).await?;
        }
        let node = peers.node();
        for name in ["package.json", "fill.mjs", "worker.mjs"] {
            std::fs::copy(peers.source.join("node").join(name), node.join(name)).context(name)?;
        }
        if !node.join("node_modules").is_dir() {
            peers.run("npm", &["install", "--no-audit", "--no-fund"], &node).await?;
        }
        Ok(peers)
    }

    async fn run(&self, program: &str, arguments: &[&str], folder: &Path) -> anyhow::Result<()> {
        // As its user would run it: with a home, and the settings of registries.
        let settings = std::env::vars().collect();
        let mut service = Service::spawn(Path::new(program), arguments, &settings, folder, &self.cache)?;
        service.done(INSTALL_LIMIT).await
    }

    fn python(&self) -> PathBuf {
        self.cache.join("venv/bin/python")
    }

    fn node(&self) -> PathBuf {
        self.cache.join("node")
    }

    /// A fresh database and Redis.
    pub(crate) async fn start(&self, postgres: &Postgres, sink: Sink) -> anyhow::Result<Peer<'_>> {
        let redis = RedisServer::start().await?;
        let database = postgres.new_database().await?;
        let port = ports::free()?;
        let settings = [
            ("DATABASE_URL", database.replacen("postgres://", "postgresql+asyncpg://", 1)),
            ("REDIS_URL", redis.url()),
            ("REDIS_PORT", redis.port().to_string()),
            ("JWT_SECRET", "a-throwaway-secret-of-some-length".to_owned()),
            ("MAIL_SERVER", "127.0.0.1".to_owned()),
            ("MAIL_PORT", sink.port().to_string()),
            ("SMTP_PORT", sink.port().to_string()),
            ("MAIL_MODE", "celery".to_owned()),
            ("PYTHONWARNINGS", "ignore".to_owned()),
            ("PYTHONDONTWRITEBYTECODE", "1".to_owned()),
        ];
        let settings = settings.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let logs = tempfile::Builder::new().prefix("bookly-bench-peer-").tempdir()?;
        let address = format!("127.0.0.1:{port}");
        let peer = Peer { peers: self, address, settings, sink, _redis: redis, logs };
        peer.python(&["-c", CREATE_TABLES])?.done(FILL_LIMIT).await?;
        Ok(peer)
    }
}

impl Peer<'_> {
    /// Its API, with two processes.
    pub(crate) async fn api(&self) -> anyhow::Result<Service> {
        let port = self.address.rsplit(':').next().unwrap_or_default();
        let arguments = ["-m", "uvicorn", "bookly.main:app", "--port", port, "--workers", "2"];
        let mut api = self.python(&arguments)?;
        // The second of the two says it, too.
        api.says_times("Application startup complete", 2).await?;
        Ok(api)
    }

    /// A Celery worker with as many processes as cores, its default.
    pub(crate) async fn celery(&self) -> anyhow::Result<Service> {
        let arguments = ["-m", "celery", "-A", "bookly.tasks.c_app", "worker", "--loglevel=INFO"];
        let mut celery = self.python(&arguments)?;
        celery.says(" ready.").await?;
        Ok(celery)
    }

    /// Measures jobs that are queued before Celery's worker starts.
    pub(crate) async fn celery_backlog(&self, mails: u64) -> anyhow::Result<Throughput> {
        self.python(&["-c", FILL_CELERY, &mails.to_string()])?.done(FILL_LIMIT).await?;
        let _worker = self.celery().await?;
        watch(&self.sink, 0, mails, async || Ok(())).await
    }

    /// Measures jobs that are queued before BullMQ's worker starts.
    pub(crate) async fn bullmq_backlog(&self, concurrency: usize, mails: u64) -> anyhow::Result<Throughput> {
        self.node(&["fill.mjs", &mails.to_string()], 1)?.done(FILL_LIMIT).await?;
        let _worker = self.node(&["worker.mjs"], concurrency)?;
        watch(&self.sink, 0, mails, async || Ok(())).await
    }

    fn python(&self, arguments: &[&str]) -> anyhow::Result<Service> {
        let (python, source) = (self.peers.python(), &self.peers.source);
        Service::spawn(&python, arguments, &self.settings, source, self.logs.path())
    }

    fn node(&self, arguments: &[&str], concurrency: usize) -> anyhow::Result<Service> {
        let mut settings = self.settings.clone();
        settings.insert("CONC".to_owned(), concurrency.to_string());
        Service::spawn(Path::new("node"), arguments, &settings, &self.peers.node(), self.logs.path())
    }
}
