//! The two mail servers of an installation.

use strum::{Display, IntoStaticStr};

/// A mail server, by its role: the fallback is used while the first one cannot be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Display, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum MailServer {
    /// The server of `MAIL_SERVER`, or the folder of the file transport.
    #[default]
    First,
    /// The server of `MAIL_FALLBACK_SERVER`.
    Fallback,
}

impl MailServer {
    /// The name in the database, in JSON and in the log.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// The server with this name; the first one for any other text.
    pub fn named(name: &str) -> MailServer {
        if name == MailServer::Fallback.as_str() { MailServer::Fallback } else { MailServer::First }
    }

    /// The value of the metrics' label. An installation without a fallback has no such label.
    pub fn label(self) -> &'static str {
        match self {
            MailServer::First => "",
            MailServer::Fallback => "fallback",
        }
    }
}
