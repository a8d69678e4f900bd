//! Opens the database: pools, timeouts, and SQLite's settings for durability.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions, PgSslMode};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Connection, SqliteConnection};
use url::Url;

use super::migrate::{self, PendingMigrations};
use super::session::{Sessions, is_ready};
use super::{ConnectError, Db, Pools};
use crate::config::{DEFAULT_POOL_SIZE, DatabaseSettings};
use crate::private_files;
use crate::tls::Trust;

/// The longest wait for a connection, after which the request gets a 503.
const ACQUIRE_LIMIT: Duration = Duration::from_secs(5);
/// A connection that was ready in this time is used without a test, which saves a round trip for each use under load.
/// If it broke meanwhile, the request gets a 503, as when it breaks during a statement.
const FRESH: Duration = Duration::from_secs(1);
/// Longer than any transaction of this program; only another process (an operator's command) can hold the lock.
const SQLITE_BUSY: Duration = Duration::from_secs(5);

/// Under `DATA_DIR`.
const LOCK_FILE: &str = "lock";

/// Locks `DATA_DIR` until it is dropped.
#[derive(Debug)]
pub struct DataDirLock {
    _file: File,
}

impl Db {
    /// Opens the database that the settings name.
    ///
    /// # Errors
    /// When it cannot be reached or used, holds the tables of another application, or migrations fail or are pending.
    pub async fn open(settings: &DatabaseSettings, pending: PendingMigrations) -> Result<Db, ConnectError> {
        match settings {
            DatabaseSettings::Sqlite { data_dir } => open_sqlite(data_dir, pending).await,
            DatabaseSettings::Postgres { url, pool_size, trust } => {
                let options = postgres_options(url, trust)?;
                let opened = open_postgres(options.clone(), *pool_size, pending).await;
                opened.map_err(|error| error.at_host_of(&options))
            }
        }
    }

    /// Connects to Postgres with the default settings, and migrates it.
    ///
    /// # Errors
    /// As for [`Db::open`].
    pub async fn postgres(url: &SecretString) -> Result<Db, ConnectError> {
        let options = postgres_options(url, &Trust::default())?;
        open_postgres(options, DEFAULT_POOL_SIZE, PendingMigrations::Apply).await
    }

    /// Opens the SQLite file in a data folder, which is created when it is missing, and migrates it.
    ///
    /// # Errors
    /// As for [`Db::open`].
    pub async fn sqlite(data_dir: &Path) -> Result<Db, ConnectError> {
        open_sqlite(data_dir, PendingMigrations::Apply).await
    }
}

/// From `DATABASE_URL`. Poolers refuse startup parameters that they do not know, such as `extra_float_digits`.
/// `sslrootcert=` and `PGSSLROOTCERT` name another file of certificates, as in libpq.
pub(super) fn postgres_options(url: &SecretString, trust: &Trust) -> Result<PgConnectOptions, ConnectError> {
    let url = url.expose_secret();
    let options = PgConnectOptions::from_str(url).map_err(|_| ConnectError::Url)?;
    let options = options.extra_float_digits(None).application_name("bookly");
    let named = Url::parse(url).is_ok_and(|url| url.query_pairs().any(|(name, _)| name == "sslrootcert"));
    let names_a_file = named || std::env::var_os("PGSSLROOTCERT").is_some();
    let host = matches!(options.get_ssl_mode(), PgSslMode::VerifyFull).then(|| options.get_host());
    Ok(match trust.own_pem(host).filter(|_| !names_a_file) {
        Some(pem) => options.ssl_root_cert_from_pem(pem.into_bytes()),
        None => options,
    })
}

/// Several processes may start at the same time.
async fn open_postgres(
    options: PgConnectOptions,
    pool_size: u32,
    pending: PendingMigrations,
) -> Result<Db, ConnectError> {
    let sessions = Sessions::detect(&options).await?;
    migrate_postgres(options.clone(), pending).await?;
    let pool = PgPoolOptions::new()
        .max_connections(pool_size)
        .acquire_timeout(ACQUIRE_LIMIT)
        .after_connect(move |connection, _| Box::pin(sessions.prepare(connection)))
        .test_before_acquire(false)
        .before_acquire(|connection, about| {
            let asks = about.idle_for > FRESH;
            Box::pin(async move { if asks { is_ready(connection).await } else { Ok(true) } })
        })
        .after_release(|connection, _| Box::pin(is_ready(connection)))
        .connect_with(options)
        .await?;
    Ok(Db::new(Pools::Postgres(pool), sessions))
}

async fn open_sqlite(data_dir: &Path, pending: PendingMigrations) -> Result<Db, ConnectError> {
    make_private(data_dir).map_err(|source| ConnectError::DataDir { path: data_dir.to_owned(), source })?;
    let options = SqliteConnectOptions::new()
        .filename(sqlite_file(data_dir))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        // FULL: a commit survives a power cut once it was reported.
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(SQLITE_BUSY);
    let pool = |connections| {
        SqlitePoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(ACQUIRE_LIMIT)
            .after_release(|connection, _| Box::pin(has_ended_its_transaction(connection)))
    };
    let writer = pool(1).connect_with(options.clone()).await?;
    let reader = pool(4).connect_lazy_with(options);
    let db = Db::new(Pools::Sqlite { reader, writer }, Sessions::Own);
    migrate::run(&db, pending).await?;
    Ok(db)
}

/// SQLite creates its other files with the permissions of the database file.
fn make_private(data_dir: &Path) -> std::io::Result<()> {
    private_files::make_data_dir(data_dir)?;
    private_files::create_if_missing(&sqlite_file(data_dir))?;
    for suffix in ["-wal", "-shm", "-journal"] {
        private_files::restrict(&data_dir.join(format!("bookly.sqlite{suffix}")));
    }
    Ok(())
}

/// The file of embedded mode.
pub(super) fn sqlite_file(data_dir: &Path) -> PathBuf {
    data_dir.join("bookly.sqlite")
}

/// Migrations have a connection of their own, without limits for locks and statements.
async fn migrate_postgres(options: PgConnectOptions, pending: PendingMigrations) -> Result<(), ConnectError> {
    let pool = PgPoolOptions::new().max_connections(1).acquire_timeout(ACQUIRE_LIMIT);
    let db = Db::new(Pools::Postgres(pool.connect_with(options).await?), Sessions::Own);
    let done = migrate::run(&db, pending).await;
    db.close().await;
    done
}

/// When a full disk fails a COMMIT, SQLite rolls back by itself, the ROLLBACK of sqlx fails, and sqlx takes the
/// transaction for open from then on. The connection is closed, because each later transaction on it would fail.
async fn has_ended_its_transaction(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    connection.ping().await?;
    Ok(!connection.is_in_transaction())
}

/// Whether a process uses `data_dir` now. Creates no file and keeps no lock.
///
/// # Errors
/// When the lock file cannot be read.
pub fn data_dir_is_in_use(data_dir: &Path) -> std::io::Result<bool> {
    let file = match File::open(data_dir.join(LOCK_FILE)) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
        file => file?,
    };
    match file.try_lock_shared() {
        Ok(()) => Ok(false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Locks `data_dir` for this process. Operators' commands need no lock.
///
/// # Errors
/// When another process holds the lock, or the folder cannot be written.
pub fn lock_data_dir(data_dir: &Path) -> Result<DataDirLock, ConnectError> {
    let unusable = |source| ConnectError::DataDir { path: data_dir.to_owned(), source };
    private_files::make_data_dir(data_dir).map_err(unusable)?;
    let file = private_files::create(&data_dir.join(LOCK_FILE)).map_err(unusable)?;
    match file.try_lock() {
        Ok(()) => Ok(DataDirLock { _file: file }),
        Err(TryLockError::WouldBlock) => Err(ConnectError::InUse(data_dir.to_owned())),
        Err(TryLockError::Error(source)) => Err(unusable(source)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_server_that_cannot_be_reached_is_named_with_its_setting_and_without_the_password() {
        let settings = DatabaseSettings::Postgres {
            url: "postgres://bookly:long-secret@127.0.0.1:1/bookly".into(),
            pool_size: DEFAULT_POOL_SIZE,
            trust: Trust::default(),
        };
        let error = Db::open(&settings, PendingMigrations::Apply).await.unwrap_err().to_string();
        assert!(error.contains("cannot be reached at 127.0.0.1, port 1 (DATABASE_URL): "), "{error}");
        assert!(!error.contains("long-secret"), "{error}");
    }
}
