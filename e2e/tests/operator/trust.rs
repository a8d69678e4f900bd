//! TLS to the mail server, Redis and Postgres, where no public authority issued their certificates.

use std::fs;

use bookly_e2e::certificate::{Authority, Certificate, HERE};
use bookly_e2e::postgres::Postgres;
use bookly_e2e::redis_server::RedisServer;
use bookly_e2e::smtp_server::{SmtpServer, SmtpServerOptions, TlsMode};
use bookly_e2e::stack::{MAIL_USER, run};

use super::doctor::{check, examined, fails};
use super::*;

/// A file with these certificates.
fn file_of(stack: &Stack, pem: &str) -> Result<String> {
    let path = stack.folder().join(format!("{}.pem", uuid::Uuid::new_v4().simple()));
    fs::write(&path, pem)?;
    Ok(path.display().to_string())
}

/// The certificates of the stack's own servers, and this one.
fn trusting(stack: &Stack, pem: &str) -> Result<String> {
    file_of(stack, &format!("{}{pem}", stack.smtp()?.ca_pem()))
}

async fn passes(stack: &Stack, own: &[(&str, &str)], name: &str) -> Result<()> {
    let (_, report) = examined(stack, own).await?;
    ensure!(check(&report, name)?["status"] == "ok", "{report:#}");
    Ok(())
}

async fn database_on(server: &Postgres, host: &str) -> Result<String> {
    let url = server.new_database().await?.replace("127.0.0.1", host);
    Ok(format!("{url}?sslmode=verify-full"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn emails_are_sent_over_tls_by_an_authority_of_ones_own() -> Result<()> {
    let authority = Authority::new()?;
    let redis = RedisServer::start_with(&authority.issue(&HERE)?).await?;
    let postgres = Postgres::start_with(Some(&authority.issue(&["localhost"])?)).await?;
    let options = StackOptions::new(Kind::Full)
        .trusting(&authority.pem())
        .with("REDIS_URL", redis.tls_url("127.0.0.1")?)
        .with("DATABASE_URL", database_on(&postgres, "localhost").await?);
    run(options, async |stack| {
        signed_up(stack).await?;
        let report = said(stack, &["doctor"]).await?;
        assert!(!report.contains("FAIL"), "{report}");
        let clients: String = redis.ask(&["CLIENT", "LIST", "TYPE", "pubsub"]).await?;
        assert_eq!(clients.lines().count(), 2, "both workers listen: {clients}");
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_self_signed_mail_server_is_trusted_by_its_own_certificate_only() -> Result<()> {
    run(StackOptions::new(Kind::Full).workers(0), async |stack| {
        let own = Certificate::self_signed(&HERE)?;
        let server = SmtpServer::start(SmtpServerOptions {
            tls: TlsMode::StartTls,
            certificate: Some(own.clone()),
            auth: Some((MAIL_USER.to_owned(), MAIL_PASSWORD.to_owned())),
            ..Default::default()
        })
        .await?;
        let port = server.port().to_string();
        let file = file_of(stack, &own.pem)?;
        passes(stack, &[("MAIL_PORT", &port), ("SSL_CERT_FILE", &file)], "smtp").await?;
        let another = file_of(stack, &Certificate::self_signed(&HERE)?.pem)?;
        for file in ["", &another] {
            let own = [("MAIL_PORT", port.as_str()), ("SSL_CERT_FILE", file)];
            fails(stack, &own, "smtp", "self-signed", "holds this very certificate").await?;
        }
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn certificates_of_redis_are_checked_as_those_of_the_mail_server() -> Result<()> {
    let authority = Authority::new()?;
    let issued = RedisServer::start_with(&authority.issue(&["localhost"])?).await?;
    let expired = RedisServer::start_with(&authority.issue_expired(&HERE)?).await?;
    let own = Certificate::self_signed(&HERE)?;
    let self_signed = RedisServer::start_with(&own).await?;
    run(StackOptions::new(Kind::Full).workers(0), async |stack| {
        let (by_authority, by_itself) = (trusting(stack, &authority.pem())?, trusting(stack, &own.pem)?);
        let redis =
            |url: &str, file: &str| [("REDIS_URL", url.to_owned()), ("SSL_CERT_FILE", file.to_owned())];
        for (url, file) in
            [(issued.tls_url("localhost")?, &by_authority), (self_signed.tls_url("127.0.0.1")?, &by_itself)]
        {
            let own = redis(&url, file);
            passes(stack, &own.each_ref().map(|(name, value)| (*name, value.as_str())), "redis").await?;
        }
        for (url, file, fact, remedy) in [
            (issued.tls_url("127.0.0.1")?, &by_authority, "subjectAltName", "REDIS_URL"),
            (issued.tls_url("localhost")?, &by_itself, "no trusted authority", "SSL_CERT_FILE"),
            (expired.tls_url("localhost")?, &by_authority, "expired", "renew"),
            (self_signed.tls_url("localhost")?, &by_authority, "self-signed", "this very certificate"),
        ] {
            let own = redis(&url, file);
            let own = own.each_ref().map(|(name, value)| (*name, value.as_str()));
            fails(stack, &own, "redis", fact, remedy).await.with_context(|| fact.to_owned())?;
        }
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_certificate_of_postgres_is_named_with_its_reason() -> Result<()> {
    let authority = Authority::new()?;
    let issued = Postgres::start_with(Some(&authority.issue(&["localhost"])?)).await?;
    let expired = Postgres::start_with(Some(&authority.issue_expired(&HERE)?)).await?;
    let own = Certificate::self_signed(&HERE)?;
    let self_signed = Postgres::start_with(Some(&own)).await?;
    run(StackOptions::new(Kind::Full).workers(0), async |stack| {
        let trusted = trusting(stack, &format!("{}{}", authority.pem(), own.pem))?;
        for (server, host, file, fact, remedy) in [
            (&issued, "127.0.0.1", &trusted, "subjectAltName", "DATABASE_URL"),
            (&issued, "localhost", &trusting(stack, "")?, "no trusted authority", "SSL_CERT_FILE"),
            (&expired, "localhost", &trusted, "expired", "renew"),
            (&self_signed, "localhost", &trusted, "self-signed", "basicConstraints=critical,CA:FALSE"),
        ] {
            let url = database_on(server, host).await?;
            let own = [("DATABASE_URL", url.as_str()), ("SSL_CERT_FILE", file)];
            fails(stack, &own, "database", fact, remedy).await.with_context(|| fact.to_owned())?;
            let mut settings = stack.settings().clone();
            settings.extend(own.map(|(name, value)| (name.to_owned(), value.to_owned())));
            let start = run_in(stack.folder(), &settings, &[]).await?;
            assert!(!start.status.success() && start.log.contains(remedy), "{start:?}");
        }
        Ok(())
    })
    .await
}
