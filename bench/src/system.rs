//! An installation to be measured: a database, a Redis, the API, workers, a sink, all started for it.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::ensure;
use bookly_e2e::poll::until;
use bookly_e2e::ports;
use bookly_e2e::postgres::Postgres;
use bookly_e2e::redis_server::RedisServer;
use bookly_e2e::stack::JWT_SECRET;
use sqlx::postgres::PgPoolOptions;
use sqlx::{AssertSqlSafe, PgPool};
use tempfile::TempDir;

use crate::service::{Service, Settings};
use crate::sink::Sink;

/// The processes of the service with what they stand on, as the system names them.
pub(crate) const GROUP: [&str; 4] = ["bookly-api", "bookly-worker", "postgres", "redis-server"];
/// As many accounts as mails are spread over.
pub(crate) const PEOPLE: u64 = 10_000;

/// A running installation on Postgres and Redis. Dropping it ends its servers.
pub(crate) struct System {
    /// `host:port` of the API.
    pub(crate) address: String,
    /// Its Redis.
    pub(crate) redis: RedisServer,
    /// Its mail server.
    pub(crate) sink: Sink,
    sql: PgPool,
    settings: Settings,
    binaries: PathBuf,
    folder: TempDir,
}

impl System {
    /// A fresh database and Redis, and an API that has made the tables and ended again.
    pub(crate) async fn new(postgres: &Postgres, binaries: &Path, sink: Sink) -> anyhow::Result<System> {
        let folder = tempfile::Builder::new().prefix("bookly-bench-").tempdir()?;
        let redis = RedisServer::start().await?;
        let database = postgres.new_database().await?;
        let address = format!("127.0.0.1:{}", ports::free()?);
        let settings = [
            ("DATABASE_URL", database.clone()),
            ("REDIS_URL", redis.url()),
            ("LISTEN", address.clone()),
            ("DOMAIN", address.clone()),
            ("DATA_DIR", folder.path().join("data").display().to_string()),
            ("JWT_SECRET", JWT_SECRET.to_owned()),
            ("MAIL_SERVER", "127.0.0.1".to_owned()),
            ("MAIL_PORT", sink.port().to_string()),
            ("MAIL_STARTTLS", "false".to_owned()),
            ("USE_CREDENTIALS", "false".to_owned()),
            ("MAIL_FROM", "bookly@bookly.test".to_owned()),
            // All clients come from one address, and few people ask often.
            ("RATE_LIMIT", "off".to_owned()),
            ("MAILBOX_LIMIT", "1000".to_owned()),
            ("MAILBOX_LIMIT_PER_DAY", "10000".to_owned()),
        ];
        let settings = settings.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let sql = PgPoolOptions::new().max_connections(2).connect_lazy(&database)?;
        let binaries = binaries.to_owned();
        let system = System { address, redis, sink, sql, settings, binaries, folder };
        system.api().await?.stop().await?;
        Ok(system)
    }

    /// Starts the API; it answers when this returns.
    pub(crate) async fn api(&self) -> anyhow::Result<Service> {
        self.start("bookly-api", &self.settings, "listening").await
    }

    /// Starts a worker that has this many mails in flight at most; it takes mails when this returns.
    pub(crate) async fn worker(&self, concurrency: usize) -> anyhow::Result<Service> {
        self.worker_with(&[("WORKER_CONCURRENCY", concurrency.to_string())]).await
    }

    /// The same with more settings.
    pub(crate) async fn worker_with(&self, more: &[(&str, String)]) -> anyhow::Result<Service> {
        let mut settings = self.settings.clone();
        settings.extend(more.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        self.start("bookly-worker", &settings, "the worker takes emails").await
    }

    async fn start(&self, name: &str, settings: &Settings, ready: &str) -> anyhow::Result<Service> {
        Service::start(&self.binaries.join(name), settings, self.folder.path(), ready).await
    }

    /// Runs an operator's command of the worker to its end and returns how many milliseconds that took.
    pub(crate) async fn command_ms(&self, arguments: &[&str]) -> anyhow::Result<f64> {
        let mut command = tokio::process::Command::new(self.binaries.join("bookly-worker"));
        command.args(arguments).env_clear().envs(&self.settings).current_dir(self.folder.path());
        let began = Instant::now();
        let output = command.kill_on_drop(true).output().await?;
        let took = began.elapsed();
        ensure!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        Ok(took.as_secs_f64() * 1000.0)
    }

    /// Makes verified accounts with the addresses `kim-<n>@example.com`, `n` from 1.
    pub(crate) async fn people(&self, people: u64) -> anyhow::Result<()> {
        self.run(&format!(
            "INSERT INTO users (uid, username, email, email_canonical, first_name, last_name, role, password_hash,
                                is_verified, auth_changed_at, created_at, update_at)
             SELECT gen_random_uuid(), 'kim' || n, 'kim-' || n || '@example.com', 'kim-' || n || '@example.com', 'Kim',
                    'Novak', 'user', '-', true, now() - interval '1 minute', now(), now()
             FROM generate_series(1, {people}) n
             ON CONFLICT DO NOTHING"
        ))
        .await
    }

    /// Queues this many mails to reset a password by SQL, for as many people as there are at most 10,000.
    pub(crate) async fn queue(&self, mails: u64) -> anyhow::Result<()> {
        self.insert(mails, "'queued'", "NULL, NULL").await
    }

    /// Queues this many welcome emails by SQL, to `bulk-<n>@example.com`.
    pub(crate) async fn queue_bulk(&self, emails: u64) -> anyhow::Result<()> {
        self.run(&format!(
            "INSERT INTO emails (id, kind, recipient, mailbox, context, state, due_at, deadline_at, created_at)
             SELECT gen_random_uuid(), 'welcome', 'bulk-' || n || '@example.com', 'bulk-' || n || '@example.com', '{{}}',
                    'queued', now() - interval '2 s', now() + interval '1 day', now()
             FROM generate_series(1, {emails}) n"
        ))
        .await?;
        self.run("CHECKPOINT").await
    }

    /// How many emails wait.
    pub(crate) async fn queued(&self) -> anyhow::Result<i64> {
        let sql = "SELECT count(*) FROM emails WHERE state = 'queued'";
        Ok(sqlx::query_scalar(sql).fetch_one(&self.sql).await?)
    }

    /// Adds rows of emails that were sent.
    pub(crate) async fn was_sent(&self, mails: u64) -> anyhow::Result<()> {
        self.insert(mails, "'sent'", "now(), '250 taken'").await
    }

    /// Rows whose ids are as the service makes them: UUIDv7, in the order of time.
    async fn insert(&self, mails: u64, state: &str, closed_at_and_reply: &str) -> anyhow::Result<()> {
        let people = mails.clamp(1, PEOPLE);
        self.people(people).await?;
        self.run(&format!(
            "INSERT INTO emails (id, kind, recipient, mailbox, user_uid, context, state, due_at, deadline_at, created_at,
                                 closed_at, reply)
             SELECT (lpad(to_hex((extract(epoch FROM clock_timestamp()) * 1000)::bigint), 12, '0') || '7'
                     || substr(md5(random()::text), 1, 3) || '8' || substr(md5(random()::text), 1, 15))::uuid,
                    'reset_password', email, email_canonical, uid, '{{}}', {state}, now() - interval '2 s',
                    now() + interval '1 day', now(), {closed_at_and_reply}
             FROM generate_series(1, {mails}) n JOIN users ON username = 'kim' || (n % {people} + 1)"
        ))
        .await?;
        // The rows that were just written are flushed now, not by the measured service.
        self.run("CHECKPOINT").await
    }

    /// Waits until no mail is queued or being sent.
    pub(crate) async fn closed(&self, within: Duration) -> anyhow::Result<()> {
        let sql = "SELECT count(*) FROM emails WHERE state IN ('queued', 'sending')";
        until("all mails to be closed", within, async || {
            let open: i64 = sqlx::query_scalar(sql).fetch_one(&self.sql).await?;
            Ok((open == 0).then_some(()))
        })
        .await
    }

    /// How many mails each worker process sent, of those that sent any.
    pub(crate) async fn shares(&self) -> anyhow::Result<Vec<i64>> {
        let sql = "SELECT count(*) FROM emails WHERE state = 'sent' AND worker IS NOT NULL GROUP BY worker";
        Ok(sqlx::query_scalar(sql).fetch_all(&self.sql).await?)
    }

    /// Runs a statement.
    pub(crate) async fn run(&self, sql: &str) -> anyhow::Result<()> {
        sqlx::query(AssertSqlSafe(sql.to_owned())).execute(&self.sql).await?;
        Ok(())
    }
}
