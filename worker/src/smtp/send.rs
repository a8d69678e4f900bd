//! One mail over one open session, stage by stage.

use std::{borrow::Cow, fmt::Display, sync::OnceLock};

use bookly_shared::metrics::table::SMTP_STAGE_SECONDS;
use lettre::{
    address::Envelope,
    transport::smtp::{
        commands::{Data, Mail, Rcpt, Rset},
        extension::{Extension, MailBodyParameter, MailParameter},
        response::Response,
    },
};
use tokio::{
    sync::Notify,
    time::{self, Instant},
};

use super::{
    StageTimeouts,
    connection::{Session, within},
    outcome::{Accepted, SendError, Stage},
};

/// How much of a message is written at a time, in bytes.
const CHUNK: usize = 64 * 1024;

/// A message on its way, with the envelope it travels in.
pub(super) struct Letter<'a> {
    envelope: &'a Envelope,
    content: Cow<'a, [u8]>,
}

/// A session and the limits that hold in it.
pub(super) struct Dialogue<'a> {
    pub(super) session: &'a mut Session,
    pub(super) limits: StageTimeouts,
}

impl<'a> Letter<'a> {
    pub(super) fn new(envelope: &'a Envelope, message: &'a [u8]) -> Self {
        Self { envelope, content: wire_form(message) }
    }

    fn needs_smtputf8(&self) -> bool {
        let mut addresses = self.envelope.from().into_iter().chain(self.envelope.to());
        addresses.any(|address| !AsRef::<str>::as_ref(address).is_ascii())
    }
}

impl Dialogue<'_> {
    /// MAIL FROM: the first thing that a session which died in the pool fails at.
    pub(super) async fn mail_from(&mut self, letter: &Letter<'_>) -> Result<(), SendError> {
        let parameters = self.mail_parameters(letter)?;
        let mail = Mail::new(letter.envelope.from().cloned(), parameters);
        self.done(Stage::MailFrom, mail).await
    }

    /// RCPT TO for every recipient: one refusal refuses the mail.
    pub(super) async fn recipients(&mut self, letter: &Letter<'_>) -> Result<(), SendError> {
        for recipient in letter.envelope.to() {
            self.done(Stage::RcptTo, Rcpt::new(recipient.clone(), Vec::new())).await?;
        }
        Ok(())
    }

    /// DATA, the message, the final dot, and its answer.
    pub(super) async fn data(&mut self, letter: &Letter<'_>) -> Result<Accepted, SendError> {
        let answer = within(Stage::Data, self.limits.data, self.ask(Stage::Data, Data)).await?;
        if !answer.has_code(354) {
            return Err(SendError::out_of_step(Stage::Data, &answer));
        }
        let answer = self.message(&letter.content).await?;
        completed(Stage::FinalDot, &answer)?;
        Ok(Accepted::from_answer(&answer))
    }

    /// RSET: whether the session can be used for another mail.
    pub(super) async fn reset(&mut self) -> bool {
        self.done(Stage::MailFrom, Rset).await.is_ok()
    }

    async fn message(&mut self, content: &[u8]) -> Result<Response, SendError> {
        let (began, end) = (Instant::now(), EndOfMessage::default());
        let limits = self.limits;
        let heard = self.session.heard.clone();
        let transfer = self.session.smtp.message_iter(end.tell_after(content.chunks(CHUNK)));
        let done = tokio::select! {
            biased;
            answer = transfer => answer
                .map_err(|error| SendError::from_dialogue(end.stage(), &error, heard.refusal())),
            error = end.overdue(&limits) => Err(error),
        };
        end.measure(began);
        self.in_step(Stage::FinalDot, done?)
    }

    async fn done(&mut self, stage: Stage, command: impl Display) -> Result<(), SendError> {
        let answer = within(stage, self.limits.command, self.ask(stage, command)).await?;
        completed(stage, &answer)
    }

    async fn ask(&mut self, stage: Stage, command: impl Display) -> Result<Response, SendError> {
        let asked = self.session.smtp.command(command).await;
        let heard = &self.session.heard;
        let answer = asked.map_err(|error| SendError::from_dialogue(stage, &error, heard.refusal()))?;
        self.in_step(stage, answer)
    }

    /// Nothing is said ahead here (no PIPELINING): an answer was given after its question, or to another one.
    fn in_step(&self, stage: Stage, answer: Response) -> Result<Response, SendError> {
        if self.session.heard.answers(answer.code().into()) {
            return Ok(answer);
        }
        Err(SendError::broken(stage, "the answer was there before the question"))
    }

    fn mail_parameters(&self, letter: &Letter<'_>) -> Result<Vec<MailParameter>, SendError> {
        let offers = |extension| self.session.smtp.server_info().supports_feature(extension);
        let mut parameters = Vec::new();
        if letter.needs_smtputf8() {
            if !offers(Extension::SmtpUtfEight) {
                let what = "the address is not ASCII and the mail server does not offer SMTPUTF8 (RFC 6531)";
                return Err(SendError::impossible(Stage::MailFrom, what));
            }
            parameters.push(MailParameter::SmtpUtfEight);
        }
        if !letter.content.is_ascii() {
            if !offers(Extension::EightBitMime) {
                let what = "the message is not ASCII and the mail server does not offer 8BITMIME (RFC 6152)";
                return Err(SendError::impossible(Stage::MailFrom, what));
            }
            parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
        }
        Ok(parameters)
    }
}

/// lettre takes 3xx for success everywhere; here that means that the session is out of step.
fn completed(stage: Stage, answer: &Response) -> Result<(), SendError> {
    let code: u16 = answer.code().into();
    if (200..300).contains(&code) { Ok(()) } else { Err(SendError::out_of_step(stage, answer)) }
}

/// Knows whether the last byte of the message was handed over: from then on the final dot may have been
/// written, and silence no longer means that the mail was not accepted.
#[derive(Default)]
struct EndOfMessage {
    reached: OnceLock<Instant>,
    changed: Notify,
}

impl EndOfMessage {
    /// lettre writes the final dot as soon as the iterator has answered `None`.
    fn tell_after<'a, T: 'a>(&'a self, chunks: impl Iterator<Item = T> + 'a) -> impl Iterator<Item = T> + 'a {
        let end = std::iter::from_fn(|| {
            self.reached.get_or_init(Instant::now);
            self.changed.notify_one();
            None
        });
        chunks.chain(end)
    }

    fn stage(&self) -> Stage {
        if self.reached.get().is_some() { Stage::FinalDot } else { Stage::Data }
    }

    /// Two stages that a single call of lettre's goes through.
    fn measure(&self, began: Instant) {
        let reached = self.reached.get();
        let body = reached.map_or_else(|| began.elapsed(), |reached| reached.duration_since(began));
        SMTP_STAGE_SECONDS.record(body.as_secs_f64(), ["body".into()]);
        if let Some(reached) = reached {
            let answer = reached.elapsed().as_secs_f64();
            SMTP_STAGE_SECONDS.record(answer, [Stage::FinalDot.label().into()]);
        }
    }

    /// Ends when the message was not written, or its final dot not answered, in time.
    async fn overdue(&self, limits: &StageTimeouts) -> SendError {
        if time::timeout(limits.body, self.changed.notified()).await.is_err() {
            return SendError::timed_out(Stage::Data, limits.body);
        }
        time::sleep(limits.final_dot).await;
        SendError::timed_out(Stage::FinalDot, limits.final_dot)
    }
}

/// Every line end as CRLF (RFC 5321 §2.3.8), and none at the end, since lettre writes one before the final dot.
///
/// A bare LF before a dot would pass lettre's dot-stuffing, and end the message at servers that are lenient.
fn wire_form(message: &[u8]) -> Cow<'_, [u8]> {
    let message = message.strip_suffix(b"\r\n").unwrap_or(message);
    if has_only_crlf(message) {
        return Cow::Borrowed(message);
    }
    let mut wire = Vec::with_capacity(message.len() + message.len() / 32);
    let mut bytes = message.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\r' => {
                bytes.next_if_eq(&b'\n');
                wire.extend_from_slice(b"\r\n");
            }
            b'\n' => wire.extend_from_slice(b"\r\n"),
            byte => wire.push(byte),
        }
    }
    Cow::Owned(wire)
}

fn has_only_crlf(message: &[u8]) -> bool {
    let returns = message.iter().filter(|&&byte| byte == b'\r').count();
    let feeds = message.iter().filter(|&&byte| byte == b'\n').count();
    returns == feeds && message.windows(2).filter(|&pair| pair == b"\r\n").count() == feeds
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_end_becomes_crlf_and_the_last_one_is_left_to_lettre() {
        for (given, wire) in [
            ("a\r\nb\r\n", "a\r\nb"),
            ("a\nb\n", "a\r\nb\r\n"),
            ("a\rb", "a\r\nb"),
            ("a\n.\nb\r\n", "a\r\n.\r\nb"),
            ("a\r\r\nb", "a\r\n\r\nb"),
            ("a\n\rb", "a\r\n\r\nb"),
            ("a\r\n\r\n", "a\r\n"),
            ("", ""),
        ] {
            assert_eq!(wire_form(given.as_bytes()), wire.as_bytes(), "{given:?}");
        }
    }

    #[test]
    fn a_well_formed_message_is_not_copied() {
        assert!(matches!(wire_form(b"Subject: a\r\n\r\n.\r\n"), Cow::Borrowed(_)));
    }
}
