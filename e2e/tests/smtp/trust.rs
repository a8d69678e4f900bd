//! Certificates that are not of a public authority.

use bookly_e2e::certificate::{Certificate, HERE};
use bookly_shared::tls::CertificateProblem;
use bookly_worker::smtp::SmtpProblem;

use super::*;

/// The result of sending an email to a server with this certificate, where `trusted` is trusted.
async fn sent_over(shown: &Certificate, trusted: &str) -> Result<(), SmtpProblem> {
    for (tls, security) in
        [(TlsMode::StartTls, Security::StartTls), (TlsMode::Implicit, Security::ImplicitTls)]
    {
        let certificate = Some(shown.clone());
        let server = server(SmtpServerOptions { tls, certificate, ..Default::default() }).await;
        let trust = Trust::from_pem(trusted.as_bytes()).unwrap();
        let options = SmtpOptions { trust, ..SmtpOptions::default() };
        let pool = SmtpPool::new(settings(server.port(), security), options).unwrap();
        match send(&pool, "a@b.test").await {
            Ok(_) => assert!(server.wait_for(1, SOON).await.unwrap()[0].tls),
            Err(error) => {
                assert_eq!((error.stage, error.kind()), (Stage::Tls, FailureKind::ServerUnavailable));
                assert_eq!(server.count(At::MailFrom), 0);
                return Err(error.problem());
            }
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_self_signed_server_is_trusted_by_its_own_certificate() {
    let own = Certificate::self_signed(&HERE).unwrap();
    assert_eq!(sent_over(&own, &own.pem).await, Ok(()));
}

#[tokio::test]
async fn a_self_signed_server_with_another_certificate_name_or_time_is_refused() {
    let own = Certificate::self_signed(&HERE).unwrap();
    let other = Certificate::self_signed(&HERE).unwrap();
    let elsewhere = Certificate::self_signed(&["elsewhere.example"]).unwrap();
    let expired = Certificate::self_signed_expired(&HERE).unwrap();
    for (shown, trusted, problem) in [
        (&own, &other, CertificateProblem::IsAuthority),
        (&elsewhere, &elsewhere, CertificateProblem::Name),
        (&expired, &expired, CertificateProblem::Expired),
    ] {
        let sent = sent_over(shown, &trusted.pem).await;
        assert_eq!(sent, Err(SmtpProblem::Certificate(problem)), "{problem:?}");
    }
}

#[tokio::test]
async fn a_server_that_shows_a_trusted_certificate_without_its_key_is_refused() {
    let own = Certificate::self_signed(&HERE).unwrap();
    let key_pem = Certificate::self_signed(&HERE).unwrap().key_pem;
    let stolen = Certificate { key_pem, ..own.clone() };
    assert!(sent_over(&stolen, &own.pem).await.is_err());
}
