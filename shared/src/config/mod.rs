//! Settings: read once at the start from the environment and `.env`, checked as a whole, then passed around
//! as a value. Every wrong value is reported, not only the first.

mod database;
mod mail;
mod values;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use secrecy::SecretString;

pub use database::DatabaseSettings;
pub use mail::{Credentials, MailSettings, MailTransport, Security, SmtpServer};
pub use values::{JwtAlgorithm, PublicUrl};

/// Everything that can be set. `Debug` shows no secret.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where accounts and mails are kept.
    pub database: DatabaseSettings,
    /// The URL of the Redis that carries the doorbell, from `REDIS_URL` or `REDIS_HOST` and `REDIS_PORT`.
    pub redis: Option<SecretString>,
    /// Who mails come from, and what takes them away.
    pub mail: MailSettings,
    /// A folder whose templates replace the built-in ones file by file.
    pub template_folder: Option<PathBuf>,
    /// What links in mails begin with.
    pub public_url: PublicUrl,
    /// Where the API listens.
    pub listen: SocketAddr,
    /// Where everything lies that is kept in files.
    pub data_dir: PathBuf,
    /// The prefix of all keys in Redis: `[A-Za-z0-9_.-]{1,64}`.
    pub queue_name: String,
    /// Signs access tokens and links; at least 32 bytes.
    pub jwt_secret: SecretString,
    /// How access tokens are signed.
    pub jwt_algorithm: JwtAlgorithm,
    /// How many mails one worker has in flight at most, 1 to 1024.
    pub worker_concurrency: usize,
    /// The bearer token that opens `/metrics` to clients that are not on this machine.
    pub metrics_token: Option<SecretString>,
    /// Where a worker process serves its own `/metrics`.
    pub metrics_listen: Option<SocketAddr>,
    /// Whether requests are limited per client address.
    pub rate_limit: bool,
    /// The proxies whose `X-Forwarded-For` counts.
    pub trusted_proxies: Vec<IpNet>,
    /// Whether `GET` on a verification link verifies.
    pub verify_on_get: bool,
    /// How long links live.
    pub lifetimes: LinkLifetimes,
    /// Days after which closed rows of the mail table go.
    pub keep_closed_days: u32,
}

/// How long each kind of link lives, from a minute to a week.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinkLifetimes {
    /// Links that prove an account's address.
    pub email_verification: Duration,
    /// Links that open the form for a new password.
    pub password_reset: Duration,
    /// Links that confirm a new address.
    pub email_change: Duration,
}

/// The three ways to run, chosen by what is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WayToRun {
    /// SQLite; the queue and the worker live in the API process.
    Embedded,
    /// Postgres; the worker lives in the API process and claims from the table.
    Postgres,
    /// Postgres, and Redis that wakes any number of worker processes.
    PostgresAndRedis,
}

impl Settings {
    /// Which of the three ways to run these settings choose. Redis beside SQLite never gets this far.
    pub fn way_to_run(&self) -> WayToRun {
        match (&self.database, &self.redis) {
            (DatabaseSettings::Sqlite { .. }, _) => WayToRun::Embedded,
            (DatabaseSettings::Postgres { .. }, None) => WayToRun::Postgres,
            (DatabaseSettings::Postgres { .. }, Some(_)) => WayToRun::PostgresAndRedis,
        }
    }
}
