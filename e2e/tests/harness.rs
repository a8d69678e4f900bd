//! The throwaway servers themselves: that they serve, and that nothing of them stays behind.

use anyhow::Result;
use bookly_e2e::poll::{LIMIT, until};
use bookly_e2e::postgres::Postgres;
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
