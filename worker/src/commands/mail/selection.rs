//! Which mails are meant, for commands about more than one.

use bookly_shared::db::mail_admin::MailFilter;
use bookly_shared::domain::{EmailAddress, MailKind, MailState};
use chrono::{DateTime, Utc};
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use super::since::Since;

/// Which mails are meant; all where nothing is given.
#[derive(Debug, Args)]
pub(super) struct Selection {
    /// Only mails of this kind
    #[arg(long, value_parser = kind_parser())]
    kind: Option<MailKind>,
    /// Only mails to this address
    #[arg(long, value_name = "ADDRESS")]
    to: Option<EmailAddress>,
    /// Only mails that were accepted since then: 30m, 2h, 3d ago, or an RFC 3339 time
    #[arg(long, value_name = "TIME")]
    since: Option<Since>,
}

impl Selection {
    /// The same for the database.
    pub(super) fn filter(&self, state: Option<MailState>, now: DateTime<Utc>) -> MailFilter {
        MailFilter {
            state,
            kind: self.kind.map(|kind| kind.as_str().to_owned()),
            mailbox: self.to.as_ref().map(|address| address.canonical().to_owned()),
            since: self.since.map(|since| since.time(now)),
            before: None,
        }
    }
}

fn kind_parser() -> impl TypedValueParser<Value = MailKind> {
    PossibleValuesParser::new(MailKind::ALL.map(MailKind::as_str)).try_map(|text| text.parse::<MailKind>())
}

/// Reads one of these states, and lists them in the help.
pub(super) fn state_parser(states: &[MailState]) -> impl TypedValueParser<Value = MailState> {
    let names: Vec<&'static str> = states.iter().map(|state| state.as_str()).collect();
    PossibleValuesParser::new(names).try_map(|text| text.parse::<MailState>())
}
