//! Settings: read once at the start from the environment and `.env`, then passed around as a value. All wrong values are
//! reported together.

mod bounces;
mod database;
mod doctor;
mod dotenv;
mod helo;
mod links;
mod load;
mod mail;
mod mail_auth;
mod mail_server;
mod names;
mod problem;
mod product;
mod read;
mod redis;
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

pub use bounces::{BounceSettings, ECHOED_NAME, POSTMARK_METADATA, RESEND_HEADER, p256_point, svix_key};
pub use database::{DEFAULT_POOL_SIZE, DatabaseSettings};
pub use doctor::DoctorSettings;
pub use links::{LinkPlace, LinkSettings, LinkTemplates, UNSUBSCRIBE};
pub use mail::{LONGEST_BOUNCE_NAME, MailSettings, MailTransport};
pub use mail_auth::{OAuthGrant, OAuthMechanism, OAuthSettings, SmtpAuth, SmtpCredentials};
pub use mail_server::{Security, SmtpSettings, with_names_of_fallback};
pub use problem::{SettingProblem, SettingsError};
pub use product::{Logo, ProductSettings};
pub use traces::TraceSettings;
pub use values::PublicUrl;

use crate::domain::{EmailKind, JwtAlgorithm};
use crate::locale::Locale;
use crate::tls::Trust;

/// All settings. `Debug` shows no secret.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Misspelt names and risky values, in words without secrets.
    pub warnings: Vec<String>,
    /// The database with accounts and emails.
    pub database: DatabaseSettings,
    /// Whether a start applies pending migrations; if not, they stop it.
    pub migrate_on_start: bool,
    /// The URL of the Redis that carries the jobs, from `REDIS_URL` or `REDIS_HOST` and `REDIS_PORT`.
    pub redis: Option<SecretString>,
    /// The sender of emails, and the transport.
    pub mail: MailSettings,
    /// The providers that may report bounces and complaints.
    pub bounces: BounceSettings,
    /// The product that the service belongs to.
    pub product: ProductSettings,
    /// A folder whose templates replace the built-in ones file by file.
    pub template_folder: Option<PathBuf>,
    /// The language for people whose language is unknown or not shipped.
    pub default_locale: Locale,
    /// Where links lead that are not to the built-in pages.
    pub links: LinkSettings,
    /// The beginning of links in emails.
    pub public_url: PublicUrl,
    /// The address and port of the API.
    pub listen: SocketAddr,
    /// The folder for everything that is stored in files.
    pub data_dir: PathBuf,
    /// The prefix of all keys in Redis: `[A-Za-z0-9_.-]{1,64}`.
    pub queue_name: String,
    /// The servers that are trusted as a TLS client.
    pub trust: Trust,
    /// Signs access and refresh tokens; at least 32 bytes.
    pub jwt_secret: SecretString,
    /// The `JWT_SECRET` before a change: accepted in tokens, never used to sign.
    pub jwt_previous_secret: Option<SecretString>,
    /// Signs the links in emails; at least 32 bytes.
    pub link_secret: SecretString,
    /// The `LINK_SECRET` before a change: accepted in links, never used to sign.
    pub link_previous_secret: Option<SecretString>,
    /// The algorithm that signs access tokens.
    pub jwt_algorithm: JwtAlgorithm,
    /// How many emails one worker sends at the same time, 1 to 1024.
    pub worker_concurrency: u16,
    /// How many emails one worker sends per second at most, 1 to 1000; `None` is no limit.
    pub worker_rate: Option<u32>,
    /// The bearer token for `/metrics`, for clients on other machines.
    pub metrics_token: Option<SecretString>,
    /// The address and port where a worker process serves its own `/metrics`.
    pub metrics_listen: Option<SocketAddr>,
    /// The collector that receives traces.
    pub traces: Option<TraceSettings>,
    /// What `doctor` needs to check the DNS.
    pub doctor: DoctorSettings,
    /// Whether the API's documentation is served.
    pub docs: bool,
    /// Whether requests are limited per client address.
    pub rate_limit: bool,
    /// The proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// The origins of other web applications that may call the API from a browser.
    pub cors_origins: Vec<String>,
    /// Whether `GET` on a verification link verifies the account.
    pub verify_on_get: bool,
    /// How long links are valid.
    pub lifetimes: LinkLifetimes,
    /// How many emails on request one mailbox can get.
    pub mailbox_limits: MailboxLimits,
    /// How many sign-ups and address changes a mailbox gets in 24 hours, whatever follows its `+`.
    pub base_mailbox_limit_per_day: i32,
    /// Days after which accounts that signed up and were never verified are deleted.
    pub unverified_account_days: u32,
    /// The days after which closed rows of `emails` are deleted.
    pub mail_retention_days: u32,
}

/// How long each kind of link is valid, from a minute to a week.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinkLifetimes {
    /// Links that verify the address of an account.
    pub email_verification: Duration,
    /// Links that open the form for a new password.
    pub password_reset: Duration,
    /// Links that confirm a new address.
    pub email_change: Duration,
}

impl LinkLifetimes {
    /// How long the link in an email of this kind is valid. Kinds without a link get the first lifetime.
    pub fn of(&self, kind: EmailKind) -> Duration {
        match kind {
            EmailKind::ResetPassword => self.password_reset,
            EmailKind::ChangeEmail => self.email_change,
            EmailKind::VerifyEmail
            | EmailKind::PasswordChanged
            | EmailKind::EmailChangeRequested
            | EmailKind::EmailChanged
            | EmailKind::Welcome => self.email_verification,
        }
    }

    /// The longest of them.
    pub fn longest(&self) -> Duration {
        self.email_verification.max(self.password_reset).max(self.email_change)
    }
}

/// How many emails of a kind one mailbox can get on request, from all clients together. Security notices are not counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MailboxLimits {
    /// In 15 minutes.
    pub per_quarter_hour: i64,
    /// In 24 hours.
    pub per_day: i64,
}

/// The three ways to run. `DATABASE_URL` and `REDIS_URL` choose between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WayToRun {
    /// SQLite; the queue and the worker are in the API process.
    Embedded,
    /// Postgres; the worker is in the API process and reads the table.
    Postgres,
    /// Postgres, and Redis with the jobs for any number of worker processes.
    PostgresAndRedis,
}

impl Settings {
    /// Whether `/inbox` shows emails: those in files, where only this machine reaches the service.
    pub fn has_inbox(&self) -> bool {
        matches!(self.mail.transport, MailTransport::File) && self.public_url.is_this_machine()
    }

    /// Logs what the operator should know at every start, although the settings are valid.
    pub fn log_warnings(&self) {
        self.warnings.iter().for_each(|warning| tracing::warn!(warning, "check the settings"));
    }

    /// The way to run. Redis with SQLite is refused before.
    pub fn way_to_run(&self) -> WayToRun {
        match (&self.database, &self.redis) {
            (DatabaseSettings::Sqlite { .. }, _) => WayToRun::Embedded,
            (DatabaseSettings::Postgres { .. }, None) => WayToRun::Postgres,
            (DatabaseSettings::Postgres { .. }, Some(_)) => WayToRun::PostgresAndRedis,
        }
    }
}
