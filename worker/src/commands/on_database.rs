//! The database of a command.

use anyhow::bail;
use bookly_shared::config::{DatabaseSettings, Settings};
use bookly_shared::db::Db;
use bookly_shared::db::inspect::missing_file;

use crate::process::open_database;

/// Does the work of a command on the database, and closes it whatever the result.
pub(super) async fn on_database<T>(
    settings: &Settings,
    work: impl AsyncFnOnce(&Db) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let db = open(settings).await?;
    let done = work(&db).await;
    db.close().await;
    done
}

/// Refuses a folder without a database file: a new, empty one would answer that there are no emails.
async fn open(settings: &Settings) -> anyhow::Result<Db> {
    if let DatabaseSettings::Sqlite { data_dir } = &settings.database
        && let Some(file) = missing_file(data_dir)
    {
        let file = file.display();
        bail!("there is no {file}: run this where bookly-api runs, or set DATA_DIR or DATABASE_URL as there");
    }
    open_database(settings).await
}
