//! The messages of one file, and the built-in ones of each language.

use std::fmt;
use std::sync::{Arc, LazyLock};

use fluent_bundle::FluentResource;
use fluent_syntax::ast::Entry;
use fluent_syntax::parser::ParserError;

use super::tag::Locale;

macro_rules! built_in {
    ($($locale:ident $tag:literal),* $(,)?) => {
        /// The source of every catalogue, in the order of [`Locale::ALL`].
        pub(super) const BUILT_IN: [(Locale, &str); Locale::ALL.len()] =
            [$((Locale::$locale, include_str!(concat!("../../../templates/locales/", $tag, ".ftl")))),*];
    };
}

built_in! {
    En "en", De "de", Fr "fr", Es "es", It "it", PtBr "pt-BR", Nl "nl", Pl "pl", Uk "uk", Tr "tr", Ja "ja",
    ZhHans "zh-Hans", Ar "ar",
}

/// Parsed once a process; a test shows that all are whole.
static PARSED: LazyLock<[Arc<FluentResource>; Locale::ALL.len()]> = LazyLock::new(|| {
    BUILT_IN.map(|(_, source)| {
        let (Ok(resource) | Err((resource, _))) = FluentResource::try_new(source.to_owned());
        Arc::new(resource)
    })
});

/// A catalogue, or an entry of it, cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogueProblem {
    /// From 1; 0 for the catalogue as a whole.
    pub line: usize,
    /// What is wrong.
    pub reason: String,
}

impl CatalogueProblem {
    fn syntax(source: &str, error: &ParserError) -> CatalogueProblem {
        let before = source.get(..error.pos.start).unwrap_or(source);
        // An error at the end of a line is found at the beginning of the next one.
        let line = before.trim_end().matches('\n').count() + 1;
        CatalogueProblem { line, reason: error.kind.to_string() }
    }
}

/// The messages of one file.
#[derive(Clone)]
pub struct Messages(pub(super) Arc<FluentResource>);

impl Messages {
    /// Reads the text of a file.
    ///
    /// # Errors
    /// Every entry with wrong syntax, with its line.
    pub fn parse(text: String) -> Result<Messages, Vec<CatalogueProblem>> {
        match FluentResource::try_new(text) {
            Ok(resource) => Ok(Messages(Arc::new(resource))),
            Err((resource, errors)) => {
                let problem = |error| CatalogueProblem::syntax(resource.source(), error);
                Err(errors.iter().map(problem).collect())
            }
        }
    }

    /// The text that they were read from.
    #[must_use]
    pub fn source(&self) -> &str {
        self.0.source()
    }

    /// The names of the messages.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.0.entries().filter_map(|entry| match entry {
            Entry::Message(message) => Some(message.id.name),
            _ => None,
        })
    }

    /// Whether a message has another one in it: `{ greeting }` or `{ greeting.part }`.
    #[must_use]
    pub fn refer_to(&self, id: &str) -> bool {
        let mut source = self.source().to_owned();
        source.retain(|c| !c.is_whitespace());
        [format!("{{{id}}}"), format!("{{{id}.")].iter().any(|reference| source.contains(reference))
    }

    /// The built-in ones of a language.
    #[must_use]
    pub fn built_in(locale: Locale) -> Messages {
        Messages(PARSED[locale as usize].clone())
    }
}

impl fmt::Debug for Messages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Messages").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_syntax_is_named_with_its_line() {
        let problems = Messages::parse("a = b\n\nc = { $x\n\nd = { }\n".into()).unwrap_err();
        let lines: Vec<usize> = problems.iter().map(|problem| problem.line).collect();
        assert_eq!(lines, [3, 5], "{problems:?}");
    }
}
