//! Keeps what the server said last, for the answers that lettre does not understand.
//!
//! lettre knows second digits up to 5 only, and takes a 571 ("blocked", not rare after the final dot) for
//! garbage: a known refusal would become an unknown outcome, and the mail be sent again.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
};

use lettre::transport::smtp::client::AsyncTokioStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// How much of an answer is kept, in bytes: its first line is enough.
const KEPT: usize = 1024;

/// The beginning of what came in since the last write.
#[derive(Debug, Clone, Default)]
pub(super) struct Heard(Arc<Mutex<Vec<u8>>>);

impl Heard {
    /// Code and words, if the answer is a whole line that refuses (4xx or 5xx) in RFC 5321's form.
    pub(super) fn refusal(&self) -> Option<(u16, String)> {
        let answer = self.lock();
        let line = answer.split_inclusive(|&byte| byte == b'\n').next()?;
        let line = std::str::from_utf8(line).ok()?.strip_suffix('\n')?;
        let (code, words) = line.split_at_checked(3)?;
        let refuses = code.starts_with(['4', '5']) && code.bytes().all(|byte| byte.is_ascii_digit());
        let separated = words.trim_end().is_empty() || words.starts_with([' ', '-']);
        if !refuses || !separated {
            return None;
        }
        Some((code.parse().ok()?, words.get(1..).unwrap_or_default().to_owned()))
    }

    /// Whether an answer with this code came after the last write. One that came before it is no answer to it: a
    /// server that speaks out of turn would be taken at its word for a mail that it has not seen.
    pub(super) fn answers(&self, code: u16) -> bool {
        self.lock().starts_with(code.to_string().as_bytes())
    }

    /// Whether an answer that agrees (2xx) came after the last write.
    pub(super) fn agrees(&self) -> bool {
        self.lock().starts_with(b"2")
    }

    fn note(&self, bytes: &[u8]) {
        let mut answer = self.lock();
        let room = KEPT.saturating_sub(answer.len()).min(bytes.len());
        answer.extend_from_slice(&bytes[..room]);
    }

    fn lock(&self) -> MutexGuard<'_, Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A stream whose answers are [`Heard`].
#[derive(Debug)]
pub(super) struct Overheard<S> {
    pub(super) stream: S,
    pub(super) heard: Heard,
}

impl<S: AsyncTokioStream> AsyncTokioStream for Overheard<S> {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.stream.peer_addr()
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Overheard<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buf);
        self.heard.note(&buf.filled()[before..]);
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Overheard<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.heard.lock().clear();
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_line_that_refuses_is_a_refusal() {
        for (said, refusal) in [
            ("571 5.7.1 blocked\r\n", Some((571, "5.7.1 blocked"))),
            ("571-5.7.1 blocked\r\n571 really\r\n", Some((571, "5.7.1 blocked"))),
            ("471 later\r\n", Some((471, "later"))),
            ("590\r\n", Some((590, ""))),
            ("571 half a li", None),
            ("250 ok\r\n", None),
            ("5712 pigs\r\n", None),
            ("5é\r\n", None),
            ("", None),
        ] {
            let heard = Heard::default();
            heard.note(said.as_bytes());
            let found = heard.refusal();
            assert_eq!(found.as_ref().map(|(code, words)| (*code, words.trim_end())), refusal, "{said:?}");
        }
    }
}
