//! Postgres behind PgBouncer, in session mode and in transaction mode. Needs a server (`scratch`) and PgBouncer.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "in tests a panic is the verdict")]

mod scratch;
#[path = "scratch/database.rs"]
mod scratch_database;

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::os::unix::fs::MetadataExt;
use std::process::{Child, Command, Stdio};

use bookly_shared::db::emails::claim::ClaimLimits;
use bookly_shared::db::emails::complete::SentEmail;
use bookly_shared::db::emails::insert::NewEmail;
use bookly_shared::db::{ConnectError, Db};
use bookly_shared::domain::{EmailAddress, EmailKind};
use chrono::{DateTime, TimeDelta, Utc};
use secrecy::SecretString;
use url::Url;

use crate::scratch::skip;
use crate::scratch_database::Database;

/// The first version that keeps prepared statements in transaction mode.
const TRACKS_STATEMENTS: (u32, u32) = (1, 21);

struct PgBouncer {
    process: Child,
    url: SecretString,
    _folder: tempfile::TempDir,
}

impl PgBouncer {
    fn start(database: &Database, mode: &str, settings: &str) -> PgBouncer {
        let (folder, target) = (tempfile::tempdir().unwrap(), Url::parse(&database.url()).unwrap());
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let password = target.password().map(|password| format!("password={password}")).unwrap_or_default();
        let config = format!(
            "[databases]\n{name} = host={host} port={server} user={user} {password}\n[pgbouncer]\n\
             listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = any\n\
             pool_mode = {mode}\n{settings}\n",
            name = database.name,
            host = target.host_str().unwrap(),
            server = target.port().unwrap_or(5432),
            user = target.username(),
        );
        let file = folder.path().join("pgbouncer.ini");
        std::fs::write(&file, config).unwrap();
        let mut command = Command::new(program().unwrap());
        // PgBouncer does not run as root.
        if std::fs::metadata("/proc/self").unwrap().uid() == 0 {
            let readable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
            std::fs::set_permissions(folder.path(), readable).unwrap();
            command.args(["-u", "nobody"]);
        }
        let mut process = command.arg(&file).stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let mut log = BufReader::new(process.stderr.take().unwrap()).lines();
        let is_up = log.by_ref().any(|line| line.unwrap().contains("process up"));
        assert!(is_up, "PgBouncer does not start");
        std::thread::spawn(move || log.for_each(drop));
        let url = format!("postgres://someone@127.0.0.1:{port}/{}", database.name);
        PgBouncer { process, url: url.into(), _folder: folder }
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The program that `PGBOUNCER` names, so that another version than the installed one can be tried.
fn program() -> Option<String> {
    let installed = ["/usr/sbin/pgbouncer", "/usr/bin/pgbouncer", "/usr/local/bin/pgbouncer"];
    let installed = installed.into_iter().find(|path| std::path::Path::new(path).exists());
    std::env::var("PGBOUNCER").ok().or_else(|| installed.map(str::to_owned))
}

fn version() -> Option<(u32, u32)> {
    let output = Command::new(program()?).arg("--version").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let mut numbers = text.lines().next()?.strip_prefix("PgBouncer ")?.split('.').map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

/// `None`, with a word about it, where something that the test needs is missing.
async fn database(test: &str) -> Option<Database> {
    if version().is_none() {
        skip(test, "PgBouncer is not installed");
        return None;
    }
    Database::create(test, "").await
}

/// An email's way, and a leader's: all that needs more than one statement.
async fn use_database(db: &Db) {
    let now = DateTime::<Utc>::from_timestamp(1_767_225_600, 0).unwrap();
    let to = EmailAddress::parse("ann@example.org").unwrap();
    let emails: Vec<_> = (0..40).map(|_| NewEmail::new(EmailKind::Welcome, &to, now)).collect();
    db.insert_emails(&emails).await.unwrap();
    let claimed = db.claim_due(ClaimLimits::of(40), "ann", now).await.unwrap();
    assert_eq!(claimed.len(), 40);
    let work = claimed.iter().map(|email| async {
        assert!(db.lease_holds(email.claim(), now).await.unwrap());
        let sent = SentEmail::new(email, Some(250), "250 taken".to_owned(), now);
        db.complete_sent(sent).await.unwrap();
        assert_eq!(db.email(email.id).await.unwrap().unwrap().state, "sent");
    });
    futures_util::future::join_all(work).await;
    assert_eq!(db.purge(TimeDelta::zero(), TimeDelta::zero(), now + TimeDelta::days(1)).await.unwrap(), 40);
    let mut leadership = db.take_leadership().await.unwrap().unwrap();
    assert!(leadership.is_held().await);
    assert!(db.take_leadership().await.unwrap().is_none());
    leadership.leave().await;
}

#[tokio::test]
async fn session_mode_serves_several_starts() {
    let Some(database) = database("session_mode_serves_several_starts").await else { return };
    let pgbouncer = PgBouncer::start(&database, "session", "default_pool_size = 40");
    for _ in 0..2 {
        let db = Db::postgres(&pgbouncer.url).await.unwrap();
        use_database(&db).await;
        db.close().await;
    }
    drop(pgbouncer);
    database.remove().await;
}

#[tokio::test]
async fn transaction_mode_that_loses_prepared_statements_is_refused_with_that_reason() {
    let Some(database) = database("transaction_mode_that_loses_prepared_statements").await else { return };
    let tracks = version() >= Some(TRACKS_STATEMENTS);
    for order in ["server_round_robin = 0", "server_round_robin = 1"] {
        let settings =
            if tracks { format!("{order}\nmax_prepared_statements = 0") } else { order.to_owned() };
        let pgbouncer = PgBouncer::start(&database, "transaction", &settings);
        let refused = Db::postgres(&pgbouncer.url).await.unwrap_err();
        assert!(matches!(refused, ConnectError::LostStatements), "{order}: {refused}");
        assert!(refused.to_string().contains("1.21"), "{refused}");
    }
    database.remove().await;
}

#[tokio::test]
async fn transaction_mode_serves_several_starts() {
    let test = "transaction_mode_serves_several_starts";
    let Some(database) = database(test).await else { return };
    if version() < Some(TRACKS_STATEMENTS) {
        let installed = version().map(|(major, minor)| format!("{major}.{minor}")).unwrap_or_default();
        skip(test, &format!("it needs PgBouncer 1.21, {installed} is installed"));
        return database.remove().await;
    }
    let pgbouncer = PgBouncer::start(&database, "transaction", "max_prepared_statements = 200");
    for _ in 0..2 {
        let db = Db::postgres(&pgbouncer.url).await.unwrap();
        use_database(&db).await;
        // As after a kill: nothing is left behind that would keep the next start waiting.
        std::mem::forget(db);
    }
    drop(pgbouncer);
    database.remove().await;
}
