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
fn a_misspelt_name_is_a_warning_without_its_value() {
    let (_folder, settings) = embedded(&[("DATABSE_URL", "postgres://bookly:hunter2@db/bookly")]);
    let settings = settings.unwrap();
    assert_eq!(settings.way_to_run(), WayToRun::Embedded);
    let found = &settings.warnings;
    assert!(found.len() == 1 && found[0].contains("is DATABASE_URL meant?"), "{found:?}");
    assert!(!found[0].contains("hunter2"), "{found:?}");
}
