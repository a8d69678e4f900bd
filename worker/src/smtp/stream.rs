//! Opens the byte stream to the mail server: TCP without delay, TLS over it, and the time limit of each stage.

use std::net::SocketAddr;
use std::time::Duration;

use bookly_shared::metrics::table::SMTP_STAGE_SECONDS;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tokio_rustls::client::TlsStream;
use tokio_util::either::Either;

use super::error::SendError;
use super::failure::Stage;
use super::options::StageTimeouts;
use super::tls::Tls;

/// A connection to the mail server, in clear text or encrypted.
pub(super) type Stream = Either<TcpStream, Box<TlsStream<TcpStream>>>;

/// Tries the addresses of the host in turn. The error is that of the first one, which the system prefers (RFC 6724): without
/// IPv6 the last one is `::1` for `localhost`, and says nothing about the server.
pub(super) async fn connect(host: &str, port: u16, timeouts: &StageTimeouts) -> Result<TcpStream, SendError> {
    let limit = timeouts.connect;
    let mut failed = None;
    for address in Stage::Connect.within(limit, addresses(host, port)).await? {
        match Stage::Connect.within(limit, connect_to(address)).await {
            Ok(tcp) => return Ok(tcp),
            Err(error) => _ = failed.get_or_insert(error),
        }
    }
    Err(failed.unwrap_or_else(|| SendError::broken(Stage::Connect, "the mail server's name has no address")))
}

async fn addresses(host: &str, port: u16) -> Result<Vec<SocketAddr>, SendError> {
    let found = tokio::net::lookup_host((host, port)).await;
    Ok(found.map_err(|error| SendError::broken(Stage::Connect, error))?.collect())
}

async fn connect_to(address: SocketAddr) -> Result<TcpStream, SendError> {
    let connect = async {
        let tcp = TcpStream::connect(address).await?;
        // A message is written after DATA, and its last packet is short: Nagle's algorithm delays it by up to 40 ms.
        tcp.set_nodelay(true)?;
        Ok(tcp)
    };
    connect.await.map_err(|error: std::io::Error| {
        SendError::broken(Stage::Connect, format_args!("{address}: {error}"))
    })
}

/// The handshake, with the check of the server's certificate.
pub(super) async fn encrypt(
    tls: &Tls,
    tcp: TcpStream,
    timeouts: &StageTimeouts,
) -> Result<Stream, SendError> {
    let handshake = async {
        let connected = tls.connector.connect(tls.name.clone(), tcp).await;
        connected.map_err(|error| SendError::from_handshake(&error))
    };
    Ok(Either::Right(Box::new(Stage::Tls.within(timeouts.command, handshake).await?)))
}

/// What the handshake settled; `None` in clear text.
pub(super) fn tls_session(stream: &Stream) -> Option<&rustls::ClientConnection> {
    match stream {
        Either::Left(_) => None,
        Either::Right(tls) => Some(tls.get_ref().1),
    }
}

impl Stage {
    /// Runs `work`, which fails at this stage when it takes longer than `limit`. Its time is recorded either way.
    pub(super) async fn within<T>(
        self,
        limit: Duration,
        work: impl Future<Output = Result<T, SendError>>,
    ) -> Result<T, SendError> {
        let began = Instant::now();
        let done = timeout(limit, work).await;
        SMTP_STAGE_SECONDS.record(began.elapsed().as_secs_f64(), [self.label().into()]);
        done.unwrap_or_else(|_| Err(SendError::timed_out(self, limit)))
    }
}
