//! The shipped languages, and which of them a language tag or an `Accept-Language` header gets.

use std::cmp::Reverse;
use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use icu_locale::{LanguageIdentifier, Locale as UnicodeLocale, LocaleCanonicalizer, LocaleExpander};
use strum::{Display, EnumCount, IntoStaticStr, VariantArray};
use thiserror::Error;

use crate::domain::all;

/// A language in which emails and pages are shipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumCount, VariantArray, Display, IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
#[expect(missing_docs, reason = "the names are those of the tags")]
pub enum Locale {
    En,
    De,
    Fr,
    Es,
    It,
    #[strum(serialize = "pt-BR")]
    PtBr,
    Nl,
    Pl,
    Uk,
    Tr,
    Ja,
    #[strum(serialize = "zh-Hans")]
    ZhHans,
    Ar,
}

impl Locale {
    /// All of them; English, whose texts are the source, is the first.
    pub const ALL: [Self; Self::COUNT] = all(Self::VARIANTS);

    /// The BCP 47 tag, which is also the name of its catalogue.
    #[must_use]
    pub fn tag(self) -> &'static str {
        self.into()
    }

    /// Whether it is written from right to left.
    #[must_use]
    pub const fn is_right_to_left(self) -> bool {
        matches!(self, Locale::Ar)
    }

    /// The language for a tag: `de-AT` gets `de`, `pt-PT` gets `pt-BR`, `zh-CN` gets `zh-Hans`. `None` for a malformed
    /// tag, a language that is not shipped, and for another script: `zh-TW` is not written in `zh-Hans`.
    #[must_use]
    pub fn of_tag(tag: &str) -> Option<Locale> {
        LanguageTag::parse(tag).ok()?.locale()
    }

    /// The same for a setting or an argument.
    ///
    /// # Errors
    /// Where [`Locale::of_tag`] has none.
    pub fn nearest(tag: &str) -> Result<Locale, NotShipped> {
        Locale::of_tag(tag).ok_or(NotShipped)
    }

    /// The most likely language and script of a tag decide (UTS 35, "Likely Subtags").
    fn of(mut id: LanguageIdentifier) -> Option<Locale> {
        EXPANDER.maximize(&mut id);
        let script = id.script?;
        match (id.language.as_str(), script.as_str()) {
            ("en", "Latn") => Some(Locale::En),
            ("de", "Latn") => Some(Locale::De),
            ("fr", "Latn") => Some(Locale::Fr),
            ("es", "Latn") => Some(Locale::Es),
            ("it", "Latn") => Some(Locale::It),
            ("pt", "Latn") => Some(Locale::PtBr),
            ("nl", "Latn") => Some(Locale::Nl),
            ("pl", "Latn") => Some(Locale::Pl),
            ("uk", "Cyrl") => Some(Locale::Uk),
            ("tr", "Latn") => Some(Locale::Tr),
            ("ja", "Jpan") => Some(Locale::Ja),
            ("zh", "Hans") => Some(Locale::ZhHans),
            ("ar", "Arab") => Some(Locale::Ar),
            _ => None,
        }
    }
}

/// No language with this tag is shipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("one of en, de, fr, es, it, pt-BR, nl, pl, uk, tr, ja, zh-Hans and ar is needed")]
pub struct NotShipped;

/// The exact tag, in any case.
impl FromStr for Locale {
    type Err = NotShipped;

    fn from_str(text: &str) -> Result<Locale, NotShipped> {
        Locale::ALL.into_iter().find(|locale| locale.tag().eq_ignore_ascii_case(text)).ok_or(NotShipped)
    }
}

static CANONICALIZER: LazyLock<LocaleCanonicalizer> = LazyLock::new(LocaleCanonicalizer::new_common);
static EXPANDER: LazyLock<LocaleExpander> = LazyLock::new(LocaleExpander::new_common);

/// A well-formed language tag in its canonical form, without extensions: `pt-br` becomes `pt-BR`, `cmn` becomes `zh`.
///
/// Well-formed is a Unicode BCP 47 locale identifier (UTS 35), which is what `Intl` in browsers takes: no `_`, no
/// extended language subtags, none of the irregular tags of the time before BCP 47.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LanguageTag(LanguageIdentifier);

/// Why a text is not a language tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be a language tag such as de or pt-BR, at most {} characters long", LanguageTag::MAX_BYTES)]
pub struct LanguageTagError;

impl LanguageTag {
    /// The longest one, in bytes; tags are ASCII. Twice of what RFC 5646 §4.4.1 asks for.
    pub const MAX_BYTES: usize = 70;

    /// Reads a tag, in any case.
    ///
    /// # Errors
    /// When it is malformed or too long.
    pub fn parse(text: &str) -> Result<LanguageTag, LanguageTagError> {
        if text.len() > Self::MAX_BYTES {
            return Err(LanguageTagError);
        }
        let mut locale: UnicodeLocale = text.parse().map_err(|_| LanguageTagError)?;
        CANONICALIZER.canonicalize(&mut locale);
        Ok(LanguageTag(locale.id))
    }

    /// The shipped language that serves it.
    #[must_use]
    pub fn locale(&self) -> Option<Locale> {
        Locale::of(self.0.clone())
    }

    /// The first language of an `Accept-Language` header, by its weights, that a shipped one serves (RFC 4647 §3.4,
    /// "Lookup"). What is malformed is ignored. `zh-TW,zh;q=0.9` asks for no `zh-Hans`: browsers add the language alone
    /// to one with a region, so after another script it means that script, too.
    #[must_use]
    pub fn preferred(accept_language: &str) -> Option<LanguageTag> {
        let mut ranges: Vec<(u16, &str)> =
            accept_language.split(',').take(MAX_RANGES).map(weighted).collect();
        // Stable: of equal weights the first one counts.
        ranges.sort_by_key(|(weight, _)| Reverse(*weight));
        let wanted = ranges.into_iter().filter(|(weight, _)| *weight > 0);
        let mut not_served = Vec::new();
        for tag in wanted.filter_map(|(_, range)| LanguageTag::parse(range).ok()) {
            let LanguageIdentifier { language, script, region, .. } = tag.0;
            let is_language_alone = script.is_none() && region.is_none();
            if tag.locale().is_none() {
                not_served.push(language);
            } else if !(is_language_alone && not_served.contains(&language)) {
                return Some(tag);
            }
        }
        None
    }
}

impl fmt::Display for LanguageTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How many languages of a header are read.
const MAX_RANGES: usize = 32;

/// A range and its weight in thousandths; a weight that cannot be read is 0.
fn weighted(range: &str) -> (u16, &str) {
    let (tag, parameters) = range.split_once(';').unwrap_or((range, "q=1"));
    let weight = parameters.trim().strip_prefix(['q', 'Q']).and_then(|rest| rest.trim().strip_prefix('='));
    let weight: f32 = weight.and_then(|text| text.trim().parse().ok()).unwrap_or(0.0);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 1000")]
    let thousandths = (weight.clamp(0.0, 1.0) * 1000.0).round() as u16;
    (thousandths, tag.trim())
}

#[cfg(test)]
mod tests;
