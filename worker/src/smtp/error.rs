//! Why an email was not accepted, and what follows from it.

use std::fmt;
use std::time::Duration;

use bookly_shared::domain::SmtpReply;
use bookly_shared::domain::smtp_reply::one_short_line;
use bookly_shared::redactor::Redactor;
use bookly_shared::tls::{CertificateProblem, with_reason};

use super::failure::{FailureKind, RefusalRule, Stage, refusal_rule};
use crate::oauth::{TokenError, TokenProblem};

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
    Certificate(CertificateProblem, String),
    /// The server lacks an extension that the settings or the email need.
    #[error("{0}")]
    Unsupported(&'static str),
    /// No access token could be fetched.
    #[error("{0}")]
    NoToken(TokenError),
    /// The lease check failed.
    #[error("this worker may no longer send the email")]
    LeaseLost,
}

impl SendError {
    /// What follows, by stage and reply.
    pub fn kind(&self) -> FailureKind {
        match (self.stage, &self.cause) {
            (_, Cause::LeaseLost) => FailureKind::LeaseLost,
            (Stage::Token | Stage::Connect | Stage::Hello | Stage::Tls | Stage::Auth, _) => {
                FailureKind::ServerUnavailable
            }
            (Stage::MailFrom, Cause::Unsupported(_)) => FailureKind::ServerUnavailable,
            (_, Cause::NoToken(_)) => FailureKind::ServerUnavailable,
            (_, Cause::Unsupported(_)) => FailureKind::Permanent,
            (_, Cause::Refused(_)) => self.rule().map_or(FailureKind::Temporary, |rule| rule.kind),
            (Stage::FinalDot, _) => FailureKind::OutcomeUnknown,
            (_, Cause::Broken(_) | Cause::TimedOut(_) | Cause::Certificate(..)) => FailureKind::Temporary,
        }
    }

    /// What an operator can do about a 5xx reply.
    pub fn remedy(&self) -> Option<&'static str> {
        self.rule().map(|rule| rule.remedy)
    }

    fn rule(&self) -> Option<&'static RefusalRule> {
        refusal_rule(self.stage, self.reply()?)
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
            (_, Cause::Certificate(problem, _)) => SmtpProblem::Certificate(*problem),
            (_, Cause::NoToken(error)) => SmtpProblem::NoToken(error.problem),
            (_, Cause::TimedOut(_)) => SmtpProblem::Silent,
            (Stage::Connect, _) => SmtpProblem::Unreachable,
            (Stage::Tls, Cause::Unsupported(_)) => SmtpProblem::NoStartTls,
            (Stage::Tls, Cause::Broken(_)) => SmtpProblem::NotTls,
            (Stage::Auth, Cause::Unsupported(_)) => SmtpProblem::NoLogin,
            (Stage::Auth, Cause::Refused(_)) => SmtpProblem::LoginRefused,
            (Stage::MailFrom, Cause::Refused(_)) => SmtpProblem::SenderRefused,
            (Stage::MailFrom, Cause::Unsupported(_)) => SmtpProblem::NoSmtpUtf8,
            _ => SmtpProblem::Refused,
        }
    }

    /// Whether the connection had died before it was used: 421 (RFC 5321 §3.8), or no reply at all.
    pub(super) fn means_dead_connection(&self) -> bool {
        self.code() == Some(421) || matches!(self.cause, Cause::Broken(_))
    }

    /// Whether the server refuses the access token of a login, and not the mechanism or its command (500 to 504).
    pub(super) fn means_refused_token(&self) -> bool {
        self.stage == Stage::Auth && self.code().is_some_and(|code| code >= 505)
    }

    /// Whether the server replied to the sender and never to a recipient.
    pub(super) fn means_no_reply_to_recipient(&self) -> bool {
        self.stage == Stage::RcptTo && matches!(self.cause, Cause::TimedOut(_))
    }

    /// Whether the server replied to everything and expects the next command.
    pub(super) fn leaves_connection_in_step(&self) -> bool {
        match &self.cause {
            Cause::Refused(reply) => reply.code != 421,
            Cause::Unsupported(_) | Cause::NoToken(_) | Cause::LeaseLost => true,
            Cause::Broken(_) | Cause::TimedOut(_) | Cause::Certificate(..) => false,
        }
    }

    pub(crate) fn broken(stage: Stage, what: impl fmt::Display) -> Self {
        Self { stage, cause: Cause::Broken(one_short_line(&what.to_string())) }
    }

    /// A handshake that failed.
    pub(super) fn from_handshake(error: &std::io::Error) -> Self {
        match CertificateProblem::of(error) {
            Some(problem) => {
                let cause = Cause::Certificate(problem, one_short_line(&with_reason(error)));
                Self { stage: Stage::Tls, cause }
            }
            None => Self::broken(Stage::Tls, error),
        }
    }

    pub(super) fn timed_out(stage: Stage, limit: Duration) -> Self {
        Self { stage, cause: Cause::TimedOut(limit) }
    }

    pub(super) fn unsupported(stage: Stage, what: &'static str) -> Self {
        Self { stage, cause: Cause::Unsupported(what) }
    }

    pub(super) fn no_token(error: TokenError) -> Self {
        Self { stage: Stage::Token, cause: Cause::NoToken(error) }
    }

    pub(crate) fn lease_lost() -> Self {
        Self { stage: Stage::LeaseCheck, cause: Cause::LeaseLost }
    }

    /// The error without these secrets in its text.
    pub(crate) fn redacted(mut self, redactor: &Redactor) -> Self {
        match &mut self.cause {
            Cause::Refused(reply) => reply.text = redactor.redact(&reply.text),
            Cause::Broken(text) | Cause::Certificate(_, text) => *text = redactor.redact(text),
            Cause::NoToken(error) => *error = error.clone().redacted(redactor),
            Cause::TimedOut(_) | Cause::Unsupported(_) | Cause::LeaseLost => {}
        }
        self
    }

    /// A reply that is not the expected one: a refusal, or one that does not fit the command, such as 250 to DATA.
    /// After such a reply it is not known which command the next one belongs to.
    pub(super) fn from_reply(stage: Stage, reply: SmtpReply) -> Self {
        if reply.is_negative() {
            Self { stage, cause: Cause::Refused(reply) }
        } else {
            Self::broken(stage, format_args!("unexpected answer {reply}"))
        }
    }
}

/// What an operator has to look at when the mail server cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SmtpProblem {
    /// No access token could be fetched for the login.
    NoToken(TokenProblem),
    /// The name has no address, or no program listens there.
    Unreachable,
    /// The connection is open, and no reply comes.
    Silent,
    /// The port does not speak TLS from the first byte, or does not speak SMTP.
    NotTls,
    /// The server does not offer STARTTLS.
    NoStartTls,
    /// The server's certificate was refused.
    Certificate(CertificateProblem),
    /// The server offers no login mechanism that this client knows.
    NoLogin,
    /// The server refuses the user name, or the password or access token.
    LoginRefused,
    /// The server refuses the sender's address, or a quota is used up.
    SenderRefused,
    /// The sender's address is not ASCII, and the server does not offer SMTPUTF8.
    NoSmtpUtf8,
    /// The server refuses something else, or fails.
    Refused,
}
