//! What follows from a failed send, stage by stage.

use super::*;

/// A pool with short limits for each stage after connecting.
fn impatient_pool(server: &SmtpServer) -> SmtpPool {
    let timeouts = StageTimeouts {
        token: SOON,
        connect: SOON,
        greeting: SHORT,
        command: SHORT,
        data: SHORT,
        body: SHORT,
        final_dot: SHORT,
        idle: SOON,
    };
    plain_pool_with(server, SmtpOptions { timeouts, ..options(server) })
}

async fn failure_with(fault: Fault) -> (FailureKind, Stage, Option<u16>) {
    failure_of(plain_pool, fault).await
}

async fn impatient_failure_with(fault: Fault) -> (FailureKind, Stage, Option<u16>) {
    failure_of(impatient_pool, fault).await
}

/// Tries it with and without PIPELINING: the result is the same.
async fn failure_of(pool: fn(&SmtpServer) -> SmtpPool, fault: Fault) -> (FailureKind, Stage, Option<u16>) {
    let [one_by_one, together] = both_servers().await;
    let first = fails_with(&one_by_one, &pool(&one_by_one), fault.clone()).await;
    let second = fails_with(&together, &pool(&together), fault).await;
    assert_eq!(first, second);
    (first.kind(), first.stage, first.code())
}

#[tokio::test]
async fn a_closed_port_means_an_unavailable_server() {
    let server = plain_server().await;
    let pool = plain_pool(&server);
    server.stop().await;
    let error = send(&pool, "a@b.test").await.unwrap_err();
    assert_eq!((error.stage, error.kind()), (Stage::Connect, FailureKind::ServerUnavailable));
}

#[tokio::test]
async fn an_error_at_the_greeting_means_an_unavailable_server() {
    for code in [421, 554] {
        let refused = Fault::RefuseGreeting(code, "not now".to_owned());
        assert_eq!(failure_with(refused).await, (FailureKind::ServerUnavailable, Stage::Hello, Some(code)));
    }
    for fault in [Fault::CloseAt(At::Greeting), Fault::CloseAt(At::Hello)] {
        assert_eq!(failure_with(fault).await, (FailureKind::ServerUnavailable, Stage::Hello, None));
    }
    let garbage = Fault::Say { stage: At::Greeting, bytes: "SSH-2.0-OpenSSH_9.9\r\n".to_owned() };
    assert_eq!(failure_with(garbage).await, (FailureKind::ServerUnavailable, Stage::Hello, None));
    let silent = impatient_failure_with(Fault::HangAt(At::Greeting)).await;
    assert_eq!(silent, (FailureKind::ServerUnavailable, Stage::Hello, None));
}

#[tokio::test]
async fn a_slow_greeting_is_waited_for() {
    let server = plain_server().await;
    server.set_fault(Fault::SlowGreeting(SHORT));
    send(&plain_pool(&server), "a@b.test").await.unwrap();
}

#[tokio::test]
async fn a_4xx_during_a_transaction_is_a_temporary_failure() {
    for (at, stage) in [
        (At::MailFrom, Stage::MailFrom),
        (At::RcptTo, Stage::RcptTo),
        (At::Data, Stage::Data),
        (At::FinalDot, Stage::FinalDot),
    ] {
        for code in [421, 451, 454, 471] {
            let failure = failure_with(Fault::reply(at, code, "later")).await;
            assert_eq!(failure, (FailureKind::Temporary, stage, Some(code)));
        }
    }
}

#[tokio::test]
async fn a_5xx_during_a_transaction_is_judged_by_stage_and_code() {
    use FailureKind::{Ambiguous, Permanent, ServerUnavailable};
    for (at, stage, code, text, kind) in [
        (At::MailFrom, Stage::MailFrom, 550, "5.4.5 Daily user sending limit exceeded", ServerUnavailable),
        (At::MailFrom, Stage::MailFrom, 553, "5.7.1 not owned by user", ServerUnavailable),
        (At::MailFrom, Stage::MailFrom, 552, "5.3.4 too big", Permanent),
        (At::RcptTo, Stage::RcptTo, 550, "5.1.1 no such user", Permanent),
        (At::RcptTo, Stage::RcptTo, 550, "no such user", Permanent),
        (At::RcptTo, Stage::RcptTo, 504, "5.5.2 need fully-qualified hostname", Ambiguous),
        (At::RcptTo, Stage::RcptTo, 571, "5.7.1 blocked", Ambiguous),
        (At::RcptTo, Stage::RcptTo, 530, "5.7.0 log in first", Ambiguous),
        (At::Data, Stage::Data, 554, "no valid recipients", Ambiguous),
        (At::FinalDot, Stage::FinalDot, 552, "too big", Permanent),
        (At::FinalDot, Stage::FinalDot, 554, "5.6.0 bad content", Permanent),
        (At::FinalDot, Stage::FinalDot, 550, "5.4.5 quota", ServerUnavailable),
        (At::FinalDot, Stage::FinalDot, 571, "spam", Ambiguous),
    ] {
        let failure = failure_with(Fault::reply(at, code, text)).await;
        assert_eq!(failure, (kind, stage, Some(code)), "{text}");
    }
}

#[tokio::test]
async fn a_connection_that_ends_before_the_final_dot_is_a_temporary_failure() {
    for (at, stage) in [(At::MailFrom, Stage::MailFrom), (At::RcptTo, Stage::RcptTo), (At::Data, Stage::Data)]
    {
        assert_eq!(failure_with(Fault::CloseAt(at)).await, (FailureKind::Temporary, stage, None));
        assert_eq!(impatient_failure_with(Fault::HangAt(at)).await, (FailureKind::Temporary, stage, None));
    }
}

#[tokio::test]
async fn a_message_that_cannot_be_written_in_time_is_a_temporary_failure() {
    let server = plain_server().await;
    server.set_fault(Fault::HangAt(At::Body));
    // More than the sockets' buffers hold.
    let huge = "0123456789abcdef\r\n".repeat(1_000_000);
    let sent = impatient_pool(&server).send(&envelope("a@b.test"), huge.as_bytes(), ready(true)).await;
    let error = sent.unwrap_err();
    assert_eq!((error.stage, error.kind()), (Stage::Data, FailureKind::Temporary));
    assert_eq!(server.mails_total(), 0);
}

#[tokio::test]
async fn silence_after_the_final_dot_leaves_the_outcome_unknown() {
    let lost = (FailureKind::OutcomeUnknown, Stage::FinalDot, None);
    assert_eq!(failure_with(Fault::CloseAt(At::FinalDot)).await, lost);
    assert_eq!(impatient_failure_with(Fault::HangAt(At::FinalDot)).await, lost);
    for bytes in ["what?\r\n", "250", "354 go on\r\n", "\u{0}\u{1}\r\n"] {
        let garbage = Fault::Say { stage: At::FinalDot, bytes: bytes.to_owned() };
        assert_eq!(impatient_failure_with(garbage).await, lost, "{bytes:?}");
    }
}

#[tokio::test]
async fn an_email_whose_final_reply_was_lost_is_at_the_server() {
    let server = plain_server().await;
    fails_with(&server, &plain_pool(&server), Fault::CloseAt(At::FinalDot)).await;
    let mails = server.wait_for(1, SOON).await.unwrap();
    assert!(!mails[0].answered);
}

#[tokio::test]
async fn the_final_reply_has_a_long_time_limit_of_its_own() {
    let server = plain_server().await;
    server.set_fault(Fault::DelayAt(At::FinalDot, SHORT * 3));
    let timeouts = StageTimeouts { command: SHORT, data: SHORT, body: SHORT, ..Default::default() };
    let pool = plain_pool_with(&server, SmtpOptions { timeouts, ..options(&server) });
    send(&pool, "a@b.test").await.unwrap();
}

#[tokio::test]
async fn an_address_that_needs_smtputf8_fails_with_that_reason_if_the_server_lacks_it() {
    let server = server(SmtpServerOptions { smtputf8: false, ..Default::default() }).await;
    let pool = plain_pool(&server);
    let error = send(&pool, "jürgen@b.test").await.unwrap_err();
    assert_eq!(error.kind(), FailureKind::Permanent);
    assert!(error.cause.to_string().contains("SMTPUTF8"), "{error}");
    send(&pool, "juergen@b.test").await.unwrap();
    let from = Envelope::new(Some("jürgen@b.test".parse().unwrap()), vec!["a@b.test".parse().unwrap()]);
    let error = pool.send(&from.unwrap(), &message("a@b.test"), ready(true)).await.unwrap_err();
    assert_eq!((error.stage, error.kind()), (Stage::MailFrom, FailureKind::ServerUnavailable));
}

#[tokio::test]
async fn an_address_that_is_not_ascii_is_sent_if_the_server_offers_smtputf8() {
    let server = plain_server().await;
    send(&plain_pool(&server), "jürgen@b.test").await.unwrap();
    server.wait_for_mail_to("jürgen@b.test", SOON).await.unwrap();
}
