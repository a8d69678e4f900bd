//! An installation to be measured: a database, a Redis, the API, workers, a sink. Everything of its own.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::Duration;

use anyhow::{Context, ensure};
use bookly_e2e::poll::{LIMIT, until};
use bookly_e2e::postgres::Postgres;
use bookly_e2e::process::Settings;
use bookly_e2e::redis_server::RedisServer;
use bookly_e2e::stack::JWT_SECRET;
use bookly_e2e::{ports, spawn};
use sqlx::postgres::PgPoolOptions;
use sqlx::{AssertSqlSafe, PgPool};
use tempfile::TempDir;

use crate::sink::Sink;

/// The processes of the service with what they stand on, as the system names them.
pub(crate) const GROUP: [&str; 4] = ["bookly-api", "bookly-worker", "postgres", "redis-server"];
/// SIGTERM lets mails in flight end, which may take half a minute.
const STOP_LIMIT: Duration = Duration::from_secs(45);

/// A running installation on Postgres and Redis. Dropping it ends its processes.
pub(crate) struct System {
    /// `host:port` of the API.
    pub(crate) address: String,
    /// Its Redis.
    pub(crate) redis: RedisServer,
    /// Its database, past the service.
    sql: PgPool,
    /// Its mail server.
    pub(crate) sink: Sink,
    settings: Settings,
    binaries: PathBuf,
    folder: TempDir,
}

/// A binary that runs. Dropping it kills it.
pub(crate) struct Service {
    child: Child,
    log: std::path::PathBuf,
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
        let system = System { address, redis, sql, sink, settings, binaries: binaries.to_owned(), folder };
        system.api().await?.stop().await?;
        Ok(system)
    }

    /// Starts the API; it answers when this returns.
    pub(crate) async fn api(&self) -> anyhow::Result<Service> {
        Service::start(&self.binaries.join("bookly-api"), &self.settings, self.folder.path(), "listen").await
    }

    /// Starts a worker that has this many mails in flight at most; it takes mails when this returns.
    pub(crate) async fn worker(&self, concurrency: usize) -> anyhow::Result<Service> {
        let mut settings = self.settings.clone();
        settings.insert("WORKER_CONCURRENCY".to_owned(), concurrency.to_string());
        Service::start(
            &self.binaries.join("bookly-worker"),
            &settings,
            self.folder.path(),
            "the worker takes mails",
        )
        .await
    }

    /// Queues this many verification mails by SQL, for as many people as there are at most 10,000.
    pub(crate) async fn queue(&self, mails: u64) -> anyhow::Result<()> {
        let people = mails.min(10_000);
        self.run(&format!(
            "INSERT INTO users (uid, username, email, email_canonical, first_name, last_name, role, password_hash,
                                auth_changed_at, created_at, update_at)
             SELECT gen_random_uuid(), 'kim' || n, 'kim-' || n || '@people.test', 'kim-' || n || '@people.test', 'Kim',
                    'Novak', 'user', '-', now(), now(), now() FROM generate_series(1, {people}) n
             ON CONFLICT DO NOTHING"
        ))
        .await?;
        // Ids as the service makes them: UUIDv7, in the order of time.
        self.run(&format!(
            "INSERT INTO emails (id, kind, recipient, mailbox, user_uid, context, state, due_at, deadline_at, created_at)
             SELECT (lpad(to_hex((extract(epoch FROM clock_timestamp()) * 1000)::bigint), 12, '0') || '7'
                     || substr(md5(random()::text), 1, 3) || '8' || substr(md5(random()::text), 1, 15))::uuid,
                    'verify_email', email, email_canonical, uid, '{{}}', 'queued', now() - interval '2 s',
                    now() + interval '1 day', now()
             FROM generate_series(1, {mails}) n JOIN users ON username = 'kim' || (n % {people} + 1)"
        ))
        .await?;
        self.run("ANALYZE").await?;
        self.run("CHECKPOINT").await
    }

    /// Runs a statement.
    async fn run(&self, sql: &str) -> anyhow::Result<()> {
        sqlx::query(AssertSqlSafe(sql.to_owned())).execute(&self.sql).await?;
        Ok(())
    }

    /// Waits until the sink has this many mails.
    pub(crate) async fn delivered(&self, mails: u64, within: Duration) -> anyhow::Result<()> {
        let enough = async || Ok((self.sink.count() >= mails).then_some(()));
        let waited = until(&format!("{mails} mails"), within, enough).await;
        waited.with_context(|| format!("the sink has {}", self.sink.count()))
    }
}

impl Service {
    async fn start(
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
        let name = binary.file_name().unwrap_or_default().display();
        // A file, not a pipe: reading it would cost this process time that is being measured.
        let log = folder.join(format!("{name}-{}.log", uuid::Uuid::new_v4().simple()));
        let mut command = spawn::mortal("KILL", binary);
        command.env_clear().envs(settings).current_dir(folder);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(File::create(&log)?);
        let mut service = Service { child: spawn::spawn(command)?, log };
        until(&format!("{name} to start"), LIMIT, async || {
            let text = std::fs::read_to_string(&service.log)?;
            ensure!(service.child.try_wait()?.is_none(), "{name} ended: {text}");
            Ok(text.contains(ready).then_some(()))
        })
        .await?;
        Ok(service)
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Stops it as an operator does, and waits for its end.
    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        let sent = std::process::Command::new("kill").arg(self.id().to_string()).status()?;
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
