//! What the worker is told when a send fails, stage by stage.

use super::*;

/// A pool whose every limit after connecting is short.
fn hasty_pool(server: &SmtpServer) -> SmtpPool {
    let timeouts = StageTimeouts {
        connect: SOON,
        greeting: SHORT,
        command: SHORT,
        data: SHORT,
        body: SHORT,
        final_dot: SHORT,
        idle: SOON,
    };
    SmtpPool::new(SmtpSettings { timeouts, ..settings(server, Security::Plain) }).unwrap()
}

async fn verdict_with(fault: Fault) -> (FailureKind, Stage, Option<u16>) {
    verdict_of(plain_pool, fault).await
}

async fn hasty_verdict_with(fault: Fault) -> (FailureKind, Stage, Option<u16>) {
    verdict_of(hasty_pool, fault).await
}

/// The same, whether the server offers PIPELINING or not.
async fn verdict_of(pool: fn(&SmtpServer) -> SmtpPool, fault: Fault) -> (FailureKind, Stage, Option<u16>) {
    let [one_by_one, together] = both_servers().await;
    let first = fails_with(&one_by_one, &pool(&one_by_one), fault.clone()).await;
    let second = fails_with(&together, &pool(&together), fault).await;
    assert_eq!(first, second);
    (first.kind(), first.stage, first.code())
}

#[tokio::test]
async fn a_closed_port_is_an_unavailable_server() {
    let server = plain_server().await;
    let pool = plain_pool(&server);
    server.stop().await;
    let error = send(&pool, "a@b.test").await.unwrap_err();
    assert_eq!((error.stage, error.kind()), (Stage::Connect, FailureKind::ServerUnavailable));
}

#[tokio::test]
async fn trouble_at_the_greeting_is_an_unavailable_server() {
    for code in [421, 554] {
        let refused = Fault::RefuseGreeting(code, "not now".to_owned());
        assert_eq!(verdict_with(refused).await, (FailureKind::ServerUnavailable, Stage::Hello, Some(code)));
    }
    for fault in [Fault::CloseAt(At::Greeting), Fault::CloseAt(At::Hello)] {
        assert_eq!(verdict_with(fault).await, (FailureKind::ServerUnavailable, Stage::Hello, None));
    }
    let garbage = Fault::Say { stage: At::Greeting, bytes: "SSH-2.0-OpenSSH_9.9\r\n".to_owned() };
    assert_eq!(verdict_with(garbage).await, (FailureKind::ServerUnavailable, Stage::Hello, None));
    let silent = hasty_verdict_with(Fault::HangAt(At::Greeting)).await;
    assert_eq!(silent, (FailureKind::ServerUnavailable, Stage::Hello, None));
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
        for code in [421, 451, 454, 471] {
            let verdict = verdict_with(Fault::reply(at, code, "later")).await;
            assert_eq!(verdict, (FailureKind::Temporary, stage, Some(code)));
        }
        for code in [550, 552, 554, 571] {
            let verdict = verdict_with(Fault::reply(at, code, "never")).await;
            assert_eq!(verdict, (FailureKind::Permanent, stage, Some(code)));
        }
    }
}

#[tokio::test]
async fn a_connection_that_ends_before_the_final_dot_is_a_retry() {
    for (at, stage) in [(At::MailFrom, Stage::MailFrom), (At::RcptTo, Stage::RcptTo), (At::Data, Stage::Data)]
    {
        assert_eq!(verdict_with(Fault::CloseAt(at)).await, (FailureKind::Temporary, stage, None));
        assert_eq!(hasty_verdict_with(Fault::HangAt(at)).await, (FailureKind::Temporary, stage, None));
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
    assert_eq!((error.stage, error.kind()), (Stage::Data, FailureKind::Temporary));
    assert_eq!(server.mails_total(), 0);
}

#[tokio::test]
async fn silence_after_the_final_dot_leaves_the_outcome_unknown() {
    let lost = (FailureKind::OutcomeUnknown, Stage::FinalDot, None);
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
    assert_eq!(error.kind(), FailureKind::Permanent);
    assert!(error.cause.to_string().contains("SMTPUTF8"), "{error}");
    send(&pool, "juergen@b.test").await.unwrap();
}

#[tokio::test]
async fn an_address_that_is_not_ascii_is_sent_where_the_server_can() {
    let server = plain_server().await;
    send(&plain_pool(&server), "jürgen@b.test").await.unwrap();
    server.wait_for_mail_to("jürgen@b.test", SOON).await.unwrap();
}
