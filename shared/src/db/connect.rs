//! Opens the database: pools, timeouts, and SQLite's settings for durability.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Connection, Executor, SqliteConnection};

use super::{ConnectError, Db, Pools, migrate};
use crate::config::DatabaseSettings;

/// The longest wait for a connection, after which the request gets a 503.
const ACQUIRE_LIMIT: Duration = Duration::from_secs(5);
/// The longest time until a used connection is ready again. A connection whose server vanished would stay in the pool
/// until TCP gives it up, 15 minutes later.
const RELEASE_LIMIT: Duration = Duration::from_secs(5);
/// A connection that was ready in this time is used without a test, which saves a round trip for each use under load.
/// If it broke meanwhile, the request gets a 503, as when it breaks during a statement.
const FRESH: Duration = Duration::from_secs(1);
/// Longer than any transaction of this program; only another process (an operator's command) can hold the lock.
const SQLITE_BUSY: Duration = Duration::from_secs(5);

/// Under `DATA_DIR`.
const LOCK_FILE: &str = "lock";

/// The most connections of a process to Postgres.
const POOL_SIZE: u32 = 16;

/// What each connection to Postgres begins with. Statements neither wait for locks nor run for longer than a request
/// can. Compiling a statement (JIT) takes longer than any of these statements.
const SESSION_POSTGRES: &str = "SET lock_timeout = '5s'; SET statement_timeout = '15s'; SET jit = off";

/// Locks `DATA_DIR` until it is dropped.
#[derive(Debug)]
pub struct DataDirLock {
    _file: File,
}

impl Db {
    /// Opens the database that the settings name, and migrates it.
    ///
    /// # Errors
    /// See [`Db::postgres`] and [`Db::sqlite`].
    pub async fn open(settings: &DatabaseSettings) -> Result<Db, ConnectError> {
        match settings {
            DatabaseSettings::Sqlite { data_dir } => Db::sqlite(data_dir).await,
            DatabaseSettings::Postgres { url } => Db::postgres(url).await,
        }
    }

    /// Connects to Postgres and migrates it. Several processes may start at the same time.
    ///
    /// # Errors
    /// When it cannot be reached, holds the tables of another application, or a migration fails.
    pub async fn postgres(url: &SecretString) -> Result<Db, ConnectError> {
        let options = PgConnectOptions::from_str(url.expose_secret()).map_err(|_| ConnectError::Url)?;
        let options = options.application_name("bookly");
        migrate_postgres(options.clone()).await?;
        let pool = PgPoolOptions::new()
            .max_connections(POOL_SIZE)
            .acquire_timeout(ACQUIRE_LIMIT)
            .after_connect(|connection, _| {
                Box::pin(async move { connection.execute(SESSION_POSTGRES).await.map(drop) })
            })
            .test_before_acquire(false)
            .before_acquire(|connection, about| {
                let asks = about.idle_for > FRESH;
                Box::pin(async move { if asks { is_ready(connection).await } else { Ok(true) } })
            })
            .after_release(|connection, _| Box::pin(is_ready(connection)))
            .connect_with(options)
            .await?;
        Ok(Db::new(Pools::Postgres(pool)))
    }

    /// Opens the SQLite file in a data folder, which is created when it is missing, and migrates it.
    ///
    /// # Errors
    /// When the folder cannot be used, the file holds the tables of another application, or a migration fails.
    pub async fn sqlite(data_dir: &Path) -> Result<Db, ConnectError> {
        std::fs::create_dir_all(data_dir)
            .map_err(|source| ConnectError::DataDir { path: data_dir.to_owned(), source })?;
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
        let db = Db::new(Pools::Sqlite { reader, writer });
        migrate::run(&db).await?;
        Ok(db)
    }
}

/// The file of embedded mode.
pub(super) fn sqlite_file(data_dir: &Path) -> PathBuf {
    data_dir.join("bookly.sqlite")
}

/// Migrations have a connection of their own, without limits for locks and statements.
async fn migrate_postgres(options: PgConnectOptions) -> Result<(), ConnectError> {
    let pool = PgPoolOptions::new().max_connections(1).acquire_timeout(ACQUIRE_LIMIT);
    let db = Db::new(Pools::Postgres(pool.connect_with(options).await?));
    migrate::run(&db).await?;
    db.close().await;
    Ok(())
}

/// When a full disk fails a COMMIT, SQLite rolls back by itself, the ROLLBACK of sqlx fails, and sqlx takes the
/// transaction for open from then on. The connection is closed, because each later transaction on it would fail.
async fn has_ended_its_transaction(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    connection.ping().await?;
    Ok(!connection.is_in_transaction())
}

/// On an error the pool closes the connection.
async fn is_ready(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    let silent = |_| sqlx::Error::Io(std::io::ErrorKind::TimedOut.into());
    tokio::time::timeout(RELEASE_LIMIT, connection.ping()).await.map_err(silent)?.map(|()| true)
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
    std::fs::create_dir_all(data_dir).map_err(unusable)?;
    let file = File::create(data_dir.join(LOCK_FILE)).map_err(unusable)?;
    match file.try_lock() {
        Ok(()) => Ok(DataDirLock { _file: file }),
        Err(TryLockError::WouldBlock) => Err(ConnectError::InUse(data_dir.to_owned())),
        Err(TryLockError::Error(source)) => Err(unusable(source)),
    }
}
