//! Settings: read once at the start from the environment and `.env`, checked as a whole, then passed around
//! as a value. Every wrong value is reported, not only the first.

mod database;
mod dotenv;
mod mail;
mod problem;
mod read;
mod secret_file;
mod source;
pub mod table;
mod traces;
mod values;

#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use secrecy::SecretString;

use source::Source;

pub use database::DatabaseSettings;
pub use mail::{Credentials, MailSettings, MailTransport, Security, SmtpServer};
pub use problem::{Problem, SettingsError};
pub use traces::TraceSettings;
pub use values::PublicUrl;

use crate::domain::{EmailKind, JwtAlgorithm};

/// Everything that can be set. `Debug` shows no secret.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where accounts and mails are kept.
    pub database: DatabaseSettings,
    /// The URL of the Redis that carries the jobs, from `REDIS_URL` or `REDIS_HOST` and `REDIS_PORT`.
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
    pub worker_concurrency: u16,
    /// How many mails one worker sends a second at most, 1 to 1000; `None` is as fast as it can.
    pub worker_rate: Option<u32>,
    /// The bearer token that opens `/metrics` to clients that are not on this machine.
    pub metrics_token: Option<SecretString>,
    /// Where a worker process serves its own `/metrics`.
    pub metrics_listen: Option<SocketAddr>,
    /// The collector that takes traces.
    pub traces: Option<TraceSettings>,
    /// Whether the API's documentation is served.
    pub docs: bool,
    /// Whether requests are limited per client address.
    pub rate_limit: bool,
    /// The proxies whose `X-Forwarded-For` counts.
    pub trusted_proxies: Vec<IpNet>,
    /// The web applications elsewhere whose pages may call the API from a browser.
    pub cors_origins: Vec<String>,
    /// Whether `GET` on a verification link verifies.
    pub verify_on_get: bool,
    /// How long links live.
    pub lifetimes: LinkLifetimes,
    /// How many mails a mailbox is sent on request.
    pub mailbox_limits: MailboxLimits,
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

impl LinkLifetimes {
    /// How long the link in a mail of this kind lives; mails without one count as the first kind.
    pub fn of(&self, kind: EmailKind) -> Duration {
        match kind {
            EmailKind::ResetPassword => self.password_reset,
            EmailKind::ChangeEmail => self.email_change,
            _ => self.email_verification,
        }
    }
}

/// How many mails of a kind one mailbox is sent on request, whoever asks. Notices about security do not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MailboxLimits {
    /// In 15 minutes.
    pub per_quarter_hour: i64,
    /// In 24 hours.
    pub per_day: i64,
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
    /// Reads the environment, and for what is not set there `.env` in the current folder.
    ///
    /// # Errors
    /// All that is wrong, at once.
    pub fn load() -> Result<Self, SettingsError> {
        Self::from_source(Source::of_this_process())
    }

    /// The same for commands that only look at an installation: no file is made. Where embedded mode has not kept a
    /// `JWT_SECRET` yet, one is drawn that lasts as long as the value.
    ///
    /// # Errors
    /// All that is wrong, at once.
    pub fn load_to_look() -> Result<Self, SettingsError> {
        Self::from_source(Source::of_this_process().without_making_files())
    }

    /// Reads the given variables and nothing of the environment. Touches files all the same: those that `…_FILE`
    /// names, and in embedded mode without `JWT_SECRET` the one under `DATA_DIR` that keeps it.
    ///
    /// # Errors
    /// All that is wrong, at once.
    pub fn from_vars(vars: impl IntoIterator<Item = (String, String)>) -> Result<Self, SettingsError> {
        Self::from_source(Source::new(vars, Vec::new()))
    }

    /// Which of the three ways to run these settings choose. Redis beside SQLite never gets this far.
    pub fn way_to_run(&self) -> WayToRun {
        match (&self.database, &self.redis) {
            (DatabaseSettings::Sqlite { .. }, _) => WayToRun::Embedded,
            (DatabaseSettings::Postgres { .. }, None) => WayToRun::Postgres,
            (DatabaseSettings::Postgres { .. }, Some(_)) => WayToRun::PostgresAndRedis,
        }
    }

    fn from_source(mut source: Source) -> Result<Self, SettingsError> {
        match read::settings(&mut source) {
            Some(settings) if !source.has_problems() => Ok(settings),
            _ => Err(SettingsError::new(source.into_problems())),
        }
    }
}
