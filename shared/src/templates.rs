//! The loader of all templates: compiled in, and replaced file by file from `TEMPLATE_FOLDER`.

mod error;

use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Value;
use minijinja::{AutoEscape, Environment, Error, Output, State, UndefinedBehavior, escape_formatter};

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
    "page/email_change_undone.html",
    "page/email_changed.html",
    "page/enter_code.html",
    "page/inbox.html",
    "page/inbox_email.html",
    "page/link_expired.html",
    "page/link_invalid.html",
    "page/link_requested.html",
    "page/message.html",
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

/// Compiles every template. Files of `template_folder` replace templates of the same name.
///
/// Files are read only here, so a change needs a restart. A file that replaces no template is a warning.
///
/// # Errors
/// When the folder or a file cannot be read, or a template has wrong syntax (with file and line).
pub fn environment(template_folder: Option<&Path>) -> Result<Environment<'static>, TemplateError> {
    let inspection = inspect(template_folder)?;
    for file in inspection.unused {
        tracing::warn!(%file, "this file in TEMPLATE_FOLDER has not the name of a template and is not used");
    }
    match inspection.problems.into_iter().next() {
        Some(problem) => Err(problem),
        None => Ok(inspection.env),
    }
}

/// All results about a `TEMPLATE_FOLDER`, where [`environment`] stops at the first error.
#[derive(Debug)]
pub struct TemplateInspection {
    /// All templates: the file where it compiles, else the built-in one.
    pub env: Environment<'static>,
    /// The templates that files replace.
    pub overridden: Vec<String>,
    /// Files that replace no template.
    pub unused: Vec<String>,
    /// Files that cannot be read or have wrong syntax.
    pub problems: Vec<TemplateError>,
}

/// Compiles every template as [`environment`] does, and continues after an error.
///
/// # Errors
/// When the folder cannot be read.
pub fn inspect(template_folder: Option<&Path>) -> Result<TemplateInspection, TemplateError> {
    let mut inspection = TemplateInspection {
        env: built_in_environment()?,
        overridden: Vec::new(),
        unused: Vec::new(),
        problems: Vec::new(),
    };
    if let Some(folder) = template_folder {
        for path in files_under(folder)? {
            inspection.add_file(&path, folder);
        }
    }
    Ok(inspection)
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
    env.set_formatter(escape_but_slashes);
    for (name, text) in BUILT_IN {
        env.add_template(name, text).map_err(broken)?;
    }
    Ok(env)
}

impl TemplateInspection {
    fn add_file(&mut self, path: &Path, folder: &Path) {
        let name = name_of(path, folder);
        if !names().any(|known| known == name) {
            self.unused.push(name);
            return;
        }
        match compile(&mut self.env, &name, path, folder) {
            Ok(()) => self.overridden.push(name),
            Err(problem) => self.problems.push(problem),
        }
    }
}

fn compile(
    env: &mut Environment<'static>,
    name: &str,
    path: &Path,
    folder: &Path,
) -> Result<(), TemplateError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| TemplateError::Unreadable { path: path.to_owned(), source })?;
    // Browsers hash a style with LF instead of CRLF. Emails get their line ends when they are composed.
    let text = text.trim_start_matches('\u{feff}').replace("\r\n", "\n");
    env.add_template_owned(name.to_owned(), text).map_err(|error| TemplateError::broken(&error, Some(folder)))
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

/// Escapes HTML, but no slashes: link scanners and simple mail clients do not understand `https:&#x2f;&#x2f;`, although
/// it is valid HTML.
fn escape_but_slashes(out: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    let text = value.as_str().filter(|_| *state.auto_escape() == AutoEscape::Html && !value.is_safe());
    let Some(text) = text else { return escape_formatter(out, state, value) };
    for piece in text.split_inclusive(['<', '>', '&', '"', '\'']) {
        let (plain, entity) = match piece.as_bytes().last() {
            Some(b'<') => (&piece[..piece.len() - 1], "&lt;"),
            Some(b'>') => (&piece[..piece.len() - 1], "&gt;"),
            Some(b'&') => (&piece[..piece.len() - 1], "&amp;"),
            Some(b'"') => (&piece[..piece.len() - 1], "&quot;"),
            Some(b'\'') => (&piece[..piece.len() - 1], "&#x27;"),
            _ => (piece, ""),
        };
        out.write_str(plain)?;
        out.write_str(entity)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
