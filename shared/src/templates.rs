//! The loader of all templates: compiled in, and replaced file by file from `TEMPLATE_FOLDER`. Each language has an
//! environment of its own, with its texts.

mod error;
mod texts;

use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Value;
use minijinja::{AutoEscape, Environment, Error, Output, State, UndefinedBehavior, escape_formatter};

use crate::locale::{CatalogueFinding, CatalogueProblem, Catalogues, Locale, Messages};

pub use error::{RenderError, TemplateError};

macro_rules! built_in {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../templates/", $name)))),*]
    };
}

/// Every template: its name, which is the path under `templates/`, and its text.
const BUILT_IN: &[(&str, &str)] = built_in![
    "mail/base.html",
    "mail/base.txt",
    "mail/parts.html",
    "mail/change_email/body.html",
    "mail/change_email/body.txt",
    "mail/change_email/subject.txt",
    "mail/email_change_requested/body.html",
    "mail/email_change_requested/body.txt",
    "mail/email_change_requested/subject.txt",
    "mail/email_changed/body.html",
    "mail/email_changed/body.txt",
    "mail/email_changed/subject.txt",
    "mail/password_changed/body.html",
    "mail/password_changed/body.txt",
    "mail/password_changed/subject.txt",
    "mail/reset_password/body.html",
    "mail/reset_password/body.txt",
    "mail/reset_password/subject.txt",
    "mail/verify_email/body.html",
    "mail/verify_email/body.txt",
    "mail/verify_email/subject.txt",
    "mail/welcome/body.html",
    "mail/welcome/body.txt",
    "mail/welcome/subject.txt",
    "page/account.html",
    "page/admin_board.html",
    "page/admin_login.html",
    "page/admin_email.html",
    "page/admin_emails.html",
    "page/admin_parts.html",
    "page/base.html",
    "page/code_form.html",
    "page/email_change_confirm.html",
    "page/email_change_undo.html",
    "page/email_change_undo_expired.html",
    "page/email_change_undone.html",
    "page/email_changed.html",
    "page/enter_code.html",
    "page/inbox.html",
    "page/inbox_email.html",
    "page/link_expired.html",
    "page/link_invalid.html",
    "page/link_requested.html",
    "page/error.html",
    "page/not_me.html",
    "page/not_me_done.html",
    "page/request_link.html",
    "page/reset_done.html",
    "page/reset_form.html",
    "page/sign_up.html",
    "page/start.html",
    "page/style.css",
    "page/verified.html",
    "page/verify.html",
];

/// Compiles every template, in every language. Files of `template_folder` replace templates of the same name.
///
/// Files are read only here, so a change needs a restart. A file that replaces no template is a warning.
///
/// # Errors
/// When the folder or a file cannot be read, or a template has wrong syntax (with file and line).
pub fn load(template_folder: Option<&Path>) -> Result<Templates, TemplateError> {
    let inspection = inspect(template_folder)?;
    for file in inspection.unused {
        tracing::warn!(%file, "this file in TEMPLATE_FOLDER has not the name of a template and is not used");
    }
    for warning in inspection.warnings {
        tracing::warn!(warning, "check TEMPLATE_FOLDER");
    }
    match inspection.problems.into_iter().next() {
        Some(problem) => Err(problem),
        None => Ok(inspection.templates),
    }
}

/// All templates in every language.
#[derive(Clone, Debug)]
pub struct Templates(Vec<Environment<'static>>);

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

/// All results about a `TEMPLATE_FOLDER`, where [`load`] stops at the first error.
#[derive(Debug)]
pub struct TemplateInspection {
    /// All templates: the file where it compiles, else the built-in one.
    pub templates: Templates,
    /// The templates and catalogues that files replace.
    pub overridden: Vec<String>,
    /// Files that replace no template.
    pub unused: Vec<String>,
    /// Files that cannot be read or have wrong syntax.
    pub problems: Vec<TemplateError>,
    /// What can be used but is probably a mistake, with file and line.
    pub warnings: Vec<String>,
}

/// Compiles every template as [`load`] does, and continues after an error.
///
/// # Errors
/// When the folder cannot be read.
pub fn inspect(template_folder: Option<&Path>) -> Result<TemplateInspection, TemplateError> {
    let mut files = Files { env: built_in_environment()?, ..Files::default() };
    if let Some(folder) = template_folder {
        for path in files_under(folder)? {
            files.add(&path, folder);
        }
    }
    let catalogues = Catalogues::new(&files.messages).map_err(|problem| of_catalogue(Locale::En, problem))?;
    let in_language = |locale| {
        let mut env = files.env.clone();
        texts::add(&mut env, catalogues.of(locale));
        env
    };
    files.warn_when_nothing_differs();
    Ok(TemplateInspection {
        templates: Templates(Locale::ALL.into_iter().map(in_language).collect()),
        overridden: files.overridden,
        unused: files.unused,
        problems: files.problems,
        warnings: files.warnings,
    })
}

/// A time for people: "23 November 2026, 15:04 UTC".
#[must_use]
pub fn date_and_time(time: DateTime<Utc>) -> String {
    time.format("%-d %B %Y, %H:%M UTC").to_string()
}

/// The names of all templates, which are their paths under `templates/`.
pub fn names() -> impl Iterator<Item = &'static str> {
    BUILT_IN.iter().map(|(name, _)| *name)
}

fn built_in_environment() -> Result<Environment<'static>, TemplateError> {
    let broken = |error| TemplateError::broken(&error, None);
    let mut env = Environment::new();
    env.set_undefined_behavior(UndefinedBehavior::Strict);
    // The debug information of an error contains the values of variables, and so links.
    env.set_debug(false);
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
    env.set_syntax(syntax.map_err(broken)?);
    env.set_formatter(write_value);
    for (name, text) in BUILT_IN {
        env.add_template(name, text).map_err(broken)?;
    }
    Ok(env)
}

/// What is known while the files are read.
#[derive(Default)]
struct Files {
    env: Environment<'static>,
    messages: Vec<(Locale, Messages)>,
    overridden: Vec<String>,
    unused: Vec<String>,
    problems: Vec<TemplateError>,
    warnings: Vec<String>,
    /// Whether a file has another text than the built-in one of its name.
    any_differs: bool,
}

impl Files {
    fn add(&mut self, path: &Path, folder: &Path) {
        let name = name_of(path, folder);
        if let Some(locale) = catalogue_name(&name) {
            self.add_catalogue(locale, path, name);
        } else if names().any(|known| known == name) {
            match compile(&mut self.env, &name, path, folder) {
                Ok(differs) => {
                    self.any_differs |= differs;
                    self.overridden.push(name);
                }
                Err(problem) => self.problems.push(problem),
            }
        } else {
            self.unused.push(name);
        }
    }

    /// Messages that no built-in template uses are for templates in the folder. One with a variable that it does not get
    /// could not be used.
    fn add_catalogue(&mut self, locale: Locale, path: &Path, name: String) {
        let text = read(path);
        self.any_differs |= text.as_ref().is_ok_and(|text| text != Messages::built_in(locale).source());
        let messages = match text.map(Messages::parse) {
            Ok(Ok(messages)) => messages,
            Ok(Err(problems)) => {
                let problems = problems.into_iter().map(|problem| of_catalogue(locale, problem));
                return self.problems.extend(problems);
            }
            Err(problem) => return self.problems.push(problem),
        };
        for finding in messages.compared_to(&Messages::built_in(Locale::En)) {
            let (line, reason) = (finding.line(), finding.to_string());
            if finding.is_fatal() {
                self.problems.push(of_catalogue(locale, CatalogueProblem { line, reason }));
            } else if !matches!(finding, CatalogueFinding::MissingMessage { .. }) {
                self.warnings.push(format!("{name}, line {line}: {reason}"));
            }
        }
        self.messages.push((locale, messages));
        self.overridden.push(name);
    }
}

impl Files {
    /// `TEMPLATE_FOLDER=templates` in the folder of this service's source names the built-in templates.
    fn warn_when_nothing_differs(&mut self) {
        if !self.any_differs && !self.overridden.is_empty() && self.problems.is_empty() {
            self.warnings.push(
                "TEMPLATE_FOLDER changes nothing: each file is the same as the built-in one. Is another folder meant?".into(),
            );
        }
    }
}

/// `locales/de.ftl` has the messages of German.
fn catalogue_name(name: &str) -> Option<Locale> {
    name.strip_prefix("locales/")?.strip_suffix(".ftl")?.parse().ok()
}

fn of_catalogue(locale: Locale, CatalogueProblem { line, reason }: CatalogueProblem) -> TemplateError {
    TemplateError::Broken { file: format!("TEMPLATE_FOLDER/locales/{locale}.ftl"), line, reason }
}

/// Returns whether the file has another text than the built-in template.
fn compile(
    env: &mut Environment<'static>,
    name: &str,
    path: &Path,
    folder: &Path,
) -> Result<bool, TemplateError> {
    let text = read(path)?;
    let differs = !BUILT_IN.contains(&(name, &text));
    env.add_template_owned(name.to_owned(), text)
        .map_err(|error| TemplateError::broken(&error, Some(folder)))?;
    Ok(differs)
}

/// Browsers hash a style with LF instead of CRLF. Emails get their line ends when they are composed.
fn read(path: &Path) -> Result<String, TemplateError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| TemplateError::Unreadable { path: path.to_owned(), source })?;
    Ok(text.trim_start_matches('\u{feff}').replace("\r\n", "\n"))
}

/// Every file below `folder`, sorted, without hidden ones (`.gitkeep`, swap files of editors).
fn files_under(folder: &Path) -> Result<Vec<PathBuf>, TemplateError> {
    let unreadable = |source| TemplateError::Unreadable { path: folder.to_owned(), source };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let path = entry.path();
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        if path.is_dir() { files.extend(files_under(&path)?) } else { files.push(path) }
    }
    files.sort();
    Ok(files)
}

fn name_of(path: &Path, folder: &Path) -> String {
    let relative = path.strip_prefix(folder).unwrap_or(path);
    let parts: Vec<_> = relative.components().map(|part| part.as_os_str().to_string_lossy()).collect();
    parts.join("/")
}

/// Writes a value, escaped where the template is HTML.
fn write_value(out: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    match value.as_str() {
        Some(text) if *state.auto_escape() == AutoEscape::Html && !value.is_safe() => {
            out.write_str(&texts::escaped(text)).map_err(Error::from)
        }
        _ => escape_formatter(out, state, value),
    }
}

#[cfg(test)]
mod tests;
