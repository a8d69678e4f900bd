//! The throwaway servers themselves: they work, and nothing of them is left after the test.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::Result;
use bookly_e2e::browser::Browser;
use bookly_e2e::poll::{LIMIT, until};
use bookly_e2e::postgres::Postgres;
use bookly_e2e::process::binary;
use bookly_e2e::redis_server::RedisServer;
use bookly_e2e::sql::Sql;

#[tokio::test]
async fn every_database_is_new_and_durable() -> Result<()> {
    let server = Postgres::shared().await?;
    let (one, other) = (server.new_database().await?, server.new_database().await?);
    Sql::postgres(&one)?.run("CREATE TABLE here (id bigint)", "").await?;
    let tables = "SELECT count(*) FROM information_schema.tables WHERE table_name = 'here'";
    assert_eq!(Sql::postgres(&one)?.number(tables, "").await?, 1);
    assert_eq!(Sql::postgres(&other)?.number(tables, "").await?, 0);
    let durable = Sql::postgres(&one)?.texts("SHOW fsync", "").await?;
    assert_eq!(durable, ["on"]);
    Ok(())
}

/// `--help` must not start a server.
#[test]
fn each_helper_program_says_what_it_does_and_refuses_arguments_that_it_does_not_know() -> Result<()> {
    for name in ["throwaway-postgres", "smtp-sink", "bench"] {
        let program = binary(name)?;
        let run = |argument: &str| Command::new(&program).arg(argument).stdin(Stdio::null()).output();
        let help = run("--help")?;
        let text = String::from_utf8(help.stdout)?;
        assert!(help.status.success() && text.contains(&format!("Usage: {name}")), "{name}: {text}");
        let refused = run("--no-such-argument")?;
        assert_eq!((refused.status.code(), refused.stdout.as_slice()), (Some(2), &b""[..]), "{name}");
    }
    Ok(())
}

#[tokio::test]
async fn redis_hangs_and_goes_on() -> Result<()> {
    let server = RedisServer::start().await?;
    let answer: String = server.ask(&["SET", "key", "value"]).await?;
    assert_eq!(answer, "OK");
    server.hang()?;
    let silent = tokio::time::timeout(std::time::Duration::from_millis(200), server.ask::<String>(&["PING"]));
    assert!(silent.await.is_err(), "a stopped process does not answer");
    server.go_on()?;
    let value: String = server.ask(&["GET", "key"]).await?;
    assert_eq!(value, "value");
    Ok(())
}

#[tokio::test]
async fn a_dropped_server_is_gone() -> Result<()> {
    let server = RedisServer::start().await?;
    let port = server.port();
    drop(server);
    let bound = until("the port to be free", LIMIT, async || {
        Ok(std::net::TcpListener::bind(("127.0.0.1", port)).ok())
    });
    bound.await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_test_that_panics_leaves_no_process_of_its_browser_and_no_file() -> Result<()> {
    let browser = Browser::start(true).await?;
    browser.open("data:text/html,<p>Hello").await?;
    let folder = browser.folder().to_owned();
    assert!(processes_with(&folder)? > 1, "the browser has processes");
    let test = tokio::spawn(async move {
        let _browser = browser;
        panic!("this test fails");
    });
    assert!(test.await.is_err());
    until(
        "the browser's processes to end",
        LIMIT,
        async || Ok((processes_with(&folder)? == 0).then_some(())),
    )
    .await?;
    assert!(!folder.exists());
    Ok(())
}

/// How many processes have this folder among their arguments.
fn processes_with(folder: &Path) -> Result<usize> {
    let folder = folder.display().to_string();
    let mut found = 0;
    for entry in std::fs::read_dir("/proc")? {
        // A process may have ended meanwhile.
        let arguments = std::fs::read(entry?.path().join("cmdline")).unwrap_or_default();
        found += usize::from(String::from_utf8_lossy(&arguments).contains(&folder));
    }
    Ok(found)
}
