//! The settings of emails.

use super::*;

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
fn the_bounce_address_has_room_for_the_name_of_an_email() {
    for (text, address) in [
        ("bounces@example.org", Some("bounces@example.org")),
        ("a-name-of-20-letters@example.org", Some("a-name-of-20-letters@example.org")),
        ("a-name-of-21-letters-@example.org", None),
        ("bounces", None),
    ] {
        let settings = read(&[SERVER, &[("MAIL_BOUNCE_ADDRESS", text)]]).ok();
        let read = settings.map(|settings| settings.mail.bounce_address.unwrap().to_string());
        assert_eq!(read.as_deref(), address, "{text}");
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

const FALLBACK: &[(&str, &str)] = &[
    ("MAIL_FALLBACK_SERVER", "smtp.example.net"),
    ("MAIL_FALLBACK_USERNAME", "second"),
    ("MAIL_FALLBACK_PASSWORD", "pw2"),
];

#[test]
fn a_second_mail_server_has_the_settings_and_defaults_of_the_first() {
    assert!(read(&[SERVER]).unwrap().mail.fallback.is_none());
    let fallback = |own: &[(&str, &str)]| read(&[SERVER, FALLBACK, own]).unwrap().mail.fallback.unwrap();
    let server = fallback(&[("MAIL_PORT", "2525"), ("MAIL_HELO_NAME", "mail.example.org")]);
    assert_eq!((server.host.as_str(), server.port), ("smtp.example.net", 587));
    assert_eq!((server.security, server.validate_certs), (Security::StartTls, true));
    assert_eq!(server.helo_name, "mail.example.org");
    let login = server.credentials.unwrap();
    let SmtpAuth::Password(password) = &login.auth else { panic!("{login:?}") };
    assert_eq!((login.username.as_str(), password.expose_secret()), ("second", "pw2"));
    let server = fallback(&[
        ("MAIL_FALLBACK_PORT", "465"),
        ("MAIL_FALLBACK_SSL_TLS", "true"),
        ("MAIL_FALLBACK_VALIDATE_CERTS", "false"),
        ("MAIL_FALLBACK_USE_CREDENTIALS", "false"),
    ]);
    assert_eq!((server.port, server.security), (465, Security::ImplicitTls));
    assert!(!server.validate_certs && server.credentials.is_none());
}

#[test]
fn what_is_wrong_with_the_second_mail_server_names_its_own_settings() {
    let refused =
        problems(&[SERVER, FALLBACK, &[("MAIL_FALLBACK_USERNAME", ""), ("MAIL_FALLBACK_PORT", "0")]]);
    assert_eq!(refused.len(), 2, "{refused:?}");
    assert!(refused[0].contains("MAIL_FALLBACK_PORT"), "{refused:?}");
    assert!(refused[1].contains("MAIL_FALLBACK_USERNAME"), "{refused:?}");
    assert!(refused[1].contains("MAIL_FALLBACK_USE_CREDENTIALS"), "{refused:?}");
    let alone = problems(&[SERVER, FALLBACK, &[("MAIL_SERVER", ""), ("MAIL_TRANSPORT", "file")]]);
    assert!(alone[0].contains("MAIL_FALLBACK_SERVER") && alone[0].contains("MAIL_SERVER"), "{alone:?}");
    let warnings = read(&[SERVER, FALLBACK, &[("MAIL_FALLBACK_STARTTLS", "false")]]).unwrap().warnings;
    assert!(
        warnings[0].starts_with("MAIL_FALLBACK_USERNAME and MAIL_FALLBACK_PASSWORD are sent"),
        "{warnings:?}"
    );
    assert!(warnings[0].contains("MAIL_FALLBACK_SSL_TLS=true"), "{warnings:?}");
}

#[test]
fn a_second_mail_server_that_cannot_help_is_a_warning() {
    let warnings = |own: &[(&str, &str)]| read(&[SERVER, own]).unwrap().warnings;
    assert_eq!(
        warnings(&[("MAIL_FALLBACK_USERNAME", "second"), ("MAIL_FALLBACK_PORT", "25")]),
        ["MAIL_FALLBACK_PORT is not used, because MAIL_FALLBACK_SERVER is not set"]
    );
    let first = read(&[SERVER]).unwrap().mail.transport;
    let MailTransport::Smtp(first) = first else { panic!("{first:?}") };
    let same = |port: &str| {
        let host = first.host.to_uppercase();
        read(&[SERVER, FALLBACK, &[("MAIL_FALLBACK_SERVER", &host), ("MAIL_FALLBACK_PORT", port)]])
            .unwrap()
            .warnings
    };
    assert!(same(&first.port.to_string())[0].starts_with("MAIL_FALLBACK_SERVER is the same server"));
    assert_eq!(same("2526"), [""; 0]);
}
