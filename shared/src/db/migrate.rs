//! Migrations, embedded in the binary: expand and contract only, so that old and new binaries share a database.

use sqlx::migrate::Migrator;

use super::connect::ConnectError;
use super::{Db, DbResult, read_db};

static POSTGRES: Migrator = sqlx::migrate!("../migrations/postgres");
static SQLITE: Migrator = sqlx::migrate!("../migrations/sqlite");

/// The tables of the first migration: found without its record, they are somebody else's.
const OUR_TABLES: [&str; 6] = ["users", "sessions", "books", "emails", "login_failures", "login_networks"];
/// What the record of our first migration is called.
const FIRST_MIGRATION: &str = "accounts and mail";

/// Brings the tables up to date, and leaves a database that is not ours alone.
pub(super) async fn run(db: &Db) -> Result<(), ConnectError> {
    refuse_foreign_tables(db).await?;
    let done = match db {
        // An older binary starts beside a newer one's migrations during a rolling deploy.
        Db::Postgres(pool) => tolerant(&POSTGRES).run(pool).await,
        Db::Sqlite(sqlite) => tolerant(&SQLITE).run(&sqlite.writer).await,
    };
    done.map_err(|error| ConnectError::Migrate(Box::new(error)))
}

fn tolerant(migrator: &Migrator) -> Migrator {
    let mut migrator = Migrator { migrations: migrator.migrations.clone(), ..Migrator::DEFAULT };
    migrator.set_ignore_missing(true);
    migrator
}

/// Tables are looked at before the record of migrations: both appear in one commit, so a process that
/// starts at the same moment cannot see ours without their record.
async fn refuse_foreign_tables(db: &Db) -> Result<(), ConnectError> {
    let present = tables(db).await.map_err(unreachable)?;
    let taken = present.iter().find(|name| OUR_TABLES.contains(&name.as_str()));
    let Some(taken) = taken else { return Ok(()) };
    if is_ours(db).await.map_err(unreachable)? { Ok(()) } else { Err(ConnectError::Foreign(taken.clone())) }
}

fn unreachable(error: super::DbError) -> ConnectError {
    match error {
        super::DbError::Unavailable(error) | super::DbError::Statement(error) => ConnectError::Connect(error),
    }
}

async fn tables(db: &Db) -> DbResult<Vec<String>> {
    Ok(match db {
        Db::Postgres(pool) => {
            let sql = "SELECT table_name::text FROM information_schema.tables WHERE table_schema = current_schema()";
            sqlx::query_scalar(sql).fetch_all(pool).await?
        }
        Db::Sqlite(sqlite) => {
            let sql = "SELECT name FROM sqlite_schema WHERE type = 'table'";
            sqlx::query_scalar(sql).fetch_all(&sqlite.writer).await?
        }
    })
}

async fn is_ours(db: &Db) -> DbResult<bool> {
    if !tables(db).await?.iter().any(|name| name == "_sqlx_migrations") {
        return Ok(false);
    }
    let sql = "SELECT description FROM _sqlx_migrations WHERE version = 1";
    let first: Option<String> = read_db!(db, pool => sqlx::query_scalar(sql).fetch_optional(pool).await?);
    Ok(first.as_deref() == Some(FIRST_MIGRATION))
}
