//! The texts of each language: built in, and replaced message by message by `TEMPLATE_FOLDER/locales/<tag>.ftl`.
//!
//! All catalogues are made once, at the start: parsing one takes longer than rendering an email.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use thiserror::Error;
use unic_langid::LanguageIdentifier;

use super::format::{self, Moments};
use super::literals;
use super::messages::{CatalogueProblem, Messages};
use super::tag::Locale;

type Bundle = FluentBundle<Arc<FluentResource>>;

/// The texts, dates and durations of one language.
pub struct Catalogue {
    locale: Locale,
    text: Bundle,
    html: Bundle,
    moments: Moments,
    /// English: for messages that this catalogue does not have.
    fallback: Option<Arc<Catalogue>>,
}

/// What a message becomes a part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Markup {
    /// Plain text.
    Text,
    /// HTML: the message is escaped, with its literals. Its values are not, so that they can have elements.
    Html,
}

/// A message cannot be made. It names no values, which may be links.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TextError {
    /// No catalogue has it.
    #[error("there is no message {0:?}")]
    Unknown(String),
    /// It uses a variable that was not given, or refers to a message that does not exist.
    #[error("the message {id:?} in {locale}.ftl cannot be used: {reason}")]
    Unusable {
        /// Its name.
        id: String,
        /// The language.
        locale: Locale,
        /// What Fluent says.
        reason: String,
    },
}

impl Catalogue {
    /// The language.
    #[must_use]
    pub fn locale(&self) -> Locale {
        self.locale
    }

    /// Whether this language or English has a message.
    #[must_use]
    pub fn has(&self, id: &str) -> bool {
        self.text.has_message(id) || self.fallback.as_ref().is_some_and(|english| english.has(id))
    }

    /// The message `id` with these values.
    ///
    /// # Errors
    /// When no catalogue has it, or it uses a variable that was not given.
    pub fn format(&self, id: &str, values: &FluentArgs<'_>, markup: Markup) -> Result<String, TextError> {
        let bundle = match markup {
            Markup::Text => &self.text,
            Markup::Html => &self.html,
        };
        let Some(pattern) = bundle.get_message(id).and_then(|message| message.value()) else {
            let english = self.fallback.as_ref().ok_or_else(|| TextError::Unknown(id.to_owned()))?;
            return english.format(id, values, markup);
        };
        let mut errors = Vec::new();
        let text = bundle.format_pattern(pattern, Some(values), &mut errors).into_owned();
        match errors.first() {
            None => Ok(text),
            Some(error) => {
                Err(TextError::Unusable { id: id.to_owned(), locale: self.locale, reason: error.to_string() })
            }
        }
    }

    /// A time for people: "23 November 2026, 15:04 UTC".
    ///
    /// # Errors
    /// When the message `moment` was replaced by one with other variables.
    pub fn moment(&self, moment: DateTime<Utc>) -> Result<String, TextError> {
        let (date, time) = self.moments.parts(moment).unwrap_or_else(|| (moment.to_rfc3339(), String::new()));
        let values = FluentArgs::from_iter([("date", date), ("time", time)]);
        self.format("moment", &values, Markup::Text)
    }

    /// "1 hour", "90 minutes", "3 days": rounded down.
    ///
    /// # Errors
    /// When a message `duration-…` was replaced by one with other variables.
    pub fn duration(&self, duration: Duration) -> Result<String, TextError> {
        let (id, count) = format::duration(duration);
        self.format(id, &FluentArgs::from_iter([("count", FluentValue::from(count))]), Markup::Text)
    }
}

impl fmt::Debug for Catalogue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Catalogue").field("locale", &self.locale).finish_non_exhaustive()
    }
}

/// The catalogues of all languages.
#[derive(Clone, Debug)]
pub struct Catalogues(Vec<Arc<Catalogue>>);

impl Catalogues {
    /// The built-in messages, each replaced by the one of the same name in `overrides`.
    ///
    /// # Errors
    /// When the formats of dates cannot be loaded, which a test excludes.
    pub fn new(overrides: &[(Locale, Messages)]) -> Result<Catalogues, CatalogueProblem> {
        let mut catalogues: Vec<Arc<Catalogue>> = Vec::with_capacity(Locale::ALL.len());
        for locale in Locale::ALL {
            let own =
                overrides.iter().filter(|(of, _)| *of == locale).map(|(_, messages)| messages.0.clone());
            let resources: Vec<_> = [Messages::built_in(locale).0].into_iter().chain(own).collect();
            let for_html: Vec<_> =
                resources.iter().map(|resource| literals::escaped(resource, escape)).collect();
            catalogues.push(Arc::new(Catalogue {
                locale,
                text: bundle(locale, &resources, None),
                html: bundle(locale, &for_html, Some(escape)),
                moments: Moments::new(locale)?,
                fallback: catalogues.first().cloned(),
            }));
        }
        Ok(Catalogues(catalogues))
    }

    /// The catalogue of a language.
    #[must_use]
    pub fn of(&self, locale: Locale) -> &Arc<Catalogue> {
        &self.0[locale as usize]
    }
}

/// Fluent marks where a value begins and ends for the order of writing (U+2068, U+2069). From right to left that is
/// needed: a name or an address in Latin letters stands there. Elsewhere it would only be in the way of searching and
/// copying.
fn bundle(
    locale: Locale,
    resources: &[Arc<FluentResource>],
    transform: Option<fn(&str) -> Cow<'_, str>>,
) -> Bundle {
    let id: LanguageIdentifier = locale.tag().parse().unwrap_or_default();
    let mut bundle = Bundle::new_concurrent(vec![id]);
    bundle.set_use_isolating(locale.is_right_to_left());
    bundle.set_transform(transform);
    for resource in resources {
        bundle.add_resource_overriding(resource.clone());
    }
    bundle
}

/// Escapes the text of a message for HTML, also for an attribute in double quotation marks.
fn escape(text: &str) -> Cow<'_, str> {
    if text.contains(['&', '<', '>', '"']) {
        let escaped =
            text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
        return Cow::Owned(escaped);
    }
    Cow::Borrowed(text)
}

#[cfg(test)]
mod tests {
    use super::super::messages::BUILT_IN;
    use super::*;

    fn catalogues(locale: Locale, own: &str) -> Catalogues {
        Catalogues::new(&[(locale, Messages::parse(own.to_owned()).unwrap())]).unwrap()
    }

    fn values(pairs: &[(&'static str, &'static str)]) -> FluentArgs<'static> {
        pairs.iter().copied().collect()
    }

    #[test]
    fn every_catalogue_stands_at_the_place_of_its_language() {
        for (index, (locale, _)) in BUILT_IN.into_iter().enumerate() {
            assert_eq!((locale as usize, Locale::ALL[index]), (index, locale));
            assert_eq!(catalogues(Locale::En, "").of(locale).locale(), locale);
        }
    }

    #[test]
    fn an_override_replaces_one_message_of_one_language() {
        let all = catalogues(Locale::De, "verify-email-subject = Los\n");
        let text = |locale, id| all.of(locale).format(id, &values(&[]), Markup::Text).unwrap();
        assert_eq!(text(Locale::De, "verify-email-subject"), "Los");
        assert_eq!(text(Locale::En, "verify-email-subject"), "Verify your email");
        assert_ne!(text(Locale::De, "verify-email-button"), "Los");
    }

    #[test]
    fn a_message_that_only_english_has_is_english() {
        let all = catalogues(Locale::En, "ours = Only in English\n");
        assert_eq!(all.of(Locale::Ja).format("ours", &values(&[]), Markup::Text).unwrap(), "Only in English");
        assert!(all.of(Locale::Ja).has("ours") && !all.of(Locale::Ja).has("theirs"));
    }

    #[test]
    fn html_escapes_the_message_and_leaves_its_values() {
        let all = catalogues(Locale::De, "ours = a < \"b\" & { $x }\n");
        let given = values(&[("x", "<b>1</b>")]);
        let german = all.of(Locale::De);
        assert_eq!(
            german.format("ours", &given, Markup::Html).unwrap(),
            "a &lt; &quot;b&quot; &amp; <b>1</b>"
        );
        assert_eq!(german.format("ours", &given, Markup::Text).unwrap(), "a < \"b\" & <b>1</b>");
    }

    #[test]
    fn html_escapes_every_literal_of_a_message() {
        let own = r#"
ours = { "<b>" } { "\u003Ci>" } { "\"\\&" } { -term(arg: "<u>") }
-term = { $arg }{ "<" }
chosen = { $x ->
    [one] { "<1>" }
   *[other] { { "<>" } } { with.part }
}
with =
    .part = { "<p>" }
"#;
        let all = catalogues(Locale::De, own);
        let german = all.of(Locale::De);
        let format = |id, markup| german.format(id, &values(&[("x", "two")]), markup).unwrap();
        assert_eq!(format("ours", Markup::Html), r"&lt;b&gt; &lt;i&gt; &quot;\&amp; &lt;u&gt;&lt;");
        assert_eq!(format("ours", Markup::Text), r#"<b> <i> "\& <u><"#);
        assert_eq!(format("chosen", Markup::Html), "&lt;&gt; &lt;p&gt;");
        assert_eq!(format("chosen", Markup::Text), "<> <p>");
    }

    #[test]
    fn values_are_marked_for_the_order_of_writing_only_from_right_to_left() {
        for (locale, expected) in [(Locale::De, "a b c"), (Locale::Ar, "a \u{2068}b\u{2069} c")] {
            let text = catalogues(locale, "ours = a { $x } c\n");
            assert_eq!(
                text.of(locale).format("ours", &values(&[("x", "b")]), Markup::Text).unwrap(),
                expected
            );
        }
    }

    #[test]
    fn unknown_messages_and_variables_are_errors_without_values() {
        let all = catalogues(Locale::De, "ours = { $x } { $secret }\n");
        let german = all.of(Locale::De);
        assert_eq!(
            german.format("theirs", &values(&[]), Markup::Text),
            Err(TextError::Unknown("theirs".into()))
        );
        let said =
            german.format("ours", &values(&[("x", "12345678")]), Markup::Text).unwrap_err().to_string();
        assert!(said.contains("ours") && said.contains("$secret") && !said.contains("1234"), "{said}");
    }

    #[test]
    fn a_time_is_written_as_in_the_language_and_names_its_zone() {
        let all = catalogues(Locale::En, "");
        let moment = DateTime::parse_from_rfc3339("2026-11-03T09:04:59Z").unwrap().to_utc();
        assert_eq!(all.of(Locale::En).moment(moment).unwrap(), "3 November 2026, 09:04 UTC");
        for (locale, date, time) in [
            (Locale::De, "3. November 2026", "09:04"),
            (Locale::Fr, "3 novembre 2026", "09:04"),
            (Locale::Es, "3 de noviembre de 2026", "09:04"),
            (Locale::It, "3 novembre 2026", "09:04"),
            (Locale::PtBr, "3 de novembro de 2026", "09:04"),
            (Locale::Nl, "3 november 2026", "09:04"),
            (Locale::Pl, "3 listopada 2026", "09:04"),
            (Locale::Uk, "3 листопада 2026\u{202f}р.", "09:04"),
            (Locale::Tr, "3 Kasım 2026", "09:04"),
            (Locale::Ja, "2026年11月3日", "9:04"),
            (Locale::ZhHans, "2026年11月3日", "09:04"),
            (Locale::Ar, "3 نوفمبر 2026", "09:04"),
        ] {
            let parts = all.of(locale).moments.parts(moment).unwrap();
            assert_eq!((parts.0.as_str(), parts.1.as_str()), (date, time), "{locale}");
            let whole = all.of(locale).moment(moment).unwrap();
            assert!(whole.contains(date) && whole.contains(time) && whole.contains("UTC"), "{whole}");
        }
    }

    #[test]
    fn a_duration_is_text_and_never_too_long() {
        let all = catalogues(Locale::En, "");
        for (seconds, text) in [
            (1, "1 second"),
            (60, "1 minute"),
            (3599, "59 minutes"),
            (3600, "1 hour"),
            (5400, "90 minutes"),
            (7200, "2 hours"),
            (12_000, "3 hours"),
            (86_400, "24 hours"),
            (259_200, "3 days"),
        ] {
            assert_eq!(all.of(Locale::En).duration(Duration::from_secs(seconds)).unwrap(), text);
        }
    }

    #[test]
    fn durations_have_the_plurals_of_their_language() {
        let all = catalogues(Locale::En, "");
        for (locale, minutes, text) in [
            (Locale::De, 1, "1 Minute"),
            (Locale::De, 5, "5 Minuten"),
            (Locale::Pl, 2, "2 minuty"),
            (Locale::Pl, 5, "5 minut"),
            (Locale::Pl, 22, "22 minuty"),
            (Locale::Uk, 21, "21 хвилину"),
            (Locale::Uk, 3, "3 хвилини"),
            (Locale::Uk, 11, "11 хвилин"),
            (Locale::Ja, 5, "5分"),
            (Locale::Ar, 2, "دقيقتين"),
            (Locale::Ar, 3, "\u{2068}3\u{2069} دقائق"),
            (Locale::Ar, 11, "\u{2068}11\u{2069} دقيقة"),
        ] {
            let found = all.of(locale).duration(Duration::from_secs(minutes * 60)).unwrap();
            assert_eq!(found, text, "{locale} {minutes}");
        }
    }
}
