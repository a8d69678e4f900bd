//! A look into the database, past the service: for what no endpoint tells.

use std::path::Path;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, PgPool, SqlitePool};

/// The stack's database.
#[derive(Debug, Clone)]
pub enum Sql {
    /// The full stack's.
    Postgres(PgPool),
    /// The embedded stack's.
    Sqlite(SqlitePool),
}

macro_rules! on_pool {
    ($sql:expr, $pool:ident => $work:expr) => {
        match $sql {
            Sql::Postgres($pool) => $work,
            Sql::Sqlite($pool) => $work,
        }
    };
}

impl Sql {
    /// Connects to Postgres when a statement first needs it.
    ///
    /// # Errors
    /// When the URL cannot be read.
    pub fn postgres(url: &str) -> anyhow::Result<Sql> {
        Ok(Sql::Postgres(sqlx::postgres::PgPoolOptions::new().max_connections(2).connect_lazy(url)?))
    }

    /// Opens the file that the API made, when a statement first needs it.
    pub fn sqlite(data_dir: &Path) -> Sql {
        Sql::Sqlite(SqlitePool::connect_lazy_with(
            SqliteConnectOptions::new().filename(data_dir.join("bookly.sqlite")),
        ))
    }

    /// One number.
    ///
    /// # Errors
    /// When the statement fails or returns none.
    pub async fn number(&self, sql: &str, text: &str) -> anyhow::Result<i64> {
        let statement = || AssertSqlSafe(sql.to_owned());
        Ok(on_pool!(self, pool => {
            let query = sqlx::query_scalar(statement());
            if sql.contains("$1") { query.bind(text).fetch_one(pool).await? } else { query.fetch_one(pool).await? }
        }))
    }

    /// The texts of one column.
    ///
    /// # Errors
    /// When the statement fails.
    pub async fn texts(&self, sql: &str, text: &str) -> anyhow::Result<Vec<String>> {
        let statement = || AssertSqlSafe(sql.to_owned());
        Ok(on_pool!(self, pool => {
            let query = sqlx::query_scalar(statement());
            if sql.contains("$1") { query.bind(text).fetch_all(pool).await? } else { query.fetch_all(pool).await? }
        }))
    }

    /// Runs a statement and returns how many rows it touched.
    ///
    /// # Errors
    /// When the statement fails.
    pub async fn run(&self, sql: &str, text: &str) -> anyhow::Result<u64> {
        let statement = || AssertSqlSafe(sql.to_owned());
        Ok(on_pool!(self, pool => {
            let query = sqlx::query(statement());
            let query = if sql.contains("$1") { query.bind(text) } else { query };
            query.execute(pool).await?.rows_affected()
        }))
    }

    /// What the row of the mail to this recipient holds in a column, as text; empty where it holds nothing.
    ///
    /// # Errors
    /// When there is no such mail, or there are several.
    pub async fn of_mail(&self, recipient: &str, column: &str) -> anyhow::Result<String> {
        let sql = format!("SELECT coalesce(cast({column} AS text), '') FROM emails WHERE recipient = $1");
        let mut found = self.texts(&sql, recipient).await?;
        anyhow::ensure!(found.len() == 1, "{} mails to {recipient}", found.len());
        Ok(found.remove(0))
    }

    /// Mails that are neither sent nor given up.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn open_mails(&self) -> anyhow::Result<i64> {
        self.number("SELECT count(*) FROM emails WHERE state IN ('queued', 'sending')", "").await
    }
}
