//! What can go wrong with the database, sorted by what the caller should do about it.

use sqlx::error::DatabaseError;

/// A database call that did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// The database is away, full, read-only or out of connections: nothing was changed, try again later.
    #[error("the database is not available: {0}")]
    Unavailable(#[source] sqlx::Error),
    /// A mistake in this program or in the data.
    #[error("the database refused a statement: {0}")]
    Statement(#[source] sqlx::Error),
}

impl DbError {
    /// Whether trying again later can help.
    pub fn is_unavailable(&self) -> bool {
        matches!(self, DbError::Unavailable(_))
    }
}

impl DbError {
    /// For a server that does not answer in time.
    pub(super) fn silent() -> DbError {
        DbError::Unavailable(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into()))
    }
}

impl From<sqlx::Error> for DbError {
    fn from(error: sqlx::Error) -> Self {
        if is_passing(&error) { DbError::Unavailable(error) } else { DbError::Statement(error) }
    }
}

fn is_passing(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Database(database) => is_passing_code(database.as_ref()),
        _ => false,
    }
}

/// Postgres: classes 08 (connection), 53 (resources, disk full), 57 (operator intervention), 40 (rollback:
/// serialisation, deadlock), 55P03 (a lock that was not given in time) and 25006 (read-only after a fail-over).
/// SQLite's primary result codes: busy 5, locked 6, read-only 8, I/O 10, full 13, cannot open 14.
fn is_passing_code(error: &dyn DatabaseError) -> bool {
    let Some(code) = error.code() else { return false };
    if code.len() == 5 && error.try_downcast_ref::<sqlx::postgres::PgDatabaseError>().is_some() {
        return ["08", "53", "57", "40", "55P03", "25006"].iter().any(|start| code.starts_with(start));
    }
    let primary = code.parse::<u32>().map(|extended| extended & 0xff);
    matches!(primary, Ok(5 | 6 | 8 | 10 | 13 | 14))
}
