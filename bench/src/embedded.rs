//! The service in one process: SQLite, mails as files.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use bookly_e2e::poll::until;
use bookly_e2e::ports;
use chrono::{DateTime, TimeDelta, Utc};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};
use tempfile::TempDir;
use uuid::Uuid;

use crate::service::{Service, Settings};

/// Between two checks of the database: each reads all rows.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// A folder with everything of one installation. It goes when this is dropped.
pub(crate) struct Embedded {
    /// `host:port`.
    pub(crate) address: String,
    binary: PathBuf,
    settings: Settings,
    folder: TempDir,
}

impl Embedded {
    /// An installation that has made its tables and ended again.
    pub(crate) async fn new(binary: PathBuf) -> anyhow::Result<Embedded> {
        let folder = tempfile::Builder::new().prefix("bookly-bench-").tempdir()?;
        let address = format!("127.0.0.1:{}", ports::free()?);
        let settings = [
            ("LISTEN", address.clone()),
            ("DATA_DIR", folder.path().join("data").display().to_string()),
            ("RATE_LIMIT", "off".to_owned()),
        ];
        let settings = settings.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let embedded = Embedded { address, binary, settings, folder };
        embedded.start().await?.stop().await?;
        Ok(embedded)
    }

    /// Starts it; it answers when this returns.
    pub(crate) async fn start(&self) -> anyhow::Result<Service> {
        Service::start(&self.binary, &self.settings, self.folder.path(), "listening").await
    }

    async fn database(&self) -> anyhow::Result<SqlitePool> {
        let file = self.folder.path().join("data/bookly.sqlite");
        Ok(SqlitePool::connect_with(SqliteConnectOptions::new().filename(file)).await?)
    }

    /// Queues this many mails to reset a password, of as many people, while the service does not run.
    pub(crate) async fn queue(&self, mails: u64) -> anyhow::Result<()> {
        let pool = self.database().await?;
        let mut transaction = pool.begin().await?;
        let now = now();
        for n in 1..=mails {
            let (uid, email) = (Uuid::new_v4(), format!("kim-{n}@example.com"));
            let user =
                "INSERT INTO users (uid, username, email, email_canonical, first_name, last_name, role,
                                           password_hash, is_verified, auth_changed_at, created_at, update_at)
                        VALUES ($1, 'kim', $2, $2, 'Kim', 'Novak', 'user', '-', 1, $3, $3, $3)";
            let before = now - TimeDelta::minutes(1);
            sqlx::query(user).bind(uid).bind(&email).bind(before).execute(&mut *transaction).await?;
            let mail = "INSERT INTO emails (id, kind, recipient, mailbox, user_uid, context, state, due_at, deadline_at,
                                            created_at)
                        VALUES ($1, 'reset_password', $2, $2, $3, '{}', 'queued', $4, $5, $4)";
            let mail = sqlx::query(mail).bind(Uuid::now_v7()).bind(&email).bind(uid);
            mail.bind(now).bind(now + TimeDelta::days(1)).execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
        pool.close().await;
        Ok(())
    }

    /// Waits until all emails are closed, and returns the emails per second without the first tenth, by the times of the
    /// rows.
    pub(crate) async fn closed_rate(&self, mails: u64, within: Duration) -> anyhow::Result<f64> {
        let pool = self.database().await?;
        until("all mails to be closed", within, async || {
            tokio::time::sleep(LOOK_EVERY).await;
            let open = "SELECT count(*) FROM emails WHERE state IN ('queued', 'sending')";
            let open: i64 = sqlx::query_scalar(open).fetch_one(&pool).await?;
            Ok((open == 0).then_some(()))
        })
        .await?;
        let times = "SELECT closed_at FROM emails WHERE state = 'sent' ORDER BY closed_at";
        let times: Vec<DateTime<Utc>> = sqlx::query_scalar(times).fetch_all(&pool).await?;
        pool.close().await;
        anyhow::ensure!(times.len() as u64 >= mails, "{} of {mails} mails were sent", times.len());
        let tenth = times.len() / 10;
        let (first, last) = (times.get(tenth), times.last());
        let took = *last.context("no mail")? - *first.context("no mail")?;
        let seconds = took.as_seconds_f64().max(1e-6);
        Ok((times.len() - 1 - tenth) as f64 / seconds)
    }
}

#[expect(clippy::disallowed_methods, reason = "the rows' times are this machine's")]
fn now() -> DateTime<Utc> {
    Utc::now()
}
