//! The mail server, up to MAIL FROM; or the folder of the file transport.

mod remedy;

use std::time::Duration;

use bookly_shared::config::{
    MailTransport, Security, Settings, SmtpSettings, WayToRun, with_names_of_fallback,
};
use chrono::{DateTime, TimeDelta, Utc};

use self::remedy::{remedy_and_meanwhile, with_token};
use super::report::{Finding, Status, within};
use crate::smtp::{InspectError, SmtpOptions, SmtpReport, StageTimeouts, TlsReport, inspect};
use crate::transport::envelope_sender;

const NAME: &str = "smtp";
const NAME_OF_FALLBACK: &str = "smtp_fallback";
const MEANWHILE_THEY_WAIT: &str = "emails wait meanwhile";
const MEANWHILE_AT_FALLBACK: &str = "the fallback gets the emails meanwhile";
const MEANWHILE_AT_FIRST: &str = "emails wait only while the first mail server cannot be used either";
/// A certificate with less time left should have been renewed.
const RENEW_BEFORE: TimeDelta = TimeDelta::days(14);

/// The fallback. Without it emails are still sent, so nothing here fails.
pub(super) async fn check_fallback(
    server: &SmtpSettings,
    settings: &Settings,
    limit: Duration,
) -> Vec<Finding> {
    let visited = async { vec![visit(server, settings, limit, MEANWHILE_AT_FIRST).await] };
    let mut findings = within(limit, NAME_OF_FALLBACK, visited).await;
    for finding in &mut findings {
        finding.name = NAME_OF_FALLBACK;
        finding.status = finding.status.min(Status::Warn);
        finding.remedy = finding.remedy.as_deref().map(with_names_of_fallback);
    }
    findings
}

pub(super) async fn check(transport: &MailTransport, settings: &Settings, limit: Duration) -> Vec<Finding> {
    vec![match transport {
        MailTransport::Smtp(server) => {
            let has_fallback = settings.mail.fallback.is_some();
            let meanwhile = if has_fallback { MEANWHILE_AT_FALLBACK } else { MEANWHILE_THEY_WAIT };
            visit(server, settings, limit, meanwhile).await
        }
        MailTransport::File => as_files(settings),
    }]
}

fn as_files(settings: &Settings) -> Finding {
    let fact = format!(
        "no email leaves this machine: emails are files in {}",
        settings.data_dir.join("mail").display()
    );
    match settings.way_to_run() {
        WayToRun::Embedded => Finding::ok(NAME, format!("{fact}, shown at /inbox")),
        _ => Finding::warn(NAME, fact, "to send emails, set MAIL_SERVER and remove MAIL_TRANSPORT=file"),
    }
}

/// `meanwhile`: what happens to emails while the server cannot be used.
async fn visit(server: &SmtpSettings, settings: &Settings, limit: Duration, meanwhile: &str) -> Finding {
    // Shorter than the limit of the check, so that the error names the stage.
    let stage = limit.mul_f64(0.8);
    let timeouts = StageTimeouts {
        token: stage,
        connect: stage,
        greeting: stage,
        command: stage,
        ..StageTimeouts::default()
    };
    let (sender, trust) = (Some(envelope_sender(settings)), settings.trust.clone());
    let options = SmtpOptions { timeouts, sender, trust, ..SmtpOptions::default() };
    let place = format!("{}:{}", server.host, server.port);
    match inspect(server, &options).await {
        Ok(report) => judge(server, &report, &place, now()),
        Err(InspectError::Session(error)) => {
            let fact = format!("{place}, {error}");
            Finding::fail(NAME, fact, remedy_and_meanwhile(error.problem(), server, meanwhile))
        }
        Err(InspectError::Config(error)) => {
            Finding::fail(NAME, format!("{place}: {error}"), "correct MAIL_SERVER")
        }
    }
}

/// Certificates are judged by this machine's clock, as TLS does.
#[expect(
    clippy::disallowed_methods,
    reason = "a certificate's end is compared with the wall clock, as TLS does"
)]
fn now() -> DateTime<Utc> {
    Utc::now()
}

fn judge(server: &SmtpSettings, report: &SmtpReport, place: &str, now: DateTime<Utc>) -> Finding {
    let login = match &report.user {
        Some(user) if with_token(server) => format!("logged in as {user} with an access token"),
        Some(user) => format!("logged in as {user}"),
        None => "no login".to_owned(),
    };
    let encryption = report.tls.as_ref().map_or("in clear text".to_owned(), |tls| encryption(server, tls));
    let sender = report.sender.as_ref().map(|sender| format!("MAIL FROM {sender} accepted, "));
    let took = report.took.as_millis();
    let fact = format!("{place}, {encryption}, {login}, {}in {took} ms", sender.unwrap_or_default());
    let Some(tls) = &report.tls else { return in_clear(server, fact) };
    if !server.validate_certs {
        let remedy = "set VALIDATE_CERTS=true (SSL_CERT_FILE adds an authority of your own): an attacker on the network can \
                      read emails and the login";
        return Finding::warn(NAME, format!("{fact}; its certificate is not checked"), remedy);
    }
    if report.rotated_refresh_token {
        let fact = format!("{fact}; for this the token server replaced the refresh token");
        let remedy = "if it ends the old one with its use, workers cannot log in at their next start: set a new \
                      MAIL_OAUTH_REFRESH_TOKEN, and for more than one process use client credentials or a service account";
        return Finding::warn(NAME, fact, remedy);
    }
    match tls.valid_until.map(DateTime::<Utc>::from) {
        Some(end) if end - now < RENEW_BEFORE => Finding::warn(
            NAME,
            fact,
            "renew the certificate of the mail server: with an expired one it gets no email",
        ),
        _ => Finding::ok(NAME, fact),
    }
}

fn encryption(server: &SmtpSettings, tls: &TlsReport) -> String {
    let by = if server.security == Security::StartTls { " by STARTTLS" } else { "" };
    let names = if tls.names.is_empty() { "no host name".to_owned() } else { tls.names.join(" and ") };
    let end = tls.valid_until.map(|end| format!(" until {}", DateTime::<Utc>::from(end).format("%Y-%m-%d")));
    format!("{}{by}, certificate for {names}{}", tls.version, end.unwrap_or_default())
}

/// Whether the mail server runs here.
pub(super) fn is_this_machine(server: &SmtpSettings) -> bool {
    server.host == "localhost"
        || server.host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn in_clear(server: &SmtpSettings, fact: String) -> Finding {
    if is_this_machine(server) {
        return Finding::ok(NAME, fact);
    }
    let remedy = "set MAIL_STARTTLS=true, or MAIL_SSL_TLS=true with port 465, unless the network to the server is private";
    Finding::warn(NAME, format!("{fact}; others on the network can read emails and their links"), remedy)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use tokio::io::AsyncWriteExt;
    use tokio::net::TcpListener;
    use tokio::time::timeout;

    use super::*;

    fn server(host: &str) -> SmtpSettings {
        SmtpSettings {
            host: host.to_owned(),
            port: 587,
            security: Security::StartTls,
            credentials: None,
            validate_certs: true,
            helo_name: "bookly.test".to_owned(),
        }
    }

    fn no_login() -> SmtpReport {
        let took = Duration::ZERO;
        SmtpReport { tls: None, user: None, rotated_refresh_token: false, sender: None, took }
    }

    #[test]
    fn a_certificate_should_be_renewed_two_weeks_before_its_end() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        for (days, status) in [(13, Status::Warn), (15, Status::Ok)] {
            let end = now + TimeDelta::days(days);
            let tls = TlsReport {
                version: "TLS 1.3",
                names: vec!["a.test".to_owned()],
                valid_until: Some(end.into()),
            };
            let report = SmtpReport { tls: Some(tls), took: Duration::from_millis(7), ..no_login() };
            let finding = judge(&server("a.test"), &report, "a.test:587", now);
            assert_eq!(finding.status, status, "{days} days");
            assert!(
                finding.fact.contains("TLS 1.3 by STARTTLS, certificate for a.test until 2027-0"),
                "{finding:?}"
            );
        }
    }

    #[tokio::test]
    async fn a_second_server_that_is_silent_or_slow_at_each_step_is_a_warning() {
        let limit = Duration::from_secs(1);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut server = server("127.0.0.1");
        server.port = listener.local_addr().unwrap().port();
        let slow = async {
            let (mut session, _) = listener.accept().await.unwrap();
            // Within the limit of the greeting; the limits of all steps together are longer than the check's.
            tokio::time::sleep(limit / 2).await;
            session.write_all(b"220 slow.test\r\n").await.unwrap();
            std::future::pending::<()>().await;
        };
        let settings = Settings::from_vars(HashMap::new()).unwrap();
        let findings = tokio::select! {
            findings = timeout(limit * 10, check_fallback(&server, &settings, limit)) => findings.unwrap(),
            () = slow => unreachable!("it never ends"),
        };
        assert_eq!((findings[0].name, findings[0].status), ("smtp_fallback", Status::Warn), "{findings:?}");
        assert!(findings[0].fact.contains("within 1 s"), "the check's own limit: {findings:?}");
    }

    /// What `doctor` says of both mail servers, with these settings besides a first server that is away.
    async fn remedies(further: &[(&str, &str)]) -> Vec<String> {
        // Nothing listens on port 1.
        let first = [
            ("MAIL_SERVER", "127.0.0.1"),
            ("MAIL_PORT", "1"),
            ("MAIL_FROM", "a@b.test"),
            ("DOMAIN", "b.test"),
        ];
        let folder = tempfile::tempdir().unwrap();
        let rest = [("USE_CREDENTIALS", "false"), ("DATA_DIR", folder.path().to_str().unwrap())];
        let vars = first.iter().chain(&rest).chain(further);
        let settings =
            Settings::from_vars(vars.map(|(name, value)| ((*name).into(), (*value).into()))).unwrap();
        let limit = Duration::from_secs(10);
        let mut findings = check(&settings.mail.transport, &settings, limit).await;
        if let Some(server) = &settings.mail.fallback {
            findings.extend(check_fallback(server, &settings, limit).await);
        }
        findings.into_iter().filter_map(|finding| finding.remedy).collect()
    }

    #[tokio::test]
    async fn what_happens_meanwhile_depends_on_the_second_server() {
        let alone = remedies(&[]).await;
        assert!(alone[0].ends_with("; emails wait meanwhile"), "{alone:?}");
        let fallback = [
            ("MAIL_FALLBACK_SERVER", "127.0.0.1"),
            ("MAIL_FALLBACK_PORT", "1"),
            ("MAIL_FALLBACK_USE_CREDENTIALS", "false"),
        ];
        let both = remedies(&fallback).await;
        assert!(both[0].ends_with("; the fallback gets the emails meanwhile"), "{both:?}");
        let second = "; emails wait only while the first mail server cannot be used either";
        assert!(both[1].contains("MAIL_FALLBACK_PORT") && both[1].ends_with(second), "{both:?}");
    }

    #[test]
    fn clear_text_is_a_warning_except_to_this_machine() {
        let report = no_login();
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        for (host, status) in [("localhost", Status::Ok), ("::1", Status::Ok), ("10.0.0.7", Status::Warn)] {
            assert_eq!(judge(&server(host), &report, host, now).status, status, "{host}");
        }
    }
}
