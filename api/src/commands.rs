//! The operator's commands.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context, bail};
use bookly_shared::audit;
use bookly_shared::clock::Clock;
use bookly_shared::config::Settings;
use bookly_shared::db::accounts::RoleChange;
use bookly_shared::db::inspect::require_file;
use bookly_shared::db::{Db, PendingMigrations};
use bookly_shared::domain::{EmailAddress, Role};
use bookly_shared::metrics::Exporter;
use bookly_shared::signals;
use clap::Subcommand;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use crate::app::{App, bind, open_database};

/// A command other than serving.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Manage accounts
    #[command(subcommand)]
    User(UserCommand),
    /// Check whether the service on this machine is ready; exit code 0 when it is
    Health,
    /// Apply pending database migrations
    Migrate,
}

/// Commands for accounts.
#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// Give an account a role: admin or user
    Role {
        /// The account's address
        email: EmailAddress,
        /// admin or user
        role: Role,
    },
}

impl Command {
    /// Runs the command.
    ///
    /// # Errors
    /// Why it failed, for the person who typed it.
    pub async fn run(self, settings: Settings) -> anyhow::Result<()> {
        match self {
            Command::User(UserCommand::Role { email, role }) => set_role(settings, &email, role).await,
            Command::Health => health(&settings).await,
            Command::Migrate => migrate(&settings).await,
        }
    }
}

/// Serves until a signal.
///
/// # Errors
/// What keeps the service from starting, or made it stop by itself.
pub async fn serve(mut settings: Settings) -> anyhow::Result<()> {
    let shutdown = CancellationToken::new();
    signals::stop_on_signal(shutdown.clone())?;
    settings.log_warnings();
    let listener = bind(&mut settings).await?;
    let exporter = Exporter::install("api")?;
    Ok(App::build(settings, exporter).await?.run(listener, shutdown).await?)
}

/// Gives an account another role, also while the service runs. It counts from the account's next request.
///
/// # Errors
/// When there is no such account, or the database cannot be reached.
async fn set_role(settings: Settings, email: &EmailAddress, role: Role) -> anyhow::Result<()> {
    require_file(&settings.database)?;
    let db = open_database(&settings).await?;
    let clock = Clock::synchronised(&db).await?;
    let change = db.set_role(email, role, clock.now()).await?;
    let user = db.user_of_mailbox(email.canonical()).await?;
    db.close().await;
    match change {
        RoleChange::Made => {
            user.iter().for_each(|user| audit::role_changed(user, role));
            Ok(())
        }
        RoleChange::NotVerified => {
            user.iter().for_each(|user| audit::refused(user, "role_change_refused"));
            bail!(
                "{} is not verified: its password may belong to another person who signed up with this address. \
             Ask the owner to reset the password (this verifies the account), then run the command again",
                email.as_str()
            )
        }
        RoleChange::NoAccount => bail!("no account has the address {}", email.as_str()),
    }
}

/// Applies pending migrations. The role needs the right to create tables only here, if `MIGRATE_ON_START` is off.
async fn migrate(settings: &Settings) -> anyhow::Result<()> {
    let db = Db::open(&settings.database, PendingMigrations::Apply).await?;
    db.close().await;
    tracing::info!("the database is up to date");
    Ok(())
}

/// How long `/health/ready` may take: the database and Redis have two seconds each.
const HEALTH_LIMIT: Duration = Duration::from_secs(4);

/// For the health checks of containers: the image has no curl, and one request without a body needs no HTTP library.
///
/// # Errors
/// When the service does not answer with 200.
async fn health(settings: &Settings) -> anyhow::Result<()> {
    let status = tokio::time::timeout(HEALTH_LIMIT, ask_ready(settings.listen)).await;
    match status.context("no answer in time")?.context("no answer")?.as_str() {
        "200" => Ok(()),
        status => bail!("the service answers {status}"),
    }
}

async fn ask_ready(mut listen: SocketAddr) -> std::io::Result<String> {
    if listen.ip().is_unspecified() {
        listen.set_ip(IpAddr::V4(Ipv4Addr::LOCALHOST));
    }
    let mut stream = TcpStream::connect(listen).await?;
    stream.write_all(b"GET /health/ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await?;
    let mut answer = String::new();
    stream.take(16 * 1024).read_to_string(&mut answer).await?;
    Ok(answer.split(' ').nth(1).unwrap_or_default().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_role_is_not_looked_for_in_a_folder_without_a_database() {
        let folder = tempfile::tempdir().unwrap();
        let vars = [("DATA_DIR".to_owned(), folder.path().display().to_string())];
        let settings = Settings::from_vars(vars).unwrap();
        let email = EmailAddress::parse("ann@example.org").unwrap();
        let refused = set_role(settings, &email, Role::Admin).await.unwrap_err().to_string();
        assert!(refused.starts_with("there is no ") && refused.contains("DATA_DIR"), "{refused}");
        assert!(!folder.path().join("bookly.sqlite").exists());
    }
}
