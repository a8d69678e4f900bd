//! Records what was read of a provider's call.

use bookly_shared::db::emails::reports::{Recorded, Report};
use bookly_shared::domain::{EmailState, ReportSource, ReportVerdict};
use bookly_shared::redactor::Redactor;
use bookly_shared::report_words;
use secrecy::ExposeSecret;

use super::count::{NOT_OURS, count};
use super::event::{Event, Events, Ignored};
use crate::error::ApiResult;
use crate::state::AppState;

/// A database that is away ends the call with 503, and the provider sends all of it again: what is recorded already is
/// then known by its mark.
pub(super) async fn record(
    state: &AppState,
    source: ReportSource,
    read: Events,
    call_mark: Option<[u8; 32]>,
) -> ApiResult<()> {
    let events = with_effect(source, read);
    // The secrets that a mail server could repeat; those of links are found by their form.
    let redactor = Redactor::new(state.settings.mail.passwords().map(ExposeSecret::expose_secret));
    let words: Vec<String> =
        events.iter().map(|event| report_words::clean(&event.words, &redactor)).collect();
    let pairs = events.iter().zip(&words);
    let has_mark = call_mark.is_some();
    let reports: Vec<Report<'_>> =
        pairs.map(|(event, words)| report_of(source, event, words, has_mark)).collect();
    let recorded = |number: usize, recorded| tell(source, &events[number], recorded);
    Ok(state.db.record_reports(&reports, call_mark, state.now(), recorded).await?)
}

/// The events that may have an effect. Of the others one line a reason is logged: a call can hold a thousand.
fn with_effect(source: ReportSource, read: Events) -> Vec<Event> {
    if read.is_empty() {
        tell_of_none(source, 0, "the call holds no event");
    }
    let (events, ignored): (Vec<_>, Vec<_>) = read.into_iter().partition(Result::is_ok);
    let number_of = |why: Ignored| ignored.iter().filter(|event| event.as_ref().err() == Some(&why)).count();
    let (other, none) = (number_of(Ignored::OtherKind), number_of(Ignored::NamesNone));
    if other > 0 {
        tell_of_none(source, other, "it is no bounce, no complaint and no delay");
    }
    if none > 0 {
        tell_of_none(source, none, "it names no email of this service");
    }
    (0..none).for_each(|_| count(source, NOT_OURS));
    events.into_iter().flatten().collect()
}

fn tell_of_none(source: ReportSource, events: usize, reason: &'static str) {
    tracing::info!(source = source.as_str(), events, reason, "a report has no effect");
}

fn report_of<'a>(source: ReportSource, event: &'a Event, words: &'a str, call_has_mark: bool) -> Report<'a> {
    Report {
        email_id: event.email_id,
        mailbox: Some(event.recipient.canonical()),
        source,
        verdict: event.verdict,
        words,
        mark: (!call_has_mark).then(|| event.mark(source)),
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
            let reason = match recorded {
                Recorded::Repeated => "it was recorded before",
                _ => "there is no such email to this recipient",
            };
            let (email, to) = (event.email_id, event.recipient.masked());
            tracing::info!(%email, to, source, outcome, reason, "a report has no effect");
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
