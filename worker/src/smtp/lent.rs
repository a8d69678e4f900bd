//! A stream that is lent to lettre for greeting, EHLO and AUTH, and taken back for the mails.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
};

use lettre::transport::smtp::client::{AsyncSmtpConnection, AsyncTokioStream};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::answer::{Answer, Heard, MAX_BYTES};

/// One of two handles on a stream; the other is lettre's.
#[derive(Debug)]
pub(super) struct Lent<S>(Arc<Mutex<Overheard<S>>>);

#[derive(Debug)]
struct Overheard<S> {
    stream: S,
    /// What was read since the last write.
    said: Vec<u8>,
}

impl<S> Lent<S> {
    pub(super) fn new(stream: S) -> Self {
        Self(Arc::new(Mutex::new(Overheard { stream, said: Vec::new() })))
    }

    /// A handle for lettre.
    pub(super) fn lend(&self) -> Self {
        Self(Arc::clone(&self.0))
    }

    /// The one answer that came after the last write; none where more came, or less. An answer that was there before
    /// its question would make every later one the answer to the question before.
    pub(super) fn only_answer(&self) -> Option<Answer> {
        let overheard = self.lock();
        match Answer::read(&overheard.said) {
            Heard::Whole(answer, length) if length == overheard.said.len() => Some(answer),
            _ => None,
        }
    }

    /// The stream, when lettre's connection is the only other one to hold it.
    pub(super) fn take_back(self, from: AsyncSmtpConnection) -> Option<S> {
        drop(from);
        let overheard = Arc::into_inner(self.0)?.into_inner();
        Some(overheard.unwrap_or_else(PoisonError::into_inner).stream)
    }

    fn lock(&self) -> MutexGuard<'_, Overheard<S>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: AsyncTokioStream> AsyncTokioStream for Lent<S> {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.lock().stream.peer_addr()
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Lent<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let mut overheard = self.lock();
        let before = buf.filled().len();
        let polled = Pin::new(&mut overheard.stream).poll_read(cx, buf);
        let more = &buf.filled()[before..];
        let room = (MAX_BYTES + 1).saturating_sub(overheard.said.len()).min(more.len());
        overheard.said.extend_from_slice(&more[..room]);
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Lent<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let mut overheard = self.lock();
        overheard.said.clear();
        Pin::new(&mut overheard.stream).poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.lock().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.lock().stream).poll_shutdown(cx)
    }
}
