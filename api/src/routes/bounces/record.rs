//! Records what was read of a provider's call.

use bookly_shared::db::emails::reports::{Recorded, Report};
use bookly_shared::domain::{EmailState, ReportSource, ReportVerdict};
use bookly_shared::redactor::Redactor;
use bookly_shared::report_words;
use secrecy::ExposeSecret;

use super::count::{NOT_OURS, count};
use super::event::Event;
use crate::error::ApiResult;
use crate::state::AppState;

/// A database that is away ends the call with 503, and the provider sends all of it again: what is recorded already is
/// then known by its mark.
pub(super) async fn record(state: &AppState, source: ReportSource, events: &[Event]) -> ApiResult<()> {
    // The secrets that a mail server could repeat; those of links are found by their form.
    let redactor = Redactor::new(state.settings.mail.passwords().map(ExposeSecret::expose_secret));
    let words: Vec<String> =
        events.iter().map(|event| report_words::clean(&event.words, &redactor)).collect();
    let pairs = events.iter().zip(&words);
    let reports: Vec<Report<'_>> = pairs.map(|(event, words)| report_of(source, event, words)).collect();
    let recorded = |number: usize, recorded| tell(source, &events[number], recorded);
    Ok(state.db.record_reports(&reports, state.now(), recorded).await?)
}

fn report_of<'a>(source: ReportSource, event: &'a Event, words: &'a str) -> Report<'a> {
    Report {
        email_id: event.email_id,
        mailbox: Some(event.recipient.canonical()),
        source,
        verdict: event.verdict,
        words,
        mark: event.mark(source),
    }
}

fn tell(source: ReportSource, event: &Event, recorded: Recorded) {
    count(source, effect(recorded, event.verdict));
    let (source, outcome) = (source.as_str(), event.verdict.outcome());
    match recorded {
        Recorded::Closed(_) | Recorded::Noted => {
            tracing::info!(email = %event.email_id, to = event.recipient.masked(), source, outcome, "email reported");
        }
        Recorded::Repeated | Recorded::NotOurs => {
            tracing::debug!(email = %event.email_id, source, outcome, ?recorded, "ignored a report");
        }
    }
}

fn effect(recorded: Recorded, verdict: ReportVerdict) -> &'static str {
    match (recorded, verdict) {
        (Recorded::Closed(EmailState::Bounced), _) => "bounced",
        (Recorded::Closed(EmailState::Complained), _) => "complained",
        (Recorded::Closed(_) | Recorded::Noted, ReportVerdict::Soft) => "soft_bounced",
        (Recorded::Closed(_) | Recorded::Noted, ReportVerdict::Delay) => "delayed",
        (Recorded::Closed(_) | Recorded::Noted | Recorded::Repeated, _) => "no_effect",
        (Recorded::NotOurs, _) => NOT_OURS,
    }
}
