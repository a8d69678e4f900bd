//! Secrets: where they come from, which are refused, and that none is shown.

use proptest::prelude::*;

use super::*;

/// Secrets that have a form.
const FORMED: &[(&str, &str)] = &[
    (
        "BOUNCE_SENDGRID_PUBLIC_KEY",
        "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEQ4LIFtWztlsF7skFqOncjD1lun4H5w8XOhyOArHW9RcIx/FfEzx6cikC/yPfUvwaX/JScE7Fc9CJD2afQ9Ok3Q==",
    ),
    ("BOUNCE_RESEND_SECRET", "whsec_MDEyMzQ1Njc4OWFiY2RlZg=="),
];

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
fn postgres_needs_a_long_secret_of_its_own() {
    let found = problems(&[SERVER, &[("JWT_SECRET", "")]]);
    assert!(found.len() == 1 && found[0].starts_with("JWT_SECRET is not set"), "{found:?}");
    assert!(read(&[SERVER, &[("JWT_SECRET", &SECRET[..31])]]).is_err());
}

#[test]
fn a_metrics_token_has_16_characters_where_others_reach_the_service() {
    let found = problems(&[SERVER, &[("METRICS_TOKEN", "0123456789abcde")]]);
    assert!(found.len() == 1 && found[0].starts_with("METRICS_TOKEN is 15 bytes long"), "{found:?}");
    for (domain, token) in [("bookly.example.org", "0123456789abcdef"), ("localhost:8000", "short")] {
        assert!(read(&[SERVER, &[("METRICS_TOKEN", token), ("DOMAIN", domain)]]).is_ok(), "{domain}");
    }
}

#[test]
fn a_stored_secret_that_is_too_short_stops_the_start() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("jwt_secret"), "short\n").unwrap();
    let found = problems(&[&[("DATA_DIR", folder.path().to_str().unwrap())]]);
    let expected =
        "JWT_SECRET of the file jwt_secret under DATA_DIR is 5 bytes long: at least 32 bytes are needed";
    assert!(found[0].starts_with(expected), "{found:?}");
}

#[test]
fn a_stored_secret_that_cannot_be_read_is_not_said_to_be_missing_or_not_stored() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("jwt_secret")).unwrap();
    let found = problems(&[&[("DATA_DIR", folder.path().to_str().unwrap())]]);
    let expected = "JWT_SECRET cannot be read from the file jwt_secret under DATA_DIR: ";
    assert!(found[0].starts_with(expected), "{found:?}");
}

#[test]
fn a_command_that_checks_signatures_makes_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    let data_dir = folder.path().join("data");
    let read_for_reports = |secret: &str| {
        let vars = [("DATA_DIR", data_dir.to_str().unwrap()), ("LINK_SECRET", secret)];
        let vars = vars.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let source = Source::new(vars, Vec::new()).without_secret(NoSecret::Refuse);
        Settings::from_source(source)
    };
    let refused = read_for_reports("").unwrap_err().to_string();
    let expected = "JWT_SECRET is not set, and there is no file jwt_secret under DATA_DIR: set LINK_SECRET or JWT_SECRET";
    assert!(refused.contains(expected), "{refused}");
    assert_eq!(read_for_reports(SECRET).unwrap().link_secret.expose_secret(), SECRET);
    assert!(!data_dir.exists());
    let stored = read(&[&[("DATA_DIR", data_dir.to_str().unwrap())]]).unwrap();
    let found = read_for_reports("").unwrap();
    assert_eq!(found.link_secret.expose_secret(), stored.link_secret.expose_secret());
}

#[test]
fn a_secret_can_be_read_from_a_file_without_its_last_line_break() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret");
    let file = path.to_str().unwrap();
    for setting in table::SETTINGS.iter().filter(|setting| setting.is_secret()) {
        let value = SERVER
            .iter()
            .chain(FORMED)
            .find(|(name, _)| *name == setting.name())
            .map_or("redis://a-host-with-a-long-name.test", |(_, v)| v);
        fs::write(&path, format!("{value}\r\n")).unwrap();
        let name = setting.file_name().unwrap();
        let settings = read(&[SERVER, &[(setting.name(), ""), (&name, file)]]).unwrap();
        if let (MailTransport::Smtp(server), "MAIL_PASSWORD") = (&settings.mail.transport, setting.name()) {
            assert_eq!(password_of(server), "hunter2");
        }
        let found = problems(&[SERVER, &[(setting.name(), value), (&name, file)]]);
        assert!(found[0].contains("is set twice"), "{found:?}");
        let found = problems(&[SERVER, &[(setting.name(), ""), (&name, "/does/not/exist")]]);
        assert!(found[0].starts_with(&name) && found[0].contains("No such file"), "{found:?}");
        let found = problems(&[SERVER, &[(setting.name(), ""), (&name, "/dev/zero")]]);
        assert!(found[0].contains("at most 65536 bytes"), "{found:?}");
        fs::write(&path, format!("{}\r\n", " ".repeat(40))).unwrap();
        let found = problems(&[SERVER, &[(setting.name(), ""), (&name, file)]]);
        assert!(found[0].contains("not empty"), "{found:?}");
    }
}

#[test]
fn debug_of_the_settings_shows_no_secret() {
    let more = [("REDIS_URL", "redis://:hunter2@r"), ("METRICS_TOKEN", "hunter2hunter2hunter2"), COLLECTOR];
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

#[test]
fn a_byte_order_mark_is_not_part_of_a_secret() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret");
    fs::write(&path, "\u{feff}hunter3\r\n").unwrap();
    let by_file = [("MAIL_PASSWORD", ""), ("MAIL_PASSWORD_FILE", path.to_str().unwrap())];
    let MailTransport::Smtp(server) = read(&[SERVER, &by_file]).unwrap().mail.transport else { panic!() };
    assert_eq!(password_of(&server), "hunter3");
    let data_dir = folder.path().join("data");
    fs::create_dir(&data_dir).unwrap();
    fs::write(data_dir.join("jwt_secret"), format!("\u{feff}{SECRET}\r\n")).unwrap();
    let settings = read(&[&[("DATA_DIR", data_dir.to_str().unwrap())]]).unwrap();
    assert_eq!(settings.jwt_secret.expose_secret(), SECRET);
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
