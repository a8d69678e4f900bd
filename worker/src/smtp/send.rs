//! One mail over one open session, stage by stage.

use std::{fmt::Display, io};

use bookly_shared::domain::SmtpReply;
use bookly_shared::metrics::table::SMTP_STAGE_SECONDS;
use lettre::{
    Address,
    address::Envelope,
    transport::smtp::{
        commands::{Data, Mail, Rcpt, Rset},
        extension::{MailBodyParameter, MailParameter},
    },
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::{Instant, timeout},
};

use super::{
    StageTimeouts,
    answer::Answer,
    connection::{Session, within},
    error::{SendError, Stage},
    stream::Stream,
};

/// How many bytes of commands are written at once. Far below what any socket buffers: a client and a server that
/// both wait to write would wait for ever (RFC 2920 §3.1).
const MAX_GROUP: usize = 4 * 1024;

/// What ends a message, with the line end before it.
const FINAL_DOT: &[u8] = b"\r\n.\r\n";

/// A message on its way, with the envelope it travels in.
pub(super) struct Letter<'a> {
    envelope: &'a Envelope,
    message: &'a [u8],
}

/// A session and the limits that hold in it.
pub(super) struct Dialogue<'a, S = Stream> {
    pub(super) session: &'a mut Session<S>,
    pub(super) limits: StageTimeouts,
}

impl<'a> Letter<'a> {
    pub(super) fn new(envelope: &'a Envelope, message: &'a [u8]) -> Self {
        Self { envelope, message }
    }

    fn needs_smtputf8(&self) -> bool {
        let mut addresses = self.envelope.from().into_iter().chain(self.envelope.to());
        addresses.any(|address| !AsRef::<str>::as_ref(address).is_ascii())
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Dialogue<'_, S> {
    /// MAIL FROM: the first thing that a session which died in the pool fails at. Where the server offers PIPELINING
    /// the recipients go with it, and [`recipients`](Self::recipients) only reads what it says to them.
    pub(super) async fn mail_from(&mut self, letter: &Letter<'_>) -> Result<(), SendError> {
        let parameters = self.mail_parameters(letter)?;
        let mut commands = Mail::new(letter.envelope.from().cloned(), parameters).to_string();
        let (alone, to) = (commands.len(), letter.envelope.to());
        if self.session.offers.pipelining {
            commands.extend(to.iter().map(|recipient| rcpt(recipient).to_string()));
        }
        let together = commands.len() > alone && commands.len() <= MAX_GROUP;
        let (commands, questions) =
            if together { (&*commands, 1 + to.len()) } else { (&commands[..alone], 1) };
        let answer = within(Stage::MailFrom, self.limits.command, async {
            let asked = self.session.line.ask(commands.as_bytes(), questions).await;
            asked.map_err(|error| SendError::broken(Stage::MailFrom, error))?;
            self.answer(Stage::MailFrom).await
        });
        completed(Stage::MailFrom, &answer.await?)
    }

    /// RCPT TO for every recipient: one refusal refuses the mail.
    pub(super) async fn recipients(&mut self, letter: &Letter<'_>) -> Result<(), SendError> {
        let asked = self.session.line.awaited() > 0;
        for recipient in letter.envelope.to() {
            if asked {
                let limit = self.limits.command;
                let answer = within(Stage::RcptTo, limit, self.answer(Stage::RcptTo)).await?;
                completed(Stage::RcptTo, &answer)?;
            } else {
                self.done(Stage::RcptTo, rcpt(recipient)).await?;
            }
        }
        Ok(())
    }

    /// DATA, the message, the final dot, and its answer.
    pub(super) async fn data(&mut self, letter: &Letter<'_>) -> Result<SmtpReply, SendError> {
        let answer = within(Stage::Data, self.limits.data, self.ask(Stage::Data, Data)).await?;
        if answer.code != 354 {
            return Err(not_wanted(Stage::Data, &answer));
        }
        self.message(letter).await?;
        let limit = self.limits.final_dot;
        let answer = within(Stage::FinalDot, limit, self.answer(Stage::FinalDot)).await?;
        completed(Stage::FinalDot, &answer)?;
        Ok(answer.reply())
    }

    /// RSET, behind the answers that nobody waited for: whether the session can be used for another mail.
    pub(super) async fn reset(&mut self) -> bool {
        let limit = self.limits.command;
        let reset = async {
            while self.session.line.awaited() > 0 {
                self.answer(Stage::MailFrom).await?;
            }
            completed(Stage::MailFrom, &self.ask(Stage::MailFrom, Rset).await?)
        };
        timeout(limit, reset).await.is_ok_and(|reset| reset.is_ok())
    }

    /// A command that is nothing special, and its answer.
    pub(super) async fn done(&mut self, stage: Stage, command: impl Display) -> Result<(), SendError> {
        let answer = within(stage, self.limits.command, self.ask(stage, command)).await?;
        completed(stage, &answer)
    }

    /// The message and its final dot in one write. From the moment that the stream took a byte of the final dot the
    /// server may have all of it, and silence no longer means that the mail was not accepted.
    async fn message(&mut self, letter: &Letter<'_>) -> Result<(), SendError> {
        let wire = wire_form(letter.message);
        let (began, limit, mut taken) = (Instant::now(), self.limits.body, 0);
        let written = timeout(limit, self.session.line.hand_over(&wire, 1, &mut taken)).await;
        SMTP_STAGE_SECONDS.record(began.elapsed().as_secs_f64(), ["body".into()]);
        let stage = if taken + FINAL_DOT.len() > wire.len() { Stage::FinalDot } else { Stage::Data };
        match written {
            Ok(written) => written.map_err(|error| SendError::broken(stage, error)),
            Err(_) => Err(SendError::timed_out(stage, limit)),
        }
    }

    async fn ask(&mut self, stage: Stage, command: impl Display) -> Result<Answer, SendError> {
        let asked = self.session.line.ask(command.to_string().as_bytes(), 1).await;
        asked.map_err(|error| SendError::broken(stage, error))?;
        self.answer(stage).await
    }

    async fn answer(&mut self, stage: Stage) -> Result<Answer, SendError> {
        let heard: io::Result<_> = self.session.line.answer().await;
        heard.map_err(|error| SendError::broken(stage, error))
    }

    fn mail_parameters(&self, letter: &Letter<'_>) -> Result<Vec<MailParameter>, SendError> {
        let offers = self.session.offers;
        let mut parameters = Vec::new();
        if letter.needs_smtputf8() {
            if !offers.smtputf8 {
                let what = "the address is not ASCII and the mail server does not offer SMTPUTF8 (RFC 6531)";
                return Err(SendError::unsupported(Stage::MailFrom, what));
            }
            parameters.push(MailParameter::SmtpUtfEight);
        }
        if !letter.message.is_ascii() {
            if !offers.eight_bit_mime {
                let what = "the message is not ASCII and the mail server does not offer 8BITMIME (RFC 6152)";
                return Err(SendError::unsupported(Stage::MailFrom, what));
            }
            parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
        }
        Ok(parameters)
    }
}

fn rcpt(recipient: &Address) -> Rcpt {
    Rcpt::new(recipient.clone(), Vec::new())
}

/// 2xx, or the error that another answer is.
fn completed(stage: Stage, answer: &Answer) -> Result<(), SendError> {
    if answer.completes() { Ok(()) } else { Err(not_wanted(stage, answer)) }
}

/// A refusal, or an answer to another question: then the session is out of step.
fn not_wanted(stage: Stage, answer: &Answer) -> SendError {
    SendError::from_reply(stage, answer.reply())
}

/// The message as it is written after DATA, final dot included: every line end as CRLF (RFC 5321 §2.3.8) and dots
/// doubled at the beginning of lines (§4.5.2).
///
/// A bare LF before a dot would end the message at servers that are lenient.
fn wire_form(message: &[u8]) -> Vec<u8> {
    let mut rest = message.strip_suffix(b"\r\n").unwrap_or(message);
    let mut wire = Vec::with_capacity(rest.len() + rest.len() / 32 + FINAL_DOT.len());
    loop {
        if rest.starts_with(b".") {
            wire.push(b'.');
        }
        let Some(end) = memchr::memchr2(b'\r', b'\n', rest) else { break };
        let (line, behind) = rest.split_at(end);
        wire.extend_from_slice(line);
        wire.extend_from_slice(b"\r\n");
        rest = behind.strip_prefix(b"\r\n").unwrap_or(&behind[1..]);
    }
    wire.extend_from_slice(rest);
    wire.extend_from_slice(FINAL_DOT);
    wire
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_end_becomes_crlf_and_a_dot_at_the_beginning_of_a_line_is_doubled() {
        for (given, wire) in [
            ("a\r\nb\r\n", "a\r\nb"),
            ("a\nb\n", "a\r\nb\r\n"),
            ("a\rb", "a\r\nb"),
            ("a\n.\nb\r\n", "a\r\n..\r\nb"),
            ("a\r.", "a\r\n.."),
            ("a\r\r\nb", "a\r\n\r\nb"),
            ("a\n\rb", "a\r\n\r\nb"),
            ("a\r\n\r\n", "a\r\n"),
            ("a.b.\r\n..c", "a.b.\r\n...c"),
            (".", ".."),
            ("", ""),
        ] {
            let ended = format!("{wire}\r\n.\r\n");
            assert_eq!(String::from_utf8(wire_form(given.as_bytes())).unwrap(), ended, "{given:?}");
        }
    }
}
