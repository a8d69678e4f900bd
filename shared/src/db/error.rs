//! Errors of statements, sorted by what the caller can do about them.

use std::sync::Arc;

use sqlx::error::DatabaseError;
use sqlx::postgres::PgDatabaseError;

/// A database call failed. Cheap to clone: one failed statement may be the error of several callers.
#[derive(Clone, Debug, thiserror::Error)]
pub enum DbError {
    /// The database is away, full, read-only or out of connections. Nothing was changed; a later attempt can succeed.
    #[error("the database is not available: {}", explain(.0))]
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

    /// The limit that was met.
    pub fn limit(&self) -> Option<DatabaseLimit> {
        DatabaseLimit::of(self.cause())
    }

    /// Whether the same statement would fail for any row until the database is repaired: it is away, or the role may not
    /// write (42501), or a table or a column is missing (42P01, 42703).
    pub fn concerns_every_row(&self) -> bool {
        self.is_unavailable() || ["42501", "42P01", "42703"].iter().any(|code| self.has_code(code))
    }

    /// Whether the connection is of no more use, while a new one may be: it ends, its server became read-only
    /// (25006), or its prepared statements are lost (26000) or outdated after a migration.
    pub(super) fn ends_connection(&self) -> bool {
        let sqlx::Error::Database(refusal) = &**self.cause() else { return false };
        let code = refusal.code().unwrap_or_default();
        let ends = ["08", "57P", "25006", "26000"].iter().any(|start| code.starts_with(start));
        is_postgres(refusal.as_ref()) && (ends || has_outdated_plan(refusal.as_ref()))
    }

    /// Whether nothing may be writable for now: the disk is full (53100), the server is read-only (25006); in SQLite the
    /// same (13, 8), an I/O error (10), which a used-up quota is too, or a file that cannot be created (14).
    pub(super) fn doubts_storage(&self) -> bool {
        let sqlx::Error::Database(refusal) = &**self.cause() else { return false };
        let code = refusal.code().unwrap_or_default();
        if is_postgres(refusal.as_ref()) {
            return matches!(&*code, "53100" | "25006");
        }
        matches!(primary_code(&code), Some(8 | 10 | 13 | 14))
    }

    /// Whether the role may not read or write a table (42501).
    pub(super) fn is_no_permission(&self) -> bool {
        self.has_code("42501")
    }

    fn has_code(&self, code: &str) -> bool {
        let sqlx::Error::Database(refusal) = &**self.cause() else { return false };
        refusal.code().as_deref() == Some(code)
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
/// serialisation, deadlock), 55P03 (a lock that was not granted in time), 25006 (read-only after a fail-over) and
/// 26000 (a pooler lost a prepared statement).
/// SQLite's primary result codes: busy 5, locked 6, read-only 8, I/O 10, full 13, cannot open 14.
fn is_temporary_code(error: &dyn DatabaseError) -> bool {
    let Some(code) = error.code() else { return false };
    if is_postgres(error) {
        let codes = ["08", "53", "57", "40", "55P03", "25006", "26000"];
        return codes.iter().any(|start| code.starts_with(start)) || has_outdated_plan(error);
    }
    matches!(primary_code(&code), Some(5 | 6 | 8 | 10 | 13 | 14))
}

/// The primary result code of SQLite: the last byte of an extended one.
fn primary_code(code: &str) -> Option<u32> {
    code.parse::<u32>().ok().map(|extended| extended & 0xff)
}

fn is_postgres(error: &dyn DatabaseError) -> bool {
    error.try_downcast_ref::<PgDatabaseError>().is_some()
}

/// "cached plan must not change result type": a newer version added a column while this connection was open.
fn has_outdated_plan(error: &dyn DatabaseError) -> bool {
    let routine = error.try_downcast_ref::<PgDatabaseError>().and_then(PgDatabaseError::routine);
    routine == Some("RevalidateCachedQuery")
}

/// A limit that was met, so that a statement did not run or did not end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DatabaseLimit {
    /// Every connection of the pool was in use for 5 s (`DATABASE_POOL_SIZE`).
    Pool,
    /// The server's `max_connections` are in use.
    ServerConnections,
    /// No answer came in time.
    Answer,
    /// A lock was not granted within 5 s.
    Lock,
    /// A statement did not end within 15 s.
    Statement,
}

impl DatabaseLimit {
    fn of(error: &sqlx::Error) -> Option<DatabaseLimit> {
        match error {
            sqlx::Error::PoolTimedOut => Some(DatabaseLimit::Pool),
            sqlx::Error::Io(silent) if silent.kind() == std::io::ErrorKind::TimedOut => {
                Some(DatabaseLimit::Answer)
            }
            sqlx::Error::Database(refusal) => match refusal.code().as_deref() {
                Some("53300") => Some(DatabaseLimit::ServerConnections),
                Some("55P03") => Some(DatabaseLimit::Lock),
                Some("57014") => Some(DatabaseLimit::Statement),
                _ => None,
            },
            _ => None,
        }
    }

    /// In words for clients: no name of a table, a host or a setting.
    pub fn words(self) -> &'static str {
        match self {
            DatabaseLimit::Pool => "Every connection to the database is in use",
            DatabaseLimit::ServerConnections => "The database takes no more connections",
            DatabaseLimit::Answer => "The database does not answer in time",
            DatabaseLimit::Lock => "The database is busy with another change for too long",
            DatabaseLimit::Statement => "The database takes too long for this request",
        }
    }
}

/// The limit that was met, for the log, or the error itself.
fn explain(error: &sqlx::Error) -> String {
    match DatabaseLimit::of(error) {
        Some(DatabaseLimit::Pool) => {
            "no connection became free within 5 s; DATABASE_POOL_SIZE limits them".to_owned()
        }
        Some(DatabaseLimit::Answer) => "no answer within the time limit".to_owned(),
        Some(DatabaseLimit::ServerConnections) => {
            format!("the server's max_connections are in use: {error}")
        }
        Some(DatabaseLimit::Lock) => format!("a lock was not granted within 5 s: {error}"),
        Some(DatabaseLimit::Statement) => format!("a statement did not end within 15 s: {error}"),
        None => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unavailable_database_names_the_limit_that_was_met() {
        let busy = DbError::from(sqlx::Error::PoolTimedOut).to_string();
        assert!(busy.contains("DATABASE_POOL_SIZE"), "{busy}");
        assert_eq!(DbError::from(sqlx::Error::PoolTimedOut).limit(), Some(DatabaseLimit::Pool));
        let silent = DbError::timed_out().to_string();
        assert!(silent.contains("time limit"), "{silent}");
    }
}
