//! Sessions of Postgres: time limits, and whether a pooler shares them.
//!
//! A pooler in transaction mode (PgBouncer) gives each transaction one of its sessions, so what a session holds is lost
//! or meets another client: settings, locks, and prepared statements of a pooler that does not track them.

use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{Connection, Executor, Row};

use super::ConnectError;

/// Begins a transaction. Its statements neither wait for a lock nor run for longer than a request can.
pub(super) const BEGIN_POSTGRES: &str =
    "BEGIN; SET LOCAL lock_timeout = '5s'; SET LOCAL statement_timeout = '15s'";
/// The same limits for a session that no other client uses, so that a single statement needs no transaction. Compiling
/// a statement (JIT) takes longer than any statement of this program.
const OWN_SESSION: &str = "SET lock_timeout = '5s'; SET statement_timeout = '15s'; SET jit = off";
/// Raw text, not prepared: it is sent with each use of a connection.
const READ_ONLY: &str = "SHOW transaction_read_only";

const BACKEND_PID_POSTGRES: &str = "SELECT pg_backend_pid()";
/// A pooler gives a transaction its session with the first statement.
const TAKE_SESSION: &str = "SELECT 1";

/// The longest time until a used connection is ready again. A connection whose server vanished would stay in the pool
/// until TCP gives it up, 15 minutes later.
const READY_LIMIT: Duration = Duration::from_secs(5);
/// A pooler with a single session lets the second connection wait.
const DETECT_LIMIT: Duration = Duration::from_secs(2);

/// How connections get their sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sessions {
    /// Each connection has its own.
    Own,
    /// A pooler gives each transaction any of its sessions.
    Shared,
}

impl Sessions {
    /// Lets two connections take turns, and looks whether one of them changes its session.
    pub(super) async fn detect(options: &PgConnectOptions) -> Result<Sessions, ConnectError> {
        let mut connection = PgConnection::connect_with(options).await?;
        let mut other = PgConnection::connect_with(options).await?;
        let detected = match tokio::time::timeout(DETECT_LIMIT, change(&mut connection, &mut other)).await {
            Ok(Ok(true)) | Err(_) => Sessions::Shared,
            Ok(Ok(false)) => Sessions::Own,
            Ok(Err(error)) if loses_statements(&error) => return Err(ConnectError::LostStatements),
            Ok(Err(error)) => return Err(error.into()),
        };
        for connection in [connection, other] {
            let _ = tokio::time::timeout(DETECT_LIMIT, connection.close()).await;
        }
        Ok(detected)
    }

    /// What a new connection of the pool begins with.
    pub(super) async fn prepare(self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        match self {
            Sessions::Own => connection.execute(OWN_SESSION).await.map(drop),
            Sessions::Shared => Ok(()),
        }
    }
}

/// Whether the connection has another session after its transaction. The next transaction gets the session that was
/// used last (the other connection's, at once), or the one that waits longest (with the second statement).
async fn change(connection: &mut PgConnection, other: &mut PgConnection) -> Result<bool, sqlx::Error> {
    let mut first = connection.begin().await?;
    let session = backend_pid(&mut first).await?;
    let mut second = other.begin().await?;
    second.execute(TAKE_SESSION).await?;
    first.commit().await?;
    second.commit().await?;
    Ok(backend_pid(connection).await? != session || backend_pid(connection).await? != session)
}

/// By a prepared statement, as all statements of this program.
async fn backend_pid(connection: &mut PgConnection) -> Result<i32, sqlx::Error> {
    sqlx::query_scalar(BACKEND_PID_POSTGRES).fetch_one(connection).await
}

/// 26000: the prepared statement does not exist in this session; 42P05: it exists there already, another client's.
fn loses_statements(error: &sqlx::Error) -> bool {
    let sqlx::Error::Database(refusal) = error else { return false };
    matches!(refusal.code().as_deref(), Some("26000" | "42P05"))
}

/// Whether a connection can be used again. After a fail-over its server may have become read-only: then a new one
/// leads to the server that is writable. On an error the pool closes the connection too.
pub(super) async fn is_ready(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    let silent = |_| sqlx::Error::Io(std::io::ErrorKind::TimedOut.into());
    let asked = sqlx::raw_sql(READ_ONLY).fetch_one(connection);
    let row = tokio::time::timeout(READY_LIMIT, asked).await.map_err(silent)??;
    Ok(row.try_get::<&str, _>(0)? == "off")
}

#[cfg(test)]
mod tests {
    use std::str::FromStr;

    use sqlx::postgres::PgPoolOptions;

    use super::*;
    use crate::db::{Db, DbResult, Pools, on_db};

    /// Needs a server, which `TEST_DATABASE_URL` names.
    #[tokio::test]
    async fn limits_end_with_the_transaction_where_sessions_are_shared() {
        let Ok(url) = std::env::var("TEST_DATABASE_URL") else { return };
        let pool = PgPoolOptions::new().max_connections(1);
        let pool = pool.connect_with(PgConnectOptions::from_str(&url).unwrap()).await.unwrap();
        let db = Db::new(Pools::Postgres(pool.clone()), Sessions::Shared);
        let sql = "SELECT current_setting('lock_timeout') || ' ' || current_setting('statement_timeout')";
        let within: DbResult<String> = on_db!(db.reader(), connection => {
            sqlx::query_scalar(sql).fetch_one(&mut *connection).await?
        });
        assert_eq!(within.unwrap(), "5s 15s");
        let after: String = sqlx::query_scalar(sql).fetch_one(&pool).await.unwrap();
        assert_eq!(after, "0 0");
    }
}
