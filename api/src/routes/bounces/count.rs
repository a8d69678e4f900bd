//! How many reports providers sent, by what followed.

use bookly_shared::config::BounceSettings;
use bookly_shared::domain::ReportSource;
use bookly_shared::metrics::table::EMAIL_REPORTS;
use strum::VariantArray;

/// The event names no email of this service, or another recipient than the email's.
pub(super) const NOT_OURS: &str = "not_ours";
/// The call had no proof, or a wrong one.
pub(super) const REFUSED: &str = "refused";
/// What a report can be counted as.
const EFFECTS: [&str; 7] =
    ["bounced", "complained", "soft_bounced", "delayed", "no_effect", NOT_OURS, REFUSED];

/// Counts a report.
pub(super) fn count(source: ReportSource, effect: &'static str) {
    EMAIL_REPORTS.add(1, [source.as_str().into(), effect.into()]);
}

/// Starts the series of the providers whose secret is set at 0.
pub(crate) fn start_series(settings: &BounceSettings) {
    for source in ReportSource::VARIANTS.iter().filter(|source| settings.secret_of(**source).is_some()) {
        EFFECTS.iter().for_each(|effect| EMAIL_REPORTS.add(0, [source.as_str().into(), (*effect).into()]));
    }
}
