//! Commands and replies over one stream (RFC 5321 §4.2), in step: each reply belongs to one command and comes after it.
//!
//! Several commands can be one write (RFC 2920), and a message with its final dot is another. A reply that is there
//! before its command ends the session: it would be taken for that of a later email.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;
use std::{io, iter, str};

use bookly_shared::domain::SmtpReply;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};

/// Longest reply that is read, all lines together, in bytes. An EHLO reply has a few hundred.
pub(super) const MAX_REPLY_BYTES: usize = 16 * 1024;

/// Room for the usual reply, in bytes.
const USUAL_REPLY_BYTES: usize = 512;

/// Why the dialogue cannot go on.
#[derive(Debug, thiserror::Error)]
pub(super) enum DialogueError {
    /// The connection failed.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The server closed the connection.
    #[error("the connection was closed")]
    Closed,
    /// The server sent a reply that no command asked for.
    #[error("the reply was there before its command")]
    ReplyBeforeCommand,
    /// The reply to an earlier command was never read.
    #[error("an earlier command has no reply yet")]
    ReplyMissing,
    /// The server sent something that is not SMTP.
    #[error("the reply is not SMTP")]
    Malformed,
}

/// A stream of commands and replies.
#[derive(Debug)]
pub(super) struct Dialogue<S> {
    stream: S,
    /// Bytes that were read and do not belong to a reply yet.
    unread: Vec<u8>,
    /// How many commands have no reply yet.
    pending_replies: usize,
    /// Blank lines are not replies. Some servers send one after their greeting.
    skips_blank_lines: bool,
}

impl<S> Dialogue<S> {
    /// A dialogue in which the server speaks first, with its greeting.
    pub(super) fn with_greeting(stream: S) -> Self {
        Self { stream, unread: Vec::new(), pending_replies: 1, skips_blank_lines: true }
    }

    /// A dialogue in which the client speaks first, as after STARTTLS (RFC 3207 §4.2).
    pub(super) fn without_greeting(stream: S) -> Self {
        Self { stream, unread: Vec::new(), pending_replies: 0, skips_blank_lines: false }
    }

    pub(super) fn stream(&self) -> &S {
        &self.stream
    }

    /// The stream, for the TLS handshake. Nothing may be left of the clear text: it would be read as if it had come
    /// encrypted, and anybody on the way could have written it (CVE-2011-0411).
    pub(super) fn into_stream(self) -> Result<S, DialogueError> {
        if self.unread.is_empty() { Ok(self.stream) } else { Err(DialogueError::ReplyBeforeCommand) }
    }

    /// The reply to EHLO was read: from now on a blank line is an error.
    pub(super) fn end_of_greeting(&mut self) {
        self.skips_blank_lines = false;
    }

    fn skip_blank_lines(&mut self) {
        if self.skips_blank_lines {
            let blank = self.unread.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
            self.unread.drain(..blank);
        }
    }

    /// How many commands have no reply yet.
    pub(super) fn pending_replies(&self) -> usize {
        self.pending_replies
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Dialogue<S> {
    /// Writes `replies` commands at once.
    pub(super) async fn send(&mut self, commands: &[u8], replies: usize) -> Result<(), DialogueError> {
        self.send_counted(commands, replies, &mut 0).await
    }

    /// Writes `bytes`, to which `replies` replies will come. `written` is at any time the number of bytes that the
    /// stream took; the server never sees the others.
    pub(super) async fn send_counted(
        &mut self,
        bytes: &[u8],
        replies: usize,
        written: &mut usize,
    ) -> Result<(), DialogueError> {
        self.expect_silence().await?;
        self.pending_replies = replies;
        while let Some(rest) = bytes.get(*written..).filter(|rest| !rest.is_empty()) {
            match self.stream.write(rest).await? {
                0 => return Err(io::Error::from(io::ErrorKind::WriteZero).into()),
                more => *written += more,
            }
        }
        Ok(self.stream.flush().await?)
    }

    /// The reply to the oldest command that has none.
    pub(super) async fn read_reply(&mut self) -> Result<SmtpReply, DialogueError> {
        self.read_lines().await.map(|lines| lines.reply())
    }

    /// The same with its lines. A malformed reply whose first line is a refusal is taken as that refusal; no other command is
    /// sent after it.
    pub(super) async fn read_lines(&mut self) -> Result<ReplyLines, DialogueError> {
        loop {
            self.skip_blank_lines();
            let error = match Parsed::from_start_of(&self.unread) {
                Parsed::Complete(lines, length) => {
                    self.unread.drain(..length);
                    self.pending_replies = self.pending_replies.saturating_sub(1);
                    return Ok(lines);
                }
                Parsed::Malformed => DialogueError::Malformed,
                Parsed::Partial => {
                    self.unread.reserve(USUAL_REPLY_BYTES);
                    if self.stream.read_buf(&mut self.unread).await? > 0 {
                        continue;
                    }
                    DialogueError::Closed
                }
            };
            return ReplyLines::refusal_in(&self.unread).ok_or(error);
        }
    }

    /// Fails if anything is there that would be taken for the reply to a command not yet sent.
    async fn expect_silence(&mut self) -> Result<(), DialogueError> {
        if self.pending_replies > 0 {
            return Err(DialogueError::ReplyMissing);
        }
        loop {
            self.skip_blank_lines();
            if !self.unread.is_empty() {
                return Err(DialogueError::ReplyBeforeCommand);
            }
            let mut bytes = [0; 8];
            let read = poll_fn(|cx| {
                let mut buffer = ReadBuf::new(&mut bytes);
                Poll::Ready(match Pin::new(&mut self.stream).poll_read(cx, &mut buffer) {
                    Poll::Pending => Ok(None),
                    Poll::Ready(Ok(())) => Ok(Some(buffer.filled().len())),
                    Poll::Ready(Err(error)) => Err(error),
                })
            });
            match read.await? {
                None => return Ok(()),
                Some(0) => return Err(DialogueError::Closed),
                Some(length) => self.unread.extend_from_slice(&bytes[..length]),
            }
        }
    }
}

/// A reply as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ReplyLines {
    /// 200 to 599.
    pub(super) code: u16,
    /// What follows the code on each line, the lines joined by `\n`.
    pub(super) text: String,
}

/// What the first bytes that came are.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Parsed {
    /// A reply of this many bytes.
    Complete(ReplyLines, usize),
    /// The beginning of a reply.
    Partial,
    /// Not SMTP.
    Malformed,
}

impl Parsed {
    /// Reads the reply that `bytes` begin with: lines with the same code that end in CRLF, or in LF, as some servers send.
    pub(super) fn from_start_of(bytes: &[u8]) -> Parsed {
        let (mut end, mut reply) = (0, None::<ReplyLines>);
        for line in complete_lines(bytes) {
            let Some((code, is_last, text)) = split_line(without_end(line)) else {
                return Parsed::Malformed;
            };
            end += line.len();
            match &mut reply {
                None => reply = Some(ReplyLines { code, text: lossy(text) }),
                Some(reply) if reply.code == code => {
                    reply.text.push('\n');
                    reply.text.push_str(&lossy(text));
                }
                Some(_) => return Parsed::Malformed,
            }
            if is_last && let Some(reply) = reply {
                return Parsed::Complete(reply, end);
            }
        }
        if bytes.len() > MAX_REPLY_BYTES { Parsed::Malformed } else { Parsed::Partial }
    }
}

impl ReplyLines {
    /// What `bytes` refuse (4xx or 5xx) in their first line, when they will never be a complete reply.
    pub(super) fn refusal_in(bytes: &[u8]) -> Option<ReplyLines> {
        let (code, _, text) = split_line(without_end(complete_lines(bytes).next()?))?;
        (code >= 400).then(|| ReplyLines { code, text: lossy(text) })
    }

    pub(super) fn reply(&self) -> SmtpReply {
        SmtpReply::new(self.code, &self.text)
    }
}

/// The lines that are complete, with their ends.
fn complete_lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = bytes;
    iter::from_fn(move || {
        let (line, behind) = rest.split_at(memchr::memchr(b'\n', rest)? + 1);
        rest = behind;
        Some(line)
    })
}

fn without_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// Code, whether it is the last line, and text. A code may stand alone. Second digits up to 9 are in use (571).
fn split_line(line: &[u8]) -> Option<(u16, bool, &[u8])> {
    let (code, rest) = line.split_at_checked(3)?;
    if !matches!(code, [b'2'..=b'5', b'0'..=b'9', b'0'..=b'9']) {
        return None;
    }
    let code = str::from_utf8(code).ok()?.parse().ok()?;
    match rest {
        [] => Some((code, true, rest)),
        [b' ' | b'\t', text @ ..] => Some((code, true, text)),
        [b'-', text @ ..] => Some((code, false, text)),
        _ => None,
    }
}

fn lossy(text: &[u8]) -> String {
    String::from_utf8_lossy(text).into_owned()
}
