//! Postgres for a test: a schema of its own in the server that `TEST_DATABASE_URL` names; `scripts/test` always sets it.

use std::io::Write;

use bookly_shared::db::{Db, DbUser};
use secrecy::SecretString;
use sqlx::{Connection, PgConnection};
use uuid::Uuid;

/// An empty Postgres schema, as long as the test runs.
pub(crate) struct Postgres {
    url: String,
    schema: String,
    pub(crate) db: Db,
}

impl Postgres {
    /// Without a server the test ends here, and says that it did nothing.
    pub(crate) async fn create(user: DbUser, test: &str) -> Option<Postgres> {
        let Ok(url) = std::env::var("TEST_DATABASE_URL") else {
            say(&format!("{test} was NOT RUN on Postgres: TEST_DATABASE_URL is not set"));
            return None;
        };
        let schema = format!("scratch_{}", Uuid::new_v4().simple());
        run(&url, format!("CREATE SCHEMA {schema}")).await;
        let mark = if url.contains('?') { '&' } else { '?' };
        let inside = SecretString::from(format!("{url}{mark}options[search_path]={schema}"));
        let db = Db::postgres(&inside, user).await.expect("TEST_DATABASE_URL can be used");
        Some(Postgres { url, schema, db })
    }

    pub(crate) async fn remove(self) {
        self.db.close().await;
        run(&self.url, format!("DROP SCHEMA {} CASCADE", self.schema)).await;
    }
}

async fn run(url: &str, sql: String) {
    let mut connection = PgConnection::connect(url).await.expect("TEST_DATABASE_URL can be reached");
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
}

/// Past the test harness, which keeps to itself what a passing test prints.
fn say(line: &str) {
    std::io::stderr().write_all(format!("{line}\n").as_bytes()).unwrap();
}
