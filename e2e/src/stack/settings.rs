//! The settings of a stack's processes.

use std::path::Path;

use uuid::Uuid;

use crate::postgres::Postgres;
use crate::process::Settings;
use crate::redis_server::RedisServer;
use crate::smtp_server::{SmtpServer, SmtpServerOptions, TlsMode};
use crate::token_server::{AccessTokens, MAILBOX};

/// The secret of the service, so that tests can forge tokens.
pub const JWT_SECRET: &str = "jwt-secret-that-no-log-shows-0123456789abcdef";
/// The login at the mail server.
pub const MAIL_USER: &str = "bookly-mailer";
pub const MAIL_PASSWORD: &str = "smtp-password-that-no-log-shows";
/// The login at the second one. The search of the logs for the first password finds this one, too.
pub const SECOND_MAIL_USER: &str = "bookly-second";
const SECOND_MAIL_PASSWORD: &str = "second-smtp-password-that-no-log-shows";

/// The settings of both kinds.
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
        // All tests have the same client address.
        ("RATE_LIMIT", "off"),
    ])
}

/// The settings of the full stack: a new database, and its own queue.
pub(super) async fn full(redis: &RedisServer) -> anyhow::Result<Settings> {
    let database = Postgres::shared().await?.new_database().await?;
    let queue = format!("e2e-{}", Uuid::new_v4().simple());
    Ok(settings(&[("DATABASE_URL", &database), ("REDIS_URL", &redis.url()), ("QUEUE_NAME", &queue)]))
}

/// The settings for a mail server with TLS and login.
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

/// The settings for a second mail server.
pub(super) fn second_mail(smtp: &SmtpServer) -> Settings {
    settings(&[
        ("MAIL_FALLBACK_SERVER", "localhost"),
        ("MAIL_FALLBACK_PORT", &smtp.port().to_string()),
        ("MAIL_FALLBACK_USERNAME", SECOND_MAIL_USER),
        ("MAIL_FALLBACK_PASSWORD", SECOND_MAIL_PASSWORD),
    ])
}

/// Another mail server, with a login of its own.
pub(super) async fn second_mail_server() -> anyhow::Result<SmtpServer> {
    let auth = Some((SECOND_MAIL_USER.to_owned(), SECOND_MAIL_PASSWORD.to_owned()));
    SmtpServer::start(SmtpServerOptions { tls: TlsMode::StartTls, auth, ..Default::default() }).await
}

/// A mail server that requires TLS and a login, with a password or else with an access token.
pub(super) async fn mail_server(access_tokens: Option<AccessTokens>) -> anyhow::Result<SmtpServer> {
    let mut options = SmtpServerOptions { tls: TlsMode::StartTls, ..Default::default() };
    match access_tokens {
        Some(tokens) => {
            options.access_tokens = Some((MAILBOX.to_owned(), tokens));
            options.auth_mechanisms = vec!["XOAUTH2", "OAUTHBEARER"];
        }
        None => options.auth = Some((MAIL_USER.to_owned(), MAIL_PASSWORD.to_owned())),
    }
    SmtpServer::start(options).await
}

fn settings(pairs: &[(&str, &str)]) -> Settings {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}
