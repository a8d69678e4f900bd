//! A stream whose client must take each answer in time.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep_until};

use super::limits::Limits;
use super::places::Activity;

/// The time for an answer runs from the first write that has to wait until the flush that ends the answer. A client that
/// takes nothing for as long is cut off, and one that takes less than `bytes_per_second` on average, after the same time
/// in advance: a slow network is served to the end, and a client that reads a byte now and then is not.
pub(super) struct TimedStream {
    stream: TcpStream,
    limit: Duration,
    bytes_per_second: u32,
    deadline: Option<Deadline>,
    activity: Activity,
}

/// When the answer must be written. The sleep is set again only when it ends too early.
struct Deadline {
    /// For the whole answer.
    whole: Instant,
    /// For its next bytes.
    next: Instant,
    sleep: Pin<Box<Sleep>>,
}

impl Deadline {
    fn new(limit: Duration) -> Deadline {
        let at = Instant::now() + limit;
        Deadline { whole: at, next: at, sleep: Box::pin(sleep_until(at)) }
    }

    fn taken(&mut self, bytes: usize, bytes_per_second: u32, limit: Duration) {
        self.whole += Duration::from_secs_f64(bytes as f64 / f64::from(bytes_per_second));
        self.next = Instant::now() + limit;
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let at = self.whole.min(self.next);
        while self.sleep.as_mut().poll(cx).is_ready() {
            if self.sleep.deadline() >= at {
                return Poll::Ready(());
            }
            self.sleep.as_mut().reset(at);
        }
        Poll::Pending
    }
}

impl TimedStream {
    pub(super) fn new(stream: TcpStream, limits: &Limits, activity: Activity) -> TimedStream {
        let (limit, bytes_per_second) = (limits.answer, limits.answer_bytes_per_second.max(1));
        TimedStream { stream, limit, bytes_per_second, deadline: None, activity }
    }

    fn in_time(&mut self, cx: &mut Context<'_>, done: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(done) = done {
            if let (Ok(taken), Some(deadline)) = (&done, &mut self.deadline) {
                deadline.taken(*taken, self.bytes_per_second, self.limit);
            }
            return Poll::Ready(done);
        }
        let (limit, activity) = (self.limit, &self.activity);
        let deadline = self.deadline.get_or_insert_with(|| {
            activity.set_writing(true);
            Deadline::new(limit)
        });
        if deadline.poll(cx).is_ready() {
            return Poll::Ready(Err(io::Error::new(
                io::ErrorKind::TimedOut,
                "the client did not take its answer",
            )));
        }
        Poll::Pending
    }
}

impl AsyncRead for TimedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for TimedStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.in_time(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, parts);
        self.in_time(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// hyper flushes when it has written all that it has.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        if flushed.is_ready() && self.deadline.take().is_some() {
            self.activity.set_writing(false);
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
