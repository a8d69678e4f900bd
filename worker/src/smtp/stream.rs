//! The byte stream that is handed to lettre: TCP, or TLS over it.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll},
};

use lettre::transport::smtp::client::AsyncTokioStream;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tokio_rustls::client::TlsStream;

/// After STARTTLS the server does not greet again (RFC 3207 §4.2), but lettre waits for a greeting before its
/// EHLO: this is the one it gets to read.
const GREETING_AFTER_STARTTLS: &[u8] = b"220 encrypted\r\n";

/// A connection to the mail server.
#[derive(Debug)]
pub(super) enum Stream {
    Plain(TcpStream),
    /// `prelude` is read before what comes from the server.
    Tls {
        prelude: &'static [u8],
        inner: Box<TlsStream<TcpStream>>,
    },
}

impl Stream {
    pub(super) fn after_starttls(inner: TlsStream<TcpStream>) -> Self {
        Self::Tls { prelude: GREETING_AFTER_STARTTLS, inner: Box::new(inner) }
    }

    /// What the handshake settled; `None` in clear text.
    pub(super) fn tls(&self) -> Option<&rustls::ClientConnection> {
        match self {
            Self::Plain(_) => None,
            Self::Tls { inner, .. } => Some(inner.get_ref().1),
        }
    }

    pub(super) fn implicit_tls(inner: TlsStream<TcpStream>) -> Self {
        Self::Tls { prelude: b"", inner: Box::new(inner) }
    }
}

impl AsyncTokioStream for Stream {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        match self {
            Self::Plain(tcp) => tcp.peer_addr(),
            Self::Tls { inner, .. } => inner.get_ref().0.peer_addr(),
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(tcp) => Pin::new(tcp).poll_read(cx, buf),
            Self::Tls { prelude: [], inner } => Pin::new(inner).poll_read(cx, buf),
            Self::Tls { prelude, .. } => {
                let (now, later) = prelude.split_at(prelude.len().min(buf.remaining()));
                buf.put_slice(now);
                *prelude = later;
                Poll::Ready(Ok(()))
            }
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(tcp) => Pin::new(tcp).poll_write(cx, buf),
            Self::Tls { inner, .. } => Pin::new(inner).poll_write(cx, buf),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(tcp) => Pin::new(tcp).poll_flush(cx),
            Self::Tls { inner, .. } => Pin::new(inner).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(tcp) => Pin::new(tcp).poll_shutdown(cx),
            Self::Tls { inner, .. } => Pin::new(inner).poll_shutdown(cx),
        }
    }
}
