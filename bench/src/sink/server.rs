//! An SMTP server that takes every mail, counts it and does not store it. It answers questions about that on its standard
//! input, a line each, and ends with it.

use std::io::{BufRead as _, Write as _};
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use clap::Args;
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use crate::machine::Clock;

/// More than the mails of a worker that has the most in flight.
const BACKLOG: u32 = 2048;
/// A mail comes in one read.
const BUFFER_BYTES: usize = 32 * 1024;

/// What kind of server.
#[derive(Args, Debug, Clone, Default)]
pub(crate) struct Options {
    /// Milliseconds between a mail's final dot and the answer to it.
    #[arg(long, default_value_t = 0)]
    delay_ms: u64,
    /// Accepts connections and never replies.
    #[arg(long)]
    hang: bool,
    /// Tells when each MAIL FROM came, of emails to recipients with this text in their address.
    #[arg(long)]
    watched: Option<String>,
}

impl Options {
    fn watches(&self, command: &[u8]) -> bool {
        let contains = |text: &String| String::from_utf8_lossy(command).contains(text.as_str());
        self.watched.as_ref().is_some_and(contains)
    }
}

#[derive(Debug, Default)]
struct Shared {
    options: Options,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    /// When each mail was taken.
    at: Vec<Clock>,
    bytes: u64,
}

/// Serves until standard input ends.
pub(crate) async fn serve(options: Options) -> anyhow::Result<()> {
    let socket = tokio::net::TcpSocket::new_v4()?;
    socket.bind((Ipv4Addr::LOCALHOST, 0).into())?;
    let listener = socket.listen(BACKLOG)?;
    let port = listener.local_addr()?.port();
    let shared = Arc::new(Shared { options, taken: Mutex::default() });
    tokio::spawn(listen(listener, Arc::clone(&shared)));
    tokio::task::spawn_blocking(move || {
        for question in std::io::stdin().lock().lines() {
            say("is", shared.answer(&question?, port))?;
        }
        Ok(())
    })
    .await?
}

impl Shared {
    fn answer(&self, question: &str, port: u16) -> u64 {
        let taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        match question.split_once(' ').unwrap_or((question, "")) {
            ("port", _) => port.into(),
            ("bytes", _) => taken.bytes,
            ("taken", n) => {
                let index = n.parse::<usize>().ok().and_then(|n| n.checked_sub(1));
                index.and_then(|index| taken.at.get(index)).map_or(0, |at| at.0)
            }
            _ => taken.at.len() as u64,
        }
    }

    fn take(&self, bytes: usize) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.at.push(Clock::now());
        taken.bytes += bytes as u64;
    }
}

async fn listen(listener: TcpListener, shared: Arc<Shared>) {
    let mut open = Vec::new();
    while let Ok((stream, _)) = listener.accept().await {
        if shared.options.hang {
            open.push(stream);
        } else {
            // A session that breaks off is not an error here.
            tokio::spawn(accept(stream, Arc::clone(&shared)));
        }
    }
}

async fn accept(mut stream: TcpStream, shared: Arc<Shared>) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let (reader, writer) = stream.split();
    session(reader, writer, &shared).await
}

async fn session(
    reader: impl AsyncRead + Unpin,
    mut writer: impl AsyncWrite + Unpin,
    shared: &Shared,
) -> std::io::Result<()> {
    let mut reader = BufReader::with_capacity(BUFFER_BYTES, reader);
    let (mut line, mut answers) = (Vec::new(), b"220 sink ESMTP\r\n".to_vec());
    let mut from = Clock::now();
    loop {
        // Answers to commands that came together go out together.
        if !reader.buffer().contains(&b'\n') {
            writer.write_all(&answers).await?;
            answers.clear();
        }
        line.clear();
        if reader.read_until(b'\n', &mut line).await? == 0 {
            return Ok(());
        }
        match line.get(..4).unwrap_or_default().to_ascii_uppercase().as_slice() {
            b"EHLO" => answers.extend_from_slice(b"250-sink\r\n250-PIPELINING\r\n250 8BITMIME\r\n"),
            b"DATA" => {
                // The client waits for this one, whatever it has sent before.
                answers.extend_from_slice(b"354 go on\r\n");
                writer.write_all(&answers).await?;
                answers.clear();
                let bytes = read_message(&mut reader, &mut line).await?;
                if shared.options.delay_ms > 0 {
                    tokio::time::sleep(Duration::from_millis(shared.options.delay_ms)).await;
                }
                shared.take(bytes);
                answers.extend_from_slice(b"250 taken\r\n");
            }
            b"QUIT" => {
                answers.extend_from_slice(b"221 bye\r\n");
                return writer.write_all(&answers).await;
            }
            command => {
                if command == b"MAIL" {
                    from = Clock::now();
                } else if command == b"RCPT" && shared.options.watches(&line) {
                    say("from", from.0)?;
                }
                answers.extend_from_slice(b"250 ok\r\n");
            }
        }
    }
}

/// Reads up to the final dot and returns how many bytes came before it.
async fn read_message(
    reader: &mut (impl AsyncBufRead + Unpin),
    line: &mut Vec<u8>,
) -> std::io::Result<usize> {
    let mut bytes = 0;
    loop {
        line.clear();
        if reader.read_until(b'\n', line).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        if line == b".\r\n" {
            return Ok(bytes);
        }
        bytes += line.len();
    }
}

fn say(what: &str, number: u64) -> std::io::Result<()> {
    let mut output = std::io::stdout().lock();
    writeln!(output, "{what} {number}")?;
    output.flush()
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;

    use super::*;

    /// What the server answers to all of this at once.
    async fn answers(words: &str) -> (String, Shared) {
        let shared = Shared::default();
        let (client, server) = tokio::io::duplex(64 * 1024);
        let (mut client_reads, mut client_writes) = tokio::io::split(client);
        client_writes.write_all(words.as_bytes()).await.unwrap();
        let (reader, writer) = tokio::io::split(server);
        session(reader, writer, &shared).await.unwrap();
        let mut text = vec![0; 4096];
        let read = client_reads.read(&mut text).await.unwrap();
        (String::from_utf8_lossy(&text[..read]).into_owned(), shared)
    }

    #[tokio::test]
    async fn commands_that_come_together_are_answered_in_order_and_their_mails_counted() {
        let mail = "MAIL FROM:<a@b.test>\r\nRCPT TO:<c@d.test>\r\nDATA\r\nDATA\r\n..\r\n.\r\n";
        let (text, shared) = answers(&format!("EHLO me\r\n{mail}{mail}QUIT\r\n")).await;
        let codes: Vec<&str> = text.lines().map(|line| &line[..4]).collect();
        let one = ["250 ", "250 ", "354 ", "250 "];
        assert_eq!(codes[..4], ["220 ", "250-", "250-", "250 "]);
        assert_eq!([&codes[4..8], &codes[8..12]], [one, one]);
        assert_eq!(codes[12..], ["221 "]);
        assert_eq!((shared.answer("count", 0), shared.answer("bytes", 0)), (2, 20));
        assert!(
            shared.answer("taken 1", 0) > 0 && shared.answer("taken 2", 0) >= shared.answer("taken 1", 0)
        );
        assert_eq!((shared.answer("taken 3", 0), shared.answer("taken 0", 0)), (0, 0));
    }
}
