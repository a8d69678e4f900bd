//! The loader of all templates: compiled in, and replaced file by file from `TEMPLATE_FOLDER`. Each language has
//! its own environment, with its texts.

mod error;
mod folder;
mod language;

use std::path::Path;

use chrono::{DateTime, Utc};
use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, UndefinedBehavior};

use crate::locale::{Catalogues, Locale};

use folder::Files;

pub use error::{RenderError, TemplateError};
pub use language::Templates;

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
    "page/admin_suppressions.html",
    "page/base.html",
    "page/code_form.html",
    "page/email_change_confirm.html",
    "page/email_change_undo.html",
    "page/email_change_undo_expired.html",
    "page/email_change_undone.html",
    "page/email_changed.html",
    "page/enter_code.html",
    "page/home.html",
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
    "page/unsubscribe.html",
    "page/unsubscribed.html",
    "page/verified.html",
    "page/verify.html",
];

/// Compiles every template, in every language. Files of `template_folder` replace templates of the same name. Its
/// warnings are not logged.
///
/// # Errors
/// When the folder or a file cannot be read, or a template has wrong syntax (with file and line).
pub fn load(template_folder: Option<&Path>) -> Result<Templates, TemplateError> {
    inspect(template_folder)?.usable()
}

/// Logs what is probably a mistake in `TEMPLATE_FOLDER`.
pub fn log_warnings(warnings: &[String]) {
    warnings.iter().for_each(|warning| tracing::warn!(warning, "check TEMPLATE_FOLDER"));
}

/// All results about a `TEMPLATE_FOLDER`, where [`load`] stops at the first error.
#[derive(Debug)]
pub struct TemplateInspection {
    /// All templates: the file where it compiles, else the built-in one.
    pub templates: Templates,
    /// The templates and catalogues that files replace.
    pub overridden: Vec<String>,
    /// Files that cannot be read or have wrong syntax.
    pub problems: Vec<TemplateError>,
    /// What can be used but is probably a mistake, with file and line; files that replace nothing are among it.
    pub warnings: Vec<String>,
}

impl TemplateInspection {
    /// The templates.
    ///
    /// # Errors
    /// The first problem.
    pub fn usable(self) -> Result<Templates, TemplateError> {
        match self.problems.into_iter().next() {
            Some(problem) => Err(problem),
            None => Ok(self.templates),
        }
    }
}

/// Compiles every template as [`load`] does, and continues after an error.
///
/// # Errors
/// When the folder cannot be read.
pub fn inspect(template_folder: Option<&Path>) -> Result<TemplateInspection, TemplateError> {
    let mut files = Files::new(built_in_environment()?, BUILT_IN);
    if let Some(folder) = template_folder {
        files.read(folder)?;
    }
    let catalogues = Catalogues::new(&files.messages)
        .map_err(|problem| TemplateError::of_file("locales", problem.line, problem.reason))?;
    let in_language = |locale| {
        let mut env = files.env.clone();
        language::add(&mut env, catalogues.of(locale));
        env
    };
    Ok(TemplateInspection {
        templates: Templates(Locale::ALL.into_iter().map(in_language).collect()),
        overridden: files.overridden,
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
    env.set_formatter(language::write_value);
    for (name, text) in BUILT_IN {
        env.add_template(name, text).map_err(broken)?;
    }
    Ok(env)
}

#[cfg(test)]
mod tests;
