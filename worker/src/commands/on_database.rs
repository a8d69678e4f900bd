//! The database of a command.

use bookly_shared::config::Settings;
use bookly_shared::db::Db;
use bookly_shared::db::inspect::require_file;

use crate::process::open_database;

/// Does the work of a command on the database, and closes it whatever the result.
pub(super) async fn on_database<T>(
    settings: &Settings,
    work: impl AsyncFnOnce(&Db) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    require_file(&settings.database)?;
    let db = open_database(settings).await?;
    let done = work(&db).await;
    db.close().await;
    done
}
