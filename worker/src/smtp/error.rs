//! Why a mail was not accepted, and what follows from it.

use std::fmt;
use std::time::Duration;

use bookly_shared::domain::SmtpReply;
use bookly_shared::domain::smtp_reply::one_line;

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
    /// The check before DATA that the worker still holds the lease.
    LeaseCheck,
    /// DATA and the message, up to the final dot.
    Data,
    /// The reply to the final dot.
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
            Self::LeaseCheck => "lease_check",
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
            Self::LeaseCheck => "lease check before DATA",
            Self::Data => "DATA",
            Self::FinalDot => "the end of the message",
        })
    }
}

/// What follows from an error for the mail and for the circuit breaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    /// The server takes no mail at all. The circuit opens; the attempt does not count.
    ServerUnavailable,
    /// Try this mail again later.
    Temporary,
    /// The recipient or the content is refused for good.
    Permanent,
    /// The message was written in full and no reply came: the server may have accepted it (RFC 1047).
    OutcomeUnknown,
    /// The lease was lost; nothing of the message was transmitted.
    LeaseLost,
}

impl FailureKind {
    /// Its name in metrics.
    pub fn label(self) -> &'static str {
        match self {
            Self::ServerUnavailable => "server_unavailable",
            Self::Temporary => "temporary",
            Self::Permanent => "permanent",
            Self::OutcomeUnknown => "outcome_unknown",
            Self::LeaseLost => "lease_lost",
        }
    }
}

/// A send that did not end with an acceptance. Its text never holds a credential.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{stage}: {cause}")]
pub struct SendError {
    /// Where it ended.
    pub stage: Stage,
    /// Why it ended there.
    pub cause: Cause,
}

/// Why a send ended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Cause {
    /// The server replied with 4xx or 5xx.
    #[error("{0}")]
    Refused(SmtpReply),
    /// The connection failed, or what came over it is not SMTP. The text is one line.
    #[error("{0}")]
    Broken(String),
    /// The connection works, and no reply came in time.
    #[error("no answer within {0:?}")]
    TimedOut(Duration),
    /// The server's certificate was refused, for this reason. The text is one line.
    #[error("{1}")]
    Certificate(SmtpProblem, String),
    /// The server lacks an extension that the settings or the mail need.
    #[error("{0}")]
    Unsupported(&'static str),
    /// The lease check failed.
    #[error("the mail is no longer this worker's to send")]
    LeaseLost,
}

impl SendError {
    /// What follows, by stage and reply.
    pub fn kind(&self) -> FailureKind {
        match (self.stage, &self.cause) {
            (_, Cause::LeaseLost) => FailureKind::LeaseLost,
            (Stage::Connect | Stage::Hello | Stage::Tls | Stage::Auth, _) => FailureKind::ServerUnavailable,
            (_, Cause::Unsupported(_)) => FailureKind::Permanent,
            // Codes about login and encryption (RFC 4954 §6) speak of the session, not of the mail.
            (_, Cause::Refused(reply)) => match reply.code {
                530 | 534 | 535 | 538 => FailureKind::Temporary,
                500..=599 => FailureKind::Permanent,
                _ => FailureKind::Temporary,
            },
            (Stage::FinalDot, _) => FailureKind::OutcomeUnknown,
            (_, Cause::Broken(_) | Cause::TimedOut(_) | Cause::Certificate(..)) => FailureKind::Temporary,
        }
    }

    /// The server's reply, if it refused.
    pub fn reply(&self) -> Option<&SmtpReply> {
        match &self.cause {
            Cause::Refused(reply) => Some(reply),
            _ => None,
        }
    }

    /// The code of the server's reply, if it refused.
    pub fn code(&self) -> Option<u16> {
        self.reply().map(|reply| reply.code)
    }

    /// What an operator should look at when no session could be opened.
    pub fn problem(&self) -> SmtpProblem {
        match (self.stage, &self.cause) {
            (_, Cause::Certificate(problem, _)) => *problem,
            (_, Cause::TimedOut(_)) => SmtpProblem::Silent,
            (Stage::Connect, _) => SmtpProblem::Unreachable,
            (Stage::Tls, Cause::Unsupported(_)) => SmtpProblem::NoStartTls,
            (Stage::Tls, Cause::Broken(_)) => SmtpProblem::NotTls,
            (Stage::Auth, Cause::Unsupported(_)) => SmtpProblem::NoLogin,
            (Stage::Auth, Cause::Refused(_)) => SmtpProblem::LoginRefused,
            _ => SmtpProblem::Refused,
        }
    }

    /// Whether the connection had died before it was used: 421 (RFC 5321 §3.8), or no reply at all.
    pub(super) fn means_dead_connection(&self) -> bool {
        self.code() == Some(421) || matches!(self.cause, Cause::Broken(_))
    }

    /// Whether the server replied to the sender and never to a recipient.
    pub(super) fn means_no_answer_to_recipient(&self) -> bool {
        self.stage == Stage::RcptTo && matches!(self.cause, Cause::TimedOut(_))
    }

    /// Whether the server replied to everything and expects the next command.
    pub(super) fn leaves_connection_in_step(&self) -> bool {
        match &self.cause {
            Cause::Refused(reply) => reply.code != 421,
            Cause::Unsupported(_) | Cause::LeaseLost => true,
            Cause::Broken(_) | Cause::TimedOut(_) | Cause::Certificate(..) => false,
        }
    }

    pub(crate) fn broken(stage: Stage, what: impl fmt::Display) -> Self {
        Self { stage, cause: Cause::Broken(one_line(&what.to_string())) }
    }

    /// A handshake that failed.
    pub(super) fn from_handshake(error: &std::io::Error) -> Self {
        let tls = error.get_ref().and_then(|inner| inner.downcast_ref());
        match tls.and_then(certificate_problem) {
            Some(problem) => {
                let cause = Cause::Certificate(problem, one_line(&error.to_string()));
                Self { stage: Stage::Tls, cause }
            }
            None => Self::broken(Stage::Tls, error),
        }
    }

    pub(super) fn from_lettre(stage: Stage, error: &lettre::transport::smtp::Error) -> Self {
        let Some(code) = error.status() else { return Self::broken(stage, error) };
        let reply = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
        Self::from_reply(stage, SmtpReply::new(code.into(), &reply))
    }

    pub(super) fn timed_out(stage: Stage, limit: Duration) -> Self {
        Self { stage, cause: Cause::TimedOut(limit) }
    }

    pub(super) fn unsupported(stage: Stage, what: &'static str) -> Self {
        Self { stage, cause: Cause::Unsupported(what) }
    }

    pub(crate) fn lease_lost() -> Self {
        Self { stage: Stage::LeaseCheck, cause: Cause::LeaseLost }
    }

    /// A reply that is not the expected one: a refusal, or one that does not fit the command, such as 250 to DATA.
    /// After the latter nobody knows which command the next reply belongs to.
    pub(super) fn from_reply(stage: Stage, reply: SmtpReply) -> Self {
        if reply.is_negative() {
            Self { stage, cause: Cause::Refused(reply) }
        } else {
            Self::broken(stage, format_args!("unexpected answer {reply}"))
        }
    }

    /// Takes `secret` out of the text: some servers repeat what they were sent.
    pub(super) fn without(mut self, secret: &str) -> Self {
        let text = match &mut self.cause {
            Cause::Refused(reply) => &mut reply.text,
            Cause::Broken(text) | Cause::Certificate(_, text) => text,
            Cause::TimedOut(_) | Cause::Unsupported(_) | Cause::LeaseLost => return self,
        };
        if !secret.is_empty() && text.contains(secret) {
            *text = text.replace(secret, "***");
        }
        self
    }
}

/// What an operator has to look at when the mail server cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SmtpProblem {
    /// The name has no address, or no program listens there.
    Unreachable,
    /// The connection is open, and no reply comes.
    Silent,
    /// The port does not speak TLS from the first byte, or does not speak SMTP.
    NotTls,
    /// The server does not offer STARTTLS.
    NoStartTls,
    /// The server's certificate is expired or not valid yet.
    CertificateExpired,
    /// The certificate is for another name.
    CertificateName,
    /// The certificate's authority is not trusted here.
    CertificateAuthority,
    /// The server offers no login mechanism that this client knows.
    NoLogin,
    /// The server refuses the user name or the password.
    LoginRefused,
    /// The server refuses something else, or fails.
    Refused,
}

/// What is wrong with the server's certificate, if that ended the handshake.
fn certificate_problem(error: &rustls::Error) -> Option<SmtpProblem> {
    use rustls::CertificateError as Bad;
    let rustls::Error::InvalidCertificate(bad) = error else { return None };
    Some(match bad {
        Bad::Expired | Bad::ExpiredContext { .. } | Bad::NotValidYet | Bad::NotValidYetContext { .. } => {
            SmtpProblem::CertificateExpired
        }
        Bad::NotValidForName | Bad::NotValidForNameContext { .. } => SmtpProblem::CertificateName,
        _ => SmtpProblem::CertificateAuthority,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TALKING: [Stage; 4] = [Stage::MailFrom, Stage::RcptTo, Stage::Data, Stage::FinalDot];
    const BEFORE: [Stage; 4] = [Stage::Connect, Stage::Hello, Stage::Tls, Stage::Auth];

    fn answered(stage: Stage, code: u16) -> FailureKind {
        SendError::from_reply(stage, SmtpReply::new(code, "words")).kind()
    }

    #[test]
    fn trouble_before_mail_from_is_the_servers_and_burns_no_attempt() {
        for stage in BEFORE {
            for code in [421, 450, 454, 500, 530, 534, 535, 538, 550, 554] {
                assert_eq!(answered(stage, code), FailureKind::ServerUnavailable, "{stage:?} {code}");
            }
            assert_eq!(SendError::broken(stage, "gone").kind(), FailureKind::ServerUnavailable);
            let timed_out = SendError::timed_out(stage, Duration::from_secs(1));
            assert_eq!(timed_out.kind(), FailureKind::ServerUnavailable);
            assert_eq!(SendError::unsupported(stage, "no").kind(), FailureKind::ServerUnavailable);
        }
    }

    #[test]
    fn a_4xx_is_tried_again_and_a_5xx_is_not_at_every_stage_of_a_mail() {
        for stage in TALKING {
            for code in [421, 450, 451, 452, 454] {
                assert_eq!(answered(stage, code), FailureKind::Temporary, "{stage:?} {code}");
            }
            for code in [500, 501, 550, 551, 552, 553, 554, 555] {
                assert_eq!(answered(stage, code), FailureKind::Permanent, "{stage:?} {code}");
            }
        }
    }

    #[test]
    fn login_and_encryption_codes_are_no_rejection_of_the_mail() {
        for stage in TALKING {
            for code in [530, 534, 535, 538] {
                assert_eq!(answered(stage, code), FailureKind::Temporary, "{stage:?} {code}");
            }
        }
    }

    #[test]
    fn a_lost_connection_is_a_retry_until_the_final_dot_and_unknown_after_it() {
        for (stage, kind) in [
            (Stage::MailFrom, FailureKind::Temporary),
            (Stage::RcptTo, FailureKind::Temporary),
            (Stage::Data, FailureKind::Temporary),
            (Stage::FinalDot, FailureKind::OutcomeUnknown),
        ] {
            assert_eq!(SendError::broken(stage, "reset").kind(), kind);
            assert_eq!(SendError::timed_out(stage, Duration::from_secs(1)).kind(), kind);
        }
    }

    #[test]
    fn an_error_text_is_one_line_of_500_characters() {
        let error = SendError::broken(Stage::Hello, format!("a\r\nb\u{7}\tc{}", "é".repeat(600)));
        let text = error.cause.to_string();
        assert!(text.starts_with("a b cé"));
        assert_eq!(text.chars().count(), 500);
    }

    #[test]
    fn the_text_of_an_error_reads_as_a_sentence() {
        let error = SendError::from_reply(Stage::RcptTo, SmtpReply::new(550, "5.1.1 no such\nuser"));
        assert_eq!(error.to_string(), "RCPT TO: 550 5.1.1 no such user");
    }
}
