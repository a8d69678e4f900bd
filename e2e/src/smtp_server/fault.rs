//! Faults: what the server does wrong, at which stage, for whom, and how often.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::watch;

/// The steps of a session, as the server sees them.
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
    /// 354 was sent and nothing of the message is read yet.
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

/// Something that goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// Greets with this instead of 220, and closes.
    RefuseGreeting(u16, String),
    /// Greets late.
    SlowGreeting(Duration),
    /// Answers this and does nothing else; 421 closes the connection too.
    Reply {
        /// Where.
        stage: Stage,
        /// The code.
        code: u16,
        /// The words.
        text: String,
    },
    /// Says this, byte for byte, where its normal answer would stand, and otherwise goes on as usual.
    Say {
        /// Where.
        stage: Stage,
        /// The bytes.
        bytes: String,
    },
    /// Answers only when the faults are cleared.
    HangAt(Stage),
    /// Closes the connection without an answer. At the final dot the mail is taken all the same.
    CloseAt(Stage),
    /// Answers late.
    DelayAt(Stage, Duration),
    /// Does not offer STARTTLS.
    NoStartTls,
    /// Shows a certificate that ran out.
    ExpiredCertificate,
    /// Shows a certificate for another host.
    WrongHostCertificate,
}

impl Fault {
    /// Answers `code text` at `stage`.
    pub fn reply(stage: Stage, code: u16, text: &str) -> Self {
        Self::Reply { stage, code, text: text.to_owned() }
    }

    /// Only for mails to this recipient (from RCPT TO on, the recipient is known).
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
            Self::NoStartTls | Self::ExpiredCertificate | Self::WrongHostCertificate => None,
        }
    }
}

/// A fault, with whom and how often it hits.
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
    /// Only for mails to this recipient.
    pub fn only_to(mut self, recipient: &str) -> Self {
        self.recipient = Some(recipient.to_lowercase());
        self
    }

    /// Only the next `n` times.
    pub fn times(mut self, n: usize) -> Self {
        self.left = Some(n);
        self
    }

    fn hits(&self, recipients: &[String]) -> bool {
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
        self.lock().push(rule);
    }

    pub(super) fn clear(&self) {
        self.lock().clear();
        self.cleared.send_modify(|times| *times += 1);
    }

    /// The first fault for this stage and these recipients; it counts as used.
    pub(super) fn take(&self, stage: Stage, recipients: &[String]) -> Option<Fault> {
        self.take_where(recipients, |fault| fault.stage() == Some(stage))
    }

    /// Whether this fault, one without a stage, is on; it counts as used.
    pub(super) fn is_on(&self, wanted: &Fault) -> bool {
        self.take_where(&[], |fault| fault == wanted).is_some()
    }

    /// Ends at the next [`clear`](Self::clear).
    pub(super) fn clearing(&self) -> watch::Receiver<u64> {
        self.cleared.subscribe()
    }

    fn take_where(&self, recipients: &[String], wanted: impl Fn(&Fault) -> bool) -> Option<Fault> {
        let mut rules = self.lock();
        let rule = rules.iter_mut().find(|rule| wanted(&rule.fault) && rule.hits(recipients))?;
        rule.left = rule.left.map(|n| n - 1);
        Some(rule.fault.clone())
    }

    fn lock(&self) -> MutexGuard<'_, Vec<FaultRule>> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
