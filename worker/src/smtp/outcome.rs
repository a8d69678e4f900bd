//! What became of a send: the server's answer, or the stage at which it ended and what follows from that.

use std::{fmt, time::Duration};

use lettre::transport::smtp::Error as LettreError;

use super::{
    answer::Answer,
    trouble::{Trouble, of_certificate},
};

/// Longest text kept of a server's answer, in characters: it goes into a row and into logs.
const MAX_REPLY_CHARS: usize = 500;

/// The server took the mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// Code of the answer to the final dot, 2xx.
    pub code: u16,
    /// The server's words (often its queue id) on one line, at most 500 characters.
    pub reply: String,
}

/// The step of an SMTP session at which a send ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    /// Name look-up and TCP.
    Connect,
    /// The greeting and EHLO.
    Hello,
    /// STARTTLS, the handshake, the certificate.
    Tls,
    /// AUTH.
    Auth,
    /// MAIL FROM.
    MailFrom,
    /// RCPT TO.
    RcptTo,
    /// The caller's last check before DATA.
    Fence,
    /// DATA and the message, up to the final dot.
    Data,
    /// The final dot was written.
    FinalDot,
}

impl Stage {
    /// Its name in metrics.
    pub fn label(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Hello => "hello",
            Self::Tls => "tls",
            Self::Auth => "auth",
            Self::MailFrom => "mail_from",
            Self::RcptTo => "rcpt_to",
            Self::Fence => "fencing_token",
            Self::Data => "data",
            Self::FinalDot => "final_dot",
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect => "connecting",
            Self::Hello => "greeting",
            Self::Tls => "TLS",
            Self::Auth => "login",
            Self::MailFrom => "MAIL FROM",
            Self::RcptTo => "RCPT TO",
            Self::Fence => "last check before DATA",
            Self::Data => "DATA",
            Self::FinalDot => "the end of the message",
        })
    }
}

/// What to do about a mail that was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing was said of this mail: the server as a whole cannot be used. Burns no attempt.
    ServerUnavailable,
    /// Not now: try again later.
    Retry,
    /// Never: the recipient or the content is refused.
    Rejected,
    /// The message was written in full and no answer could be read: it may have been accepted (RFC 1047).
    OutcomeUnknown,
    /// The fencing_token said no; nothing of the message was transmitted.
    LeaseLost,
}

impl Verdict {
    /// Its name in metrics.
    pub fn label(self) -> &'static str {
        match self {
            Self::ServerUnavailable => "server_unavailable",
            Self::Retry => "retry",
            Self::Rejected => "rejected",
            Self::OutcomeUnknown => "outcome_unknown",
            Self::LeaseLost => "lease_lost",
        }
    }
}

/// A send that did not end with an acceptance. Its texts never hold a credential.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{stage}: {}{message}", .code.map(|code| format!("{code} ")).unwrap_or_default())]
pub struct SendError {
    /// Where it ended.
    pub stage: Stage,
    /// The server's code, if it answered with one.
    pub code: Option<u16>,
    /// The server's words, or what went wrong, on one line, at most 500 characters.
    pub message: String,
    cause: Cause,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cause {
    /// The server answered, with the code.
    Refused,
    /// The connection failed, or what came over it made no sense.
    Broken,
    /// The connection works, and nothing came over it in time.
    TimedOut,
    /// The server's certificate does not prove what it should.
    Certificate(Trouble),
    /// This server can never take this mail.
    Impossible,
    /// The fencing_token said no.
    Fenced,
}

impl SendError {
    /// What to do now, by stage and code.
    pub fn verdict(&self) -> Verdict {
        match (self.stage, self.cause) {
            (_, Cause::Fenced) => Verdict::LeaseLost,
            (Stage::Connect | Stage::Hello | Stage::Tls | Stage::Auth, _) => Verdict::ServerUnavailable,
            (_, Cause::Impossible) => Verdict::Rejected,
            (_, Cause::Refused) if self.is_about_this_mail_for_good() => Verdict::Rejected,
            (_, Cause::Refused) => Verdict::Retry,
            (Stage::FinalDot, _) => Verdict::OutcomeUnknown,
            (_, Cause::Broken | Cause::TimedOut | Cause::Certificate(_)) => Verdict::Retry,
        }
    }

    /// What to look after, for an error that came before the first mail.
    pub fn trouble(&self) -> Trouble {
        match (self.stage, self.cause) {
            (_, Cause::Certificate(trouble)) => trouble,
            (_, Cause::TimedOut) => Trouble::Silent,
            (Stage::Connect, _) => Trouble::Away,
            (Stage::Tls, Cause::Impossible) => Trouble::NoStartTls,
            (Stage::Tls, Cause::Broken) => Trouble::NotTls,
            (Stage::Auth, Cause::Impossible) => Trouble::NoLogin,
            (Stage::Auth, Cause::Refused) => Trouble::LoginRefused,
            _ => Trouble::Refused,
        }
    }

    /// 5xx, except the codes that speak of login and encryption (RFC 4954 §6): they blame the session.
    fn is_about_this_mail_for_good(&self) -> bool {
        matches!(self.code, Some(500..=599)) && !matches!(self.code, Some(530 | 534 | 535 | 538))
    }

    /// True when the connection had died before it was used: 421 (RFC 5321 §3.8), or no answer at all.
    pub(super) fn means_dead_connection(&self) -> bool {
        self.code == Some(421) || self.cause == Cause::Broken
    }

    /// True when the sender was answered and nothing was said to a recipient.
    pub(super) fn means_no_answer_to_recipient(&self) -> bool {
        (self.stage, self.cause) == (Stage::RcptTo, Cause::TimedOut)
    }

    /// True when the server answered and expects the next command.
    pub(super) fn leaves_connection_in_step(&self) -> bool {
        match self.cause {
            Cause::Refused => self.code != Some(421),
            Cause::Impossible | Cause::Fenced => true,
            Cause::Broken | Cause::TimedOut | Cause::Certificate(_) => false,
        }
    }

    pub(crate) fn broken(stage: Stage, what: impl fmt::Display) -> Self {
        Self { stage, code: None, message: one_line(&what.to_string()), cause: Cause::Broken }
    }

    /// A handshake that failed.
    pub(super) fn from_handshake(error: &std::io::Error) -> Self {
        let broken = Self::broken(Stage::Tls, error);
        let cause = error.get_ref().and_then(|inner| inner.downcast_ref()).and_then(of_certificate);
        Self { cause: cause.map_or(Cause::Broken, Cause::Certificate), ..broken }
    }

    pub(super) fn timed_out(stage: Stage, limit: Duration) -> Self {
        let message = format!("no answer within {limit:?}");
        Self { stage, code: None, message, cause: Cause::TimedOut }
    }

    pub(super) fn impossible(stage: Stage, what: &str) -> Self {
        Self { stage, code: None, message: what.to_owned(), cause: Cause::Impossible }
    }

    pub(crate) fn fenced() -> Self {
        let message = "the mail is no longer this worker's to send".to_owned();
        Self { stage: Stage::Fence, code: None, message, cause: Cause::Fenced }
    }

    /// An answer that does not fit the question, such as 250 to DATA: the session is out of step.
    pub(super) fn out_of_step(stage: Stage, answer: &Answer) -> Self {
        Self::broken(stage, format_args!("unexpected answer {} {}", answer.code, answer.text))
    }

    pub(super) fn refused(stage: Stage, answer: &Answer) -> Self {
        Self { stage, code: Some(answer.code), message: one_line(&answer.text), cause: Cause::Refused }
    }

    pub(super) fn from_lettre(stage: Stage, error: &LettreError) -> Self {
        let Some(code) = error.status() else { return Self::broken(stage, error) };
        let reply = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
        Self { stage, code: Some(code.into()), message: one_line(&reply), cause: Cause::Refused }
    }

    /// Takes `secret` out of the text: servers have been seen to repeat what they were sent.
    pub(super) fn without(mut self, secret: &str) -> Self {
        if !secret.is_empty() && self.message.contains(secret) {
            self.message = self.message.replace(secret, "***");
        }
        self
    }
}

impl Accepted {
    pub(super) fn from_answer(answer: &Answer) -> Self {
        Self { code: answer.code, reply: one_line(&answer.text) }
    }
}

/// Control characters become spaces, so that an answer cannot write lines of its own into a log.
fn one_line(text: &str) -> String {
    let spaced = text.replace(char::is_control, " ");
    spaced.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(MAX_REPLY_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TALKING: [Stage; 4] = [Stage::MailFrom, Stage::RcptTo, Stage::Data, Stage::FinalDot];
    const BEFORE: [Stage; 4] = [Stage::Connect, Stage::Hello, Stage::Tls, Stage::Auth];

    fn answered(stage: Stage, code: u16) -> Verdict {
        SendError::refused(stage, &Answer { code, text: "words".to_owned() }).verdict()
    }

    #[test]
    fn trouble_before_mail_from_is_the_servers_and_burns_no_attempt() {
        for stage in BEFORE {
            for code in [421, 450, 454, 500, 530, 534, 535, 538, 550, 554] {
                assert_eq!(answered(stage, code), Verdict::ServerUnavailable, "{stage:?} {code}");
            }
            assert_eq!(SendError::broken(stage, "gone").verdict(), Verdict::ServerUnavailable);
            let timed_out = SendError::timed_out(stage, Duration::from_secs(1));
            assert_eq!(timed_out.verdict(), Verdict::ServerUnavailable);
            assert_eq!(SendError::impossible(stage, "no").verdict(), Verdict::ServerUnavailable);
        }
    }

    #[test]
    fn a_4xx_is_tried_again_and_a_5xx_is_not_at_every_stage_of_a_mail() {
        for stage in TALKING {
            for code in [421, 450, 451, 452, 454] {
                assert_eq!(answered(stage, code), Verdict::Retry, "{stage:?} {code}");
            }
            for code in [500, 501, 550, 551, 552, 553, 554, 555] {
                assert_eq!(answered(stage, code), Verdict::Rejected, "{stage:?} {code}");
            }
        }
    }

    #[test]
    fn login_and_encryption_codes_are_no_rejection_of_the_mail() {
        for stage in TALKING {
            for code in [530, 534, 535, 538] {
                assert_eq!(answered(stage, code), Verdict::Retry, "{stage:?} {code}");
            }
        }
    }

    #[test]
    fn a_lost_connection_is_a_retry_until_the_final_dot_and_unknown_after_it() {
        for (stage, verdict) in [
            (Stage::MailFrom, Verdict::Retry),
            (Stage::RcptTo, Verdict::Retry),
            (Stage::Data, Verdict::Retry),
            (Stage::FinalDot, Verdict::OutcomeUnknown),
        ] {
            assert_eq!(SendError::broken(stage, "reset").verdict(), verdict);
            assert_eq!(SendError::timed_out(stage, Duration::from_secs(1)).verdict(), verdict);
        }
    }

    #[test]
    fn an_answer_keeps_to_one_line_of_500_characters() {
        let message = SendError::broken(Stage::Hello, format!("a\r\nb\u{7}\tc{}", "é".repeat(600))).message;
        assert!(message.starts_with("a b cé"));
        assert_eq!(message.chars().count(), 500);
    }

    #[test]
    fn the_text_of_an_error_reads_as_a_sentence() {
        let answer = Answer { code: 550, text: "5.1.1 no such\nuser".to_owned() };
        let error = SendError::refused(Stage::RcptTo, &answer);
        assert_eq!(error.to_string(), "RCPT TO: 550 5.1.1 no such user");
    }
}
