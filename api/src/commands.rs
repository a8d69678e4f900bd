//! What operators do from the command line.

use anyhow::bail;
use bookly_shared::clock::Clock;
use bookly_shared::config::Settings;
use bookly_shared::domain::{EmailAddress, Role};
use bookly_shared::signals;
use tokio_util::sync::CancellationToken;

use crate::app::{App, bind, open_database};

/// Serves until a signal.
///
/// # Errors
/// Whatever keeps the service from starting.
pub async fn serve(mut settings: Settings) -> anyhow::Result<()> {
    let shutdown = CancellationToken::new();
    signals::stop_on_signal(shutdown.clone())?;
    let listener = bind(&mut settings).await?;
    App::build(settings).await?.run(listener, shutdown).await;
    Ok(())
}

/// Gives an account another role, beside a running service too. It counts from the account's next request.
///
/// # Errors
/// When there is no such account, or the database cannot be reached.
pub async fn set_role(settings: Settings, email: &EmailAddress, role: Role) -> anyhow::Result<()> {
    let db = open_database(&settings).await?;
    let clock = Clock::synchronised(&db).await?;
    let known = db.set_role(email, role, clock.now()).await?;
    db.close().await;
    if !known {
        bail!("no account has the address {}", email.as_str());
    }
    tracing::info!(account = %email.masked(), %role, "the role was set");
    Ok(())
}
