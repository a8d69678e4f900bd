//! What all measurements share.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use bookly_e2e::postgres::Postgres;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tempfile::TempDir;

use crate::arguments::Arguments;
use crate::embedded::Embedded;
use crate::peer::{Peer, Peers};
use crate::sink::Sink;
use crate::system::System;

/// The throwaway Postgres, the binaries, and how long they may take.
pub(crate) struct Bench {
    /// How often each figure is measured.
    pub(crate) runs: u16,
    /// Whether the longest queues are measured.
    pub(crate) full: bool,
    smoke: bool,
    postgres: Postgres,
    binaries: PathBuf,
    peers: Option<Peers>,
    _cache: Option<TempDir>,
}

impl Bench {
    /// Starts the Postgres, and installs the peers where they are asked for.
    pub(crate) async fn start(arguments: &Arguments) -> anyhow::Result<Bench> {
        let (smoke, runs) = (arguments.smoke, if arguments.smoke { 1 } else { arguments.runs });
        let own = std::env::current_exe()?;
        let beside = || own.parent().map(Path::to_path_buf);
        let binaries = arguments.bin.clone().or_else(beside).context("a program lies in a folder")?;
        // Services run in folders of their own.
        let binaries = binaries.canonicalize().with_context(|| binaries.display().to_string())?;
        let (peers, cache) = match &arguments.peer {
            Some(source) => {
                let temporary = tempfile::Builder::new().prefix("bookly-bench-cache-").tempdir()?;
                let cache = arguments.cache.as_deref().unwrap_or(temporary.path());
                (Some(Peers::install(source, cache).await?), Some(temporary))
            }
            None => (None, None),
        };
        let (full, postgres) = (arguments.full, Postgres::start().await?);
        Ok(Bench { runs, full, smoke, postgres, binaries, peers, _cache: cache })
    }

    /// The version of Postgres.
    pub(crate) async fn postgres_version(&self) -> anyhow::Result<String> {
        let mut connection = PgConnection::connect(&format!("{}/postgres", self.postgres.url())).await?;
        Ok(sqlx::query_scalar("SHOW server_version").fetch_one(&mut connection).await?)
    }

    /// The usual number, or the tiny one of a smoke run.
    pub(crate) fn size<T>(&self, usual: T, smoke: T) -> T {
        if self.smoke { smoke } else { usual }
    }

    /// The usual number of clients. In a smoke run few: a busy machine refuses more.
    pub(crate) fn clients(&self, usual: usize) -> usize {
        self.size(usual, usual.min(8))
    }

    /// The usual time, or the short time of a smoke run.
    pub(crate) fn time(&self, seconds: u64) -> Duration {
        self.size(Duration::from_secs(seconds), Duration::from_millis(200))
    }

    /// Drops what was measured before: vacuuming its tables and writing them to disk cost the next one up to a third
    /// of its rate.
    pub(crate) async fn clear(&self) -> anyhow::Result<()> {
        let mut connection = PgConnection::connect(&format!("{}/postgres", self.postgres.url())).await?;
        let earlier = "SELECT format('DROP DATABASE %I WITH (FORCE)', datname) FROM pg_database
                       WHERE NOT datistemplate AND datname <> current_database()";
        for drop in sqlx::query_scalar::<_, String>(earlier).fetch_all(&mut connection).await? {
            sqlx::query(AssertSqlSafe(drop)).execute(&mut connection).await?;
        }
        sqlx::query("CHECKPOINT").execute(&mut connection).await?;
        Ok(())
    }

    /// A fresh installation that mails to `sink`, the only one there is.
    pub(crate) async fn system(&self, sink: Sink) -> anyhow::Result<System> {
        self.clear().await?;
        self.system_beside(sink).await
    }

    /// One beside others that are measured by turns with it.
    pub(crate) async fn system_beside(&self, sink: Sink) -> anyhow::Result<System> {
        System::new(&self.postgres, &self.binaries, sink).await
    }

    /// A fresh installation in one process.
    pub(crate) async fn embedded(&self) -> anyhow::Result<Embedded> {
        Embedded::new(self.binaries.join("bookly-api")).await
    }

    /// A fresh installation of the systems to compare with, where they were asked for.
    pub(crate) async fn peer(&self, sink: Sink) -> anyhow::Result<Option<Peer<'_>>> {
        let Some(peers) = &self.peers else { return Ok(None) };
        self.clear().await?;
        Ok(Some(peers.start(&self.postgres, sink).await?))
    }
}
