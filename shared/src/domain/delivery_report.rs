//! What is reported of an email after a mail server accepted it.

use strum::{IntoStaticStr, VariantArray};

/// The reporter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "lowercase")]
pub enum ReportSource {
    /// A call of Postmark.
    Postmark,
    /// A call of Mailgun.
    Mailgun,
    /// A call of SendGrid.
    SendGrid,
    /// A call of Resend.
    Resend,
    /// A delivery status notification by email (RFC 3464).
    Dsn,
}

impl ReportSource {
    /// Its name in the database, in JSON, in paths and in the log.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// What a report means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReportVerdict {
    /// The mailbox does not exist.
    Hard,
    /// Any other reason: a full mailbox, a block, a policy, or one that is not known here.
    Soft,
    /// The email is late, and still on its way.
    Delay,
    /// The recipient called the email spam.
    Complaint,
}

impl ReportVerdict {
    /// What the report is called in the history of its email.
    pub fn outcome(self) -> &'static str {
        match self {
            ReportVerdict::Hard => "bounced",
            ReportVerdict::Soft => "soft_bounced",
            ReportVerdict::Delay => "delayed",
            ReportVerdict::Complaint => "complained",
        }
    }
}
