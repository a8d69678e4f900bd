//! Questions and answers over a stream, in step: so many answers as questions, none of them before its question.
//!
//! lettre writes one command and reads one answer, and writes the final dot apart from the message. Here a group of
//! commands is one write (RFC 2920), a message with its final dot another, and what is read says whether a server
//! spoke out of turn: it would be taken at its word for a mail that it has not seen.

use std::{
    future::poll_fn,
    io::{Error, ErrorKind, Result},
    pin::Pin,
    task::Poll,
};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};

use super::answer::{Answer, Heard};

/// Room for the usual answers, in bytes.
const USUAL_ANSWER: usize = 512;

/// A stream of questions and answers.
#[derive(Debug)]
pub(super) struct Line<S> {
    stream: S,
    /// Read, and not yet taken for an answer.
    unread: Vec<u8>,
    /// How many questions wait for their answers.
    awaited: usize,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Line<S> {
    pub(super) fn new(stream: S) -> Self {
        Self { stream, unread: Vec::new(), awaited: 0 }
    }

    /// Writes `questions` commands at once.
    pub(super) async fn ask(&mut self, commands: &[u8], questions: usize) -> Result<()> {
        self.hand_over(commands, questions, &mut 0).await
    }

    /// Writes `bytes`, to which `questions` answers will come. `taken` tells at any time how many of them the
    /// stream has taken over; what it has not taken the server will never see.
    pub(super) async fn hand_over(
        &mut self,
        bytes: &[u8],
        questions: usize,
        taken: &mut usize,
    ) -> Result<()> {
        self.expect_silence().await?;
        self.awaited = questions;
        while let Some(rest) = bytes.get(*taken..).filter(|rest| !rest.is_empty()) {
            match self.stream.write(rest).await? {
                0 => return Err(ErrorKind::WriteZero.into()),
                more => *taken += more,
            }
        }
        self.stream.flush().await
    }

    /// How many answers are still to come.
    pub(super) fn awaited(&self) -> usize {
        self.awaited
    }

    /// The answer to the oldest question that has none. One that is not well formed counts only where its first
    /// line refuses, and is the last that comes over this line.
    pub(super) async fn answer(&mut self) -> Result<Answer> {
        loop {
            match Answer::read(&self.unread) {
                Heard::Whole(answer, length) => {
                    self.unread.drain(..length);
                    self.awaited = self.awaited.saturating_sub(1);
                    return Ok(answer);
                }
                Heard::Garbled => return self.refusal().ok_or_else(|| broken("the answer makes no sense")),
                Heard::Part => {}
            }
            self.unread.reserve(USUAL_ANSWER);
            if self.stream.read_buf(&mut self.unread).await? == 0 {
                return self.refusal().ok_or_else(|| broken("the connection was closed"));
            }
        }
    }

    /// Its question stays unanswered, so that no other is asked.
    fn refusal(&mut self) -> Option<Answer> {
        Answer::refusal_in(&self.unread)
    }

    /// That there is nothing which would be taken for the answer to a question not yet asked.
    async fn expect_silence(&mut self) -> Result<()> {
        if self.awaited > 0 {
            return Err(broken("a question was not answered"));
        }
        if !self.unread.is_empty() {
            return Err(broken("the answer was there before the question"));
        }
        let mut byte = [0];
        poll_fn(|cx| {
            let mut buffer = ReadBuf::new(&mut byte);
            Poll::Ready(match Pin::new(&mut self.stream).poll_read(cx, &mut buffer) {
                Poll::Pending => Ok(()),
                Poll::Ready(Ok(())) if buffer.filled().is_empty() => Err(broken("the connection was closed")),
                Poll::Ready(Ok(())) => Err(broken("the answer was there before the question")),
                Poll::Ready(Err(error)) => Err(error),
            })
        })
        .await
    }
}

fn broken(what: &'static str) -> Error {
    Error::new(ErrorKind::InvalidData, what)
}
