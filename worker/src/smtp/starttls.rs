//! The clear-text part of a STARTTLS session: greeting, EHLO, STARTTLS, and not a byte more.
//!
//! By hand, because lettre keeps what it has read across the handshake: answers that somebody on the way
//! appended in clear text would then be taken for the server's (CVE-2011-0411), and every later answer for the
//! one before.

use lettre::transport::smtp::{
    commands::{Ehlo, Starttls},
    extension::{ClientId, Extension, ServerInfo},
    response::Response,
};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};

use super::{
    StageTimeouts,
    answer::Answer,
    connection::within,
    error::{SendError, Stage},
};

/// Longest answer that is read, all lines together: an EHLO answer has a few hundred bytes.
const MAX_REPLY_BYTES: u64 = 16 * 1024;

/// Speaks up to the 220 that answers STARTTLS. Fails at [`Stage::Tls`] when it is not offered or refused.
pub(super) async fn negotiate(
    tcp: &mut (impl AsyncRead + AsyncWrite + Unpin),
    hello: &ClientId,
    limits: &StageTimeouts,
) -> Result<(), SendError> {
    let mut clear = ClearText { stream: BufReader::new(tcp) };
    within(Stage::Hello, limits.greeting, clear.answer(Stage::Hello)).await?;
    let offer =
        within(Stage::Hello, limits.command, clear.ask(Stage::Hello, Ehlo::new(hello.clone()))).await?;
    let offers = ServerInfo::from_response(&offer).map_err(|e| SendError::from_lettre(Stage::Hello, &e))?;
    if !offers.supports_feature(Extension::StartTls) {
        return Err(SendError::unsupported(
            Stage::Tls,
            "the server does not offer STARTTLS, which is required",
        ));
    }
    within(Stage::Tls, limits.command, clear.ask(Stage::Tls, Starttls)).await?;
    if !clear.stream.buffer().is_empty() {
        return Err(SendError::broken(Stage::Tls, "clear text behind the answer to STARTTLS"));
    }
    Ok(())
}

struct ClearText<'a, S> {
    stream: BufReader<&'a mut S>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> ClearText<'_, S> {
    async fn ask(&mut self, stage: Stage, command: impl std::fmt::Display) -> Result<Response, SendError> {
        let line = command.to_string();
        self.stream.write_all(line.as_bytes()).await.map_err(|e| SendError::broken(stage, e))?;
        self.answer(stage).await
    }

    async fn answer(&mut self, stage: Stage) -> Result<Response, SendError> {
        let mut text = String::new();
        let mut lines = (&mut self.stream).take(MAX_REPLY_BYTES);
        loop {
            let start = text.len();
            lines.read_line(&mut text).await.map_err(|e| SendError::broken(stage, e))?;
            if !text.ends_with('\n') || text.len() == start {
                return Err(SendError::broken(stage, "the connection was closed"));
            }
            if text.as_bytes().get(start + 3) != Some(&b'-') {
                break;
            }
        }
        let answer: Response = text.parse().map_err(|e| SendError::from_lettre(stage, &e))?;
        if answer.is_positive() {
            Ok(answer)
        } else {
            Err(SendError::from_reply(stage, Answer::from(&answer).reply()))
        }
    }
}
