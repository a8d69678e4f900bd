//! Connections are shared, used again, replaced, and never out of step. The lease check comes before DATA.

use super::*;

#[tokio::test]
async fn a_failed_lease_check_sends_nothing_and_leaves_the_connection_in_step() {
    for server in both_servers().await {
        let pool = plain_pool(&server);
        let sent = pool.send(&envelope("a@b.test"), &message("a@b.test"), ready(false)).await;
        assert_eq!(sent.unwrap_err().kind(), FailureKind::LeaseLost);
        assert_eq!((server.count(At::Data), server.count(At::Rset)), (0, 1));
        send(&pool, "c@d.test").await.unwrap();
        let mails = server.wait_for(1, SOON).await.unwrap();
        assert_eq!((mails.len(), mails[0].to.as_slice()), (1, ["c@d.test".to_owned()].as_slice()));
        assert_eq!(server.connections_total(), 1);
    }
}

#[tokio::test]
async fn the_lease_check_comes_after_the_recipient_and_before_data() {
    let server = plain_server().await;
    let lease_check = async {
        assert_eq!((server.count(At::RcptTo), server.count(At::Data)), (1, 0));
        true
    };
    let sent = plain_pool(&server).send(&envelope("a@b.test"), &message("a@b.test"), lease_check).await;
    sent.unwrap();
}

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
async fn an_email_does_not_wait_for_delayed_acknowledgements() {
    let server = plain_server().await;
    let pool = plain_pool(&server);
    send(&pool, "a@b.test").await.unwrap();
    let mut times = Vec::new();
    for _ in 0..21 {
        let start = Instant::now();
        send(&pool, "a@b.test").await.unwrap();
        times.push(start.elapsed());
    }
    times.sort();
    // With Nagle's algorithm each takes 40 ms. The median does not change when the machine is busy for a moment.
    assert!(times[10] < Duration::from_millis(35), "{times:?}");
}

#[tokio::test]
async fn no_more_connections_are_open_than_allowed() {
    let server = plain_server().await;
    let pool = plain_pool_with(&server, SmtpOptions { max_connections: 3, ..options(&server) });
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
    for server in both_servers().await {
        let pool = plain_pool(&server);
        server.set_fault(Fault::reply(At::RcptTo, 550, "5.1.1 no such user").only_to("nobody@b.test"));
        for _ in 0..3 {
            let error = send(&pool, "nobody@b.test").await.unwrap_err();
            assert_eq!(error.to_string(), "RCPT TO: 550 5.1.1 no such user");
            send(&pool, "a@b.test").await.unwrap();
        }
        assert_eq!((server.mails_total(), server.connections_total()), (3, 1));
    }
}

#[tokio::test]
async fn the_next_email_does_not_get_the_reply_of_a_cancelled_send() {
    for at in [At::MailFrom, At::RcptTo, At::Data, At::FinalDot] {
        let server = plain_server().await;
        let pool = plain_pool_with(&server, SmtpOptions { max_connections: 1, ..options(&server) });
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
        assert_eq!(error.cause.to_string(), "550 5.1.1 next", "{at:?}");
        send(&pool, "good@b.test").await.unwrap();
        server.wait_for_mail_to("good@b.test", SOON).await.unwrap();
    }
}

#[tokio::test]
async fn a_session_that_is_out_of_step_is_not_used() {
    let stages = [Stage::RcptTo, Stage::Data];
    for (server, stage) in both_servers().await.into_iter().zip(stages) {
        let pool = plain_pool(&server);
        // One reply too many: each later reply would belong to the command before.
        let bytes = "250 2.1.0 ok\r\n250 2.1.0 ok\r\n".to_owned();
        server.set_fault(Fault::Say { stage: At::MailFrom, bytes }.times(1));
        let error = send(&pool, "a@b.test").await.unwrap_err();
        assert_eq!((error.stage, error.kind()), (stage, FailureKind::Temporary));
        assert_eq!(server.count(At::Data), 0);
        send(&pool, "a@b.test").await.unwrap();
        assert_eq!(server.connections_total(), 2);
    }
}

#[tokio::test]
async fn a_late_reply_is_not_taken_for_the_next_one() {
    let server = plain_server().await;
    let timeouts = StageTimeouts { command: SHORT, ..Default::default() };
    let pool = plain_pool_with(&server, SmtpOptions { timeouts, ..options(&server) });
    server.set_fault(Fault::DelayAt(At::RcptTo, SHORT * 3).times(1));
    let error = send(&pool, "late@b.test").await.unwrap_err();
    assert_eq!((error.stage, error.kind()), (Stage::RcptTo, FailureKind::Temporary));
    assert_eq!(server.count(At::Rset), 0);
    send(&pool, "a@b.test").await.unwrap();
    assert_eq!((server.mails_total(), server.connections_total()), (1, 2));
}

#[tokio::test]
async fn a_connection_that_died_while_idle_is_replaced_within_the_same_send() {
    let server = plain_server().await;
    let pool = plain_pool(&server);
    send(&pool, "a@b.test").await.unwrap();
    server.drop_connections();
    server.wait_for_open_connections(0, SOON).await.unwrap();
    send(&pool, "a@b.test").await.unwrap();
    assert_eq!((server.mails_total(), server.connections_total()), (2, 2));
}

#[tokio::test]
async fn a_421_on_an_idle_connection_replaces_it_once_within_the_same_send() {
    let server = plain_server().await;
    let pool = plain_pool(&server);
    send(&pool, "a@b.test").await.unwrap();
    server.set_fault(Fault::reply(At::MailFrom, 421, "4.4.2 idle too long").times(1));
    send(&pool, "a@b.test").await.unwrap();
    server.set_fault(Fault::reply(At::MailFrom, 421, "4.3.2 going down"));
    let error = send(&pool, "a@b.test").await.unwrap_err();
    assert_eq!((error.code(), error.kind()), (Some(421), FailureKind::Temporary));
    assert_eq!((server.mails_total(), server.connections_total()), (2, 3));
}

#[tokio::test]
async fn a_restarted_server_gets_the_next_email() {
    let server = plain_server().await;
    let pool = plain_pool(&server);
    let port = server.port();
    send(&pool, "a@b.test").await.unwrap();
    server.stop().await;
    assert_eq!(send(&pool, "a@b.test").await.unwrap_err().kind(), FailureKind::ServerUnavailable);
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
    assert_eq!((error.code(), error.kind()), (Some(535), FailureKind::ServerUnavailable));
}

#[tokio::test]
async fn a_probe_tries_the_sender_and_sends_nothing() {
    let server = plain_server().await;
    let options = || SmtpOptions { sender: Some("from@bookly.test".parse().unwrap()), ..options(&server) };
    plain_pool_with(&server, options()).probe().await.unwrap();
    assert_eq!((server.count(At::MailFrom), server.count(At::Rset), server.count(At::Quit)), (1, 1, 1));
    assert_eq!((server.count(At::RcptTo), server.count(At::Data)), (0, 0));
    server.set_fault(Fault::reply(At::MailFrom, 550, "5.4.5 Daily user sending limit exceeded"));
    let error = plain_pool_with(&server, options()).probe().await.unwrap_err();
    assert_eq!((error.stage, error.code()), (Stage::MailFrom, Some(550)));
    assert_eq!(error.kind(), FailureKind::ServerUnavailable);
}

#[tokio::test]
async fn a_closed_pool_quits_and_sends_nothing_more() {
    let server = plain_server().await;
    let pool = plain_pool(&server);
    send(&pool, "a@b.test").await.unwrap();
    pool.close().await;
    server.wait_for_open_connections(0, SOON).await.unwrap();
    assert_eq!(server.count(At::Quit), 1);
    assert_eq!(send(&pool, "a@b.test").await.unwrap_err().kind(), FailureKind::ServerUnavailable);
}

#[tokio::test]
async fn closing_lets_an_email_in_flight_finish() {
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

/// The worker spawns sends, so their futures must be `Send`.
#[tokio::test]
async fn a_send_can_wait_for_its_lease_check_in_a_task_of_its_own() {
    let server = plain_server().await;
    let pool = plain_pool(&server);
    let checked = Arc::new(Notify::new());
    let waits_for = Arc::clone(&checked);
    let sent = tokio::spawn(async move {
        let lease_check = async {
            waits_for.notified().await;
            true
        };
        pool.send(&envelope("a@b.test"), &message("a@b.test"), lease_check).await
    });
    server.wait_for_stage(At::RcptTo, 1, SOON).await.unwrap();
    checked.notify_one();
    sent.await.unwrap().unwrap();
}

#[tokio::test]
async fn an_idle_connection_is_closed_with_quit() {
    let server = plain_server().await;
    let timeouts = StageTimeouts { idle: SHORT, ..Default::default() };
    let pool = plain_pool_with(&server, SmtpOptions { timeouts, ..options(&server) });
    send(&pool, "a@b.test").await.unwrap();
    server.wait_for_stage(At::Quit, 1, SOON).await.unwrap();
    server.wait_for_open_connections(0, SOON).await.unwrap();
    send(&pool, "a@b.test").await.unwrap();
    server.wait_for_stage(At::Quit, 2, SOON).await.unwrap();
}

/// Offers PIPELINING, and reads only the first of several commands that come together.
async fn loses_pipelined_commands(listener: TcpListener) {
    loop {
        let (mut tcp, _) = listener.accept().await.unwrap();
        tokio::spawn(async move {
            let (mut buffer, mut in_message) = (vec![0; 64 * 1024], false);
            tcp.write_all(b"220 mx\r\n").await.unwrap();
            while let Ok(read @ 1..) = tcp.read(&mut buffer).await {
                let heard = String::from_utf8_lossy(&buffer[..read]).into_owned();
                let answer = match heard.get(..4) {
                    _ if in_message && !heard.ends_with("\r\n.\r\n") => continue,
                    Some("EHLO") => "250-mx\r\n250 PIPELINING\r\n",
                    Some("DATA") => "354 go\r\n",
                    _ => "250 ok\r\n",
                };
                in_message = answer.starts_with("354");
                tcp.write_all(answer.as_bytes()).await.unwrap();
            }
        });
    }
}

#[tokio::test]
async fn after_a_lost_recipient_pipelining_is_not_used_any_more() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let settings = settings(listener.local_addr().unwrap().port(), Security::Plain);
    let mut options = SmtpOptions::default();
    options.timeouts.command = Duration::from_millis(500);
    tokio::spawn(loses_pipelined_commands(listener));
    let pool = SmtpPool::new(settings, options).unwrap();
    let lost = send(&pool, "a@b.test").await.unwrap_err();
    assert_eq!((lost.stage, lost.kind()), (Stage::RcptTo, FailureKind::Temporary));
    send(&pool, "a@b.test").await.unwrap();
}
