//! The worker's SMTP pool against a real server that misbehaves on demand.

use std::{
    future::{Future, ready},
    sync::Arc,
    time::{Duration, Instant},
};

use bookly_e2e::smtp_server::{Fault, SmtpServer, SmtpServerOptions, Stage as At, TlsMode};
use bookly_worker::smtp::{
    Accepted, Security, SendError, SmtpCredentials, SmtpPool, SmtpSettings, Stage, StageTimeouts, Verdict,
};
use lettre::{
    Message,
    address::Envelope,
    message::{Mailbox, MultiPart},
};
use tokio::sync::Notify;

/// Longest wait for anything that should happen at once.
const SOON: Duration = Duration::from_secs(10);
/// A limit that is meant to run out.
const SHORT: Duration = Duration::from_millis(150);

async fn server(options: SmtpServerOptions) -> SmtpServer {
    SmtpServer::start(options).await.unwrap()
}

async fn plain_server() -> SmtpServer {
    server(SmtpServerOptions::default()).await
}

async fn tls_server(tls: TlsMode) -> SmtpServer {
    server(SmtpServerOptions { tls, ..Default::default() }).await
}

async fn login_server() -> SmtpServer {
    server(login_options(vec!["PLAIN", "LOGIN"])).await
}

fn login_options(auth_mechanisms: Vec<&'static str>) -> SmtpServerOptions {
    let auth = Some(("bookly".to_owned(), "correct horse".to_owned()));
    SmtpServerOptions { auth, auth_mechanisms, tls: TlsMode::StartTls, ..Default::default() }
}

fn settings(server: &SmtpServer, security: Security) -> SmtpSettings {
    SmtpSettings {
        extra_roots_pem: Some(server.ca_pem().to_owned()),
        ..SmtpSettings::new("localhost", server.port(), security)
    }
}

fn pool(server: &SmtpServer, security: Security) -> SmtpPool {
    SmtpPool::new(settings(server, security)).unwrap()
}

fn plain_pool(server: &SmtpServer) -> SmtpPool {
    pool(server, Security::Plain)
}

fn login_pool(server: &SmtpServer, password: &str) -> SmtpPool {
    let credentials =
        Some(SmtpCredentials { username: "bookly".to_owned(), password: password.to_owned().into() });
    SmtpPool::new(SmtpSettings { credentials, ..settings(server, Security::StartTls) }).unwrap()
}

/// A pool whose every limit after connecting is short.
fn hasty_pool(server: &SmtpServer) -> SmtpPool {
    let timeouts = StageTimeouts {
        connect: SOON,
        greeting: SHORT,
        command: SHORT,
        data: SHORT,
        body: SHORT,
        final_dot: SHORT,
    };
    SmtpPool::new(SmtpSettings { timeouts, ..settings(server, Security::Plain) }).unwrap()
}

fn envelope(to: &str) -> Envelope {
    Envelope::new(Some("from@bookly.test".parse().unwrap()), vec![to.parse().unwrap()]).unwrap()
}

fn message(to: &str) -> Vec<u8> {
    format!("From: from@bookly.test\r\nTo: {to}\r\nSubject: for {to}\r\n\r\nHello {to}\r\n").into_bytes()
}

async fn send(pool: &SmtpPool, to: &str) -> Result<Accepted, SendError> {
    pool.send(&envelope(to), &message(to), ready(true)).await
}

/// Sends to `a@b.test` with a fault switched on, and answers the error.
async fn fails_with(server: &SmtpServer, pool: &SmtpPool, fault: Fault) -> SendError {
    server.set_fault(fault);
    send(pool, "a@b.test").await.unwrap_err()
}

async fn verdict_with(fault: Fault) -> (Verdict, Stage, Option<u16>) {
    let server = plain_server().await;
    let error = fails_with(&server, &plain_pool(&server), fault).await;
    (error.verdict(), error.stage, error.code)
}

async fn hasty_verdict_with(fault: Fault) -> (Verdict, Stage, Option<u16>) {
    let server = plain_server().await;
    let error = fails_with(&server, &hasty_pool(&server), fault).await;
    (error.verdict(), error.stage, error.code)
}

// ---- Ways to connect

#[tokio::test]
async fn a_mail_arrives_in_clear_text_with_the_servers_words_in_the_answer() {
    let server = plain_server().await;
    let accepted = send(&plain_pool(&server), "a@b.test").await.unwrap();
    assert_eq!((accepted.code, accepted.reply.as_str()), (250, "2.0.0 queued"));
    let mail = server.wait_for_mail_to("a@b.test", SOON).await.unwrap();
    assert_eq!(mail.from, "from@bookly.test");
    assert_eq!(mail.data, message("a@b.test"));
    assert!(!mail.tls && mail.answered);
}

#[tokio::test]
async fn a_mail_arrives_over_starttls() {
    let server = tls_server(TlsMode::StartTls).await;
    let pool = pool(&server, Security::StartTls);
    for _ in 0..3 {
        send(&pool, "a@b.test").await.unwrap();
    }
    assert!(server.wait_for(3, SOON).await.unwrap().iter().all(|mail| mail.tls));
    assert_eq!(server.connections_total(), 1);
}

#[tokio::test]
async fn a_mail_arrives_over_implicit_tls() {
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
    let settings = SmtpSettings { host: "127.0.0.1".to_owned(), ..settings(&server, Security::ImplicitTls) };
    send(&SmtpPool::new(settings).unwrap(), "a@b.test").await.unwrap();
}

#[tokio::test]
async fn an_unknown_certificate_is_refused_and_no_mail_is_sent() {
    for (tls, security) in
        [(TlsMode::StartTls, Security::StartTls), (TlsMode::Implicit, Security::ImplicitTls)]
    {
        let server = tls_server(tls).await;
        let pool = SmtpPool::new(SmtpSettings::new("localhost", server.port(), security)).unwrap();
        let error = send(&pool, "a@b.test").await.unwrap_err();
        assert_eq!((error.stage, error.verdict()), (Stage::Tls, Verdict::ServerUnavailable));
        assert_eq!(server.count(At::MailFrom), 0);
    }
}

#[tokio::test]
async fn an_expired_or_foreign_certificate_is_refused() {
    for fault in [Fault::ExpiredCertificate, Fault::WrongHostCertificate] {
        let server = tls_server(TlsMode::StartTls).await;
        let error = fails_with(&server, &pool(&server, Security::StartTls), fault).await;
        assert_eq!((error.stage, error.verdict()), (Stage::Tls, Verdict::ServerUnavailable));
        assert!(error.message.contains("certificate"), "{error}");
    }
}

#[tokio::test]
async fn without_validation_any_certificate_will_do() {
    for fault in [Fault::ExpiredCertificate, Fault::WrongHostCertificate] {
        for (tls, security) in
            [(TlsMode::StartTls, Security::StartTls), (TlsMode::Implicit, Security::ImplicitTls)]
        {
            let server = tls_server(tls).await;
            server.set_fault(fault.clone());
            let settings =
                SmtpSettings { validate_certs: false, extra_roots_pem: None, ..settings(&server, security) };
            send(&SmtpPool::new(settings).unwrap(), "a@b.test").await.unwrap();
            assert!(server.wait_for(1, SOON).await.unwrap()[0].tls);
        }
    }
}

#[tokio::test]
async fn where_starttls_is_not_offered_nothing_is_sent_in_clear() {
    let server = login_server().await;
    let error = fails_with(&server, &login_pool(&server, "correct horse"), Fault::NoStartTls).await;
    assert_eq!((error.stage, error.verdict()), (Stage::Tls, Verdict::ServerUnavailable));
    assert_eq!((server.count(At::Auth), server.count(At::MailFrom)), (0, 0));
}

#[tokio::test]
async fn where_starttls_is_refused_nothing_is_sent_in_clear() {
    let server = login_server().await;
    let fault = Fault::reply(At::StartTls, 454, "4.7.0 TLS not available");
    let error = fails_with(&server, &login_pool(&server, "correct horse"), fault).await;
    assert_eq!((error.code, error.verdict()), (Some(454), Verdict::ServerUnavailable));
    assert_eq!((server.count(At::Auth), server.count(At::MailFrom)), (0, 0));
}

#[tokio::test]
async fn answers_slipped_in_behind_starttls_end_the_session() {
    let server = login_server().await;
    let bytes = "220 go ahead\r\n250-evil\r\n250 AUTH PLAIN\r\n".to_owned();
    let fault = Fault::Say { stage: At::StartTls, bytes };
    let error = fails_with(&server, &login_pool(&server, "correct horse"), fault).await;
    assert_eq!((error.stage, error.verdict()), (Stage::Tls, Verdict::ServerUnavailable));
    assert_eq!((server.count(At::Auth), server.count(At::MailFrom)), (0, 0));
}

// ---- Login

#[tokio::test]
async fn login_works_with_plain_and_with_login() {
    for mechanism in ["PLAIN", "LOGIN"] {
        let server = server(login_options(vec![mechanism])).await;
        send(&login_pool(&server, "correct horse"), "a@b.test").await.unwrap();
        let mail = server.wait_for_mail_to("a@b.test", SOON).await.unwrap();
        assert_eq!(mail.auth_user.as_deref(), Some("bookly"));
    }
}

#[tokio::test]
async fn a_wrong_password_makes_the_server_unavailable_and_is_not_repeated() {
    let server = login_server().await;
    let error = send(&login_pool(&server, "battery staple"), "a@b.test").await.unwrap_err();
    assert_eq!((error.stage, error.code), (Stage::Auth, Some(535)));
    assert_eq!(error.verdict(), Verdict::ServerUnavailable);
    assert_eq!((server.auth_attempts(), server.count(At::MailFrom)), (1, 0));
}

#[tokio::test]
async fn a_password_that_the_server_repeats_is_not_in_the_error() {
    let server = login_server().await;
    // AGJvb2tseQBzM2NyM3Q= is the AUTH PLAIN answer for bookly and s3cr3t.
    let words = "s3cr3t (czNjcjN0, AGJvb2tseQBzM2NyM3Q=) is wrong";
    let fault = Fault::reply(At::Auth, 535, words);
    let error = fails_with(&server, &login_pool(&server, "s3cr3t"), fault).await;
    let shown = format!("{error} {error:?}");
    assert!(
        !shown.contains("s3cr3t") && !shown.contains("czNjcjN0") && !shown.contains("AGJvb2tse"),
        "{shown}"
    );
    assert_eq!(error.message, "*** (***, ***) is wrong");
}

#[tokio::test]
async fn settings_and_errors_do_not_show_the_password() {
    let server = login_server().await;
    let credentials =
        Some(SmtpCredentials { username: "bookly".to_owned(), password: "s3cr3t".to_owned().into() });
    let settings = SmtpSettings { credentials, ..settings(&server, Security::StartTls) };
    assert!(!format!("{settings:?}").contains("s3cr3t"));
}

#[tokio::test]
async fn a_server_without_a_usable_login_is_a_configuration_fault() {
    let server = server(login_options(vec!["CRAM-MD5"])).await;
    let error = send(&login_pool(&server, "correct horse"), "a@b.test").await.unwrap_err();
    assert_eq!((error.stage, error.verdict()), (Stage::Auth, Verdict::ServerUnavailable));
    assert_eq!(server.auth_attempts(), 0);
}

#[tokio::test]
async fn a_server_that_wants_a_login_at_mail_from_does_not_cost_the_mail() {
    let server = login_server().await;
    let error = send(&pool(&server, Security::StartTls), "a@b.test").await.unwrap_err();
    assert_eq!((error.stage, error.code), (Stage::MailFrom, Some(530)));
    assert_eq!(error.verdict(), Verdict::Retry);
}

// ---- Verdicts

#[tokio::test]
async fn a_closed_port_is_an_unavailable_server() {
    let server = plain_server().await;
    let pool = plain_pool(&server);
    server.stop().await;
    let error = send(&pool, "a@b.test").await.unwrap_err();
    assert_eq!((error.stage, error.verdict()), (Stage::Connect, Verdict::ServerUnavailable));
}

#[tokio::test]
async fn trouble_at_the_greeting_is_an_unavailable_server() {
    for code in [421, 554] {
        let refused = Fault::RefuseGreeting(code, "not now".to_owned());
        assert_eq!(verdict_with(refused).await, (Verdict::ServerUnavailable, Stage::Hello, Some(code)));
    }
    for fault in [Fault::CloseAt(At::Greeting), Fault::CloseAt(At::Hello)] {
        assert_eq!(verdict_with(fault).await, (Verdict::ServerUnavailable, Stage::Hello, None));
    }
    let garbage = Fault::Say { stage: At::Greeting, bytes: "SSH-2.0-OpenSSH_9.9\r\n".to_owned() };
    assert_eq!(verdict_with(garbage).await, (Verdict::ServerUnavailable, Stage::Hello, None));
    let silent = hasty_verdict_with(Fault::HangAt(At::Greeting)).await;
    assert_eq!(silent, (Verdict::ServerUnavailable, Stage::Hello, None));
}

#[tokio::test]
async fn a_slow_greeting_is_waited_for() {
    let server = plain_server().await;
    server.set_fault(Fault::SlowGreeting(SHORT));
    send(&plain_pool(&server), "a@b.test").await.unwrap();
}

#[tokio::test]
async fn answers_to_a_mail_decide_by_their_first_digit() {
    for (at, stage) in [
        (At::MailFrom, Stage::MailFrom),
        (At::RcptTo, Stage::RcptTo),
        (At::Data, Stage::Data),
        (At::FinalDot, Stage::FinalDot),
    ] {
        for code in [421, 451, 454] {
            let verdict = verdict_with(Fault::reply(at, code, "later")).await;
            assert_eq!(verdict, (Verdict::Retry, stage, Some(code)));
        }
        for code in [550, 552, 554] {
            let verdict = verdict_with(Fault::reply(at, code, "never")).await;
            assert_eq!(verdict, (Verdict::Rejected, stage, Some(code)));
        }
    }
}

#[tokio::test]
async fn a_connection_that_ends_before_the_final_dot_is_a_retry() {
    for (at, stage) in [(At::MailFrom, Stage::MailFrom), (At::RcptTo, Stage::RcptTo), (At::Data, Stage::Data)]
    {
        assert_eq!(verdict_with(Fault::CloseAt(at)).await, (Verdict::Retry, stage, None));
        assert_eq!(hasty_verdict_with(Fault::HangAt(at)).await, (Verdict::Retry, stage, None));
    }
}

#[tokio::test]
async fn a_message_that_cannot_be_written_in_time_is_a_retry() {
    let server = plain_server().await;
    server.set_fault(Fault::HangAt(At::Body));
    // More than the sockets' buffers hold.
    let huge = "0123456789abcdef\r\n".repeat(1_000_000);
    let sent = hasty_pool(&server).send(&envelope("a@b.test"), huge.as_bytes(), ready(true)).await;
    let error = sent.unwrap_err();
    assert_eq!((error.stage, error.verdict()), (Stage::Data, Verdict::Retry));
    assert_eq!(server.mails_total(), 0);
}

#[tokio::test]
async fn silence_after_the_final_dot_leaves_the_outcome_unknown() {
    let lost = (Verdict::OutcomeUnknown, Stage::FinalDot, None);
    assert_eq!(verdict_with(Fault::CloseAt(At::FinalDot)).await, lost);
    assert_eq!(hasty_verdict_with(Fault::HangAt(At::FinalDot)).await, lost);
    for bytes in ["what?\r\n", "250", "354 go on\r\n", "\u{0}\u{1}\r\n"] {
        let garbage = Fault::Say { stage: At::FinalDot, bytes: bytes.to_owned() };
        assert_eq!(hasty_verdict_with(garbage).await, lost, "{bytes:?}");
    }
}

#[tokio::test]
async fn a_mail_whose_answer_was_lost_is_at_the_server() {
    let server = plain_server().await;
    fails_with(&server, &plain_pool(&server), Fault::CloseAt(At::FinalDot)).await;
    let mails = server.wait_for(1, SOON).await.unwrap();
    assert!(!mails[0].answered);
}

#[tokio::test]
async fn the_wait_for_the_final_answer_is_its_own_and_long() {
    let server = plain_server().await;
    server.set_fault(Fault::DelayAt(At::FinalDot, SHORT * 3));
    let timeouts = StageTimeouts { command: SHORT, data: SHORT, body: SHORT, ..Default::default() };
    let settings = SmtpSettings { timeouts, ..settings(&server, Security::Plain) };
    send(&SmtpPool::new(settings).unwrap(), "a@b.test").await.unwrap();
}

#[tokio::test]
async fn an_address_that_the_server_cannot_take_is_rejected_with_clear_words() {
    let server = server(SmtpServerOptions { smtputf8: false, ..Default::default() }).await;
    let pool = plain_pool(&server);
    let error = send(&pool, "jürgen@b.test").await.unwrap_err();
    assert_eq!(error.verdict(), Verdict::Rejected);
    assert!(error.message.contains("SMTPUTF8"), "{error}");
    send(&pool, "juergen@b.test").await.unwrap();
}

#[tokio::test]
async fn an_address_that_is_not_ascii_is_sent_where_the_server_can() {
    let server = plain_server().await;
    send(&plain_pool(&server), "jürgen@b.test").await.unwrap();
    server.wait_for_mail_to("jürgen@b.test", SOON).await.unwrap();
}

// ---- The fence

#[tokio::test]
async fn a_fence_that_says_no_keeps_the_mail_back_and_the_connection_in_step() {
    let server = plain_server().await;
    let pool = plain_pool(&server);
    let sent = pool.send(&envelope("a@b.test"), &message("a@b.test"), ready(false)).await;
    assert_eq!(sent.unwrap_err().verdict(), Verdict::LeaseLost);
    assert_eq!(server.count(At::Data), 0);
    send(&pool, "c@d.test").await.unwrap();
    let mails = server.wait_for(1, SOON).await.unwrap();
    assert_eq!((mails.len(), mails[0].to.as_slice()), (1, ["c@d.test".to_owned()].as_slice()));
    assert_eq!(server.connections_total(), 1);
}

#[tokio::test]
async fn the_fence_is_asked_after_the_recipient_and_before_data() {
    let server = plain_server().await;
    let at_the_fence = async {
        assert_eq!((server.count(At::RcptTo), server.count(At::Data)), (1, 0));
        true
    };
    let sent = plain_pool(&server).send(&envelope("a@b.test"), &message("a@b.test"), at_the_fence).await;
    sent.unwrap();
}

// ---- The pool

#[tokio::test]
async fn connections_are_used_again_and_changed_after_a_hundred_mails() {
    let server = plain_server().await;
    let pool = plain_pool(&server);
    for n in 0..101 {
        send(&pool, &format!("a{n}@b.test")).await.unwrap();
    }
    assert_eq!((server.mails_total(), server.connections_total()), (101, 2));
}

#[tokio::test]
async fn a_mail_does_not_wait_for_delayed_acknowledgements() {
    let server = plain_server().await;
    let pool = plain_pool(&server);
    send(&pool, "a@b.test").await.unwrap();
    let start = Instant::now();
    for _ in 0..50 {
        send(&pool, "a@b.test").await.unwrap();
    }
    // With Nagle's algorithm each takes 40 ms: 2 s.
    assert!(start.elapsed() < Duration::from_millis(1_500), "{:?}", start.elapsed());
}

#[tokio::test]
async fn no_more_connections_are_open_than_allowed() {
    let server = plain_server().await;
    let settings = SmtpSettings { max_connections: 3, ..settings(&server, Security::Plain) };
    let pool = SmtpPool::new(settings).unwrap();
    server.set_fault(Fault::HangAt(At::FinalDot));
    let sends: Vec<_> = (0..12).map(|n| spawn_send(&pool, &format!("a{n}@b.test"))).collect();
    server.wait_for_stage(At::FinalDot, 3, SOON).await.unwrap();
    server.clear_faults();
    for sent in sends {
        sent.await.unwrap().unwrap();
    }
    assert_eq!((server.mails_total(), server.connections_peak()), (12, 3));
    assert_eq!(server.connections_total(), 3);
}

#[tokio::test]
async fn a_refused_recipient_leaves_the_connection_usable() {
    let server = plain_server().await;
    let pool = plain_pool(&server);
    server.set_fault(Fault::reply(At::RcptTo, 550, "5.1.1 no such user").only_to("nobody@b.test"));
    for _ in 0..3 {
        let error = send(&pool, "nobody@b.test").await.unwrap_err();
        assert_eq!(error.to_string(), "RCPT TO: 550 5.1.1 no such user");
        send(&pool, "a@b.test").await.unwrap();
    }
    assert_eq!((server.mails_total(), server.connections_total()), (3, 1));
}

#[tokio::test]
async fn a_cancelled_send_does_not_lend_its_answer_to_the_next_mail() {
    for at in [At::MailFrom, At::RcptTo, At::Data, At::FinalDot] {
        let server = plain_server().await;
        let settings = SmtpSettings { max_connections: 1, ..settings(&server, Security::Plain) };
        let pool = SmtpPool::new(settings).unwrap();
        send(&pool, "warm@b.test").await.unwrap();
        let reached = server.count(at) + 1;
        server.set_fault(Fault::HangAt(at));
        let cancelled = spawn_send(&pool, "cancelled@b.test");
        server.wait_for_stage(at, reached, SOON).await.unwrap();
        cancelled.abort();
        assert!(cancelled.await.unwrap_err().is_cancelled());
        server.clear_faults();
        server.set_fault(Fault::reply(At::RcptTo, 550, "5.1.1 next").only_to("next@b.test"));
        let error = send(&pool, "next@b.test").await.unwrap_err();
        assert_eq!((error.code, error.message.as_str()), (Some(550), "5.1.1 next"), "{at:?}");
        send(&pool, "good@b.test").await.unwrap();
        server.wait_for_mail_to("good@b.test", SOON).await.unwrap();
    }
}

#[tokio::test]
async fn a_session_that_is_out_of_step_is_not_believed() {
    let server = plain_server().await;
    let pool = plain_pool(&server);
    // One answer too many: from here on each is the answer to the command before.
    let bytes = "250 2.1.0 ok\r\n250 2.1.0 ok\r\n".to_owned();
    server.set_fault(Fault::Say { stage: At::MailFrom, bytes }.times(1));
    let error = send(&pool, "a@b.test").await.unwrap_err();
    assert_eq!((error.stage, error.verdict()), (Stage::Data, Verdict::Retry));
    send(&pool, "a@b.test").await.unwrap();
    assert_eq!(server.connections_total(), 2);
}

#[tokio::test]
async fn a_connection_that_died_while_idle_is_replaced_unnoticed() {
    let server = plain_server().await;
    let pool = plain_pool(&server);
    send(&pool, "a@b.test").await.unwrap();
    server.drop_connections();
    server.wait_for_open_connections(0, SOON).await.unwrap();
    send(&pool, "a@b.test").await.unwrap();
    assert_eq!((server.mails_total(), server.connections_total()), (2, 2));
}

#[tokio::test]
async fn a_421_on_an_idle_connection_is_replaced_unnoticed_and_only_once() {
    let server = plain_server().await;
    let pool = plain_pool(&server);
    send(&pool, "a@b.test").await.unwrap();
    server.set_fault(Fault::reply(At::MailFrom, 421, "4.4.2 idle too long").times(1));
    send(&pool, "a@b.test").await.unwrap();
    server.set_fault(Fault::reply(At::MailFrom, 421, "4.3.2 going down"));
    let error = send(&pool, "a@b.test").await.unwrap_err();
    assert_eq!((error.code, error.verdict()), (Some(421), Verdict::Retry));
    assert_eq!((server.mails_total(), server.connections_total()), (2, 3));
}

#[tokio::test]
async fn a_server_that_came_back_on_its_port_gets_the_next_mail() {
    let server = plain_server().await;
    let pool = plain_pool(&server);
    let port = server.port();
    send(&pool, "a@b.test").await.unwrap();
    server.stop().await;
    assert_eq!(send(&pool, "a@b.test").await.unwrap_err().verdict(), Verdict::ServerUnavailable);
    assert!(pool.probe().await.is_err());
    let server =
        SmtpServer::start(SmtpServerOptions { port: Some(port), ..Default::default() }).await.unwrap();
    pool.probe().await.unwrap();
    send(&pool, "a@b.test").await.unwrap();
    assert_eq!(server.mails_total(), 1);
}

#[tokio::test]
async fn a_probe_logs_in_and_sends_nothing() {
    let server = login_server().await;
    login_pool(&server, "correct horse").probe().await.unwrap();
    assert_eq!((server.auth_attempts(), server.count(At::Noop), server.count(At::Quit)), (1, 1, 1));
    assert_eq!(server.count(At::MailFrom), 0);
    let error = login_pool(&server, "battery staple").probe().await.unwrap_err();
    assert_eq!((error.code, error.verdict()), (Some(535), Verdict::ServerUnavailable));
}

#[tokio::test]
async fn a_closed_pool_takes_leave_and_sends_no_more() {
    let server = plain_server().await;
    let pool = plain_pool(&server);
    send(&pool, "a@b.test").await.unwrap();
    pool.close().await;
    server.wait_for_open_connections(0, SOON).await.unwrap();
    assert_eq!(server.count(At::Quit), 1);
    assert_eq!(send(&pool, "a@b.test").await.unwrap_err().verdict(), Verdict::ServerUnavailable);
}

#[tokio::test]
async fn closing_lets_a_mail_in_flight_finish() {
    let server = plain_server().await;
    let pool = plain_pool(&server);
    server.set_fault(Fault::HangAt(At::FinalDot));
    let sent = spawn_send(&pool, "a@b.test");
    server.wait_for_stage(At::FinalDot, 1, SOON).await.unwrap();
    pool.close().await;
    server.clear_faults();
    sent.await.unwrap().unwrap();
    server.wait_for_open_connections(0, SOON).await.unwrap();
}

fn spawn_send(pool: &SmtpPool, to: &str) -> tokio::task::JoinHandle<Result<Accepted, SendError>> {
    let (pool, to) = (pool.clone(), to.to_owned());
    tokio::spawn(async move { send(&pool, &to).await })
}

/// The worker spawns sends: their futures must be `Send`.
#[tokio::test]
async fn a_send_can_wait_at_its_fence_in_a_task_of_its_own() {
    let server = plain_server().await;
    let pool = plain_pool(&server);
    let gate = Arc::new(Notify::new());
    let opened = Arc::clone(&gate);
    let sent = tokio::spawn(async move {
        let fence = async {
            opened.notified().await;
            true
        };
        pool.send(&envelope("a@b.test"), &message("a@b.test"), fence).await
    });
    server.wait_for_stage(At::RcptTo, 1, SOON).await.unwrap();
    gate.notify_one();
    sent.await.unwrap().unwrap();
}

// ---- What arrives

async fn delivered(content: &[u8]) -> Vec<u8> {
    let server = plain_server().await;
    plain_pool(&server).send(&envelope("a@b.test"), content, ready(true)).await.unwrap();
    server.wait_for(1, SOON).await.unwrap().remove(0).data
}

#[tokio::test]
async fn lines_of_dots_and_long_lines_arrive_byte_for_byte() {
    let long = "x".repeat(20_000);
    let content =
        format!("Subject: dots\r\n\r\n.\r\n..\r\n.hidden\r\n...\r\n{long}\r\n\r\n.\r\nend.\r\n.\r\n");
    assert_eq!(delivered(content.as_bytes()).await, content.as_bytes());
    let big = format!("Subject: big\r\n\r\n{}", ".0123456789\r\n".repeat(50_000));
    assert_eq!(delivered(big.as_bytes()).await, big.as_bytes());
}

#[tokio::test]
async fn a_bare_line_feed_cannot_end_the_message_or_begin_another() {
    let content = b"Subject: smuggled\n\nhello\n.\nMAIL FROM:<evil@b.test>\n.\r\nrest\r.\r\nend";
    let arrived = delivered(content).await;
    let whole = "Subject: smuggled\r\n\r\nhello\r\n.\r\nMAIL FROM:<evil@b.test>\r\n.\r\nrest\r\n.\r\nend\r\n";
    assert_eq!(String::from_utf8(arrived).unwrap(), whole);
}

#[tokio::test]
async fn a_message_of_words_from_everywhere_arrives_as_it_was_written() {
    let server = plain_server().await;
    let text = "Grüße, 你好, Привет 👋\n.\n..dots\nhttps://bookly.test/api/v1/auth/verify/abc.def?x=1\n"
        .to_owned()
        + &"langes Wort ".repeat(300);
    let html = "<p>Grüße <a href=\"https://bookly.test/verify/abc\">你好</a></p>".to_owned();
    let mail = Message::builder()
        .from(Mailbox::new(Some("Bücherei".to_owned()), "from@bookly.test".parse().unwrap()))
        .to("a@b.test".parse().unwrap())
        .subject("Bestätigung für 你好")
        .message_id(Some("<42@bookly.test>".to_owned()))
        .multipart(MultiPart::alternative_plain_html(text.clone(), html.clone()))
        .unwrap();
    let sent = plain_pool(&server).send(mail.envelope(), &mail.formatted(), ready(true)).await;
    sent.unwrap();
    let mail = server.wait_for_mail_with_subject("a@b.test", "Bestätigung für 你好", SOON).await.unwrap();
    assert_eq!(mail.message_id().as_deref(), Some("42@bookly.test"));
    assert_eq!(mail.text().unwrap().replace("\r\n", "\n").trim_end(), text.trim_end());
    assert_eq!(mail.html().unwrap().trim_end(), html);
    let link = mail.link("/verify/").unwrap();
    assert_eq!(link, "https://bookly.test/api/v1/auth/verify/abc.def?x=1");
}

#[tokio::test]
async fn bytes_beyond_ascii_arrive_where_the_server_offers_8bitmime() {
    let content = "Subject: raw\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nGrüße\r\n";
    assert_eq!(delivered(content.as_bytes()).await, content.as_bytes());
}

#[tokio::test]
async fn settings_that_can_never_work_are_refused_at_once() {
    let refused = |settings| SmtpPool::new(settings).err().map(|error| error.to_string()).unwrap_or_default();
    let none = SmtpSettings { max_connections: 0, ..SmtpSettings::new("localhost", 25, Security::Plain) };
    assert!(refused(none).contains("at least one"));
    assert!(refused(SmtpSettings::new("not a host", 587, Security::StartTls)).contains("not a host"));
    let roots = Some("no certificate".to_owned());
    let roots =
        SmtpSettings { extra_roots_pem: roots, ..SmtpSettings::new("localhost", 587, Security::StartTls) };
    assert!(refused(roots).contains("certificate"));
}

fn _a_send_is_a_send_future(pool: &SmtpPool, envelope: &Envelope) -> impl Future + Send {
    pool.send(envelope, b"", ready(true))
}
