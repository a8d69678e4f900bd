//! Postgres as operators have it: encodings, roles, schemas, fail-overs, migrations under way. Needs a server (`scratch`).
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "in tests a panic is the verdict")]

mod scratch;
#[path = "scratch/database.rs"]
mod scratch_database;

use bookly_shared::config::DatabaseSettings;
use bookly_shared::db::emails::claim::ClaimLimits;
use bookly_shared::db::emails::complete::SentEmail;
use bookly_shared::db::emails::insert::NewEmail;
use bookly_shared::db::inspect::inspect;
use bookly_shared::db::{ConnectError, Db, DbError, PendingMigrations};
use bookly_shared::domain::{EmailAddress, EmailKind};
use bookly_shared::tls::Trust;
use chrono::{DateTime, Utc};
use secrecy::SecretString;
use uuid::Uuid;

use crate::scratch::Postgres;
use crate::scratch_database::Database;

fn email_time() -> DateTime<Utc> {
    DateTime::from_timestamp(1_767_225_600, 0).unwrap()
}

fn email() -> NewEmail {
    NewEmail::new(EmailKind::Welcome, &EmailAddress::parse("ann@example.org").unwrap(), email_time())
}

async fn open(url: SecretString, pending: PendingMigrations) -> Result<Db, ConnectError> {
    Db::open(&DatabaseSettings::Postgres { url, pool_size: 6, trust: Trust::default() }, pending).await
}

async fn tables_in(database: &Database) -> Vec<String> {
    let sql =
        "SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'";
    sqlx::query_scalar(sql).fetch_all(&mut database.connect().await).await.unwrap()
}

#[tokio::test]
async fn a_database_in_latin1_is_refused_and_not_changed() {
    let options = "ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0";
    let Some(database) = Database::create("a_database_in_latin1_is_refused", options).await else { return };
    let refused = open(database.url().into(), PendingMigrations::Apply).await.unwrap_err();
    assert!(matches!(&refused, ConnectError::Encoding(encoding) if encoding == "LATIN1"), "{refused}");
    assert!(refused.to_string().contains("UTF8"), "{refused}");
    assert_eq!(tables_in(&database).await, Vec::<String>::new());
    database.remove().await;
}

#[tokio::test]
async fn tables_of_another_role_are_refused_and_nothing_is_left_behind() {
    let Some(database) = Database::create("tables_of_another_role_are_refused", "").await else { return };
    let role = format!("role_{}", Uuid::new_v4().simple());
    database.on_server(&format!("CREATE ROLE {role} LOGIN")).await;
    database.run(&format!("CREATE TABLE users (id int); GRANT CREATE ON SCHEMA public TO {role}")).await;
    let refused = open(database.url_of(&role), PendingMigrations::Apply).await.unwrap_err();
    assert!(matches!(&refused, ConnectError::Foreign(table) if table == "users"), "{refused}");
    assert_eq!(tables_in(&database).await, ["users"]);
    let role_of_database = role.clone();
    database.run(&format!("REVOKE CREATE ON SCHEMA public FROM {role}")).await;
    let server = Database::create("cleanup", "").await.unwrap();
    database.remove().await;
    server.on_server(&format!("DROP ROLE {role_of_database}")).await;
    server.remove().await;
}

#[tokio::test]
async fn a_failed_migration_leaves_nothing_behind() {
    let Some(database) = Database::create("a_failed_migration_leaves_nothing_behind", "").await else {
        return;
    };
    // The name of an index that a migration makes.
    database.run("CREATE TABLE other (id int); CREATE INDEX emails_due ON other (id)").await;
    let failed = open(database.url().into(), PendingMigrations::Apply).await.unwrap_err();
    assert!(matches!(failed, ConnectError::Migrate(_)), "{failed}");
    assert_eq!(tables_in(&database).await, ["other"]);
    database.remove().await;
}

#[tokio::test]
async fn a_start_without_migrations_needs_no_right_to_create_tables() {
    let test = "a_start_without_migrations_needs_no_right_to_create_tables";
    let Some(database) = Database::create(test, "").await else { return };
    let pending = open(database.url().into(), PendingMigrations::Refuse).await.unwrap_err();
    assert!(pending.to_string().contains("0001 bookly"), "{pending}");
    assert_eq!(tables_in(&database).await, Vec::<String>::new());
    open(database.url().into(), PendingMigrations::Apply).await.unwrap().close().await;

    let role = format!("role_{}", Uuid::new_v4().simple());
    database.on_server(&format!("CREATE ROLE {role} LOGIN")).await;
    database
        .run(&format!("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}"))
        .await;
    for pending in [PendingMigrations::Refuse, PendingMigrations::Apply] {
        let db = open(database.url_of(&role), pending).await.unwrap();
        db.insert_emails(&[email()]).await.unwrap();
        db.close().await;
    }
    database.run(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).await;
    database.remove().await;
}

#[tokio::test]
async fn a_role_that_cannot_record_what_is_sent_starts_no_worker_and_is_told_the_grant() {
    let test = "a_role_that_cannot_record_what_is_sent_starts_no_worker";
    let Some(database) = Database::create(test, "").await else { return };
    open(database.url().into(), PendingMigrations::Apply).await.unwrap().close().await;
    let role = format!("role_{}", Uuid::new_v4().simple());
    database.on_server(&format!("CREATE ROLE {role} LOGIN")).await;
    database
        .run(&format!(
            "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role};
             REVOKE INSERT, DELETE ON email_attempts, suppressions FROM {role}"
        ))
        .await;
    let settings =
        DatabaseSettings::Postgres { url: database.url_of(&role), pool_size: 7, trust: Trust::default() };
    let report = inspect(&settings).await.unwrap();
    let all = format!("GRANT INSERT, DELETE ON email_attempts, suppressions TO {role}");
    assert_eq!(report.missing_grants, std::slice::from_ref(&all));

    let db = open(database.url_of(&role), PendingMigrations::Refuse).await.unwrap();
    let refused = db.require_grants_of_a_worker().await.unwrap_err().to_string();
    assert!(
        refused.ends_with(&format!("run: GRANT INSERT, DELETE ON email_attempts TO {role}")),
        "{refused}"
    );
    let email = email();
    db.insert_emails(std::slice::from_ref(&email)).await.unwrap();
    let claimed = db.claim_due(ClaimLimits::of(1), "worker-1", email_time()).await.unwrap();
    let sent = SentEmail::new(&claimed[0], Some(250), "250 ok".into(), email_time());
    let error = db.complete_sent(sent.clone()).await.unwrap_err();
    assert!(error.concerns_every_row() && error.to_string().contains("email_attempts"), "{error}");

    database.run(&all).await;
    db.require_grants_of_a_worker().await.unwrap();
    db.complete_sent(sent).await.unwrap();
    assert_eq!(inspect(&settings).await.unwrap().missing_grants, [""; 0]);
    db.close().await;
    database.run(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).await;
    database.remove().await;
}

#[tokio::test]
async fn two_schemas_of_one_database_share_neither_migration_lock_nor_leader() {
    let test = "two_schemas_of_one_database_share_no_lock";
    let Some(first) = Postgres::create(test).await else { return };
    let lock = "SELECT pg_advisory_xact_lock(hashtextextended('bookly migrations ' || current_schema(), 0))";
    let mut connection = first.connect().await;
    let mut held = sqlx::Connection::begin(&mut connection).await.unwrap();
    sqlx::query(lock).execute(&mut *held).await.unwrap();
    let second = Postgres::create(test).await.unwrap();
    held.rollback().await.unwrap();

    let (mut one, mut two) = (
        first.db.take_leadership().await.unwrap().unwrap(),
        second.db.take_leadership().await.unwrap().unwrap(),
    );
    assert!(first.db.take_leadership().await.unwrap().is_none(), "there is one leader in a schema");
    assert!(one.is_held().await && two.is_held().await);
    one.leave().await;
    assert!(first.db.take_leadership().await.unwrap().is_some(), "a leader that leaves makes room at once");
    first.remove().await;
    second.remove().await;
}

/// As after a fail-over: sessions that are open stay on the server that became read-only, new ones can write.
#[tokio::test]
async fn a_read_only_session_is_replaced_and_not_ready() {
    let Some(database) = Database::create("a_read_only_session_is_replaced", "").await else { return };
    open(database.url().into(), PendingMigrations::Apply).await.unwrap().close().await;
    let read_only = format!("ALTER DATABASE {} SET default_transaction_read_only = on", database.name);
    database.on_server(&read_only).await;
    let db = open(database.url().into(), PendingMigrations::Refuse).await.unwrap();
    assert!(!db.is_ready().await, "a server that cannot be written is not ready");
    let refused = db.insert_emails(&[email()]).await.unwrap_err();
    assert!(refused.is_unavailable(), "{refused}");

    database
        .on_server(&format!("ALTER DATABASE {} RESET default_transaction_read_only", database.name))
        .await;
    // Requests at the same time may have opened several sessions; each is replaced after its first use.
    assert!(db.is_ready().await || db.is_ready().await, "a new session can write");
    for _ in 0..20 {
        db.insert_emails(&[email()]).await.unwrap();
    }
    database.remove().await;
}

/// A trigger function that refuses a row with the code that the trigger names: no disk can be filled here.
const REFUSE: &str = "
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'refused' USING ERRCODE = TG_ARGV[0]; END $$;
    CREATE TRIGGER full_disk BEFORE INSERT ON emails EXECUTE FUNCTION refuse('53100')";

#[tokio::test]
async fn on_a_full_disk_it_is_not_ready_until_a_row_can_be_written_again() {
    let Some(postgres) = Postgres::create("on_a_full_disk_it_is_not_ready").await else { return };
    let mut owner = postgres.connect().await;
    let fill = "CREATE TRIGGER full_disk BEFORE INSERT ON write_trials EXECUTE FUNCTION refuse('53100')";
    sqlx::raw_sql(REFUSE).execute(&mut owner).await.unwrap();
    sqlx::raw_sql(fill).execute(&mut owner).await.unwrap();
    assert!(postgres.db.is_ready().await, "while nothing was refused, no probe writes");
    let refused = postgres.db.insert_emails(&[email()]).await.unwrap_err();
    assert!(refused.is_unavailable(), "{refused}");
    assert!(!postgres.db.is_ready().await && !postgres.db.is_ready().await);
    let clear = "DROP TRIGGER full_disk ON emails; DROP TRIGGER full_disk ON write_trials;";
    sqlx::raw_sql(clear).execute(&mut owner).await.unwrap();
    assert!(postgres.db.is_ready().await, "without a request that came first");
    postgres.remove().await;
}

/// The triggers refuse as Postgres does without the right.
#[tokio::test]
async fn a_role_that_may_not_try_to_write_is_ready_and_leaves_no_row() {
    let Some(postgres) = Postgres::create("a_role_that_may_not_try_to_write").await else { return };
    let mut owner = postgres.connect().await;
    sqlx::raw_sql(REFUSE).execute(&mut owner).await.unwrap();
    for refused in ["INSERT", "DELETE"] {
        let sql = format!(
            "CREATE TRIGGER {refused} BEFORE {refused} ON write_trials EXECUTE FUNCTION refuse('42501')"
        );
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut owner).await.unwrap();
        postgres.db.insert_emails(&[email()]).await.unwrap_err();
        assert!(postgres.db.is_ready().await, "without {refused} nothing shows that the disk is full");
        let left: i64 =
            sqlx::query_scalar("SELECT count(*) FROM write_trials").fetch_one(&mut owner).await.unwrap();
        assert_eq!(left, 0);
        let sql = format!("DROP TRIGGER {refused} ON write_trials");
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut owner).await.unwrap();
    }
    postgres.remove().await;
}

/// A newer version adds a column while this one runs.
#[tokio::test]
async fn a_new_column_costs_each_connection_of_a_running_process_one_try_at_most() {
    let Some(postgres) = Postgres::create("a_new_column_costs_one_try").await else { return };
    let id = Uuid::now_v7();
    for _ in 0..3 {
        assert!(postgres.db.email(id).await.unwrap().is_none());
    }
    let mut connection = postgres.connect().await;
    sqlx::query("ALTER TABLE emails ADD COLUMN later text").execute(&mut connection).await.unwrap();
    let counted = postgres.db.connections();
    let (mut refusals, connections) = (0, counted.used + counted.idle);
    for _ in 0..20 {
        let found: Result<_, DbError> = postgres.db.email(id).await;
        if let Err(error) = found {
            assert!(error.is_unavailable(), "{error}");
            refusals += 1;
        }
    }
    assert!(refusals <= connections, "{refusals} of 20 failed, with {connections} connections");
    postgres.remove().await;
}
