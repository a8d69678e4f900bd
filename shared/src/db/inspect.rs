//! Looks at a database without a change, for operators: before the first start, or beside a running service.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use secrecy::ExposeSecret;
use sqlx::Connection;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};

use super::connect::{postgres_options, sqlite_file};
use super::migrate::{self, Migrations};
use super::readiness::IS_WRITABLE_POSTGRES;
use super::session::Sessions;
use super::{ConnectError, Db, DbError, DbResult, Pools, on_db};
use crate::clock::Clock;
use crate::config::DatabaseSettings;
use crate::tls::CertificateProblem;

/// The state of a database.
#[derive(Clone, Debug)]
pub struct DatabaseReport {
    /// Product and version: `PostgreSQL 17.2`, `SQLite 3.50.4`.
    pub server: String,
    /// The time that the connection took.
    pub connected_in: Duration,
    /// Whether rows can be written; a replica is read-only.
    pub is_writable: bool,
    /// The statements that grant the role what it lacks in Bookly's tables.
    pub missing_grants: Vec<String>,
    /// By how much this machine's clock is ahead of the database's; `None` for SQLite, which has no clock.
    pub clock_ahead: Option<TimeDelta>,
    /// The application whose tables the database holds.
    pub tables: Tables,
}

/// The application whose tables the database holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tables {
    /// No tables: Bookly has not started with this database yet.
    None {
        /// Whether the first start may create them.
        can_create: bool,
    },
    /// Those of another application; this is one of them.
    Foreign(String),
    /// Bookly's.
    Ours(Migrations),
}

/// The state cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum InspectError {
    /// The SQLite file does not exist yet.
    #[error("there is no {} yet", .0.display())]
    NoFile(PathBuf),
    /// There is no connection.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// A statement failed.
    #[error(transparent)]
    Ask(#[from] DbError),
}

/// What keeps Bookly from the database, as far as it decides what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DatabaseProblem {
    /// The server does not take the user or the password.
    Login,
    /// The server has no such database.
    NoSuchDatabase,
    /// The server has no connection left.
    TooManyConnections,
    /// The server does not speak TLS as the settings want.
    Tls,
    /// The server's certificate was refused.
    Certificate(CertificateProblem),
    /// The host's name has no address, or no server listens, or the server is silent.
    Away,
    /// Anything else.
    Other,
}

impl InspectError {
    /// The problem behind it.
    pub fn problem(&self) -> DatabaseProblem {
        match self {
            InspectError::Connect(ConnectError::Connect { source, .. }) => problem_of(source),
            InspectError::Ask(error) => problem_of(error.cause()),
            InspectError::NoFile(_) | InspectError::Connect(_) => DatabaseProblem::Other,
        }
    }
}

/// The codes are SQLSTATE's: class 28, invalid authorisation; 3D000, no such database; 53300, too many connections.
fn problem_of(error: &sqlx::Error) -> DatabaseProblem {
    if let Some(problem) = CertificateProblem::of(error) {
        return DatabaseProblem::Certificate(problem);
    }
    match error {
        sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut => DatabaseProblem::Away,
        sqlx::Error::Tls(_) => DatabaseProblem::Tls,
        sqlx::Error::Database(refusal) => match refusal.code().as_deref() {
            Some("28000" | "28P01") => DatabaseProblem::Login,
            Some("3D000") => DatabaseProblem::NoSuchDatabase,
            Some("53300") => DatabaseProblem::TooManyConnections,
            Some(code) if code.starts_with("57P") => DatabaseProblem::Away,
            _ => DatabaseProblem::Other,
        },
        _ => DatabaseProblem::Other,
    }
}

/// The database's place without a password: `postgres@db.example.org:5432/bookly`, or the file.
pub fn place(settings: &DatabaseSettings) -> String {
    match settings {
        DatabaseSettings::Sqlite { data_dir } => sqlite_file(data_dir).display().to_string(),
        DatabaseSettings::Postgres { url, .. } => match PgConnectOptions::from_str(url.expose_secret()) {
            Ok(options) => {
                let database = options.get_database().unwrap_or(options.get_username());
                format!("{}@{}:{}/{database}", options.get_username(), options.get_host(), options.get_port())
            }
            Err(_) => "DATABASE_URL".to_owned(),
        },
    }
}

/// The SQLite file does not exist yet.
#[derive(Debug, thiserror::Error)]
#[error("there is no {}: run this where bookly-api runs, or set DATA_DIR or DATABASE_URL as there", .0.display())]
pub struct MissingFile(PathBuf);

/// Refuses a folder without a database file: a command would make a new, empty one, and find nothing in it.
///
/// # Errors
/// When the settings name such a folder.
pub fn require_file(settings: &DatabaseSettings) -> Result<(), MissingFile> {
    match settings {
        DatabaseSettings::Sqlite { data_dir } => existing_file(data_dir).map(drop),
        DatabaseSettings::Postgres { .. } => Ok(()),
    }
}

fn existing_file(data_dir: &Path) -> Result<PathBuf, MissingFile> {
    let file = sqlite_file(data_dir);
    if file.exists() { Ok(file) } else { Err(MissingFile(file)) }
}

/// Looks at the database that the settings name.
///
/// # Errors
/// When the database cannot be reached or does not answer.
pub async fn inspect(settings: &DatabaseSettings) -> Result<DatabaseReport, InspectError> {
    let asked = Instant::now();
    let db = match settings {
        DatabaseSettings::Sqlite { data_dir } => open_file(data_dir).await?,
        DatabaseSettings::Postgres { url, trust, .. } => connect(postgres_options(url, trust)?).await?,
    };
    let connected_in = asked.elapsed();
    let report = look(&db, connected_in).await;
    db.close().await;
    report
}

/// The first connection is not the pool's: a pool tries again where no server listens, and then hides the reason.
async fn connect(options: PgConnectOptions) -> Result<Db, ConnectError> {
    PgConnection::connect_with(&options).await?.close().await.ok();
    Ok(Db::new(
        Pools::Postgres(PgPoolOptions::new().max_connections(1).connect_lazy_with(options)),
        Sessions::Own,
    ))
}

/// Creates no file. With a `-wal` file another process may use the database, and this one shares it. Without, no other
/// process uses it, and `immutable` keeps SQLite from creating one.
async fn open_file(data_dir: &Path) -> Result<Db, InspectError> {
    let file = existing_file(data_dir).map_err(|MissingFile(file)| InspectError::NoFile(file))?;
    let in_use = file.with_extension("sqlite-wal").exists();
    let options = SqliteConnectOptions::new().filename(&file).read_only(true).immutable(!in_use);
    let pool = SqlitePoolOptions::new().max_connections(1);
    let reader = pool.connect_with(options).await.map_err(ConnectError::from)?;
    Ok(Db::new(Pools::Sqlite { writer: reader.clone(), reader }, Sessions::Own))
}

const VERSION_POSTGRES: &str =
    "SELECT 'PostgreSQL ' || split_part(current_setting('server_version'), ' ', 1)";

const VERSION_SQLITE: &str = "SELECT 'SQLite ' || sqlite_version()";

const CAN_CREATE_TABLES_POSTGRES: &str = "
SELECT coalesce(has_schema_privilege(current_schema(), 'CREATE'), false)";

async fn look(db: &Db, connected_in: Duration) -> Result<DatabaseReport, InspectError> {
    let (server, is_writable) = match db.pools {
        Pools::Postgres(_) => (text(db, VERSION_POSTGRES).await?, truth(db, IS_WRITABLE_POSTGRES).await?),
        Pools::Sqlite { .. } => (text(db, VERSION_SQLITE).await?, true),
    };
    let clock_ahead = Clock::ahead_of(db).await?;
    let tables = tables(db).await?;
    let missing_grants = match tables {
        Tables::Ours(_) => db.missing_grants().await?,
        Tables::None { .. } | Tables::Foreign(_) => Vec::new(),
    };
    Ok(DatabaseReport { server, connected_in, is_writable, missing_grants, clock_ahead, tables })
}

async fn tables(db: &Db) -> Result<Tables, InspectError> {
    if let Some(foreign) = migrate::foreign_table(db).await? {
        return Ok(Tables::Foreign(foreign));
    }
    match migrate::recorded(db).await? {
        Some(migrations) => Ok(Tables::Ours(migrations)),
        None => {
            let can_create = match db.pools {
                Pools::Postgres(_) => truth(db, CAN_CREATE_TABLES_POSTGRES).await?,
                Pools::Sqlite { .. } => true,
            };
            Ok(Tables::None { can_create })
        }
    }
}

async fn text(db: &Db, sql: &'static str) -> DbResult<String> {
    on_db!(db.reader(), connection => sqlx::query_scalar(sql).fetch_one(&mut *connection).await?)
}

async fn truth(db: &Db, sql: &'static str) -> DbResult<bool> {
    on_db!(db.reader(), connection => sqlx::query_scalar(sql).fetch_one(&mut *connection).await?)
}
