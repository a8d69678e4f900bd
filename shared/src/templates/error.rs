//! What can be wrong with templates, said so that an operator finds the line.

use std::error::Error as _;
use std::path::{Path, PathBuf};

/// A template cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// The folder, or a file in it, cannot be read.
    #[error("TEMPLATE_FOLDER: cannot read {}: {source}", path.display())]
    Unreadable {
        /// What was to be read.
        path: PathBuf,
        /// Why it was not.
        source: std::io::Error,
    },
    /// The template is not well formed, or asks for what it is not given.
    #[error("{file}, line {line}: {reason}")]
    Broken {
        /// `TEMPLATE_FOLDER/mail/…` for an override, `templates/mail/…` for what is compiled in.
        file: String,
        /// From 1; 0 when it is not known.
        line: usize,
        /// What the template engine says.
        reason: String,
    },
}

impl TemplateError {
    /// Names the file and line where `error` began. `template_folder` tells an override from what is compiled in.
    ///
    /// The reason may quote values of the template's variables: for errors from sample values only.
    #[must_use]
    pub fn broken(error: &minijinja::Error, template_folder: Option<&Path>) -> Self {
        let innermost = innermost(error);
        let name = innermost.name().unwrap_or("(unnamed)");
        let overridden = template_folder.is_some_and(|folder| folder.join(name).is_file());
        let root = if overridden { "TEMPLATE_FOLDER" } else { "templates" };
        let reason = match innermost.detail() {
            Some(detail) => detail.to_owned(),
            None => innermost.kind().to_string(),
        };
        Self::Broken { file: format!("{root}/{name}"), line: innermost.line().unwrap_or(0), reason }
    }
}

/// A template could not be rendered. Says where, never with what: the values hold links.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("template {template}, line {line}: {kind}")]
pub struct RenderError {
    /// The template's name.
    pub template: String,
    /// From 1; 0 when it is not known.
    pub line: usize,
    /// What kind of error the template engine met.
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

/// A block's error arrives wrapped in "could not render block" of the base template: that is not where to look.
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
