//! `bookly-worker doctor`: what is wrong, and how to repair it.

use std::fs;

use bookly_e2e::ports;
use bookly_e2e::postgres::Postgres;
use bookly_e2e::smtp_server::Stage;
use bookly_e2e::sql::Sql;
use bookly_e2e::stack::run;

use super::*;

/// The time limit of a check, in seconds.
const PATIENCE: &str = "3";

/// The report on the stack with some settings replaced; an empty value removes a setting.
pub(crate) async fn examined(stack: &Stack, own: &[(&str, &str)]) -> Result<(Finished, Value)> {
    let mut settings = stack.settings().clone();
    settings.extend(own.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    let finished = run_in(stack.folder(), &settings, &["doctor", "--json", "--timeout", PATIENCE]).await?;
    let report = serde_json::from_str(&finished.output).with_context(|| format!("{finished:?}"))?;
    Ok((finished, report))
}

pub(crate) fn check<'a>(report: &'a Value, name: &str) -> Result<&'a Value> {
    let checks = report["checks"].as_array().context("checks")?;
    checks.iter().find(|check| check["name"] == name).with_context(|| format!("no {name} in {report}"))
}

/// Expects that one check fails with these texts in its fact and its remedy, and that no other check fails.
pub(crate) async fn fails(
    stack: &Stack,
    own: &[(&str, &str)],
    name: &str,
    fact: &str,
    remedy: &str,
) -> Result<()> {
    let (finished, report) = examined(stack, own).await?;
    let found = check(&report, name)?;
    let told = |field: &str, words: &str| found[field].as_str().is_some_and(|text| text.contains(words));
    ensure!(
        found["status"] == "fail" && told("fact", fact) && told("remedy", remedy),
        "{fact}, {remedy}: {report:#}"
    );
    ensure!(finished.status.code() == Some(1) && report["ok"] == false, "{finished:?}");
    for other in ["settings", "database", "redis", "smtp", "templates", "domain"] {
        ensure!(other == name || check(&report, other)?["status"] != "fail", "{other} passes: {report:#}");
    }
    Ok(())
}

both! {
    async fn a_running_installation_passes(stack: &Stack) {
        signed_up(stack).await?;
        let finished = command(stack, &["doctor"]).await?;
        let report = finished.succeeded()?;
        let mut wanted = vec!["settings", "database", "migrations", "clock", "smtp", "templates", "domain"];
        if stack.kind() == Kind::Full { wanted.push("redis") } else { wanted.push("data_dir") }
        for name in wanted {
            assert!(report.lines().any(|line| line.starts_with("ok") && line.contains(&format!(" {name}: ")))
                || (name == "domain" && stack.kind() == Kind::Full), "{name}: {report}");
        }
        assert!(!report.contains("FAIL"), "{report}");
        let (_, document) = examined(stack, &[]).await?;
        assert_eq!(document["ok"], true, "{document:#}");
        let is_running = stack.kind() == Kind::Embedded;
        assert_eq!(report.contains("a running process uses it"), is_running, "{report}");
    }

    async fn an_unknown_migration_is_named_and_not_changed(stack: &Stack) {
        let migrations = async || {
            let (finished, report) = examined(stack, &[]).await?;
            let found = check(&report, "migrations")?;
            ensure!(found["status"] == "warn" && finished.status.success(), "a warning is no failure: {report:#}");
            Ok(found["fact"].as_str().context("fact")?.to_owned())
        };
        let record = "SELECT count(*) FROM _sqlx_migrations";
        let applied = stack.sql().number(record, "").await?;
        let newer = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
                     SELECT 9001, 'from the future', success, checksum, 0 FROM _sqlx_migrations WHERE version = 1";
        stack.sql().run(newer, "").await?;
        assert_eq!(migrations().await?, "9001 from the future is not known to this version");
        assert_eq!(stack.sql().number(record, "").await?, applied + 1, "nothing is applied or removed");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_check_of_the_mail_server_sends_no_email_and_quits() -> Result<()> {
    run(StackOptions::new(Kind::Full).workers(0), async |stack| {
        let keys = stack.redis()?.ask::<Vec<String>>(&["KEYS", "*"]).await?;
        let (_, report) = examined(stack, &[]).await?;
        let fact = check(&report, "smtp")?["fact"].as_str().context("fact")?.to_owned();
        for words in [
            "by STARTTLS",
            "TLS 1.3",
            "certificate for localhost until ",
            "logged in as bookly-mailer",
            "MAIL FROM ",
        ] {
            assert!(fact.contains(words), "{words} in {fact}");
        }
        let smtp = stack.smtp()?;
        assert_eq!((smtp.count(Stage::Auth), smtp.count(Stage::Quit)), (1, 1));
        // MAIL FROM shows whether the server takes emails from this sender; RSET ends it.
        assert_eq!((smtp.count(Stage::MailFrom), smtp.count(Stage::Rset)), (1, 1));
        assert_eq!((smtp.count(Stage::RcptTo), smtp.mails_total()), (0, 0));
        assert_eq!(stack.redis()?.ask::<Vec<String>>(&["KEYS", "*"]).await?, keys);
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_away_is_named_and_everything_else_is_checked() -> Result<()> {
    run(StackOptions::new(Kind::Full).workers(0), async |stack| {
        let unused = ports::free()?;
        let redis = format!("redis://127.0.0.1:{unused}/0");
        fails(stack, &[("REDIS_URL", &redis)], "redis", &unused.to_string(), "REDIS_URL").await?;
        let away = format!("postgres://bookly:{}@127.0.0.1:{unused}/bookly", postgres::PASSWORD);
        fails(stack, &[("DATABASE_URL", &away)], "database", "refused", "start Postgres").await?;
        let url = &stack.settings()["DATABASE_URL"];
        let (server, _) = url.rsplit_once('/').context("a URL")?;
        let no_such = format!("{server}/nowhere");
        fails(stack, &[("DATABASE_URL", &no_such)], "database", "nowhere", "createdb").await?;
        let stranger = url.replacen("//postgres:", "//stranger:", 1);
        fails(stack, &[("DATABASE_URL", &stranger)], "database", "stranger", "user and password").await?;
        stack.redis()?.hang()?;
        let hanging = fails(stack, &[], "redis", "no answer within 2 s", "firewalls").await;
        stack.redis()?.go_on()?;
        hanging
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_hangs_does_not_hang_the_doctor() -> Result<()> {
    let postgres = Postgres::start().await?;
    let database = postgres.new_database().await?;
    run(StackOptions::new(Kind::Full).workers(0), async |stack| {
        postgres.hang()?;
        fails(stack, &[("DATABASE_URL", &database)], "database", "no answer within 3 s", "start Postgres")
            .await
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_only_database_is_a_failure() -> Result<()> {
    run(StackOptions::new(Kind::Full).workers(0), async |stack| {
        let (_, name) = stack.settings()["DATABASE_URL"].rsplit_once('/').context("a URL")?;
        let read_only = format!("ALTER DATABASE {name} SET default_transaction_read_only = on");
        stack.sql().run(&read_only, "").await?;
        fails(stack, &[], "database", "takes no writes", "primary").await
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_empty_database_and_one_of_another_application_are_not_changed() -> Result<()> {
    run(StackOptions::new(Kind::Full).workers(0), async |stack| {
        let database = Postgres::shared().await?.new_database().await?;
        let sql = Sql::postgres(&database)?;
        let tables = "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'";
        let (finished, report) = examined(stack, &[("DATABASE_URL", &database)]).await?;
        assert!(finished.status.success(), "{report:#}");
        let migrations = check(&report, "migrations")?;
        assert_eq!(migrations["status"], "warn", "{report:#}");
        assert!(migrations["remedy"].as_str().context("remedy")?.contains("DATABASE_URL"), "{report:#}");
        assert_eq!(sql.number(tables, "").await?, 0);
        sql.run("CREATE TABLE users (uid uuid)", "").await?;
        fails(stack, &[("DATABASE_URL", &database)], "database", "another application", "createdb").await?;
        assert_eq!(sql.number(tables, "").await?, 1);
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_template_is_named() -> Result<()> {
    run(StackOptions::new(Kind::Full).workers(0), async |stack| {
        let folder = stack.folder().join("mine");
        fs::create_dir_all(folder.join("mail/welcome"))?;
        fs::write(folder.join("mail/welcome/body.txt"), "\n{{ nobody }}")?;
        let mine = folder.display().to_string();
        fails(stack, &[("TEMPLATE_FOLDER", &mine)], "templates", "body.txt, line 2", "templates check").await
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settings_with_which_no_email_can_be_made_are_named_as_at_the_start() -> Result<()> {
    run(StackOptions::new(Kind::Full).workers(0), async |stack| {
        let name = "x".repeat(501);
        let own = [("MAIL_FROM_NAME", name.as_str())];
        fails(stack, &own, "templates", "the sender's name is longer than 500 bytes", "the start is refused")
            .await?;
        let mut settings = stack.settings().clone();
        settings.insert("MAIL_FROM_NAME".to_owned(), name);
        let start = run_in(stack.folder(), &settings, &[]).await?;
        assert!(!start.status.success() && start.log.contains("longer than 500 bytes"), "{start:?}");
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_clock_is_a_warning() -> Result<()> {
    run(StackOptions::new(Kind::Full).workers(0), async |stack| {
        let library = "/usr/$LIB/faketime/libfaketimeMT.so.1";
        let own = [("LD_PRELOAD", library), ("FAKETIME", "-1h"), ("FAKETIME_DONT_FAKE_MONOTONIC", "1")];
        let (_, report) = examined(stack, &own).await?;
        let clock = check(&report, "clock")?;
        assert_eq!(clock["status"], "warn", "{report:#}");
        assert!(clock["fact"].as_str().context("fact")?.contains("behind the database's"), "{report:#}");
        assert!(clock["remedy"].as_str().context("remedy")?.contains("NTP"), "{report:#}");
        Ok(())
    })
    .await
}
