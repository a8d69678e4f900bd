//! The templates of a language, and what they use of it: `t("verify-email-lead", lifetime=…)`, the filters `moment` and
//! `duration`, and the variables `lang`, `dir`, `start` and `end`.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use chrono::DateTime;
use fluent_bundle::{FluentArgs, FluentValue};
use minijinja::value::{Kwargs, Value, ValueKind};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, Output, State, escape_formatter};

use crate::locale::{Catalogue, Locale, Markup, TextError};

/// The variable that every message gets.
const EVERYWHERE: &str = "app_name";
/// The length of a line of a text email, in characters.
const LINE: usize = 76;

/// All templates in every language.
#[derive(Clone, Debug)]
pub struct Templates(pub(super) Vec<Environment<'static>>);

impl Templates {
    /// The templates with the texts of a language.
    #[must_use]
    pub fn of(&self, locale: Locale) -> &Environment<'static> {
        &self.0[locale as usize]
    }

    /// Changes the environment of every language.
    pub fn change(&mut self, change: impl FnMut(&mut Environment<'static>)) {
        self.0.iter_mut().for_each(change);
    }
}

/// Adds the texts of a language to an environment.
pub(super) fn add(env: &mut Environment<'static>, catalogue: &Arc<Catalogue>) {
    let locale = catalogue.locale();
    let (dir, start, end) =
        if locale.is_right_to_left() { ("rtl", "right", "left") } else { ("ltr", "left", "right") };
    for (name, value) in [("lang", locale.tag()), ("dir", dir), ("start", start), ("end", end)] {
        env.add_global(name, value);
    }
    let texts = catalogue.clone();
    env.add_function("t", move |state: &State<'_, '_>, id: &str, values: Kwargs| {
        message(&texts, state, id, &values)
    });
    let texts = catalogue.clone();
    env.add_function("has_text", move |id: &str| texts.has(id));
    let texts = catalogue.clone();
    env.add_filter("moment", move |seconds: i64| {
        let moment = DateTime::from_timestamp(seconds, 0).unwrap_or_default();
        texts.moment(moment).map_err(cannot_format)
    });
    let texts = catalogue.clone();
    env.add_filter("duration", move |seconds: u64| {
        texts.duration(Duration::from_secs(seconds)).map_err(cannot_format)
    });
    env.add_filter("wrap", wrap);
}

/// Writes a value, escaped where the template is HTML.
pub(super) fn write_value(
    out: &mut Output<'_>,
    state: &mut State<'_, '_>,
    value: &Value,
) -> Result<(), Error> {
    match value.as_str() {
        Some(text) if *state.auto_escape() == AutoEscape::Html && !value.is_safe() => {
            out.write_str(&escaped(text)).map_err(Error::from)
        }
        _ => escape_formatter(out, state, value),
    }
}

/// The message `id`. In HTML its values are escaped, unless they are markup, such as what a macro returns.
fn message(catalogue: &Catalogue, state: &State<'_, '_>, id: &str, values: &Kwargs) -> Result<Value, Error> {
    let markup = match *state.auto_escape() {
        AutoEscape::Html => Markup::Html,
        _ => Markup::Text,
    };
    let written =
        |text: String| if markup == Markup::Html { Value::from_safe_string(text) } else { Value::from(text) };
    // Most messages: no value is looked up or escaped.
    if values.args().next().is_none()
        && let Some(text) = catalogue.plain(id, markup)
    {
        return Ok(written(text.into_owned()));
    }
    let mut given = FluentArgs::new();
    if let Some(name) = state.lookup(EVERYWHERE).filter(|name| !name.is_undefined()) {
        given.set(EVERYWHERE, fluent(&name, markup));
    }
    for name in values.args() {
        let value: Value = values.get(name)?;
        if value.is_undefined() || value.is_none() {
            let reason = format!("the message {id:?} has no value for ${name}");
            return Err(Error::new(ErrorKind::UndefinedError, reason));
        }
        given.set(name.to_owned(), fluent(&value, markup));
    }
    Ok(written(catalogue.format(id, &given, markup).map_err(cannot_format)?))
}

/// Numbers stay numbers, because plurals depend on them.
fn fluent(value: &Value, markup: Markup) -> FluentValue<'static> {
    if value.kind() == ValueKind::Number
        && let Ok(number) = i64::try_from(value.clone())
    {
        return FluentValue::from(number);
    }
    let text = value.to_string();
    if markup == Markup::Html && !value.is_safe() {
        return FluentValue::from(escaped(&text).into_owned());
    }
    FluentValue::from(text)
}

/// Escapes HTML, but no slashes: link scanners and simple mail clients do not understand `https:&#x2f;&#x2f;`, although
/// it is valid HTML.
fn escaped(text: &str) -> Cow<'_, str> {
    if !text.bytes().any(|byte| matches!(byte, b'<' | b'>' | b'&' | b'"' | b'\'')) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#x27;"),
            c => escaped.push(c),
        }
    }
    Cow::Owned(escaped)
}

/// The error names the message and the language, and no value.
fn cannot_format(error: TextError) -> Error {
    Error::new(ErrorKind::InvalidOperation, error.to_string())
}

/// Breaks a text at its spaces. Languages without spaces stay as they are, also at a space around an address: mail programs
/// break their lines.
fn wrap(text: &str) -> String {
    let words: Vec<&str> = text.split_ascii_whitespace().collect();
    if words.iter().any(|word| has_no_spaces(word)) {
        return words.join(" ");
    }
    let mut wrapped = String::with_capacity(text.len());
    let mut column = 0;
    for word in words {
        let width = word.chars().count();
        if column > 0 && column + 1 + width > LINE {
            wrapped.push('\n');
            column = 0;
        } else if column > 0 {
            wrapped.push(' ');
            column += 1;
        }
        wrapped.push_str(word);
        column += width;
    }
    wrapped
}

/// Whether a word is of Japanese or Chinese, by its kana (U+3040 to U+30FF) or Han characters.
fn has_no_spaces(word: &str) -> bool {
    word.contains(|c| matches!(c, '\u{3040}'..='\u{30FF}' | '\u{4E00}'..='\u{9FFF}'))
}
