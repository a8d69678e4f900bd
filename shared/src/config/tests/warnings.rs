//! What is allowed but probably a mistake.

use super::*;

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
    let near = [("MAIL_STARTTLS", "false"), ("MAIL_SERVER", "10.0.0.25")];
    let found = warnings(&[SERVER, &near]);
    assert!(found.len() == 1 && found[0].starts_with("MAIL_USERNAME and MAIL_PASSWORD"), "{found:?}");
    let no_login = [("USE_CREDENTIALS", "false")];
    assert!(warnings(&[SERVER, &near, &no_login]).is_empty(), "there is no login to read");
}

#[test]
fn emails_that_leave_the_private_network_without_encryption_are_a_warning() {
    let clear = [("MAIL_STARTTLS", "false"), ("USE_CREDENTIALS", "false"), ("MAIL_PORT", "1025")];
    for far in ["smtp.example.org", "192.0.2.25", "2001:db8::25", "172.32.0.1"] {
        let found = warnings(&[SERVER, &clear, &[("MAIL_SERVER", far)]]);
        assert!(
            found.len() == 1 && found[0].contains("links in them are sent without encryption"),
            "{found:?}"
        );
        assert!(warnings(&[SERVER, &[("MAIL_SERVER", far)]]).is_empty(), "{far} by STARTTLS");
    }
    for near in
        ["mailpit", "localhost", "127.0.0.1", "::1", "10.1.2.3", "172.16.0.1", "192.168.0.1", "fd00::1"]
    {
        assert_eq!(warnings(&[SERVER, &clear, &[("MAIL_SERVER", near)]]), Vec::<String>::new(), "{near}");
    }
    let fallback = [
        ("MAIL_FALLBACK_SERVER", "smtp.example.net"),
        ("MAIL_FALLBACK_STARTTLS", "false"),
        ("MAIL_FALLBACK_USE_CREDENTIALS", "false"),
    ];
    let found = warnings(&[SERVER, &fallback]);
    assert!(found.len() == 1 && found[0].contains("MAIL_FALLBACK_SERVER, which"), "{found:?}");
}

#[test]
fn a_trusted_network_that_holds_every_address_is_a_warning() {
    for networks in ["0.0.0.0/0", "::/0", "10.0.0.0/8, 0.0.0.0/0"] {
        let found = warnings(&[SERVER, &[("TRUSTED_PROXIES", networks)]]);
        assert!(
            found.len() == 1 && found[0].starts_with("TRUSTED_PROXIES trusts every address"),
            "{found:?}"
        );
    }
    assert!(warnings(&[SERVER, &[("TRUSTED_PROXIES", "10.0.0.0/8, fd00::/8")]]).is_empty());
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
fn a_misspelt_name_is_a_warning_without_its_value() {
    let (_folder, settings) = embedded(&[("DATABSE_URL", "postgres://bookly:hunter2@db/bookly")]);
    let settings = settings.unwrap();
    assert_eq!(settings.way_to_run(), WayToRun::Embedded);
    let found = &settings.warnings;
    assert!(found.len() == 1 && found[0].contains("is DATABASE_URL meant?"), "{found:?}");
    assert!(!found[0].contains("hunter2"), "{found:?}");
}
