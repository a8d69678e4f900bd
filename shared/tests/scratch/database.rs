//! A separate Postgres database for a test, where a schema is not enough.
#![allow(dead_code, reason = "not all tests that share this file need all of it")]

use secrecy::SecretString;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use uuid::Uuid;

/// A new database, and a connection of its owner to the server.
pub(crate) struct Database {
    server: String,
    pub(crate) name: String,
}

impl Database {
    /// Without a server this returns `None` and says that the test did not run. `options` follow `CREATE DATABASE`.
    pub(crate) async fn create(test: &str, options: &str) -> Option<Database> {
        let Ok(server) = std::env::var("TEST_DATABASE_URL") else {
            crate::scratch::say(&format!("{test} was NOT RUN on Postgres: TEST_DATABASE_URL is not set"));
            return None;
        };
        let database = Database { server, name: format!("test_{}", Uuid::new_v4().simple()) };
        database.on_server(&format!("CREATE DATABASE {} {options}", database.name)).await;
        Some(database)
    }

    /// Where it is, for the role that made it.
    pub(crate) fn url(&self) -> String {
        let mut url = url::Url::parse(&self.server).unwrap();
        url.set_path(&self.name);
        url.into()
    }

    /// Where it is, for another role, which needs no password.
    pub(crate) fn url_of(&self, role: &str) -> SecretString {
        let mut url = url::Url::parse(&self.url()).unwrap();
        url.set_username(role).unwrap();
        SecretString::from(String::from(url))
    }

    pub(crate) async fn connect(&self) -> PgConnection {
        PgConnection::connect(&self.url()).await.unwrap()
    }

    /// Runs statements in the database.
    pub(crate) async fn run(&self, sql: &str) {
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut self.connect().await).await.unwrap();
    }

    pub(crate) async fn on_server(&self, sql: &str) {
        let mut connection =
            PgConnection::connect(&self.server).await.expect("TEST_DATABASE_URL can be reached");
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
    }

    pub(crate) async fn remove(self) {
        self.on_server(&format!("DROP DATABASE {} WITH (FORCE)", self.name)).await;
    }
}
