//! Errors of the database, sorted by what the caller can do about them.

use std::path::PathBuf;
use std::sync::Arc;

use sqlx::error::DatabaseError;

/// A database call failed. Cheap to clone: one failed statement may be the error of several callers.
#[derive(Clone, Debug, thiserror::Error)]
pub enum DbError {
    /// The database is away, full, read-only or out of connections. Nothing was changed; a later attempt can succeed.
    #[error("the database is not available: {0}")]
    Unavailable(#[source] Arc<sqlx::Error>),
    /// A mistake in this program or in the data.
    #[error("the database refused a statement: {0}")]
    Statement(#[source] Arc<sqlx::Error>),
}

impl DbError {
    /// Whether a later attempt can succeed.
    pub fn is_unavailable(&self) -> bool {
        matches!(self, DbError::Unavailable(_))
    }

    /// sqlx' error.
    pub(super) fn cause(&self) -> &Arc<sqlx::Error> {
        match self {
            DbError::Unavailable(cause) | DbError::Statement(cause) => cause,
        }
    }

    /// A server that does not answer in time.
    pub(super) fn timed_out() -> DbError {
        DbError::Unavailable(Arc::new(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into())))
    }
}

impl From<sqlx::Error> for DbError {
    fn from(error: sqlx::Error) -> Self {
        if is_temporary(&error) {
            DbError::Unavailable(Arc::new(error))
        } else {
            DbError::Statement(Arc::new(error))
        }
    }
}

fn is_temporary(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Database(database) => is_temporary_code(database.as_ref()),
        _ => false,
    }
}

/// Postgres: classes 08 (connection), 53 (resources, disk full), 57 (operator intervention), 40 (rollback:
/// serialisation, deadlock), 55P03 (a lock that was not granted in time) and 25006 (read-only after a fail-over).
/// SQLite's primary result codes: busy 5, locked 6, read-only 8, I/O 10, full 13, cannot open 14.
fn is_temporary_code(error: &dyn DatabaseError) -> bool {
    let Some(code) = error.code() else { return false };
    if code.len() == 5 && error.try_downcast_ref::<sqlx::postgres::PgDatabaseError>().is_some() {
        return ["08", "53", "57", "40", "55P03", "25006"].iter().any(|start| code.starts_with(start));
    }
    let primary = code.parse::<u32>().map(|extended| extended & 0xff);
    matches!(primary, Ok(5 | 6 | 8 | 10 | 13 | 14))
}

/// The database cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The URL cannot be read. It is not shown, because it holds a password.
    #[error("DATABASE_URL cannot be read as a Postgres URL (postgres://user:password@host:port/name)")]
    Url,
    /// The server does not answer, or refuses the connection.
    #[error("the database cannot be reached: {0}")]
    Connect(#[source] Arc<sqlx::Error>),
    /// `DATA_DIR` cannot be created or written.
    #[error("{path} cannot be used as DATA_DIR: {source}", path = path.display())]
    DataDir {
        /// The folder.
        path: PathBuf,
        /// The operating system's error.
        source: std::io::Error,
    },
    /// Another process uses the same `DATA_DIR`.
    #[error("{} is in use by another process; give this one a DATA_DIR of its own", .0.display())]
    InUse(PathBuf),
    /// The database holds the tables of another application.
    #[error(
        "this database holds a table `{0}` of another application and was not changed; give Bookly an empty database of its own"
    )]
    Foreign(String),
    /// A migration failed.
    #[error("the database cannot be migrated: {0}")]
    Migrate(#[source] Box<sqlx::migrate::MigrateError>),
}

impl From<sqlx::Error> for ConnectError {
    fn from(error: sqlx::Error) -> Self {
        ConnectError::Connect(Arc::new(error))
    }
}

impl From<DbError> for ConnectError {
    fn from(error: DbError) -> Self {
        ConnectError::Connect(error.cause().clone())
    }
}
