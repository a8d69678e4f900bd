//! A throwaway Redis with its own port. It starts in milliseconds, so every stack has one that a test can stop and empty.

use std::process::Command;

use anyhow::{Context, bail};
use tempfile::TempDir;

use crate::poll::LIMIT;
use crate::process::Process;
use crate::{ports, spawn};

const TRIES: usize = 3;

/// A running server that stores nothing on disk.
#[derive(Debug)]
pub struct RedisServer {
    port: u16,
    process: Process,
    _folder: TempDir,
}

impl RedisServer {
    /// Starts a server.
    pub async fn start() -> anyhow::Result<RedisServer> {
        for _ in 0..TRIES {
            let port = ports::free()?;
            if let Some(server) = Self::try_on(port).await? {
                return Ok(server);
            }
        }
        bail!("Redis found no free port")
    }

    /// Starts an empty server on this port, in place of one that was dropped, like a restart that loses the
    /// data.
    pub async fn start_on(port: u16) -> anyhow::Result<RedisServer> {
        Self::try_on(port).await?.with_context(|| format!("port {port} is taken"))
    }

    /// Starts a server on a port, `None` when that is taken.
    async fn try_on(port: u16) -> anyhow::Result<Option<RedisServer>> {
        let folder = tempfile::tempdir()?;
        let process = Process::run(command(port), &folder.path().join("redis.log"))?;
        match process.output().line(LIMIT, |line| line.contains("Ready to accept connections")).await {
            Ok(_) => Ok(Some(RedisServer { port, process, _folder: folder })),
            Err(error) if !process.output().text().contains("in use") => Err(error),
            Err(_) => Ok(None),
        }
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/0", self.port)
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Stops it (SIGSTOP): connections stay open and get no answer.
    pub fn hang(&self) -> anyhow::Result<()> {
        self.process.signal("STOP")
    }

    /// Continues it (SIGCONT).
    pub fn go_on(&self) -> anyhow::Result<()> {
        self.process.signal("CONT")
    }

    /// Runs a command and returns its answer.
    pub async fn ask<T: redis::FromRedisValue>(&self, command: &[&str]) -> anyhow::Result<T> {
        let client = redis::Client::open(self.url())?;
        let mut connection = client.get_multiplexed_async_connection().await?;
        let mut query = redis::Cmd::new();
        for word in command {
            query.arg(*word);
        }
        Ok(query.query_async(&mut connection).await?)
    }
}

fn command(port: u16) -> Command {
    let mut command = spawn::mortal("KILL", "redis-server");
    let port = port.to_string();
    command.args(["--bind", "127.0.0.1", "--port", &port, "--save", "", "--appendonly", "no"]);
    command
}
