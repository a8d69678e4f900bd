//! The databases of a test. Postgres: an own schema in the server that `TEST_DATABASE_URL` names. `scripts/test` always sets it.
#![allow(dead_code, reason = "not all tests that share this file need all of it")]

use std::io::Write;

use bookly_shared::db::Db;
use bookly_shared::db::users::NewAccount;
use bookly_shared::domain::{CreatedVia, EmailAddress};
use secrecy::SecretString;
use sqlx::{Connection, PgConnection};
use uuid::Uuid;

/// A Postgres schema with Bookly's tables, until the test ends.
pub(crate) struct Postgres {
    url: String,
    schema: String,
    pub(crate) db: Db,
}

impl Postgres {
    /// Without a server this returns `None` and says that the test did not run.
    pub(crate) async fn create(test: &str) -> Option<Postgres> {
        let Ok(url) = std::env::var("TEST_DATABASE_URL") else {
            say(&format!("{test} was NOT RUN on Postgres: TEST_DATABASE_URL is not set"));
            return None;
        };
        let schema = format!("scratch_{}", Uuid::new_v4().simple());
        run(&url, format!("CREATE SCHEMA {schema}")).await;
        let db = open(&url, &schema).await;
        Some(Postgres { url, schema, db })
    }

    /// The same database as another process opens it.
    pub(crate) async fn open_again(&self) -> Db {
        open(&self.url, &self.schema).await
    }

    /// A connection of the test's own.
    pub(crate) async fn connect(&self) -> PgConnection {
        let url = with_search_path(&self.url, &self.schema);
        PgConnection::connect(&url).await.expect("TEST_DATABASE_URL can be reached")
    }

    pub(crate) async fn remove(self) {
        self.db.close().await;
        run(&self.url, format!("DROP SCHEMA {} CASCADE", self.schema)).await;
    }
}

fn with_search_path(url: &str, schema: &str) -> String {
    let mark = if url.contains('?') { '&' } else { '?' };
    format!("{url}{mark}options[search_path]={schema}")
}

async fn open(url: &str, schema: &str) -> Db {
    let url = SecretString::from(with_search_path(url, schema));
    Db::postgres(&url).await.expect("TEST_DATABASE_URL can be used")
}

async fn run(url: &str, sql: String) {
    let mut connection = PgConnection::connect(url).await.expect("TEST_DATABASE_URL can be reached");
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
}

/// Runs a test on SQLite, then on Postgres where there is a server.
pub(crate) async fn on_both<F: Future<Output = ()>>(name: &str, test: impl Fn(Db) -> F) {
    let dir = tempfile::tempdir().unwrap();
    test(Db::sqlite(dir.path()).await.unwrap()).await;
    let Some(postgres) = Postgres::create(name).await else { return };
    test(postgres.db.clone()).await;
    postgres.remove().await;
}

/// The account of somebody who signs up with this address.
pub(crate) fn new_account(email: &EmailAddress) -> NewAccount {
    NewAccount {
        first_name: "Ann".into(),
        last_name: "Smith".into(),
        username: "ann".into(),
        email: email.clone(),
        password_hash: "none".into(),
        created_via: CreatedVia::SignUp,
        locale: None,
        replaces: None,
        base_mailbox_limit: 20,
    }
}

/// Notes that a test did not run: `scripts/test` names it and counts it as skipped (`E2E_SKIPPED`).
pub(crate) fn skip(test: &str, reason: &str) {
    let line = format!("{test}: {reason}");
    match std::env::var_os("E2E_SKIPPED") {
        Some(path) => {
            let mut file = std::fs::File::options().append(true).create(true).open(path).unwrap();
            file.write_all(format!("{line}\n").as_bytes()).unwrap();
        }
        None => say(&format!("SKIPPED {line}")),
    }
}

/// Not by `eprintln!`: the test harness hides what a passing test prints.
pub(crate) fn say(line: &str) {
    std::io::stderr().write_all(format!("{line}\n").as_bytes()).unwrap();
}
