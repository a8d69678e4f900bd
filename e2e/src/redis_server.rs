//! A throwaway Redis with its own port. It starts in milliseconds, so every stack has one that a test can stop and empty.

use std::process::Command;

use anyhow::{Context, bail};
use tempfile::TempDir;

use crate::certificate::Certificate;
use crate::poll::LIMIT;
use crate::process::Process;
use crate::{ports, spawn};

const TRIES: usize = 3;

/// A running server that stores nothing on disk.
#[derive(Debug)]
pub struct RedisServer {
    port: u16,
    /// With a certificate.
    tls_port: Option<u16>,
    process: Process,
    _folder: TempDir,
}

impl RedisServer {
    /// Starts a server.
    pub async fn start() -> anyhow::Result<RedisServer> {
        for _ in 0..TRIES {
            let port = ports::free()?;
            if let Some(server) = Self::try_on(port, None).await? {
                return Ok(server);
            }
        }
        bail!("Redis found no free port")
    }

    /// Starts a server that also has a port with TLS.
    pub async fn start_with(certificate: &Certificate) -> anyhow::Result<RedisServer> {
        for _ in 0..TRIES {
            let tls = Some((ports::free()?, certificate));
            if let Some(server) = Self::try_on(ports::free()?, tls).await? {
                return Ok(server);
            }
        }
        bail!("Redis found no free ports")
    }

    /// Starts an empty server on this port, in place of one that was dropped, like a restart that loses the
    /// data.
    pub async fn start_on(port: u16) -> anyhow::Result<RedisServer> {
        Self::try_on(port, None).await?.with_context(|| format!("port {port} is taken"))
    }

    /// Starts a server on a port, `None` when that is taken.
    async fn try_on(port: u16, tls: Option<(u16, &Certificate)>) -> anyhow::Result<Option<RedisServer>> {
        let folder = tempfile::tempdir()?;
        let mut command = command(port);
        if let Some((port, certificate)) = tls {
            let (certificate, key) = certificate.write(folder.path())?;
            command.args(["--tls-auth-clients", "no", "--tls-port", &port.to_string(), "--tls-cert-file"]);
            command.arg(&certificate).arg("--tls-key-file").arg(key);
            // Redis wants one, although no client shows a certificate.
            command.arg("--tls-ca-cert-file").arg(certificate);
        }
        let tls_port = tls.map(|(port, _)| port);
        let process = Process::run(command, &folder.path().join("redis.log"))?;
        match process.output().line(LIMIT, |line| line.contains("Ready to accept connections")).await {
            Ok(_) => Ok(Some(RedisServer { port, tls_port, process, _folder: folder })),
            Err(error) if !process.output().text().contains("in use") => Err(error),
            Err(_) => Ok(None),
        }
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/0", self.port)
    }

    /// Over TLS, at this name or address of this machine.
    pub fn tls_url(&self, host: &str) -> anyhow::Result<String> {
        Ok(format!("rediss://{host}:{}/0", self.tls_port.context("this server has no TLS")?))
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
