//! Migrations, embedded in the binary. They only expand or contract, so that old and new binaries share a database.

use sqlx::migrate::{MigrateError, Migrator};

use super::{ConnectError, Db, DbResult, Pools, on_db};
use crate::config::Settings;

static POSTGRES: Migrator = sqlx::migrate!("../migrations/postgres");
static SQLITE: Migrator = sqlx::migrate!("../migrations/sqlite");

/// All tables. Without the record of a migration they belong to another application.
pub(super) const OUR_TABLES: [&str; 19] = [
    "users",
    "sessions",
    "books",
    "emails",
    "email_attempts",
    "login_failures",
    "login_networks",
    "email_changes",
    "base_mailbox_counts",
    "code_tries",
    "email_code_tries",
    "idempotency_keys",
    "suppressions",
    "suppression_passes",
    "email_reports",
    "report_marks",
    "mail_servers",
    "write_trials",
    "leader",
];
/// The description of this application's first migration.
const FIRST_MIGRATION: &str = "bookly";

/// Also those of other roles, which `information_schema` hides.
const LIST_TABLES_POSTGRES: &str = "
SELECT relname::text FROM pg_class
WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'f')";

const LIST_TABLES_SQLITE: &str = "SELECT name FROM sqlite_schema WHERE type = 'table'";

const LIST_APPLIED: &str =
    "SELECT version, description, success, checksum FROM _sqlx_migrations ORDER BY version";

const FIRST_MIGRATION_OF_DATABASE: &str = "SELECT description FROM _sqlx_migrations WHERE version = 1";

/// Held until the end of the transaction. Installations in other schemas have locks of their own.
const LOCK_MIGRATIONS_POSTGRES: &str = "
SELECT pg_advisory_xact_lock(hashtextextended('bookly migrations ' || current_schema(), 0))";

const ENCODING_POSTGRES: &str = "SELECT current_setting('server_encoding')";

/// What a start does with migrations that are not applied yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PendingMigrations {
    /// Applies them.
    Apply,
    /// Fails.
    Refuse,
}

impl PendingMigrations {
    /// As `MIGRATE_ON_START` says.
    pub fn of(settings: &Settings) -> PendingMigrations {
        if settings.migrate_on_start { PendingMigrations::Apply } else { PendingMigrations::Refuse }
    }
}

/// Applies the pending migrations, and changes no database that is not Bookly's. With none pending it writes nothing,
/// so that the role needs no right to create tables.
pub(super) async fn run(db: &Db, pending: PendingMigrations) -> Result<(), ConnectError> {
    check_encoding(db).await?;
    if let Some(name) = foreign_table(db).await? {
        return Err(ConnectError::Foreign(name));
    }
    let found = match recorded(db).await? {
        Some(found) => found,
        None => compare(&built_in(db), &[]),
    };
    if found.missing.is_empty() && found.changed.is_empty() && found.unfinished.is_empty() {
        return Ok(());
    }
    if pending == PendingMigrations::Refuse && !found.missing.is_empty() {
        return Err(ConnectError::Pending(found.missing));
    }
    apply(db).await.map_err(|error| ConnectError::Migrate(Box::new(error)))
}

/// In one transaction on Postgres: a migration that fails leaves nothing behind.
async fn apply(db: &Db) -> Result<(), MigrateError> {
    match &db.pools {
        Pools::Postgres(pool) => {
            let mut tx = pool.begin().await?;
            sqlx::query(LOCK_MIGRATIONS_POSTGRES).execute(&mut *tx).await?;
            let mut migrator = tolerant(&POSTGRES);
            migrator.set_locking(false);
            migrator.run(&mut *tx).await?;
            Ok(tx.commit().await?)
        }
        Pools::Sqlite { writer, .. } => tolerant(&SQLITE).run(writer).await,
    }
}

/// During a rolling deploy an older version starts with the migrations of a newer one.
fn tolerant(migrator: &Migrator) -> Migrator {
    let mut migrator = Migrator { migrations: migrator.migrations.clone(), ..Migrator::DEFAULT };
    migrator.set_ignore_missing(true);
    migrator
}

async fn check_encoding(db: &Db) -> Result<(), ConnectError> {
    let Pools::Postgres(_) = db.pools else { return Ok(()) };
    let encoding: DbResult<String> = on_db!(db.reader(), connection => {
        sqlx::query_scalar(ENCODING_POSTGRES).fetch_one(&mut *connection).await?
    });
    match encoding? {
        encoding if encoding == "UTF8" => Ok(()),
        encoding => Err(ConnectError::Encoding(encoding)),
    }
}

/// A table with the name of one of Bookly's that belongs to another application. The tables are read before the record
/// of migrations: both appear in one commit, so a process that starts at the same moment finds the record too.
pub(super) async fn foreign_table(db: &Db) -> DbResult<Option<String>> {
    let present = tables(db).await?;
    let Some(taken) = present.into_iter().find(|name| OUR_TABLES.contains(&name.as_str())) else {
        return Ok(None);
    };
    Ok(if is_ours(db).await? { None } else { Some(taken) })
}

/// Compares the record of migrations with the embedded ones; `None` without a record of Bookly's.
pub(super) async fn recorded(db: &Db) -> DbResult<Option<Migrations>> {
    if !is_ours(db).await? {
        return Ok(None);
    }
    let applied: DbResult<Vec<AppliedMigration>> = on_db!(db.reader(), connection => {
        sqlx::query_as(LIST_APPLIED).fetch_all(&mut *connection).await?
    });
    Ok(Some(compare(&built_in(db), &applied?)))
}

/// The migrations of a database, by the names of their files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Migrations {
    /// Applied, and known to this binary.
    pub applied: Vec<String>,
    /// Known and not applied yet.
    pub missing: Vec<String>,
    /// Applied by a newer version.
    pub unknown: Vec<String>,
    /// Applied with another text than this binary's.
    pub changed: Vec<String>,
    /// Begun and not finished.
    pub unfinished: Vec<String>,
}

/// A row of sqlx' record.
#[derive(Clone, sqlx::FromRow)]
struct AppliedMigration {
    version: i64,
    description: String,
    success: bool,
    checksum: Vec<u8>,
}

/// An embedded migration.
struct BuiltInMigration {
    version: i64,
    description: String,
    checksum: Vec<u8>,
}

fn built_in(db: &Db) -> Vec<BuiltInMigration> {
    let migrator = match db.pools {
        Pools::Postgres(_) => &POSTGRES,
        Pools::Sqlite { .. } => &SQLITE,
    };
    let migrations = migrator.iter().map(|migration| BuiltInMigration {
        version: migration.version,
        description: migration.description.to_string(),
        checksum: migration.checksum.to_vec(),
    });
    migrations.collect()
}

fn compare(known: &[BuiltInMigration], applied: &[AppliedMigration]) -> Migrations {
    let name = |version: i64, description: &str| format!("{version:04} {description}");
    let mut found = Migrations::default();
    for row in applied {
        let ours = known.iter().find(|migration| migration.version == row.version);
        let list = match ours {
            _ if !row.success => &mut found.unfinished,
            None => &mut found.unknown,
            Some(migration) if migration.checksum != row.checksum => &mut found.changed,
            Some(_) => &mut found.applied,
        };
        list.push(name(row.version, &row.description));
    }
    let missing = known.iter().filter(|migration| applied.iter().all(|row| row.version != migration.version));
    found.missing = missing.map(|migration| name(migration.version, &migration.description)).collect();
    found
}

async fn tables(db: &Db) -> DbResult<Vec<String>> {
    let sql = match db.pools {
        Pools::Postgres(_) => LIST_TABLES_POSTGRES,
        Pools::Sqlite { .. } => LIST_TABLES_SQLITE,
    };
    on_db!(db.writer(), connection => sqlx::query_scalar(sql).fetch_all(&mut *connection).await?)
}

async fn is_ours(db: &Db) -> DbResult<bool> {
    if !tables(db).await?.iter().any(|name| name == "_sqlx_migrations") {
        return Ok(false);
    }
    let first: DbResult<Option<String>> = on_db!(db.reader(), connection => {
        sqlx::query_scalar(FIRST_MIGRATION_OF_DATABASE).fetch_optional(&mut *connection).await?
    });
    match first {
        Err(error) if error.is_no_permission() => Ok(false),
        first => Ok(first?.as_deref() == Some(FIRST_MIGRATION)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn built_in(version: i64) -> BuiltInMigration {
        BuiltInMigration { version, description: "tables".to_owned(), checksum: vec![1] }
    }

    fn applied(version: i64) -> AppliedMigration {
        AppliedMigration { version, description: "tables".to_owned(), success: true, checksum: vec![1] }
    }

    #[test]
    fn each_migration_is_told_by_what_became_of_it() {
        let known = [1, 2, 3, 4].map(built_in);
        let changed = AppliedMigration { checksum: vec![2], ..applied(2) };
        let unfinished = AppliedMigration { success: false, ..applied(3) };
        let found = compare(&known, &[applied(1), changed, unfinished, applied(9)]);
        let expected = Migrations {
            applied: vec!["0001 tables".to_owned()],
            missing: vec!["0004 tables".to_owned()],
            unknown: vec!["0009 tables".to_owned()],
            changed: vec!["0002 tables".to_owned()],
            unfinished: vec!["0003 tables".to_owned()],
        };
        assert_eq!(found, expected);
    }
}
