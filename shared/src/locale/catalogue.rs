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
use fluent_syntax::ast::PatternElement;
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

    /// The message `id`, if it is nothing but a text.
    #[must_use]
    pub fn plain(&self, id: &str, markup: Markup) -> Option<Cow<'_, str>> {
        match &*self.text.get_message(id)?.value()?.elements {
            [PatternElement::TextElement { value }] if markup == Markup::Html => Some(escape(value)),
            [PatternElement::TextElement { value }] => Some(Cow::Borrowed(value)),
            _ => None,
        }
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
/// needed: a name or an address in Latin letters stands there. In other languages it would only disturb searching and
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
    if text.bytes().any(|byte| matches!(byte, b'&' | b'<' | b'>' | b'"')) {
        let escaped =
            text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
        return Cow::Owned(escaped);
    }
    Cow::Borrowed(text)
}

#[cfg(test)]
mod tests;
