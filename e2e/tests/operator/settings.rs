//! Starting with right and wrong settings.

use std::fs;
use std::path::Path;
use std::time::Duration;

use bookly_e2e::poll::LIMIT;
use bookly_e2e::ports;
use bookly_e2e::postgres::{self, Postgres};
use bookly_e2e::prelude::*;
use bookly_e2e::process::{Finished, Process, Settings};
use bookly_e2e::sql::Sql;
use bookly_e2e::stack::{JWT_SECRET, run};
use tempfile::TempDir;

/// A start that is refused takes milliseconds; one that waits for something takes at least its timeouts.
const AT_ONCE: Duration = Duration::from_secs(10);

fn settings(pairs: &[(&str, &str)]) -> Settings {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

async fn refused(binary: &str, given: &Settings, folder: &Path) -> Result<Finished> {
    let process = Process::start(binary, &[], given, folder, binary)?;
    let finished = process.finished(AT_ONCE).await?;
    ensure!(!finished.status.success(), "{binary} started: {finished:?}");
    ensure!(!finished.log.contains("panicked"), "{finished:?}");
    Ok(finished)
}

/// Starts the API in a folder and waits until it listens on a port.
async fn started(given: &Settings, folder: &Path) -> Result<Process> {
    let process = Process::start("bookly-api", &[], given, folder, "api")?;
    process.log().line(LIMIT, |line| line.contains("listening")).await?;
    Ok(process)
}

#[tokio::test]
async fn all_wrong_values_are_reported_at_once_without_secrets() -> Result<()> {
    let folder = TempDir::new()?;
    let wrong = settings(&[
        ("JWT_SECRET", "short-secret"),
        ("JWT_ALGORITHM", "none"),
        ("LISTEN", "somewhere"),
        ("MAIL_PORT", "0"),
        ("MAIL_STARTTLS", "perhaps"),
        ("MAIL_SERVER", "mail.example.org"),
        ("MAIL_FROM", "nobody"),
        ("DATABASE_URL", "mysql://kim:db-secret@db/bookly"),
        ("REDIS_URL", "http://:redis-secret@redis"),
        ("WORKER_CONCURRENCY", "many"),
        ("TRUSTED_PROXIES", "10.0.0.0/99"),
        ("VERIFY_ON_GET", "sometimes"),
        ("RATE_LIMIT", "somewhat"),
        ("EMAIL_VERIFICATION_LIFETIME", "1"),
        ("SSL_CERT_FILE", "/nowhere.pem"),
    ]);
    for binary in ["bookly-api", "bookly-worker"] {
        let said = refused(binary, &wrong, folder.path()).await?.log;
        for name in wrong.keys().filter(|name| *name != "MAIL_SERVER") {
            assert!(said.contains(name.as_str()), "{name} is not reported by {binary}:\n{said}");
        }
        for needed in ["MAIL_USERNAME", "MAIL_PASSWORD", "DOMAIN"] {
            assert!(said.contains(needed), "{needed} is missing and not reported:\n{said}");
        }
        assert!(said.contains("somewhere") && said.contains("perhaps"), "what they hold:\n{said}");
        for secret in ["short-secret", "db-secret", "redis-secret"] {
            assert!(!said.contains(secret), "{secret} is shown:\n{said}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn redis_beside_sqlite_is_refused_with_the_reason() -> Result<()> {
    for (name, value) in [("REDIS_URL", "redis://127.0.0.1:6379/0"), ("REDIS_HOST", "127.0.0.1")] {
        let folder = TempDir::new()?;
        let said = refused("bookly-api", &settings(&[(name, value)]), folder.path()).await?.log;
        assert!(said.contains(name) && said.contains("DATABASE_URL"), "{said}");
        assert!(!folder.path().join("data/bookly.sqlite").exists(), "nothing is made");
    }
    Ok(())
}

#[tokio::test]
async fn postgres_without_a_mail_server_is_refused_unless_files_are_wanted() -> Result<()> {
    let folder = TempDir::new()?;
    let database = Postgres::shared().await?.new_database().await?;
    let port = format!("127.0.0.1:{}", ports::free()?);
    let mut given = settings(&[("DATABASE_URL", &database), ("JWT_SECRET", JWT_SECRET), ("LISTEN", &port)]);
    let said = refused("bookly-api", &given, folder.path()).await?.log;
    assert!(said.contains("MAIL_SERVER") && said.contains("MAIL_TRANSPORT=file"), "{said}");
    given.insert("MAIL_TRANSPORT".to_owned(), "file".to_owned());
    started(&given, folder.path()).await?;
    Ok(())
}

#[tokio::test]
async fn somebody_elses_tables_are_refused_and_left_as_they_are() -> Result<()> {
    let folder = TempDir::new()?;
    let database = Postgres::shared().await?.new_database().await?;
    let sql = Sql::postgres(&database)?;
    sql.run("CREATE TABLE users (uid uuid, password_hash text)", "").await?;
    sql.run("INSERT INTO users VALUES (gen_random_uuid(), 'kept')", "").await?;
    let given = settings(&[
        ("DATABASE_URL", &database),
        ("JWT_SECRET", JWT_SECRET),
        ("MAIL_TRANSPORT", "file"),
        ("LISTEN", "127.0.0.1:0"),
    ]);
    let said = refused("bookly-api", &given, folder.path()).await?.log;
    assert!(said.contains("users"), "{said}");
    assert!(!said.contains(postgres::PASSWORD), "{said}");
    assert_eq!(sql.texts("SELECT password_hash FROM users", "").await?, ["kept"]);
    let tables = "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'";
    assert_eq!(sql.number(tables, "").await?, 1, "nothing is added");
    Ok(())
}

#[tokio::test]
async fn the_originals_env_file_works_as_it_is() -> Result<()> {
    let folder = TempDir::new()?;
    let database = Postgres::shared().await?.new_database().await?;
    let redis = bookly_e2e::redis_server::RedisServer::start().await?;
    let database = database.replacen("postgres://", "postgresql+asyncpg://", 1);
    let env = format!(
        "DATABASE_URL={database}\nJWT_SECRET=\"{JWT_SECRET}\"\nJWT_ALGORITHM='HS256'\n\n# Redis\n\
         REDIS_HOST=127.0.0.1\nREDIS_PORT={}\nMAIL_USERNAME=\"kim\"\nMAIL_PASSWORD=\"secret words # here\"\n\
         MAIL_FROM=bookly@example.org\nMAIL_PORT=587\nMAIL_SERVER=smtp.example.org\nMAIL_FROM_NAME=\"Bookly Mail\"\n\
         MAIL_STARTTLS=True\nMAIL_SSL_TLS=False\nUSE_CREDENTIALS=True\nVALIDATE_CERTS=True\nDOMAIN=localhost:8000\n",
        redis.port()
    );
    fs::write(folder.path().join(".env"), env)?;
    // The one thing that a test must choose: a port that is free.
    let given = settings(&[("LISTEN", &format!("127.0.0.1:{}", ports::free()?))]);
    started(&given, folder.path()).await?;
    let worker = Process::start("bookly-worker", &[], &given, folder.path(), "worker")?;
    worker.log().line(LIMIT, |line| line.contains("the worker takes emails")).await?;
    Ok(())
}

#[tokio::test]
async fn secrets_are_read_from_files() -> Result<()> {
    let folder = TempDir::new()?;
    let database = Postgres::shared().await?.new_database().await?;
    fs::write(folder.path().join("url"), format!("{database}\n"))?;
    fs::write(folder.path().join("jwt"), JWT_SECRET)?;
    let given = settings(&[
        ("DATABASE_URL_FILE", "url"),
        ("JWT_SECRET_FILE", "jwt"),
        ("MAIL_TRANSPORT", "file"),
        ("LISTEN", "127.0.0.1:0"),
    ]);
    started(&given, folder.path()).await?;
    Ok(())
}

#[tokio::test]
async fn nothing_at_all_is_enough() -> Result<()> {
    let folder = TempDir::new()?;
    let given = settings(&[("LISTEN", "127.0.0.1:0")]);
    let first = started(&given, folder.path()).await?;
    let secret = folder.path().join("data");
    assert!(secret.join("bookly.sqlite").is_file());
    first.signal("TERM")?;
    assert!(first.exited(LIMIT).await?.success());
    started(&given, folder.path()).await.context("and starts again on what it left")?;
    Ok(())
}

#[tokio::test]
async fn sessions_and_links_outlive_a_restart_without_any_setting() -> Result<()> {
    run(StackOptions::new(Kind::Embedded).with("JWT_SECRET", ""), async |stack| {
        let person = Person::new();
        stack.sign_up(&person).await?;
        let link = stack.link(&person.email, "Verify your email").await?;
        let tokens = stack.log_in(&person).await?;
        stack.restart_api().await?;
        stack.api().post(&link).expect(200).await?;
        stack.me(&tokens.access).expect(200).await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn two_processes_do_not_share_a_data_folder() -> Result<()> {
    let folder = TempDir::new()?;
    let given = settings(&[("LISTEN", "127.0.0.1:0")]);
    let _first = started(&given, folder.path()).await?;
    let said = refused("bookly-api", &given, folder.path()).await?.log;
    assert!(said.contains("in use"), "{said}");
    Ok(())
}

#[tokio::test]
async fn several_processes_migrate_a_new_database_at_once() -> Result<()> {
    let folder = TempDir::new()?;
    let database = Postgres::shared().await?.new_database().await?;
    let given = settings(&[
        ("DATABASE_URL", &database),
        ("JWT_SECRET", JWT_SECRET),
        ("MAIL_TRANSPORT", "file"),
        ("LISTEN", "127.0.0.1:0"),
    ]);
    let start = || started(&given, folder.path());
    tokio::try_join!(start(), start(), start(), start())?;
    Ok(())
}

#[tokio::test]
async fn a_broken_template_stops_the_start_with_file_and_line() -> Result<()> {
    let folder = TempDir::new()?;
    let template = folder.path().join("mine/mail/verify_email");
    fs::create_dir_all(&template)?;
    fs::write(template.join("body.txt"), "Hello\n{{ link\n")?;
    let given = settings(&[("LISTEN", "127.0.0.1:0"), ("TEMPLATE_FOLDER", "mine")]);
    let said = refused("bookly-api", &given, folder.path()).await?.log;
    assert!(said.contains("body.txt") && said.contains("line 2"), "{said}");
    Ok(())
}

#[tokio::test]
async fn a_template_of_ones_own_replaces_one_file() -> Result<()> {
    let folder = TempDir::new()?;
    let template = folder.path().join("mail/verify_email");
    fs::create_dir_all(&template)?;
    fs::write(template.join("body.txt"), "Ahoy! {{ link }}\n")?;
    fs::create_dir_all(folder.path().join("locales"))?;
    fs::write(folder.path().join("locales/de.ftl"), "verify-email-subject = Willkommen bei { $app_name }\n")?;
    let own = folder.path().display().to_string();
    run(StackOptions::new(Kind::Embedded).with("TEMPLATE_FOLDER", own), async |stack| {
        let person = Person::new();
        stack.sign_up(&person).await?;
        let mail = stack.mail(&person.email, "Verify your email").await?;
        let text = mail.text().context("text")?;
        assert!(text.starts_with("Ahoy! http"), "{text}");
        assert!(mail.html().context("HTML")?.contains("Verify my email"), "the rest is as it was");
        let german = Person::new();
        let sign_up = stack.api().post("/auth/signup").header(header::ACCEPT_LANGUAGE, "de");
        sign_up.json(&german).expect(201).await?;
        stack.mail(&german.email, "Willkommen bei Bookly Tests").await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_port_that_is_taken_is_named() -> Result<()> {
    let folder = TempDir::new()?;
    let taken = std::net::TcpListener::bind("127.0.0.1:0")?;
    let address = taken.local_addr()?.to_string();
    let said = refused("bookly-api", &settings(&[("LISTEN", &address)]), folder.path()).await?.log;
    assert!(said.contains(&address), "{said}");
    Ok(())
}

#[tokio::test]
async fn a_worker_says_when_it_is_not_needed() -> Result<()> {
    let folder = TempDir::new()?;
    let said = refused("bookly-worker", &settings(&[]), folder.path()).await?.log;
    assert!(said.contains("bookly-api"), "{said}");
    Ok(())
}
