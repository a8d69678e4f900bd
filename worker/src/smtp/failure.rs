//! What follows from a failed send: by its stage, and for a 5xx reply also by its code and enhanced code (RFC 3463).

use std::fmt;

use bookly_shared::domain::SmtpReply;
use strum::IntoStaticStr;

/// The step of an SMTP session at which a send ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Stage {
    /// The access token for the login, before a connection is opened.
    Token,
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
        self.into()
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Token => "access token",
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

/// What follows from an error for the email and for the circuit breaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum FailureKind {
    /// The server accepts no emails from this machine, login or sender. The circuit opens; the attempt does not count.
    ServerUnavailable,
    /// Try this email again later.
    Temporary,
    /// The recipient or the content is refused for good.
    Permanent,
    /// The refusal could be about this email or about all. It is retried, and the circuit opens if no email is accepted.
    Ambiguous,
    /// The message was written in full and no reply came: the server may have accepted it (RFC 1047).
    OutcomeUnknown,
    /// The lease was lost; nothing of the message was transmitted.
    LeaseLost,
}

impl FailureKind {
    /// Its name in metrics.
    pub fn label(self) -> &'static str {
        self.into()
    }
}

/// One row of the table.
pub(super) struct RefusalRule {
    /// The replies that the row is about, for `docs/operations.md`.
    #[cfg_attr(not(test), expect(dead_code, reason = "a test compares it with the manual"))]
    pub(super) replies: &'static str,
    /// What they are about.
    #[cfg_attr(not(test), expect(dead_code, reason = "a test compares it with the manual"))]
    pub(super) subject: &'static str,
    /// What follows, as a [`FailureKind`].
    pub(super) kind: FailureKind,
    /// What an operator can do.
    pub(super) remedy: &'static str,
    applies: fn(Stage, &Refusal) -> bool,
}

/// The parts of a reply that the rules look at.
struct Refusal {
    code: u16,
    has_enhanced_code: bool,
    /// Subject and detail of an enhanced code of class 5.
    status: Option<(u16, u16)>,
}

/// The first row that applies counts. `docs/operations.md` has the same table.
pub(super) static REFUSALS: [RefusalRule; 6] = [
    RefusalRule {
        replies: "5xx to the greeting, EHLO, STARTTLS or AUTH",
        subject: "the session: this machine, the login, our settings",
        kind: FailureKind::ServerUnavailable,
        remedy: "run `bookly-worker doctor`; correct `MAIL_SERVER`, `MAIL_USERNAME`, `MAIL_PASSWORD` (or `MAIL_OAUTH_…`) or `MAIL_HELO_NAME`; ask the provider whether it blocks this address",
        applies: |stage, _| matches!(stage, Stage::Connect | Stage::Hello | Stage::Tls | Stage::Auth),
    },
    RefusalRule {
        replies: "5xx to MAIL FROM, except 5.3.4",
        subject: "the sender, or a quota",
        kind: FailureKind::ServerUnavailable,
        remedy: "set `MAIL_FROM` to an address that the login may send from; a quota ends by itself",
        applies: |stage, refusal| stage == Stage::MailFrom && refusal.status != Some((3, 4)),
    },
    RefusalRule {
        replies: "534, 535, 538, 5.1.7, 5.1.8, 5.4.5, 5.7.60 to RCPT TO or later, and 530 to DATA or later",
        subject: "the sender, the login, or a quota",
        kind: FailureKind::ServerUnavailable,
        remedy: "the same as for AUTH and MAIL FROM",
        // RFC 4954 §6: 530 may be the reply to any one command. A server that takes emails for its own domains without a
        // login replies 530 to the RCPT TO of others only.
        applies: |stage, refusal| {
            matches!(refusal.code, 534 | 535 | 538)
                || (refusal.code == 530 && stage != Stage::RcptTo)
                || matches!(refusal.status, Some((1, 7 | 8) | (4, 5) | (7, 60)))
        },
    },
    RefusalRule {
        replies: "5.1.1, 5.1.2, 5.1.3, 5.1.6, 5.1.10, 5.2.1, 5.2.2 to RCPT TO, and 550, 551, 553 without an enhanced code",
        subject: "this recipient",
        kind: FailureKind::Permanent,
        remedy: "nothing: the address does not exist or takes no emails; the user can sign up with another one",
        applies: |stage, refusal| {
            let is_code = matches!(refusal.code, 550 | 551 | 553) && !refusal.has_enhanced_code;
            let is_status = matches!(refusal.status, Some((1, 1 | 2 | 3 | 6 | 10) | (2, 1 | 2)));
            stage == Stage::RcptTo && (is_code || is_status)
        },
    },
    RefusalRule {
        replies: "5.2.3, 5.3.4, 5.6.x, 552",
        subject: "the content of this email",
        kind: FailureKind::Permanent,
        remedy: "make your own templates smaller, or correct them; then `bookly-worker mail retry`",
        applies: |_, refusal| refusal.code == 552 || matches!(refusal.status, Some((2, 3) | (3, 4) | (6, _))),
    },
    RefusalRule {
        replies: "any other 5xx",
        subject: "it could be this email or all of them",
        kind: FailureKind::Ambiguous,
        remedy: "read the reply (`bookly-worker mail show`); if it is about all emails, correct the settings before the deadline",
        applies: |_, _| true,
    },
];

/// The row for a 5xx reply.
pub(super) fn refusal_rule(stage: Stage, reply: &SmtpReply) -> Option<&'static RefusalRule> {
    let enhanced_code = reply.enhanced_code;
    let refusal = Refusal {
        code: reply.code,
        has_enhanced_code: enhanced_code.is_some(),
        status: enhanced_code.filter(|code| code.class == 5).map(|code| (code.subject, code.detail)),
    };
    REFUSALS.iter().find(|rule| reply.code >= 500 && (rule.applies)(stage, &refusal))
}
