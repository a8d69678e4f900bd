//! TCP, TLS and its certificates: what is refused, and that nothing is sent before.

use super::*;

#[tokio::test]
async fn an_email_arrives_in_clear_text_and_the_reply_is_returned() {
    let server = plain_server().await;
    let accepted = send(&plain_pool(&server), "a@b.test").await.unwrap();
    assert_eq!(accepted, SmtpReply::new(250, "2.0.0 queued"));
    assert_eq!(accepted.to_string(), "250 2.0.0 queued");
    let mail = server.wait_for_mail_to("a@b.test", SOON).await.unwrap();
    assert_eq!(mail.from, "from@bookly.test");
    assert_eq!(mail.data, message("a@b.test"));
    assert!(!mail.tls && mail.answered);
}

#[tokio::test]
async fn an_email_arrives_over_starttls() {
    let server = tls_server(TlsMode::StartTls).await;
    let pool = pool(&server, Security::StartTls);
    for _ in 0..3 {
        send(&pool, "a@b.test").await.unwrap();
    }
    assert!(server.wait_for(3, SOON).await.unwrap().iter().all(|mail| mail.tls));
    assert_eq!(server.connections_total(), 1);
}

#[tokio::test]
async fn an_email_arrives_over_implicit_tls() {
    let server = tls_server(TlsMode::Implicit).await;
    let pool = pool(&server, Security::ImplicitTls);
    for _ in 0..3 {
        send(&pool, "a@b.test").await.unwrap();
    }
    assert!(server.wait_for(3, SOON).await.unwrap().iter().all(|mail| mail.tls));
    assert_eq!(server.connections_total(), 1);
}

#[tokio::test]
async fn the_host_may_be_an_address() {
    let server = tls_server(TlsMode::Implicit).await;
    let settings =
        SmtpSettings { host: "127.0.0.1".to_owned(), ..settings(server.port(), Security::ImplicitTls) };
    send(&SmtpPool::new(settings, options(&server)).unwrap(), "a@b.test").await.unwrap();
}

#[tokio::test]
async fn an_unknown_certificate_is_refused_and_no_email_is_sent() {
    for (tls, security) in
        [(TlsMode::StartTls, Security::StartTls), (TlsMode::Implicit, Security::ImplicitTls)]
    {
        let server = tls_server(tls).await;
        let settings = settings(server.port(), security);
        let pool = SmtpPool::new(settings, SmtpOptions::default()).unwrap();
        let error = send(&pool, "a@b.test").await.unwrap_err();
        assert_eq!((error.stage, error.kind()), (Stage::Tls, FailureKind::ServerUnavailable));
        assert_eq!(server.count(At::MailFrom), 0);
    }
}

#[tokio::test]
async fn a_certificate_that_is_expired_or_for_another_name_is_refused() {
    for fault in [Fault::ExpiredCertificate, Fault::WrongHostCertificate] {
        let server = tls_server(TlsMode::StartTls).await;
        let error = fails_with(&server, &pool(&server, Security::StartTls), fault).await;
        assert_eq!((error.stage, error.kind()), (Stage::Tls, FailureKind::ServerUnavailable));
        assert!(error.cause.to_string().contains("certificate"), "{error}");
    }
}

#[tokio::test]
async fn without_validation_any_certificate_is_accepted() {
    for fault in [Fault::ExpiredCertificate, Fault::WrongHostCertificate] {
        for (tls, security) in
            [(TlsMode::StartTls, Security::StartTls), (TlsMode::Implicit, Security::ImplicitTls)]
        {
            let server = tls_server(tls).await;
            server.set_fault(fault.clone());
            let settings = SmtpSettings { validate_certs: false, ..settings(server.port(), security) };
            let pool = SmtpPool::new(settings, SmtpOptions::default()).unwrap();
            send(&pool, "a@b.test").await.unwrap();
            assert!(server.wait_for(1, SOON).await.unwrap()[0].tls);
        }
    }
}

#[tokio::test]
async fn without_starttls_nothing_is_sent_in_clear_text() {
    let server = login_server().await;
    let error = fails_with(&server, &login_pool(&server, "correct horse"), Fault::NoStartTls).await;
    assert_eq!((error.stage, error.kind()), (Stage::Tls, FailureKind::ServerUnavailable));
    assert_eq!((server.count(At::Auth), server.count(At::MailFrom)), (0, 0));
}

#[tokio::test]
async fn after_a_refused_starttls_nothing_is_sent_in_clear_text() {
    let server = login_server().await;
    let fault = Fault::reply(At::StartTls, 454, "4.7.0 TLS not available");
    let error = fails_with(&server, &login_pool(&server, "correct horse"), fault).await;
    assert_eq!((error.code(), error.kind()), (Some(454), FailureKind::ServerUnavailable));
    assert_eq!((server.count(At::Auth), server.count(At::MailFrom)), (0, 0));
}

#[tokio::test]
async fn clear_text_after_the_starttls_reply_ends_the_session() {
    let server = login_server().await;
    let bytes = "220 go ahead\r\n250-evil\r\n250 AUTH PLAIN\r\n".to_owned();
    let fault = Fault::Say { stage: At::StartTls, bytes };
    let error = fails_with(&server, &login_pool(&server, "correct horse"), fault).await;
    assert_eq!((error.stage, error.kind()), (Stage::Tls, FailureKind::ServerUnavailable));
    assert_eq!((server.count(At::Auth), server.count(At::MailFrom)), (0, 0));
}

#[tokio::test]
async fn settings_that_can_never_work_are_refused_at_the_start() {
    let refused = |settings, options| {
        SmtpPool::new(settings, options).err().map(|error| error.to_string()).unwrap_or_default()
    };
    let none = SmtpOptions { max_connections: 0, ..SmtpOptions::default() };
    assert!(refused(settings(25, Security::Plain), none).contains("at least one"));
    let host = "not a host".to_owned();
    let nowhere = SmtpSettings { host, ..settings(587, Security::StartTls) };
    assert!(refused(nowhere, SmtpOptions::default()).contains("not a host"));
}
