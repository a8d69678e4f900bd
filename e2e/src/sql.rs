//! Direct access to the database, for state that no endpoint shows.

use std::path::Path;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, PgPool, SqlitePool};

#[derive(Debug, Clone)]
pub enum Sql {
    Postgres(PgPool),
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
    /// Connects to Postgres with the first statement.
    pub fn postgres(url: &str) -> anyhow::Result<Sql> {
        Ok(Sql::Postgres(sqlx::postgres::PgPoolOptions::new().max_connections(2).connect_lazy(url)?))
    }

    /// Opens the file of the API with the first statement.
    pub fn sqlite(data_dir: &Path) -> Sql {
        Sql::Sqlite(SqlitePool::connect_lazy_with(
            SqliteConnectOptions::new().filename(data_dir.join("bookly.sqlite")),
        ))
    }

    /// A statement that returns one number.
    pub async fn number(&self, sql: &str, text: &str) -> anyhow::Result<i64> {
        let statement = || AssertSqlSafe(sql.to_owned());
        Ok(on_pool!(self, pool => {
            let query = sqlx::query_scalar(statement());
            if sql.contains("$1") { query.bind(text).fetch_one(pool).await? } else { query.fetch_one(pool).await? }
        }))
    }

    /// A statement that returns one column of texts.
    pub async fn texts(&self, sql: &str, text: &str) -> anyhow::Result<Vec<String>> {
        let statement = || AssertSqlSafe(sql.to_owned());
        Ok(on_pool!(self, pool => {
            let query = sqlx::query_scalar(statement());
            if sql.contains("$1") { query.bind(text).fetch_all(pool).await? } else { query.fetch_all(pool).await? }
        }))
    }

    /// Runs a statement and returns the number of changed rows.
    pub async fn run(&self, sql: &str, text: &str) -> anyhow::Result<u64> {
        let statement = || AssertSqlSafe(sql.to_owned());
        Ok(on_pool!(self, pool => {
            let query = sqlx::query(statement());
            let query = if sql.contains("$1") { query.bind(text) } else { query };
            query.execute(pool).await?.rows_affected()
        }))
    }

    /// A column, as text, of the only email to this recipient; empty for null.
    pub async fn of_mail(&self, recipient: &str, column: &str) -> anyhow::Result<String> {
        let sql = format!("SELECT coalesce(cast({column} AS text), '') FROM emails WHERE recipient = $1");
        let mut found = self.texts(&sql, recipient).await?;
        anyhow::ensure!(found.len() == 1, "{} mails to {recipient}", found.len());
        Ok(found.remove(0))
    }

    /// The number of emails that are not closed.
    pub async fn open_mails(&self) -> anyhow::Result<i64> {
        self.number("SELECT count(*) FROM emails WHERE state IN ('queued', 'sending')", "").await
    }
}
