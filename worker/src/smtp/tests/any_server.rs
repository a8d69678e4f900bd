//! A server that sends any bytes: the client does not panic, and an email counts as accepted only after a correct 2xx
//! reply to its final dot.

use bookly_shared::domain::SmtpReply;
use proptest::prelude::*;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream, duplex};
use tokio::runtime::Runtime;

use super::super::error::SendError;
use super::super::failure::FailureKind;
use super::super::session::Transaction;
use super::{envelope, open};

/// Greeting, EHLO, MAIL FROM, RCPT TO, DATA, final dot.
const ANSWERS: usize = 6;
const MESSAGE: &[u8] = b"Subject: Verify your email\r\n\r\nHello.\r\n.\r\n";

/// Sends its answers in turn, whatever the client sends, and closes the connection after the last one.
async fn serve(end: DuplexStream, answers: &[Vec<u8>]) {
    let mut end = BufReader::new(end);
    for (turn, answer) in answers.iter().enumerate() {
        if turn > 0 && !read_command(&mut end, turn == ANSWERS - 1).await {
            return;
        }
        if end.write_all(answer).await.is_err() {
            return;
        }
    }
}

/// Serves until the client is done. Closes the connection if both wait for each other.
async fn until_done<T>(client: impl Future<Output = T>, server: impl Future<Output = ()>) -> T {
    let server = async {
        tokio::select! { biased; () = server => {}, () = long() => {} }
        std::future::pending::<T>().await
    };
    tokio::select! { biased; done = client => done, never = server => never }
}

/// Many more turns than a dialogue has.
async fn long() {
    for _ in 0..2_000 {
        tokio::task::yield_now().await;
    }
}

/// Reads one command, or a message to its final dot. False: the client closed the connection.
async fn read_command(end: &mut BufReader<DuplexStream>, message: bool) -> bool {
    let mut line = Vec::new();
    loop {
        line.clear();
        if !end.read_until(b'\n', &mut line).await.is_ok_and(|read| read > 0) {
            return false;
        }
        if !message || line == b".\r\n" {
            return true;
        }
    }
}

async fn send(end: DuplexStream) -> Result<SmtpReply, SendError> {
    let mut session = open(end).await?;
    let envelope = envelope(&["c@d.test"]);
    let transaction = Transaction::new(&envelope, MESSAGE);
    session.mail_from(&transaction).await?;
    session.recipients(&transaction).await?;
    session.data(&transaction).await
}

async fn start_tls(end: DuplexStream) -> Result<DuplexStream, SendError> {
    open(end).await?.start_tls().await.map(|(stream, _)| stream)
}

/// Runs both ends.
fn play(answers: &[Vec<u8>]) -> Result<SmtpReply, SendError> {
    let (client, server) = duplex(64 * 1024);
    RUNTIME.with(|runtime| runtime.block_on(until_done(send(client), serve(server, answers))))
}

thread_local! {
    static RUNTIME: Runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
}

/// The code of the first reply in an answer, parsed independently of the client. `None`: it is not complete. What
/// follows an acceptance does not change it.
fn code(answer: &[u8]) -> Option<u16> {
    let text = String::from_utf8_lossy(answer);
    let (whole, _) = text.rsplit_once('\n')?;
    let mut lines = whole.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line));
    let last = lines.find(|line| line.as_bytes().get(3) != Some(&b'-'))?;
    last.get(..3).filter(|code| code.bytes().all(|byte| byte.is_ascii_digit()))?.parse().ok()
}

/// A correct reply to each command.
fn good(turn: usize) -> Vec<u8> {
    let text = [
        "220 mx\r\n",
        "250-mx\r\n250 8BITMIME\r\n",
        "250 ok\r\n",
        "250 ok\r\n",
        "354 go\r\n",
        "250 queued as 7\r\n",
    ];
    text[turn].as_bytes().to_vec()
}

/// The same from a server that offers PIPELINING.
fn pipelining(turn: usize) -> Vec<u8> {
    if turn == 1 { b"250-mx\r\n250-PIPELINING\r\n250 8BITMIME\r\n".to_vec() } else { good(turn) }
}

/// A correct answer, a changed one, or any bytes.
fn answer(turn: usize) -> impl Strategy<Value = Vec<u8>> {
    let odd_line = "[0-9]{0,4}[ -]?[ -~é]{0,20}(\r\n|\n|\r|)";
    prop_oneof![
        6 => Just(good(turn)),
        6 => Just(pipelining(turn)),
        3 => "[1-6][0-9]{2}( [ -~]{0,20})?\r\n".prop_map(String::into_bytes),
        2 => "([2-5][0-9]{2}-[ -~]{0,9}\r\n){1,3}[2-5][0-9]{2} ok\r\n".prop_map(String::into_bytes),
        2 => prop::collection::vec(odd_line, 0..4).prop_map(|lines| lines.concat().into_bytes()),
        1 => prop::collection::vec(any::<u8>(), 0..60),
        1 => (any::<prop::sample::Index>(), any::<u8>()).prop_map(move |(place, byte)| {
            let mut answer = good(turn);
            let place = place.index(answer.len());
            answer[place] = byte;
            answer
        }),
        1 => any::<prop::sample::Index>().prop_map(move |end| good(turn)[..end.index(good(turn).len())].to_vec()),
        1 => answer_and_more(turn),
    ]
}

/// Also replies to commands that were not sent yet.
fn answer_and_more(turn: usize) -> impl Strategy<Value = Vec<u8>> {
    "([2-5][0-9]{2} [a-z]{0,5}\r\n){1,5}".prop_map(move |more| [good(turn), more.into_bytes()].concat())
}

fn answers() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let all = (answer(0), answer(1), answer(2), answer(3), answer(4), answer(5));
    let all = all.prop_map(|(a, b, c, d, e, f)| vec![a, b, c, d, e, f]);
    (all, 0..=ANSWERS).prop_map(|(mut all, count)| {
        // Most servers send all their replies.
        all.truncate(if count < 2 { count } else { ANSWERS });
        all
    })
}

#[test]
fn a_correct_server_accepts_the_email() {
    for good in [good, pipelining] {
        let accepted = play(&(0..ANSWERS).map(good).collect::<Vec<_>>()).unwrap();
        assert_eq!((accepted.code, &*accepted.text), (250, "queued as 7"));
    }
}

#[test]
fn a_reply_before_its_command_is_not_an_acceptance() {
    let mut ahead: Vec<_> = (0..ANSWERS).map(good).collect();
    ahead[4] = b"354 go\r\n250 queued\r\n".to_vec();
    ahead[5].clear();
    assert_eq!(play(&ahead).unwrap_err().kind(), FailureKind::Temporary);
    let mut early: Vec<_> = (0..ANSWERS).map(good).collect();
    early[2] = b"250 ok\r\n250 ok\r\n354 go\r\n".to_vec();
    assert_eq!(play(&early).unwrap_err().kind(), FailureKind::Temporary);
    let mut hasty: Vec<_> = (0..ANSWERS).map(good).collect();
    (hasty[0], hasty[2]) = (b"220 mx\r\n250 mx\r\n".to_vec(), Vec::new());
    assert_eq!(play(&hasty).unwrap_err().kind(), FailureKind::ServerUnavailable);
}

proptest! {
    #[test]
    fn any_bytes_of_a_server_cause_no_panic_and_no_false_acceptance(answers in answers()) {
        let codes: Vec<Option<u16>> = answers.iter().map(|answer| code(answer)).collect();
        match play(&answers) {
            Ok(accepted) => {
                prop_assert_eq!(codes.len(), ANSWERS);
                prop_assert_eq!(codes[5], Some(accepted.code));
                prop_assert!((200..300).contains(&accepted.code), "{}", accepted.code);
                prop_assert_eq!(codes[4], Some(354));
                for code in &codes[2..4] {
                    prop_assert!(code.is_some_and(|code| (200..300).contains(&code)), "{:?}", codes);
                }
                prop_assert!(accepted.text.chars().count() <= 500 && !accepted.text.contains(char::is_control));
            }
            Err(error) => {
                for good in [good, pipelining] {
                    let good: Vec<_> = (0..ANSWERS).map(good).collect();
                    prop_assert!(answers != good, "a correct server was refused: {}", error);
                }
                let text = error.cause.to_string();
                prop_assert!(text.chars().count() <= 520 && !text.contains(char::is_control));
                if error.kind() == FailureKind::Permanent {
                    prop_assert!(matches!(error.code(), Some(500..=599)), "{:?}", error);
                }
            }
        }
    }

    #[test]
    fn tls_starts_only_after_three_correct_replies_in_clear_text(answers in answers()) {
        let (client, server) = duplex(64 * 1024);
        let played = until_done(start_tls(client), serve(server, &answers));
        if RUNTIME.with(|runtime| runtime.block_on(played)).is_ok() {
            let text = String::from_utf8_lossy(&answers[1]).to_uppercase();
            prop_assert!(text.contains("STARTTLS") && answers[2].ends_with(b"\n"), "{:?}", answers);
        }
    }
}
