//! What the processes of a stack are started with.

use std::path::Path;

use uuid::Uuid;

use crate::postgres::Postgres;
use crate::process::Settings;
use crate::redis_server::RedisServer;
use crate::smtp_server::{SmtpServer, SmtpServerOptions, TlsMode};

/// The service's secret, so that tests can forge what it signs.
pub const JWT_SECRET: &str = "jwt-secret-that-no-log-shows-0123456789abcdef";
/// Who the workers log in as at the mail server.
pub const MAIL_USER: &str = "bookly-mailer";
/// And with what.
pub const MAIL_PASSWORD: &str = "smtp-password-that-no-log-shows";

/// What both kinds have.
pub(super) fn common(port: u16, folder: &Path) -> Settings {
    let address = format!("127.0.0.1:{port}");
    let data = folder.join("data").display().to_string();
    settings(&[
        ("LISTEN", &address),
        ("DOMAIN", &address),
        ("DATA_DIR", &data),
        ("JWT_SECRET", JWT_SECRET),
        ("MAIL_FROM", "bookly@bookly.test"),
        ("MAIL_FROM_NAME", "Bookly Tests"),
        // All tests come from one address.
        ("RATE_LIMIT", "off"),
    ])
}

/// What the full stack adds: a fresh database, and a queue of its own.
pub(super) async fn full(redis: &RedisServer) -> anyhow::Result<Settings> {
    let database = Postgres::shared().await?.new_database().await?;
    let queue = format!("e2e-{}", Uuid::new_v4().simple());
    Ok(settings(&[("DATABASE_URL", &database), ("REDIS_URL", &redis.url()), ("QUEUE_NAME", &queue)]))
}

/// How a mail server is reached, with TLS and login.
pub(super) fn mail(smtp: &SmtpServer, folder: &Path) -> Settings {
    let authority = folder.join("ca.pem").display().to_string();
    settings(&[
        ("MAIL_SERVER", "localhost"),
        ("MAIL_PORT", &smtp.port().to_string()),
        ("MAIL_STARTTLS", "True"),
        ("MAIL_USERNAME", MAIL_USER),
        ("MAIL_PASSWORD", MAIL_PASSWORD),
        ("SSL_CERT_FILE", &authority),
    ])
}

/// A mail server that takes nothing without TLS and login.
pub(super) async fn mail_server() -> anyhow::Result<SmtpServer> {
    let auth = Some((MAIL_USER.to_owned(), MAIL_PASSWORD.to_owned()));
    SmtpServer::start(SmtpServerOptions { tls: TlsMode::StartTls, auth, ..Default::default() }).await
}

fn settings(pairs: &[(&str, &str)]) -> Settings {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}
