//! The stack: its parts, its start and its end.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;
use parking_lot::Mutex;
use tempfile::TempDir;

use super::api_process::start_api;
use super::options::{Kind, StackOptions};
use super::settings;
use crate::client::Api;
use crate::log::Log;
use crate::ports;
use crate::process::{Process, Settings};
use crate::redis_server::RedisServer;
use crate::smtp_server::SmtpServer;
use crate::sql::Sql;

/// A running installation. Dropping it stops everything; after a failure it prints the logs first.
pub struct Stack {
    pub(super) kind: Kind,
    pub(super) settings: Settings,
    api_client: Api,
    pub(super) api: Mutex<Arc<Process>>,
    pub(super) workers: Mutex<Vec<Arc<Process>>>,
    pub(super) logs: Mutex<Vec<(String, Arc<Log>)>>,
    redis: Option<RedisServer>,
    pub(super) smtp: Option<SmtpServer>,
    pub(super) second_smtp: Option<SmtpServer>,
    sql: Sql,
    passed: AtomicBool,
    folder: TempDir,
}

/// Starts a stack, runs the test on it, and searches the logs for secrets.
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
    /// Starts all parts. The API listens when this returns.
    pub async fn start(options: StackOptions) -> anyhow::Result<Stack> {
        let folder = tempfile::Builder::new().prefix("e2e-stack-").tempdir()?;
        let port = ports::free()?;
        let mut settings = settings::common(port, folder.path());
        let (mut redis, mut smtp, mut second_smtp) = (None, None, None);
        if options.kind == Kind::Full {
            let server = RedisServer::start().await?;
            settings.extend(settings::full(&server).await?);
            redis = Some(server);
        }
        if options.mail_server {
            let server = settings::mail_server(options.access_tokens).await?;
            let mut trusted = format!("{}{}", server.ca_pem(), options.trusted);
            if options.second_mail_server {
                let second = settings::second_mail_server().await?;
                trusted.push_str(second.ca_pem());
                settings.extend(settings::second_mail(&second));
                second_smtp = Some(second);
            }
            fs::write(folder.path().join("ca.pem"), trusted)?;
            settings.extend(settings::mail(&server, folder.path()));
            smtp = Some(server);
        }
        settings.extend(options.settings);
        let sql = match settings.get("DATABASE_URL") {
            // The tests' own connection checks no certificate.
            Some(url) => Sql::postgres(url.split('?').next().unwrap_or(url))?,
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
            second_smtp,
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

    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// A client of the API.
    pub fn api(&self) -> &Api {
        &self.api_client
    }

    /// The process of the API.
    pub fn api_process(&self) -> Arc<Process> {
        self.api.lock().clone()
    }

    /// The settings of all processes.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The working folder of the processes, with `data/` and the logs.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn sql(&self) -> &Sql {
        &self.sql
    }

    /// The mail server; the embedded stack has none unless the test asks for it.
    pub fn smtp(&self) -> anyhow::Result<&SmtpServer> {
        self.smtp.as_ref().context("this stack's mails go to files")
    }

    /// The fallback.
    pub fn second_smtp(&self) -> anyhow::Result<&SmtpServer> {
        self.second_smtp.as_ref().context("this stack has one mail server")
    }

    /// The Redis of the full stack.
    pub fn redis(&self) -> anyhow::Result<&RedisServer> {
        self.redis.as_ref().context("only the full stack has Redis")
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        if !self.passed.load(Ordering::Relaxed) {
            self.show_logs();
        }
    }
}
