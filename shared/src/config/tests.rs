//! Tests of the settings.

mod example;
mod formats;
mod mail;
mod mail_auth;
mod secrets;
mod warnings;

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use secrecy::ExposeSecret;
use tempfile::TempDir;

use super::secret_file::NoSecret;
use super::source::Source;
use super::*;

const SECRET: &str = "e698218fbf1d9d46b06a6c1aa41b3124";

/// The smallest settings for Postgres with SMTP.
const SERVER: &[(&str, &str)] = &[
    ("DATABASE_URL", "postgresql+asyncpg://bookly:pw@db/bookly"),
    ("JWT_SECRET", SECRET),
    ("OTEL_EXPORTER_OTLP_HEADERS", "api-key=hunter2"),
    ("MAIL_SERVER", "smtp.example.org"),
    ("MAIL_USERNAME", "bookly"),
    ("MAIL_PASSWORD", "hunter2"),
    ("MAIL_FROM", "bookly@example.org"),
    ("DOMAIN", "bookly.example.org"),
];

/// Later variables replace earlier ones; an empty value removes one.
fn read(vars: &[&[(&str, &str)]]) -> Result<Settings, SettingsError> {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    Settings::from_vars(vars.iter().rev().flat_map(|part| part.iter().map(owned)))
}

fn problems(vars: &[&[(&str, &str)]]) -> Vec<String> {
    read(vars).unwrap_err().problems().iter().map(ToString::to_string).collect()
}

fn embedded(vars: &[(&str, &str)]) -> (TempDir, Result<Settings, SettingsError>) {
    let folder = tempfile::tempdir().unwrap();
    let data_dir = folder.path().join("data");
    let result = read(&[vars, &[("DATA_DIR", data_dir.to_str().unwrap())]]);
    (folder, result)
}

fn password_of(server: &SmtpSettings) -> &str {
    match &server.credentials.as_ref().unwrap().auth {
        SmtpAuth::Password(password) => password.expose_secret(),
        SmtpAuth::OAuth(_) => panic!("{server:?}"),
    }
}

#[test]
fn without_settings_it_runs_embedded_with_emails_in_files() {
    let (_folder, settings) = embedded(&[]);
    let settings = settings.unwrap();
    assert_eq!(settings.way_to_run(), WayToRun::Embedded);
    assert!(matches!(settings.mail.transport, MailTransport::File));
    assert_eq!(settings.public_url.as_str(), "http://localhost:8000");
    assert_eq!(settings.lifetimes.password_reset, Duration::from_secs(3600));
    assert!(
        settings.rate_limit && settings.docs && settings.verify_on_get && settings.trusted_proxies.is_empty()
    );
    assert!(settings.jwt_secret.expose_secret().len() >= 32);
}

#[test]
fn the_env_file_of_the_original_works_unchanged() {
    let env = r#"
DATABASE_URL="postgresql+asyncpg://bookly:p$ss@localhost:5432/bookly_db"
JWT_SECRET=e698218fbf1d9d46b06a6c1aa41b3124
JWT_ALGORITHM=HS256
REDIS_HOST=localhost
REDIS_PORT=6379
REDIS_URL=redis://localhost:6379/0
MAIL_USERNAME=bookly@example.org
MAIL_PASSWORD=abcd efgh ijkl mnop
MAIL_SERVER=smtp.gmail.com
MAIL_PORT=587
MAIL_FROM=bookly@example.org
MAIL_FROM_NAME='Bookly Books'
MAIL_STARTTLS=True
MAIL_SSL_TLS=False
USE_CREDENTIALS=True
VALIDATE_CERTS=True
DOMAIN=localhost:8000
SOMETHING_ELSE=kept out
"#;
    let settings = Settings::from_vars(dotenv::read(env, &[], &mut Vec::new())).unwrap();
    assert_eq!(settings.way_to_run(), WayToRun::PostgresAndRedis);
    let DatabaseSettings::Postgres { url, .. } = &settings.database else { panic!("{settings:?}") };
    assert_eq!(url.expose_secret(), "postgres://bookly:p$ss@localhost:5432/bookly_db");
    let MailTransport::Smtp(server) = &settings.mail.transport else { panic!("{settings:?}") };
    assert_eq!((server.port, server.security, server.validate_certs), (587, Security::StartTls, true));
    assert_eq!(password_of(server), "abcd efgh ijkl mnop");
    assert_eq!(settings.mail.from_name, "Bookly Books");
    assert_eq!(settings.public_url.as_str(), "http://localhost:8000");
}

#[test]
fn a_get_verifies_by_default_only_where_the_domain_is_this_machine() {
    let verifies = |domain: &str| read(&[SERVER, &[("DOMAIN", domain)]]).unwrap().verify_on_get;
    for domain in ["localhost:8000", "http://127.0.0.1:8000", "[::1]:8000"] {
        assert!(verifies(domain), "{domain}");
    }
    for domain in ["bookly.example.org", "http://bookly.lan:8000", "192.0.2.1", "localhost.example.org"] {
        assert!(!verifies(domain), "{domain}");
    }
    assert!(read(&[SERVER, &[("VERIFY_ON_GET", "true")]]).unwrap().verify_on_get);
}

#[test]
fn postgres_alone_and_postgres_with_redis_are_the_other_ways_to_run() {
    assert_eq!(read(&[SERVER]).unwrap().way_to_run(), WayToRun::Postgres);
    let by_host = read(&[SERVER, &[("REDIS_HOST", "::1"), ("REDIS_PORT", "6380")]]).unwrap();
    assert_eq!(by_host.way_to_run(), WayToRun::PostgresAndRedis);
    assert_eq!(by_host.redis.unwrap().expose_secret(), "redis://[::1]:6380/0");
    let both = read(&[SERVER, &[("REDIS_HOST", "one"), ("REDIS_URL", "rediss://two:6380/1")]]).unwrap();
    assert_eq!(both.redis.unwrap().expose_secret(), "rediss://two:6380/1");
    let port_alone = read(&[SERVER, &[("REDIS_PORT", "tcp://10.0.0.1:6379")]]).unwrap();
    assert_eq!(port_alone.way_to_run(), WayToRun::Postgres);
}

#[test]
fn ports_that_kubernetes_sets_beside_services_are_not_settings() {
    let redis = [("REDIS_HOST", "redis"), ("REDIS_PORT", "tcp://10.0.0.1:6379")];
    let mail = [("MAIL_PORT", " tcp://10.0.0.2:25")];
    let settings = read(&[SERVER, &redis, &mail]).unwrap();
    assert_eq!(settings.redis.unwrap().expose_secret(), "redis://redis:6379/0");
    let MailTransport::Smtp(server) = &settings.mail.transport else { panic!("{:?}", settings.mail) };
    assert_eq!(server.port, 587);
}

#[test]
fn every_wrong_value_is_reported_at_once() {
    let wrong = [
        ("DATABASE_URL", "sqlite:///x.db"),
        ("REDIS_URL", "http://x"),
        ("JWT_SECRET", "short"),
        ("JWT_ALGORITHM", "none"),
        ("MAIL_FROM", "nobody"),
        ("MAIL_FROM_NAME", "Bookly\r\nBcc: x"),
        ("MAIL_SERVER", "smtp.example.org:25"),
        ("MAIL_PORT", "58x7"),
        ("MAIL_STARTTLS", "perhaps"),
        ("MAIL_SSL_TLS", "2"),
        ("USE_CREDENTIALS", "maybe"),
        ("VALIDATE_CERTS", "si"),
        ("TEMPLATE_FOLDER", "/does/not/exist"),
        ("SSL_CERT_FILE", "/does/not/exist"),
        ("DOMAIN", "ftp://x"),
        ("LISTEN", "8000"),
        ("DATA_DIR", "/dev/null"),
        ("QUEUE_NAME", "a b"),
        ("MAIL_TRANSPORT", "pigeon"),
        ("WORKER_CONCURRENCY", "0"),
        ("WORKER_RATE", "0"),
        ("METRICS_TOKEN", "two words"),
        ("METRICS_LISTEN", "x"),
        ("MAIL_DKIM_SELECTOR", "s1._domainkey.example.org."),
        ("DOCTOR_SENDING_IP", "mail.example.org"),
        ("DOCTOR_DNS", "8.8.8.8"),
        ("RATE_LIMIT", "a bit"),
        ("TRUSTED_PROXIES", "10.0.0.0/8, somewhere"),
        ("VERIFY_ON_GET", "x"),
        ("EMAIL_VERIFICATION_LIFETIME", "59"),
        ("PASSWORD_RESET_LIFETIME", "1h"),
        ("EMAIL_CHANGE_LIFETIME", "604801"),
        ("MAIL_RETENTION_DAYS", "0"),
    ];
    let error = read(&[&wrong]).unwrap_err();
    let named: BTreeSet<_> = error.problems().iter().map(SettingProblem::name).collect();
    assert_eq!(named, wrong.iter().map(|(name, _)| *name).collect());
    assert_eq!(error.problems().len(), wrong.len(), "each once: {error}");
    assert_eq!(error.to_string().lines().count(), wrong.len() + 1);
}

#[test]
fn a_problem_names_the_variable_its_value_and_what_would_be_right() {
    let found = problems(&[SERVER, &[("MAIL_PORT", "58x7"), ("JWT_SECRET", "0123456789ab")]]);
    assert_eq!(
        found,
        [
            "MAIL_PORT is \"58x7\": a port number from 1 to 65535 is needed",
            "JWT_SECRET is 12 bytes long: at least 32 bytes are needed (openssl rand -hex 32)",
        ]
    );
}

#[test]
fn an_empty_variable_is_treated_as_not_set() {
    let names = table::SETTINGS.iter().map(|setting| setting.name()).filter(|name| *name != "DATA_DIR");
    let (_folder, settings) = embedded(&names.map(|name| (name, "")).collect::<Vec<_>>());
    let settings = settings.unwrap();
    assert_eq!((settings.way_to_run(), settings.listen.port()), (WayToRun::Embedded, 8000));
}

#[test]
fn redis_with_sqlite_is_refused_with_the_reason() {
    for var in [("REDIS_URL", "redis://localhost"), ("REDIS_HOST", "localhost")] {
        let found = problems(&[&[var]]);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(
            found[0].starts_with(var.0) && found[0].contains("a database that they can share"),
            "{found:?}"
        );
    }
}

const COLLECTOR: (&str, &str) = ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://otel.example.org/base/");

#[test]
fn traces_are_sent_to_the_endpoint_with_their_path() {
    assert!(read(&[SERVER]).unwrap().traces.is_none());
    let traces = read(&[SERVER, &[COLLECTOR]]).unwrap().traces.unwrap();
    assert_eq!(traces.endpoint, "https://otel.example.org/base/v1/traces");
    let local = read(&[SERVER, &[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318")]]).unwrap();
    assert_eq!(local.traces.unwrap().endpoint, "http://localhost:4318/v1/traces");
    for odd in ["localhost:4318", "grpc://localhost", "http://u:hunter2@host", "http://host?x=y"] {
        let found = problems(&[SERVER, &[("OTEL_EXPORTER_OTLP_ENDPOINT", odd)]]);
        assert!(found[0].contains("a URL with http:// or https://"), "{found:?}");
        assert!(!found[0].contains("hunter2"), "{found:?}");
    }
    for odd in ["api-key", "a b=c", "a=b,", "a=b\u{1}"] {
        assert_eq!(problems(&[SERVER, &[("OTEL_EXPORTER_OTLP_HEADERS", odd)]]).len(), 1, "{odd}");
    }
}

#[test]
fn names_are_read_in_any_case() {
    let (_folder, settings) = embedded(&[("listen", "127.0.0.1:9000"), ("Rate_Limit", "off")]);
    let settings = settings.unwrap();
    assert_eq!((settings.listen.port(), settings.rate_limit), (9000, false));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret");
    fs::write(&path, SECRET).unwrap();
    let by_file = [("JWT_SECRET", ""), ("jwt_secret_file", path.to_str().unwrap())];
    assert_eq!(read(&[SERVER, &by_file]).unwrap().jwt_secret.expose_secret(), SECRET);
}
