//! Faults: what the server does wrong, at which stage, for which recipient, and how often.

use std::time::Duration;

use base64::{Engine, prelude::BASE64_STANDARD};
use parking_lot::Mutex;
use tokio::sync::watch;

/// The steps of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// A connection was accepted, and TLS, if it comes first, is up.
    Greeting,
    /// EHLO or HELO.
    Hello,
    /// STARTTLS.
    StartTls,
    /// AUTH.
    Auth,
    /// MAIL FROM.
    MailFrom,
    /// RCPT TO.
    RcptTo,
    /// DATA.
    Data,
    /// 354 was sent, and nothing of the message is read yet.
    Body,
    /// The final dot was read.
    FinalDot,
    /// RSET.
    Rset,
    /// NOOP.
    Noop,
    /// QUIT.
    Quit,
}

impl Stage {
    /// How many stages there are.
    pub(super) const COUNT: usize = Self::Quit as usize + 1;
}

/// A fault of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// Greets with this code and text instead of 220, and closes the connection.
    RefuseGreeting(u16, String),
    /// Greets after this time.
    SlowGreeting(Duration),
    /// Replies this and does nothing else. 421 also closes the connection.
    Reply {
        /// At this stage.
        stage: Stage,
        /// The code.
        code: u16,
        /// What follows the code.
        text: String,
    },
    /// Sends these bytes in place of the normal reply, and continues as usual.
    Say {
        /// At this stage.
        stage: Stage,
        /// The bytes.
        bytes: String,
    },
    /// Replies to the final dot with this code and the email's link and code, as content filters do.
    RepeatLink(u16, LinkForm),
    /// Replies only after the faults are cleared.
    HangAt(Stage),
    /// Closes the connection without a reply. At the final dot the email is stored before that.
    CloseAt(Stage),
    /// Replies after this time.
    DelayAt(Stage, Duration),
    /// Does not offer STARTTLS.
    NoStartTls,
    /// Uses an expired certificate.
    ExpiredCertificate,
    /// Uses a certificate for another host.
    WrongHostCertificate,
}

/// How a link is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkForm {
    /// As it is.
    Plain,
    /// In capital letters.
    UpperCase,
    /// In base64.
    Base64,
    /// Every character as `%41`.
    PercentEncoded,
    /// As in a quoted-printable body, with soft line breaks.
    QuotedPrintable,
    /// Over several lines of the reply.
    Lines,
}

impl LinkForm {
    /// Every form.
    pub const ALL: [Self; 6] = [
        Self::Plain,
        Self::UpperCase,
        Self::Base64,
        Self::PercentEncoded,
        Self::QuotedPrintable,
        Self::Lines,
    ];

    /// A secret in this form, in lines of a reply.
    pub fn lines(self, link: &str) -> Vec<String> {
        let cut = |text: &str, length: usize, end: &str| {
            let line = |line: &[u8]| format!("{}{end}", String::from_utf8_lossy(line));
            text.as_bytes().chunks(length).map(line).collect()
        };
        match self {
            Self::Plain => vec![link.to_owned()],
            Self::UpperCase => vec![link.to_uppercase()],
            Self::Base64 => cut(&BASE64_STANDARD.encode(link), 76, ""),
            Self::PercentEncoded => vec![link.bytes().map(|byte| format!("%{byte:02X}")).collect()],
            Self::QuotedPrintable => cut(&link.replace('.', "=2E"), 75, "="),
            Self::Lines => cut(link, 40, ""),
        }
    }

    /// A whole reply with the link of this message, and with its code in both spellings.
    pub(super) fn reply(self, code: u16, link: &str, digits: &str) -> String {
        let without_blank = digits.replace(' ', "");
        let lines = [link, digits, &without_blank].map(|secret| self.lines(secret)).concat();
        let lines = lines.iter().map(|line| format!("{code}-{line}\r\n"));
        format!("{}{code} is on a block list\r\n", lines.collect::<String>())
    }
}

impl Fault {
    /// Replies `code text` at `stage`.
    pub fn reply(stage: Stage, code: u16, text: &str) -> Self {
        Self::Reply { stage, code, text: text.to_owned() }
    }

    /// Only for emails to this recipient. It is known from RCPT TO on.
    pub fn only_to(self, recipient: &str) -> FaultRule {
        FaultRule::from(self).only_to(recipient)
    }

    /// Only the next `n` times.
    pub fn times(self, n: usize) -> FaultRule {
        FaultRule::from(self).times(n)
    }

    fn stage(&self) -> Option<Stage> {
        match self {
            Self::RefuseGreeting(..) | Self::SlowGreeting(_) => Some(Stage::Greeting),
            Self::Reply { stage, .. } | Self::Say { stage, .. } => Some(*stage),
            Self::HangAt(stage) | Self::CloseAt(stage) | Self::DelayAt(stage, _) => Some(*stage),
            Self::RepeatLink(..) => Some(Stage::FinalDot),
            Self::NoStartTls | Self::ExpiredCertificate | Self::WrongHostCertificate => None,
        }
    }
}

/// A fault with the recipient and the number of times that it applies to.
#[derive(Debug, Clone)]
pub struct FaultRule {
    fault: Fault,
    recipient: Option<String>,
    left: Option<usize>,
}

impl From<Fault> for FaultRule {
    fn from(fault: Fault) -> Self {
        Self { fault, recipient: None, left: None }
    }
}

impl FaultRule {
    /// Only for emails to this recipient.
    pub fn only_to(mut self, recipient: &str) -> Self {
        self.recipient = Some(recipient.to_lowercase());
        self
    }

    /// Only the next `n` times.
    pub fn times(mut self, n: usize) -> Self {
        self.left = Some(n);
        self
    }

    fn applies_to(&self, recipients: &[String]) -> bool {
        self.left != Some(0)
            && self.recipient.as_ref().is_none_or(|one| recipients.iter().any(|to| to.to_lowercase() == *one))
    }
}

/// The faults that are switched on.
#[derive(Default)]
pub(super) struct Faults {
    rules: Mutex<Vec<FaultRule>>,
    cleared: watch::Sender<u64>,
}

impl Faults {
    pub(super) fn add(&self, rule: FaultRule) {
        self.rules.lock().push(rule);
    }

    pub(super) fn clear(&self) {
        self.rules.lock().clear();
        self.cleared.send_modify(|times| *times += 1);
    }

    /// The first fault for this stage and these recipients. It counts as used.
    pub(super) fn take(&self, stage: Stage, recipients: &[String]) -> Option<Fault> {
        self.take_where(recipients, |fault| fault.stage() == Some(stage))
    }

    /// Whether this fault, which has no stage, is on. It counts as used.
    pub(super) fn is_on(&self, wanted: &Fault) -> bool {
        self.take_where(&[], |fault| fault == wanted).is_some()
    }

    /// Changes at the next [`clear`](Self::clear).
    pub(super) fn clearing(&self) -> watch::Receiver<u64> {
        self.cleared.subscribe()
    }

    fn take_where(&self, recipients: &[String], wanted: impl Fn(&Fault) -> bool) -> Option<Fault> {
        let mut rules = self.rules.lock();
        let rule = rules.iter_mut().find(|rule| wanted(&rule.fault) && rule.applies_to(recipients))?;
        rule.left = rule.left.map(|n| n - 1);
        Some(rule.fault.clone())
    }
}
