//! An SMTP server that takes every mail, counts it and forgets it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;

/// A running sink. Dropping it stops listening.
#[derive(Debug)]
pub(crate) struct Sink {
    port: u16,
    shared: Arc<Shared>,
    _listener: AbortOnDropHandle<()>,
}

#[derive(Debug)]
struct Shared {
    /// Between the final dot and its answer.
    delay: Duration,
    mails: AtomicU64,
    /// Whether anybody wants to know when each MAIL FROM came.
    watched: bool,
    senders: mpsc::UnboundedSender<Instant>,
}

/// When each MAIL FROM came.
pub(crate) type Arrivals = mpsc::UnboundedReceiver<Instant>;

impl Sink {
    /// Listens; `delay` is the time that the server takes for a mail.
    pub(crate) async fn start(delay: Duration) -> anyhow::Result<Sink> {
        Ok(Self::build(delay, false).await?.0)
    }

    /// A sink that also tells when each MAIL FROM came.
    pub(crate) async fn watched() -> anyhow::Result<(Sink, Arrivals)> {
        Self::build(Duration::ZERO, true).await
    }

    async fn build(delay: Duration, watched: bool) -> anyhow::Result<(Sink, Arrivals)> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let port = listener.local_addr()?.port();
        let (senders, arrivals) = mpsc::unbounded_channel();
        let mails = AtomicU64::new(0);
        let shared = Arc::new(Shared { delay, mails, watched, senders });
        let listener = tokio::spawn(listen(listener, Arc::clone(&shared)));
        Ok((Sink { port, shared, _listener: AbortOnDropHandle::new(listener) }, arrivals))
    }

    /// Its port on 127.0.0.1.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// How many mails it has taken.
    pub(crate) fn count(&self) -> u64 {
        self.shared.mails.load(Ordering::Relaxed)
    }
}

async fn listen(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        // A session that breaks off is its client's matter.
        tokio::spawn(session(stream, Arc::clone(&shared)));
    }
}

async fn session(stream: TcpStream, shared: Arc<Shared>) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let (reader, mut writer) = stream.into_split();
    let mut reader = BufReader::new(reader);
    let (mut line, mut answers) = (Vec::new(), b"220 sink\r\n".to_vec());
    loop {
        // Answers to commands that came together go out together.
        if !line_is_there(&reader) {
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
                writer.write_all(&answers).await?;
                writer.write_all(b"354 go\r\n").await?;
                answers.clear();
                read_message(&mut reader, &mut line).await?;
                tokio::time::sleep(shared.delay).await;
                shared.mails.fetch_add(1, Ordering::Relaxed);
                answers.extend_from_slice(b"250 taken\r\n");
            }
            b"QUIT" => return writer.write_all(b"221 bye\r\n").await,
            command => {
                if command == b"MAIL" && shared.watched {
                    // Nobody listens any more: then nobody wants to know.
                    let _ = shared.senders.send(Instant::now());
                }
                answers.extend_from_slice(b"250 ok\r\n");
            }
        }
    }
}

fn line_is_there(reader: &BufReader<tokio::net::tcp::OwnedReadHalf>) -> bool {
    reader.buffer().contains(&b'\n')
}

async fn read_message(
    reader: &mut (impl AsyncBufReadExt + Unpin),
    line: &mut Vec<u8>,
) -> std::io::Result<()> {
    loop {
        line.clear();
        if reader.read_until(b'\n', line).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        if line == b".\r\n" {
            return Ok(());
        }
    }
}
