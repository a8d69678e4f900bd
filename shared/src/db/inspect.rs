//! A look at a database that changes nothing in it: for operators, before or beside a running service.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use secrecy::{ExposeSecret, SecretString};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use sqlx::{AssertSqlSafe, Connection};

use super::connect::sqlite_file;
use super::migrate::{self, Migrations};
use super::{ConnectError, Db, DbError, SqliteDb, read_db};
use crate::clock::Clock;
use crate::config::DatabaseSettings;

/// What was seen.
#[derive(Clone, Debug)]
pub struct DatabaseReport {
    /// Product and version: `PostgreSQL 17.2`, `SQLite 3.50.4`.
    pub server: String,
    /// How long it took to connect.
    pub connected_in: Duration,
    /// Whether rows can be written: a replica takes none.
    pub is_writable: bool,
    /// How far this machine's clock is ahead of the database's; `None` for SQLite, which has none of its own.
    pub clock_ahead: Option<TimeDelta>,
    /// Whose tables there are.
    pub tables: Tables,
}

/// Whose tables there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tables {
    /// Nobody's: nothing has started with this database yet.
    None {
        /// Whether the first start may make them.
        can_create: bool,
    },
    /// Another application's, of which this is one.
    Foreign(String),
    /// Ours.
    Ours(Migrations),
}

/// Why nothing could be seen.
#[derive(Debug, thiserror::Error)]
pub enum InspectError {
    /// The file under `DATA_DIR` that holds everything has not been made yet.
    #[error("there is no {} yet", .0.display())]
    NoFile(PathBuf),
    /// There is no way in.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// A question was not answered.
    #[error(transparent)]
    Ask(#[from] DbError),
}

/// What stands between us and a database, as far as it says what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The server does not take the user or the password.
    Login,
    /// The server has no such database.
    NoSuchDatabase,
    /// The server has no connection left.
    TooManyConnections,
    /// The server does not speak TLS as it is asked to, or its certificate is not trusted.
    Tls,
    /// The host's name leads nowhere, or nobody listens, or nobody answers.
    Away,
    /// Anything else.
    Other,
}

impl InspectError {
    /// What it comes down to.
    pub fn trouble(&self) -> Trouble {
        match self {
            InspectError::Connect(ConnectError::Connect(error))
            | InspectError::Ask(DbError::Unavailable(error) | DbError::Statement(error)) => trouble(error),
            InspectError::NoFile(_) | InspectError::Connect(_) => Trouble::Other,
        }
    }
}

/// The codes are SQLSTATE's: class 28, invalid authorisation; 3D000, no such database; 53300, too many connections.
fn trouble(error: &sqlx::Error) -> Trouble {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut => Trouble::Away,
        sqlx::Error::Tls(_) => Trouble::Tls,
        sqlx::Error::Database(refusal) => match refusal.code().as_deref() {
            Some("28000" | "28P01") => Trouble::Login,
            Some("3D000") => Trouble::NoSuchDatabase,
            Some("53300") => Trouble::TooManyConnections,
            Some(code) if code.starts_with("57P") => Trouble::Away,
            _ => Trouble::Other,
        },
        _ => Trouble::Other,
    }
}

/// Where the settings lead, without a password: `postgres@db.example.org:5432/bookly`, or the file.
pub fn place(settings: &DatabaseSettings) -> String {
    match settings {
        DatabaseSettings::Sqlite { data_dir } => sqlite_file(data_dir).display().to_string(),
        DatabaseSettings::Postgres { url } => match PgConnectOptions::from_str(url.expose_secret()) {
            Ok(options) => {
                let database = options.get_database().unwrap_or(options.get_username());
                format!("{}@{}:{}/{database}", options.get_username(), options.get_host(), options.get_port())
            }
            Err(_) => "DATABASE_URL".to_owned(),
        },
    }
}

/// The file of embedded mode, if nothing has made it yet.
pub fn missing_file(data_dir: &Path) -> Option<PathBuf> {
    Some(sqlite_file(data_dir)).filter(|file| !file.exists())
}

/// Looks at the database that the settings name.
///
/// # Errors
/// When it cannot be reached or does not answer.
pub async fn inspect(settings: &DatabaseSettings) -> Result<DatabaseReport, InspectError> {
    let asked = Instant::now();
    let db = match settings {
        DatabaseSettings::Sqlite { data_dir } => open_file(data_dir).await?,
        DatabaseSettings::Postgres { url } => connect(url).await?,
    };
    let connected_in = asked.elapsed();
    let report = look(&db, connected_in).await;
    db.close().await;
    report
}

/// Not by a pool's first connection: a pool goes on trying where nobody listens, and then does not say why.
async fn connect(url: &SecretString) -> Result<Db, ConnectError> {
    let options = PgConnectOptions::from_str(url.expose_secret()).map_err(|_| ConnectError::Url)?;
    let options = options.application_name("bookly");
    PgConnection::connect_with(&options).await.map_err(ConnectError::Connect)?.close_hard().await.ok();
    Ok(Db::Postgres(PgPoolOptions::new().max_connections(1).connect_lazy_with(options)))
}

/// A reader leaves no trace beside the file. With a `-wal` beside it another process may be at work, and then it is
/// shared with that process; without, nobody is, and SQLite would make one to find out.
async fn open_file(data_dir: &Path) -> Result<Db, InspectError> {
    if let Some(file) = missing_file(data_dir) {
        return Err(InspectError::NoFile(file));
    }
    let file = sqlite_file(data_dir);
    let in_use = file.with_extension("sqlite-wal").exists();
    let options = SqliteConnectOptions::new().filename(&file).read_only(true).immutable(!in_use);
    let pool = SqlitePoolOptions::new().max_connections(1);
    let reader = pool.connect_with(options).await.map_err(ConnectError::Connect)?;
    Ok(Db::Sqlite(SqliteDb { writer: reader.clone(), reader }))
}

async fn look(db: &Db, connected_in: Duration) -> Result<DatabaseReport, InspectError> {
    let (version, is_replica) = match db {
        Db::Postgres(_) => (
            "SELECT 'PostgreSQL ' || split_part(current_setting('server_version'), ' ', 1)",
            "SELECT current_setting('transaction_read_only') = 'on'",
        ),
        Db::Sqlite(_) => ("SELECT 'SQLite ' || sqlite_version()", "SELECT false"),
    };
    Ok(DatabaseReport {
        server: text(db, version).await?,
        connected_in,
        is_writable: !truth(db, is_replica).await?,
        clock_ahead: Clock::ahead_of(db).await?,
        tables: tables(db).await?,
    })
}

async fn tables(db: &Db) -> Result<Tables, InspectError> {
    if let Some(foreign) = migrate::foreign_table(db).await? {
        return Ok(Tables::Foreign(foreign));
    }
    match migrate::recorded(db).await? {
        Some(migrations) => Ok(Tables::Ours(migrations)),
        None => {
            let can_create = match db {
                Db::Postgres(_) => {
                    truth(db, "SELECT coalesce(has_schema_privilege(current_schema(), 'CREATE'), false)")
                        .await?
                }
                Db::Sqlite(_) => true,
            };
            Ok(Tables::None { can_create })
        }
    }
}

async fn text(db: &Db, sql: &'static str) -> Result<String, DbError> {
    Ok(read_db!(db, pool => sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(pool).await?))
}

async fn truth(db: &Db, sql: &'static str) -> Result<bool, DbError> {
    Ok(read_db!(db, pool => sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(pool).await?))
}
