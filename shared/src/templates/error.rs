//! Errors of templates, with file and line for the operator.

use std::error::Error as _;
use std::path::{Path, PathBuf};

/// A template cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// The folder cannot be read.
    #[error("TEMPLATE_FOLDER: cannot read {}: {source}", path.display())]
    Unreadable {
        /// The folder, or one in it.
        path: PathBuf,
        /// Why it cannot be read.
        source: std::io::Error,
    },
    /// A file in the folder cannot be read.
    #[error("{file}: cannot be read: {source}")]
    UnreadableFile {
        /// `TEMPLATE_FOLDER/mail/…`.
        file: String,
        /// Why it cannot be read.
        source: std::io::Error,
    },
    /// The template has wrong syntax, or uses a variable that does not exist.
    #[error("{}: {reason}", place(file, *line))]
    Broken {
        /// `TEMPLATE_FOLDER/mail/…` for a file of the folder, `templates/mail/…` for a built-in template.
        file: String,
        /// From 1; 0 when it is unknown.
        line: usize,
        /// The message of the template engine.
        reason: String,
    },
}

impl TemplateError {
    /// An error in a file of the folder; line 0 is about the whole file.
    #[must_use]
    pub fn of_file(name: &str, line: usize, reason: impl Into<String>) -> Self {
        Self::Broken { file: format!("TEMPLATE_FOLDER/{name}"), line, reason: reason.into() }
    }

    /// Names the file and line of the error.
    ///
    /// The reason may quote values of variables, so this is for sample values only.
    #[must_use]
    pub fn broken(error: &minijinja::Error, template_folder: Option<&Path>) -> Self {
        let innermost = innermost(error);
        let name = innermost.name().unwrap_or("(unnamed)");
        let overridden = template_folder.is_some_and(|folder| folder.join(name).is_file());
        Self::named(innermost, if overridden { "TEMPLATE_FOLDER" } else { "templates" })
    }

    /// The same for a template that is a file of the folder.
    #[must_use]
    pub(super) fn in_folder(error: &minijinja::Error) -> Self {
        Self::named(innermost(error), "TEMPLATE_FOLDER")
    }

    fn named(innermost: &minijinja::Error, root: &str) -> Self {
        let name = innermost.name().unwrap_or("(unnamed)");
        let reason = match innermost.detail() {
            Some(detail) => detail.to_owned(),
            None => innermost.kind().to_string(),
        };
        Self::Broken { file: format!("{root}/{name}"), line: innermost.line().unwrap_or(0), reason }
    }
}

fn place(file: &str, line: usize) -> String {
    if line == 0 { file.to_owned() } else { format!("{file}, line {line}") }
}

/// A template could not be rendered. The error contains no values of variables, because they contain links.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("template {template}, line {line}: {kind}")]
pub struct RenderError {
    /// The template's name.
    pub template: String,
    /// From 1; 0 when it is unknown.
    pub line: usize,
    /// The template engine's kind of error.
    pub kind: minijinja::ErrorKind,
}

impl From<minijinja::Error> for RenderError {
    fn from(error: minijinja::Error) -> Self {
        let innermost = innermost(&error);
        Self {
            template: innermost.name().unwrap_or("(unnamed)").to_owned(),
            line: innermost.line().unwrap_or(0),
            kind: innermost.kind(),
        }
    }
}

/// The innermost error: the outer ones name the base template ("could not render block"), not the template with the error.
fn innermost(error: &minijinja::Error) -> &minijinja::Error {
    let mut innermost = error;
    let mut next = error.source();
    while let Some(source) = next {
        if let Some(error) = source.downcast_ref() {
            innermost = error;
        }
        next = source.source();
    }
    innermost
}
