//! Tests of the settings.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use proptest::prelude::*;
use secrecy::ExposeSecret;
use tempfile::TempDir;

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
    assert_eq!(server.credentials.as_ref().unwrap().password.expose_secret(), "abcd efgh ijkl mnop");
    assert_eq!(settings.mail.from_name, "Bookly Books");
    assert_eq!(settings.public_url.as_str(), "http://localhost:8000");
}

#[test]
fn a_previous_secret_is_for_links_too_while_one_secret_signs_both() {
    let (old, new, link) = ("o".repeat(32), "n".repeat(32), "l".repeat(32));
    let expose =
        |secret: &Option<SecretString>| secret.as_ref().map(|secret| secret.expose_secret().to_owned());
    let rotated = [("JWT_SECRET", new.as_str()), ("JWT_PREVIOUS_SECRET", old.as_str())];
    let settings = read(&[SERVER, &rotated]).unwrap();
    assert_eq!(settings.link_secret.expose_secret(), new);
    assert_eq!(expose(&settings.jwt_previous_secret), Some(old.clone()));
    assert_eq!(expose(&settings.link_previous_secret).as_ref(), Some(&old));
    let settings = read(&[SERVER, &rotated, &[("LINK_SECRET", &link)]]).unwrap();
    assert_eq!(settings.link_secret.expose_secret(), link);
    assert_eq!(expose(&settings.link_previous_secret), None);
    let settings = read(&[SERVER, &[("LINK_PREVIOUS_SECRET", &link)]]).unwrap();
    assert_eq!(settings.link_secret.expose_secret(), SECRET);
    assert_eq!(expose(&settings.link_previous_secret), Some(link.clone()));
    assert_eq!(problems(&[SERVER, &[("LINK_SECRET", "short"), ("JWT_PREVIOUS_SECRET", "short")]]).len(), 2);
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

#[test]
fn postgres_without_a_mail_server_needs_an_explicit_file_transport() {
    let found = problems(&[SERVER, &[("MAIL_SERVER", "")]]);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains("MAIL_TRANSPORT=file"), "{found:?}");
    let settings = read(&[SERVER, &[("MAIL_SERVER", ""), ("MAIL_TRANSPORT", "file")]]).unwrap();
    assert!(matches!(settings.mail.transport, MailTransport::File));
}

#[test]
fn a_mail_server_means_smtp_unless_files_are_asked_for() {
    let smtp = SERVER.iter().filter(|(name, _)| *name != "DATABASE_URL").copied().collect::<Vec<_>>();
    assert!(matches!(read(&[&smtp]).unwrap().mail.transport, MailTransport::Smtp(_)));
    let settings = read(&[&smtp, &[("MAIL_TRANSPORT", "FILE")]]).unwrap();
    assert!(matches!(settings.mail.transport, MailTransport::File));
}

#[test]
fn the_sender_is_an_address_that_an_email_can_be_built_with() {
    for (text, address) in [
        ("bookly@example.org", Some("bookly@example.org")),
        ("a@bücher.example", Some("a@xn--bcher-kva.example")),
        ("bookly@localhost", Some("bookly@localhost")),
        ("bücher@example.org", None),
        ("a@bücher", None),
        ("\"a b\"@example.org", None),
        ("bookly@[192.0.2.1]", None),
    ] {
        let settings = read(&[SERVER, &[("MAIL_FROM", text)]]).ok();
        let from = settings.map(|settings| settings.mail.from.to_string());
        assert_eq!(from.as_deref(), address, "{text}");
    }
}

#[test]
fn the_name_for_mail_servers_can_be_set() {
    for (text, name) in [("mail.example.org", "mail.example.org"), ("[192.0.2.1]", "[192.0.2.1]")] {
        let settings = read(&[SERVER, &[("MAIL_HELO_NAME", text)]]).unwrap();
        let MailTransport::Smtp(server) = settings.mail.transport else { panic!("no server") };
        assert_eq!(server.helo_name, name);
    }
    let refused = problems(&[SERVER, &[("MAIL_HELO_NAME", "mail example.org")]]);
    assert!(refused[0].contains("MAIL_HELO_NAME"), "{refused:?}");
}

#[test]
fn smtp_needs_a_server_a_sender_a_domain_and_a_login() {
    let (folder, result) = embedded(&[("MAIL_TRANSPORT", "smtp")]);
    let error = result.unwrap_err();
    let named: Vec<_> = error.problems().iter().map(SettingProblem::name).collect();
    assert_eq!(named, ["MAIL_SERVER", "DOMAIN", "MAIL_FROM", "MAIL_USERNAME", "MAIL_PASSWORD"]);
    assert!(error.to_string().contains("set it to false for a server that needs no login"));
    assert!(!folder.path().join("data").exists(), "a start that stops makes no file");

    let no_login = [("USE_CREDENTIALS", "no"), ("MAIL_USERNAME", ""), ("MAIL_PASSWORD", "")];
    let settings = read(&[SERVER, &no_login]).unwrap();
    let MailTransport::Smtp(server) = settings.mail.transport else { panic!() };
    assert!(server.credentials.is_none());
}

#[test]
fn a_connection_has_one_kind_of_encryption() {
    let security = |vars: &[(&str, &str)]| match read(&[SERVER, vars]).unwrap().mail.transport {
        MailTransport::Smtp(server) => server.security,
        MailTransport::File => panic!(),
    };
    assert_eq!(security(&[]), Security::StartTls);
    assert_eq!(security(&[("MAIL_STARTTLS", "False")]), Security::Plain);
    assert_eq!(security(&[("MAIL_SSL_TLS", "True")]), Security::ImplicitTls);
    assert_eq!(security(&[("MAIL_SSL_TLS", "True"), ("MAIL_STARTTLS", "0")]), Security::ImplicitTls);
    let found = problems(&[SERVER, &[("MAIL_SSL_TLS", "True"), ("MAIL_STARTTLS", "True")]]);
    assert!(found[0].contains("set one of them to false"), "{found:?}");
}

#[test]
fn postgres_needs_a_long_secret_of_its_own() {
    let found = problems(&[SERVER, &[("JWT_SECRET", "")]]);
    assert!(found.len() == 1 && found[0].starts_with("JWT_SECRET is not set"), "{found:?}");
    assert!(read(&[SERVER, &[("JWT_SECRET", &SECRET[..31])]]).is_err());
}

#[test]
fn a_stored_secret_that_is_too_short_stops_the_start() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("jwt_secret"), "short\n").unwrap();
    let found = problems(&[&[("DATA_DIR", folder.path().to_str().unwrap())]]);
    assert!(found[0].starts_with("JWT_SECRET cannot be stored"), "{found:?}");
}

#[test]
fn a_secret_can_be_read_from_a_file_without_its_last_line_break() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret");
    let file = path.to_str().unwrap();
    for setting in table::SETTINGS.iter().filter(|setting| setting.is_secret()) {
        let value = SERVER
            .iter()
            .find(|(name, _)| *name == setting.name())
            .map_or("redis://a-host-with-a-long-name.test", |(_, v)| v);
        fs::write(&path, format!("{value}\r\n")).unwrap();
        let name = setting.file_name().unwrap();
        let settings = read(&[SERVER, &[(setting.name(), ""), (&name, file)]]).unwrap();
        if let (MailTransport::Smtp(server), "MAIL_PASSWORD") = (&settings.mail.transport, setting.name()) {
            assert_eq!(server.credentials.as_ref().unwrap().password.expose_secret(), "hunter2");
        }
        let found = problems(&[SERVER, &[(setting.name(), value), (&name, file)]]);
        assert!(found[0].contains("is set twice"), "{found:?}");
        let found = problems(&[SERVER, &[(setting.name(), ""), (&name, "/does/not/exist")]]);
        assert!(found[0].starts_with(&name) && found[0].contains("No such file"), "{found:?}");
        let found = problems(&[SERVER, &[(setting.name(), ""), (&name, "/dev/zero")]]);
        assert!(found[0].contains("at most 65536 bytes"), "{found:?}");
    }
}

#[test]
fn a_domain_is_a_host_a_host_with_port_or_a_url() {
    for (given, expected) in [
        ("bookly.example.org", "https://bookly.example.org"),
        ("bookly.example.org:8443", "https://bookly.example.org:8443"),
        ("localhost:8000", "http://localhost:8000"),
        ("localhost:443", "http://localhost:443"),
        ("127.0.0.1", "http://127.0.0.1"),
        ("::1", "http://[::1]"),
        ("[::1]:8000", "http://[::1]:8000"),
        ("192.168.0.5:8000", "https://192.168.0.5:8000"),
        ("http://bookly.example.org/", "http://bookly.example.org"),
        ("https://bookly.example.org:443", "https://bookly.example.org"),
        ("bücher.example", "https://xn--bcher-kva.example"),
    ] {
        let url = PublicUrl::parse(given).unwrap();
        assert_eq!((url.as_str(), url.is_https()), (expected, expected.starts_with("https")), "{given}");
    }
    for given in ["ftp://x", "https://x/path", "https://u:p@x", "x?y", "a b", "x:port", "http://"] {
        assert!(PublicUrl::parse(given).is_err(), "{given}");
    }
}

#[test]
fn a_port_that_the_system_chose_is_in_the_links() {
    let url = PublicUrl::on_this_machine(0);
    assert_eq!(url.with_bound_port(4711).as_str(), "http://localhost:4711");
    let url = PublicUrl::parse("bookly.example.org").unwrap();
    assert_eq!(url.with_bound_port(4711).as_str(), "https://bookly.example.org");
}

#[test]
fn booleans_are_read_as_pydantic_reads_them() {
    for text in ["True", "true", "1", "YES", "on", "t", "Y"] {
        assert_eq!(values::boolean(text), Ok(true), "{text}");
    }
    for text in ["False", "false", "0", "No", "OFF", "f", "n"] {
        assert_eq!(values::boolean(text), Ok(false), "{text}");
    }
    assert!(values::boolean("2").is_err());
}

#[test]
fn proxies_are_networks_or_single_addresses() {
    let proxies = values::networks("10.0.0.0/8, ::1,").unwrap();
    assert_eq!(proxies.iter().map(ToString::to_string).collect::<Vec<_>>(), ["10.0.0.0/8", "::1/128"]);
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
fn debug_of_the_settings_shows_no_secret() {
    let more = [("REDIS_URL", "redis://:hunter2@r"), ("METRICS_TOKEN", "hunter2"), COLLECTOR];
    let text = format!("{:?}", read(&[SERVER, &more]).unwrap());
    assert!(!text.contains("hunter2") && !text.contains(SECRET) && !text.contains("pw@"), "{text}");
}

#[test]
fn a_password_in_a_host_is_not_shown() {
    for name in ["DOMAIN", "MAIL_SERVER", "REDIS_HOST", "LISTEN", "MAIL_PORT"] {
        for value in ["smtp://bookly:hunter2@host/x", "bookly:hunter2@host/x"] {
            let error = read(&[SERVER, &[(name, value)]]).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
        }
    }
}

proptest! {
    #[test]
    fn no_error_contains_a_secret(secret in "Zq[!-~]{6,30}", in_file: bool) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        for shape in ["#", "postgres://u:#@h:x/d", "postgres://h/d?ssl=#", "redis://:#@h:x", "mysql://u:#@h", "#\u{e9} é"] {
            let value = shape.replace('#', &secret);
            fs::write(&path, &value).unwrap();
            let vars = table::SETTINGS.iter().filter(|setting| setting.is_secret()).map(|setting| {
                match setting.file_name() {
                    Some(name) if in_file => (name, path.to_str().unwrap().to_owned()),
                    _ => (setting.name().to_owned(), value.clone()),
                }
            });
            let error = Settings::from_vars(vars).unwrap_err();
            let text = format!("{error} {error:?}");
            prop_assert!(!text.contains(&secret), "{}", text);
        }
    }
}

#[test]
fn the_example_names_every_setting_and_no_other() {
    let names: BTreeSet<_> =
        example().filter_map(|line| line.split_once('=')).map(|(name, _)| name).collect();
    assert_eq!(names, table::SETTINGS.iter().map(|setting| setting.name()).collect());
}

#[test]
fn the_example_shows_the_defaults() {
    for (name, value) in example().filter_map(|line| line.split_once('=')) {
        let setting = table::SETTINGS.iter().find(|setting| setting.name() == name).unwrap();
        if let table::Unset::Default(default) = setting.unset() {
            assert_eq!(value.to_lowercase(), default.to_lowercase(), "{name}");
        }
    }
}

#[test]
fn the_example_can_be_read_unchanged_and_with_everything_set() {
    let vars = dotenv::read(EXAMPLE, &[], &mut Vec::new());
    assert!(vars.is_empty());
    let is_here =
        |line: &&str| !["TEMPLATE_FOLDER", "SSL_CERT_FILE"].iter().any(|name| line.starts_with(name));
    let text = example().filter(is_here).collect::<Vec<_>>().join("\n");
    let settings = Settings::from_vars(dotenv::read(&text, &[], &mut Vec::new())).unwrap();
    assert_eq!(settings.way_to_run(), WayToRun::PostgresAndRedis);
}

#[test]
fn the_readmes_table_has_a_row_for_every_setting() {
    let text = table::markdown();
    assert_eq!(text.lines().count(), table::SETTINGS.len() + 2);
    assert!(text.lines().all(|line| line.matches('|').count() == 4), "{text}");
    assert!(text.contains("| `MAIL_PORT` | `587` | The port of the SMTP server. |"));
}

const EXAMPLE: &str = include_str!("../../../.env.example");

/// The example's assignments, without their `#`.
fn example() -> impl Iterator<Item = &'static str> {
    let assignments = |line: &'static str| line.strip_prefix('#').filter(|rest| !rest.starts_with(' '));
    EXAMPLE.lines().filter_map(assignments)
}

#[test]
fn origins_may_have_the_schemes_of_apps_and_nothing_behind_the_port() {
    let origins = |text: &str| values::origins(text);
    let good = "https://App.example.org, http://localhost:3000/, capacitor://localhost, ionic://localhost, tauri://localhost,\
                chrome-extension://abcdefgh, app://bookly:8080, http://[::1]:3000";
    let expected = [
        "https://app.example.org",
        "http://localhost:3000",
        "capacitor://localhost",
        "ionic://localhost",
        "tauri://localhost",
        "chrome-extension://abcdefgh",
        "app://bookly:8080",
        "http://[::1]:3000",
    ];
    assert_eq!(origins(good).unwrap(), expected);
    for wrong in [
        "*",
        "null",
        "app.example.org",
        "https://app.example.org/path",
        "https://app.example.org:443",
        "https://user@app.example.org",
        "capacitor://localhost/path",
        "capacitor://",
        "capacitor://user@localhost",
        "file://localhost",
        "data:text/html,x",
        "capacitor:localhost",
        "https://a.example b.example",
    ] {
        assert!(origins(wrong).unwrap_err().contains("capacitor://localhost"), "{wrong}");
    }
}

/// The warnings of settings that are valid.
fn warnings(vars: &[&[(&str, &str)]]) -> Vec<String> {
    read(vars).unwrap().warnings
}

#[test]
fn the_usual_settings_are_without_a_warning() {
    assert_eq!(warnings(&[SERVER, &[COLLECTOR]]), Vec::<String>::new());
}

#[test]
fn a_login_without_encryption_is_a_warning() {
    let found = warnings(&[SERVER, &[("MAIL_STARTTLS", "false")]]);
    assert!(found.len() == 1 && found[0].starts_with("MAIL_USERNAME and MAIL_PASSWORD"), "{found:?}");
    let no_login = [("MAIL_STARTTLS", "false"), ("USE_CREDENTIALS", "false")];
    assert!(warnings(&[SERVER, &no_login]).is_empty(), "there is no login to read");
}

#[test]
fn a_certificate_that_is_not_checked_is_a_warning() {
    for encryption in [("MAIL_STARTTLS", "true"), ("MAIL_SSL_TLS", "true")] {
        let found = warnings(&[SERVER, &[("VALIDATE_CERTS", "false"), encryption]]);
        assert!(found.len() == 1 && found[0].starts_with("VALIDATE_CERTS is false"), "{found:?}");
    }
}

#[test]
fn keys_for_a_collector_without_encryption_are_a_warning() {
    let clear = [("OTEL_EXPORTER_OTLP_ENDPOINT", "http://otel.example.org")];
    let found = warnings(&[SERVER, &clear]);
    assert!(found.len() == 1 && found[0].contains("use https://"), "{found:?}");
    assert!(warnings(&[SERVER, &[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318")]]).is_empty());
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

#[test]
fn a_misspelt_name_is_a_warning_without_its_value() {
    let (_folder, settings) = embedded(&[("DATABSE_URL", "postgres://bookly:hunter2@db/bookly")]);
    let settings = settings.unwrap();
    assert_eq!(settings.way_to_run(), WayToRun::Embedded);
    let found = &settings.warnings;
    assert!(found.len() == 1 && found[0].contains("is DATABASE_URL meant?"), "{found:?}");
    assert!(!found[0].contains("hunter2"), "{found:?}");
}

#[test]
fn a_byte_order_mark_is_not_part_of_a_secret() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret");
    fs::write(&path, "\u{feff}hunter3\r\n").unwrap();
    let by_file = [("MAIL_PASSWORD", ""), ("MAIL_PASSWORD_FILE", path.to_str().unwrap())];
    let MailTransport::Smtp(server) = read(&[SERVER, &by_file]).unwrap().mail.transport else { panic!() };
    assert_eq!(server.credentials.unwrap().password.expose_secret(), "hunter3");
    let data_dir = folder.path().join("data");
    fs::create_dir(&data_dir).unwrap();
    fs::write(data_dir.join("jwt_secret"), format!("\u{feff}{SECRET}\r\n")).unwrap();
    let settings = read(&[&[("DATA_DIR", data_dir.to_str().unwrap())]]).unwrap();
    assert_eq!(settings.jwt_secret.expose_secret(), SECRET);
}
