//! `doctor` with a mail server that cannot be used.

use bookly_e2e::person::new_address;
use bookly_e2e::ports;
use bookly_e2e::smtp_server::{Fault, Stage};
use bookly_e2e::stack::run;

use super::doctor::{check, examined, fails};
use super::*;

async fn smtp_fails(stack: &Stack, own: &[(&str, &str)], fact: &str, remedy: &str) -> Result<()> {
    fails(stack, own, "smtp", fact, remedy).await
}

/// The same while the server has a fault.
async fn fault_fails(stack: &Stack, fault: Fault, fact: &str, remedy: &str) -> Result<()> {
    stack.smtp()?.set_fault(fault);
    let failed = smtp_fails(stack, &[], fact, remedy).await;
    stack.smtp()?.clear_faults();
    failed
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settings_that_do_not_match_the_mail_server_are_named() -> Result<()> {
    run(StackOptions::new(Kind::Full).workers(0), async |stack| {
        let wrong_password = [("MAIL_PASSWORD", "another-password")];
        smtp_fails(stack, &wrong_password, "login: 535", "MAIL_PASSWORD").await?;
        let untrusted = [("SSL_CERT_FILE", "")];
        smtp_fails(stack, &untrusted, "UnknownIssuer", "SSL_CERT_FILE").await?;
        let tls_at_once = [("MAIL_SSL_TLS", "true"), ("MAIL_STARTTLS", "false")];
        smtp_fails(stack, &tls_at_once, "TLS: ", "MAIL_SSL_TLS=false").await?;
        let in_clear = [("MAIL_STARTTLS", "false")];
        smtp_fails(stack, &in_clear, "neither AUTH PLAIN nor AUTH LOGIN", "USE_CREDENTIALS=false").await?;
        let port = ports::free()?.to_string();
        smtp_fails(stack, &[("MAIL_PORT", &port)], "refused", "MAIL_PORT").await
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn faults_of_the_mail_server_are_named() -> Result<()> {
    run(StackOptions::new(Kind::Full).workers(0), async |stack| {
        fault_fails(stack, Fault::ExpiredCertificate, "expired", "renew").await?;
        fault_fails(stack, Fault::WrongHostCertificate, "elsewhere.example", "MAIL_SERVER").await?;
        fault_fails(stack, Fault::NoStartTls, "does not offer STARTTLS", "MAIL_STARTTLS=false").await?;
        fault_fails(stack, Fault::HangAt(Stage::Greeting), "no answer within", "firewall").await?;
        let sender = Fault::reply(Stage::MailFrom, 553, "5.7.1 not owned by user");
        fault_fails(stack, sender, "MAIL FROM: 553 5.7.1 not owned by user", "set MAIL_FROM").await?;
        let busy = Fault::RefuseGreeting(421, "too busy".to_owned());
        fault_fails(stack, busy, "421 too busy", "log of the server").await?;
        assert_eq!(stack.smtp()?.mails_total(), 0);
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_mail_server_is_checked_too_and_a_fault_of_it_is_a_warning() -> Result<()> {
    run(StackOptions::new(Kind::Full).workers(0).two_mail_servers(), async |stack| {
        let (_, report) = examined(stack, &[]).await?;
        assert_eq!(check(&report, "smtp_fallback")?["status"], "ok", "{report:#}");
        said(stack, &["mail", "test", "--fallback", &new_address()]).await?;
        assert_eq!((stack.smtp()?.mails_total(), stack.second_smtp()?.mails_total()), (0, 1));
        stack.second_smtp()?.set_fault(Fault::reply(Stage::Auth, 535, "5.7.8 wrong user or password"));
        let (finished, report) = examined(stack, &[]).await?;
        let found = check(&report, "smtp_fallback")?;
        assert_eq!(found["status"], "warn", "{report:#}");
        let remedy = found["remedy"].as_str().unwrap_or_default();
        assert!(remedy.contains("MAIL_FALLBACK_USERNAME and MAIL_FALLBACK_PASSWORD"), "{report:#}");
        assert!(finished.status.success(), "emails are sent by the first server");
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unchecked_certificate_is_a_warning() -> Result<()> {
    run(StackOptions::new(Kind::Full).workers(0), async |stack| {
        let (finished, report) =
            examined(stack, &[("VALIDATE_CERTS", "false"), ("SSL_CERT_FILE", "")]).await?;
        let said = report.to_string();
        assert!(finished.status.success() && said.contains("VALIDATE_CERTS=true"), "{report:#}");
        Ok(())
    })
    .await
}
