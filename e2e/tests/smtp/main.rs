//! The worker's SMTP pool against a real server that fails on demand.
#![allow(clippy::unwrap_used, reason = "clippy's exception for tests does not reach their helpers")]

mod connecting;
mod content;
mod failures;
mod login;
mod login_token;
mod pool;
mod tolerance;
mod trust;

use std::{
    future::ready,
    sync::Arc,
    time::{Duration, Instant},
};

use bookly_e2e::smtp_server::{Fault, SmtpServer, SmtpServerOptions, Stage as At, TlsMode};
use bookly_shared::config::{Security, SmtpAuth, SmtpCredentials, SmtpSettings};
use bookly_shared::domain::SmtpReply;
use bookly_shared::tls::Trust;
use bookly_worker::smtp::{FailureKind, SendError, SmtpOptions, SmtpPool, Stage, StageTimeouts};
use lettre::{
    Message,
    address::Envelope,
    message::{Mailbox, MultiPart},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    sync::Notify,
};

/// Longest wait for what should happen at once.
const SOON: Duration = Duration::from_secs(10);
/// A time limit that the test lets expire.
const SHORT: Duration = Duration::from_millis(150);

async fn server(options: SmtpServerOptions) -> SmtpServer {
    SmtpServer::start(options).await.unwrap()
}

async fn plain_server() -> SmtpServer {
    server(SmtpServerOptions::default()).await
}

/// A server that does not offer PIPELINING, and one that does.
async fn both_servers() -> [SmtpServer; 2] {
    let options = |pipelining| SmtpServerOptions { pipelining, ..Default::default() };
    [server(options(false)).await, server(options(true)).await]
}

async fn tls_server(tls: TlsMode) -> SmtpServer {
    server(SmtpServerOptions { tls, ..Default::default() }).await
}

async fn login_server() -> SmtpServer {
    server(login_options(vec!["PLAIN", "LOGIN"])).await
}

fn login_options(auth_mechanisms: Vec<&'static str>) -> SmtpServerOptions {
    let auth = Some(("bookly".to_owned(), "correct horse".to_owned()));
    SmtpServerOptions { auth, auth_mechanisms, tls: TlsMode::StartTls, ..Default::default() }
}

fn settings(port: u16, security: Security) -> SmtpSettings {
    SmtpSettings::new("localhost", port, security)
}

fn login_settings(server: &SmtpServer, password: &str) -> SmtpSettings {
    let auth = SmtpAuth::Password(password.into());
    let credentials = SmtpCredentials { username: "bookly".to_owned(), auth };
    SmtpSettings { credentials: Some(credentials), ..settings(server.port(), Security::StartTls) }
}

/// Trusts the server's certificates.
fn options(server: &SmtpServer) -> SmtpOptions {
    SmtpOptions { trust: Trust::from_pem(server.ca_pem().as_bytes()).unwrap(), ..SmtpOptions::default() }
}

fn pool(server: &SmtpServer, security: Security) -> SmtpPool {
    SmtpPool::new(settings(server.port(), security), options(server)).unwrap()
}

fn plain_pool_with(server: &SmtpServer, options: SmtpOptions) -> SmtpPool {
    SmtpPool::new(settings(server.port(), Security::Plain), options).unwrap()
}

fn plain_pool(server: &SmtpServer) -> SmtpPool {
    pool(server, Security::Plain)
}

fn login_pool(server: &SmtpServer, password: &str) -> SmtpPool {
    SmtpPool::new(login_settings(server, password), options(server)).unwrap()
}

fn envelope(to: &str) -> Envelope {
    Envelope::new(Some("from@bookly.test".parse().unwrap()), vec![to.parse().unwrap()]).unwrap()
}

fn message(to: &str) -> Vec<u8> {
    format!("From: from@bookly.test\r\nTo: {to}\r\nSubject: for {to}\r\n\r\nHello {to}\r\n").into_bytes()
}

async fn send(pool: &SmtpPool, to: &str) -> Result<SmtpReply, SendError> {
    pool.send(&envelope(to), &message(to), ready(true)).await
}

/// Sends to `a@b.test` with a fault switched on, and returns the error.
async fn fails_with(server: &SmtpServer, pool: &SmtpPool, fault: Fault) -> SendError {
    server.set_fault(fault);
    send(pool, "a@b.test").await.unwrap_err()
}

fn spawn_send(pool: &SmtpPool, to: &str) -> tokio::task::JoinHandle<Result<SmtpReply, SendError>> {
    let (pool, to) = (pool.clone(), to.to_owned());
    tokio::spawn(async move { send(&pool, &to).await })
}
