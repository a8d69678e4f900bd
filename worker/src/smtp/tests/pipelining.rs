//! Which commands are sent together, and what follows from replies that do not fit.

use bookly_shared::domain::SmtpReply;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::task::yield_now;

use super::super::error::SendError;
use super::super::failure::{FailureKind, Stage};
use super::super::session::Transaction;
use super::{envelope, open};

const MESSAGE: &[u8] = b"Subject: a\r\n\r\n.b\r\n";
const GREETING: &str = "220 mx\r\n";
const PIPELINING: &str = "250-mx\r\n250 PIPELINING\r\n";
const NO_PIPELINING: &str = "250 mx\r\n";
const GROUP: &str = "MAIL FROM:<a@b.test>\r\nRCPT TO:<c@d.test>\r\n";
const BODY: &str = "Subject: a\r\n\r\n..b\r\n.\r\n";

/// Sends one of `answers`, piece by piece, after each write of the client. Returns what the client wrote.
async fn serve(mut end: DuplexStream, answers: &[&[&str]]) -> Vec<String> {
    let (mut received, mut buffer) = (Vec::new(), vec![0; 64 * 1024]);
    for (turn, pieces) in answers.iter().enumerate() {
        if turn > 0 {
            match end.read(&mut buffer).await {
                Ok(read) if read > 0 => received.push(String::from_utf8_lossy(&buffer[..read]).into_owned()),
                _ => break,
            }
        }
        for piece in *pieces {
            if end.write_all(piece.as_bytes()).await.is_err() {
                return received;
            }
            yield_now().await;
        }
    }
    received
}

/// Sends an email. If that fails and the session is in step, resets it; the second value is whether that succeeded.
async fn send(end: DuplexStream, to: &[&str]) -> (Result<SmtpReply, SendError>, bool) {
    let (mut session, envelope) = (open(end).await.unwrap(), envelope(to));
    let transaction = Transaction::new(&envelope, MESSAGE);
    let sent = async {
        session.mail_from(&transaction).await?;
        session.recipients(&transaction).await?;
        session.data(&transaction).await
    };
    let sent = sent.await;
    let in_step = sent.as_ref().is_err_and(SendError::leaves_connection_in_step);
    let reset = in_step && session.reset().await;
    (sent, reset)
}

/// Runs both ends. Returns also what the server received after EHLO.
async fn play(to: &[&str], answers: &[&[&str]]) -> (Result<SmtpReply, SendError>, bool, Vec<String>) {
    let (client, server) = duplex(64 * 1024);
    let ((sent, reset), mut received) = tokio::join!(send(client, to), serve(server, answers));
    assert!(received.remove(0).starts_with("EHLO"));
    (sent, reset, received)
}

fn bytes(text: &str) -> Vec<&str> {
    text.split("").filter(|piece| !piece.is_empty()).collect()
}

#[tokio::test]
async fn recipients_are_sent_with_the_sender_and_the_final_dot_with_the_message() {
    let answers: [&[&str]; 5] =
        [&[GREETING], &[PIPELINING], &["250 ok\r\n250 ok\r\n"], &["354 go\r\n"], &["250 queued\r\n"]];
    let (sent, _, received) = play(&["c@d.test"], &answers).await;
    sent.unwrap();
    assert_eq!(received, [GROUP, "DATA\r\n", BODY]);
}

#[tokio::test]
async fn without_pipelining_each_command_is_sent_alone() {
    let answers: [&[&str]; 6] = [
        &[GREETING],
        &[NO_PIPELINING],
        &["250 ok\r\n"],
        &["250 ok\r\n"],
        &["354 go\r\n"],
        &["250 queued\r\n"],
    ];
    let (sent, _, received) = play(&["c@d.test"], &answers).await;
    sent.unwrap();
    assert_eq!(received, ["MAIL FROM:<a@b.test>\r\n", "RCPT TO:<c@d.test>\r\n", "DATA\r\n", BODY]);
}

#[tokio::test]
async fn too_many_recipients_for_one_write_are_sent_one_by_one() {
    let to: Vec<String> = (0..200).map(|n| format!("{}{n}@d.test", "x".repeat(20))).collect();
    let to: Vec<&str> = to.iter().map(String::as_str).collect();
    let mut answers: Vec<&[&str]> = vec![&[GREETING], &[PIPELINING]];
    answers.extend([&["250 ok\r\n"] as &[&str]; 201]);
    answers.extend([&["354 go\r\n"] as &[&str], &["250 queued\r\n"]]);
    let (sent, _, received) = play(&to, &answers).await;
    sent.unwrap();
    assert_eq!(received.len(), 203);
}

#[tokio::test]
async fn replies_may_come_byte_by_byte() {
    let two = bytes("250-first\r\n250 ok\r\n250 2.1.5 ok\r\n");
    let (go, queued) = (bytes("354 go\r\n"), bytes("250-2.0.0 queued\r\n250 as 7\r\n"));
    let answers: [&[&str]; 5] = [&[GREETING], &[PIPELINING], &two, &go, &queued];
    let (sent, _, received) = play(&["c@d.test"], &answers).await;
    assert_eq!(sent.unwrap(), SmtpReply::new(250, "2.0.0 queued as 7"));
    assert_eq!(received.len(), 3);
}

#[tokio::test]
async fn a_refused_sender_differs_from_a_refused_recipient() {
    for (said, stage, code) in [
        ("550 5.7.1 you\r\n503 no sender\r\n", Stage::MailFrom, 550),
        ("451 4.3.0 later\r\n503 no sender\r\n", Stage::MailFrom, 451),
        ("250 ok\r\n571 5.7.1 blocked\r\n", Stage::RcptTo, 571),
        ("250 ok\r\n450 4.2.1 later\r\n", Stage::RcptTo, 450),
    ] {
        let answers: [&[&str]; 4] = [&[GREETING], &[PIPELINING], &[said], &["250 reset\r\n"]];
        let (sent, reset, received) = play(&["c@d.test"], &answers).await;
        let error = sent.unwrap_err();
        assert_eq!((error.stage, error.code()), (stage, Some(code)), "{said:?}");
        // The replies that were not read yet are not the reply to RSET.
        assert!(reset, "{said:?}");
        assert_eq!(received, [GROUP, "RSET\r\n"], "{said:?}");
    }
}

#[tokio::test]
async fn the_refusal_of_one_of_several_recipients_refuses_the_email() {
    let answers: [&[&str]; 4] = [
        &[GREETING],
        &[PIPELINING],
        &["250 ok\r\n250 ok\r\n", "550 no such user\r\n250 ok\r\n"],
        &["250 reset\r\n"],
    ];
    let (sent, reset, received) = play(&["c@d.test", "e@f.test", "g@h.test"], &answers).await;
    let error = sent.unwrap_err();
    assert_eq!((error.stage, error.code(), error.kind()), (Stage::RcptTo, Some(550), FailureKind::Permanent));
    assert!(reset);
    assert_eq!(received[1..], ["RSET\r\n"]);
}

#[tokio::test]
async fn an_extra_reply_is_never_taken_for_the_next_one() {
    for said in ["250 ok\r\n250 ok\r\n354 go\r\n", "250 ok\r\n250 ok\r\n250 ok\r\n", "250 ok\r\n250 ok\r\n2"]
    {
        let answers: [&[&str]; 5] =
            [&[GREETING], &[PIPELINING], &[said], &["354 go\r\n"], &["250 queued\r\n"]];
        let (sent, _, received) = play(&["c@d.test"], &answers).await;
        let error = sent.unwrap_err();
        assert_eq!((error.stage, error.kind()), (Stage::Data, FailureKind::Temporary), "{said:?}");
        assert_eq!(received, [GROUP], "{said:?}");
    }
    // The same when it is still in the socket.
    let answers: [&[&str]; 5] =
        [&[GREETING], &[PIPELINING], &["250 ok\r\n250 ok\r\n"], &["354 go\r\n", "250 queued\r\n"], &[]];
    let (sent, _, received) = play_slowly(&answers).await;
    assert_eq!(sent.unwrap_err().kind(), FailureKind::Temporary);
    assert_eq!(received[1..], [GROUP, "DATA\r\n"]);
}

/// Lets the server send all its replies to DATA before the client continues.
async fn play_slowly(answers: &[&[&str]]) -> (Result<(), SendError>, bool, Vec<String>) {
    let (client, server) = duplex(64 * 1024);
    let client = async {
        let (mut session, mut written) = (open(client).await.unwrap(), 0);
        session.dialogue.send(GROUP.as_bytes(), 2).await.unwrap();
        session.dialogue.read_reply().await.unwrap();
        session.dialogue.read_reply().await.unwrap();
        session.dialogue.send(b"DATA\r\n", 1).await.unwrap();
        assert_eq!(session.dialogue.read_reply().await.unwrap().code, 354);
        for _ in 0..10 {
            yield_now().await;
        }
        let sent = session.dialogue.send_counted(BODY.as_bytes(), 1, &mut written).await;
        assert_eq!(written, 0);
        sent.map_err(|error| SendError::broken(Stage::Data, error))
    };
    let (sent, received) = tokio::join!(client, serve(server, answers));
    (sent, false, received)
}

#[tokio::test]
async fn a_421_in_the_middle_ends_the_session() {
    for (said, stage) in [("421 bye\r\n", Stage::MailFrom), ("250 ok\r\n421 bye\r\n", Stage::RcptTo)] {
        let answers: [&[&str]; 3] = [&[GREETING], &[PIPELINING], &[said]];
        let (sent, _, received) = play(&["c@d.test"], &answers).await;
        let error = sent.unwrap_err();
        assert_eq!((error.stage, error.code(), error.kind()), (stage, Some(421), FailureKind::Temporary));
        assert!(error.means_dead_connection() && !error.leaves_connection_in_step());
        assert_eq!(received, [GROUP]);
    }
}

#[tokio::test]
async fn a_message_was_not_accepted_until_the_stream_takes_a_byte_of_its_final_dot() {
    for missing in 0..10 {
        let taken = BODY.len() - missing;
        let (client, mut server) = duplex(taken);
        let server = async move {
            let (mut received, mut buffer) = (String::new(), vec![0; 1024]);
            server.write_all(GREETING.as_bytes()).await.unwrap();
            for (command, answer) in
                [("EHLO", NO_PIPELINING), ("MAIL", "250\r\n"), ("RCPT", "250\r\n"), ("DATA", "354\r\n")]
            {
                while !received.ends_with("\r\n") {
                    let read = server.read(&mut buffer).await.unwrap();
                    received += &String::from_utf8_lossy(&buffer[..read]);
                }
                assert!(std::mem::take(&mut received).starts_with(command));
                server.write_all(answer.as_bytes()).await.unwrap();
            }
            // Until the client cannot write more.
            for _ in 0..20 {
                yield_now().await;
            }
        };
        let ((sent, _), ()) = tokio::join!(send(client, &["c@d.test"]), server);
        let verdict = if missing < 5 { FailureKind::OutcomeUnknown } else { FailureKind::Temporary };
        assert_eq!(sent.unwrap_err().kind(), verdict, "{missing} bytes were not taken");
    }
}
