//! Opening the database: pools, timeouts, and SQLite's settings for durability.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Connection, Executor, SqliteConnection};

use super::{Db, SqliteDb, migrate};
use crate::config::DatabaseSettings;

/// How long a request may wait for a connection before it is told that the service is not available.
const ACQUIRE_LIMIT: Duration = Duration::from_secs(5);
/// How long a connection may take to be ready again after its use. One whose server vanished would keep its
/// place in the pool until TCP gives it up, a quarter of an hour later.
const RELEASE_LIMIT: Duration = Duration::from_secs(5);
/// A connection that was ready so shortly ago is used without asking it again: a round trip less for each use under
/// load. Whoever gets one that broke meanwhile is told 503, as when it breaks during a statement.
const FRESH: Duration = Duration::from_secs(1);
/// Longer than any of our transactions; only another process (an operator's command) can hold the lock.
const SQLITE_BUSY: Duration = Duration::from_secs(5);

/// Under `DATA_DIR`.
const LOCK_FILE: &str = "lock";

/// The most connections a process opens to Postgres.
const POOL_SIZE: u32 = 16;

/// Who asks the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DbUser {
    /// Requests, in all their kinds, and operators.
    Api,
    /// A worker process: the same few statements over and over, each of which finds its rows by an index.
    Worker,
}

impl DbUser {
    /// What Postgres is told at the beginning of a session. `SET`, not a startup parameter: poolers such as PgBouncer
    /// refuse those.
    ///
    /// Statements do not wait for locks, nor work, for longer than a request can. Compiling a statement (JIT) takes
    /// longer than any of ours runs. A worker's are planned once, for good, since planning took longer than claiming:
    /// so that a table which has grown since, or which no statistics tell of, must not have them read or sort it as a
    /// whole. Where due rows were taken for few, each claim of 16 sorted all 10,000: ten times the work.
    fn session(self) -> &'static str {
        match self {
            DbUser::Api => "SET lock_timeout = '5s'; SET statement_timeout = '15s'; SET jit = off",
            DbUser::Worker => {
                "SET lock_timeout = '5s'; SET statement_timeout = '15s'; SET jit = off;
                 SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; SET enable_bitmapscan = off;
                 SET enable_sort = off"
            }
        }
    }
}

/// Why the database could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The URL cannot be read. It is not shown, since it holds a password.
    #[error("DATABASE_URL cannot be read as a Postgres URL (postgres://user:password@host:port/name)")]
    Url,
    /// Nobody answers, or not to us.
    #[error("the database cannot be reached: {0}")]
    Connect(#[source] sqlx::Error),
    /// `DATA_DIR` cannot be made or written.
    #[error("{path} cannot be used as DATA_DIR: {source}", path = path.display())]
    DataDir {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Another process serves from the same `DATA_DIR`.
    #[error("{} is in use by another process; give this one a DATA_DIR of its own", .0.display())]
    InUse(PathBuf),
    /// The tables of another application.
    #[error(
        "this database holds somebody else's table `{0}` and was left as it is; give Bookly an empty database of its own"
    )]
    Foreign(String),
    /// A migration failed.
    #[error("the database cannot be migrated: {0}")]
    Migrate(#[source] Box<sqlx::migrate::MigrateError>),
}

/// Held as long as the process serves from its `DATA_DIR`.
#[derive(Debug)]
pub struct DataDirLock {
    _file: File,
}

impl Db {
    /// Opens the database that the settings name, with its tables brought up to date.
    ///
    /// # Errors
    /// See [`Db::postgres`] and [`Db::sqlite`].
    pub async fn open(settings: &DatabaseSettings, user: DbUser) -> Result<Db, ConnectError> {
        match settings {
            DatabaseSettings::Sqlite { data_dir } => Db::sqlite(data_dir).await,
            DatabaseSettings::Postgres { url } => Db::postgres(url, user).await,
        }
    }

    /// Connects to Postgres and brings its tables up to date. Safe when several processes start at once.
    ///
    /// # Errors
    /// When it cannot be reached, holds somebody else's tables, or a migration fails.
    pub async fn postgres(url: &SecretString, user: DbUser) -> Result<Db, ConnectError> {
        let options = PgConnectOptions::from_str(url.expose_secret()).map_err(|_| ConnectError::Url)?;
        let options = options.application_name("bookly");
        migrate_postgres(options.clone()).await?;
        let pool = PgPoolOptions::new()
            .max_connections(POOL_SIZE)
            .acquire_timeout(ACQUIRE_LIMIT)
            .after_connect(move |connection, _| {
                Box::pin(async move { connection.execute(user.session()).await.map(|_| ()) })
            })
            .test_before_acquire(false)
            .before_acquire(|connection, about| {
                let asks = about.idle_for > FRESH;
                Box::pin(async move { if asks { is_ready(connection).await } else { Ok(true) } })
            })
            .after_release(|connection, _| Box::pin(is_ready(connection)))
            .connect_with(options)
            .await
            .map_err(ConnectError::Connect)?;
        Ok(Db::Postgres(pool))
    }

    /// Opens the SQLite file of a data folder, which is made when it is missing.
    ///
    /// # Errors
    /// When the folder cannot be used, the file holds somebody else's tables, or a migration fails.
    pub async fn sqlite(data_dir: &Path) -> Result<Db, ConnectError> {
        std::fs::create_dir_all(data_dir)
            .map_err(|source| ConnectError::DataDir { path: data_dir.to_owned(), source })?;
        let options = SqliteConnectOptions::new()
            .filename(sqlite_file(data_dir))
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // FULL: a commit that was answered survives a power cut, as the promise wants.
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(SQLITE_BUSY);
        let pool = |connections| {
            SqlitePoolOptions::new()
                .max_connections(connections)
                .acquire_timeout(ACQUIRE_LIMIT)
                .after_release(|connection, _| Box::pin(has_ended_its_transaction(connection)))
        };
        let writer = pool(1).connect_with(options.clone()).await.map_err(ConnectError::Connect)?;
        let reader = pool(4).connect_lazy_with(options);
        let db = Db::Sqlite(SqliteDb { reader, writer });
        migrate::run(&db).await?;
        Ok(db)
    }
}

/// The one file of embedded mode.
pub(super) fn sqlite_file(data_dir: &Path) -> PathBuf {
    data_dir.join("bookly.sqlite")
}

/// Migrations may wait for locks and work as long as they must: they have a connection without limits.
async fn migrate_postgres(options: PgConnectOptions) -> Result<(), ConnectError> {
    let pool = PgPoolOptions::new().max_connections(1).acquire_timeout(ACQUIRE_LIMIT);
    let db = Db::Postgres(pool.connect_with(options).await.map_err(ConnectError::Connect)?);
    migrate::run(&db).await?;
    db.close().await;
    Ok(())
}

/// Where a full disk fails a COMMIT, SQLite rolls back by itself, sqlx' own ROLLBACK fails, and sqlx counts the
/// transaction as open for ever: the connection must go, or every later transaction on it fails.
async fn has_ended_its_transaction(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    connection.ping().await?;
    Ok(!connection.is_in_transaction())
}

/// An error has the connection closed without ceremony.
async fn is_ready(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    let silent = |_| sqlx::Error::Io(std::io::ErrorKind::TimedOut.into());
    tokio::time::timeout(RELEASE_LIMIT, connection.ping()).await.map_err(silent)?.map(|()| true)
}

/// Whether a process serves from `data_dir` now. Neither makes a file nor keeps the lock.
///
/// # Errors
/// When the lock's file cannot be read.
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

/// Makes sure that one process at a time serves from `data_dir`. Operators' commands do without.
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
