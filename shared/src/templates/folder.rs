//! The files of `TEMPLATE_FOLDER`: each replaces a built-in template, or messages of a language.

use std::path::{Path, PathBuf};

use minijinja::Environment;

use super::error::TemplateError;
use crate::locale::{CatalogueFinding, CatalogueProblem, Locale, Messages};

/// The name and the text of each built-in template.
type BuiltIn = &'static [(&'static str, &'static str)];

/// What is known while the files are read.
pub(super) struct Files {
    built_in: BuiltIn,
    /// The templates: the file where it compiles, else the built-in one.
    pub(super) env: Environment<'static>,
    pub(super) messages: Vec<(Locale, Messages)>,
    pub(super) overridden: Vec<String>,
    pub(super) problems: Vec<TemplateError>,
    pub(super) warnings: Vec<String>,
    /// The catalogues, also those that cannot be used.
    catalogues: Vec<(Locale, String)>,
    /// Messages that no built-in template uses, each with its file and line.
    extra_messages: Vec<(String, String, usize)>,
    /// The templates of the folder, for the messages that they use.
    texts: String,
    /// Whether a file has another text than the built-in one of its name.
    any_differs: bool,
}

impl Files {
    pub(super) fn new(env: Environment<'static>, built_in: BuiltIn) -> Files {
        Files {
            built_in,
            env,
            messages: Vec::new(),
            overridden: Vec::new(),
            problems: Vec::new(),
            warnings: Vec::new(),
            catalogues: Vec::new(),
            extra_messages: Vec::new(),
            texts: String::new(),
            any_differs: false,
        }
    }

    /// Reads every file, and continues after an error in one.
    pub(super) fn read(&mut self, folder: &Path) -> Result<(), TemplateError> {
        for path in files_under(folder)? {
            self.add(&path, name_of(&path, folder));
        }
        self.warn_of_unused_messages();
        self.warn_when_nothing_differs();
        Ok(())
    }

    fn add(&mut self, path: &Path, name: String) {
        let added = if let Some(locale) = catalogue_name(&name) {
            self.add_catalogue(locale, path, &name)
        } else if self.built_in.iter().any(|(known, _)| *known == name) {
            self.add_template(path, &name)
        } else {
            return self.warnings.push(format!("TEMPLATE_FOLDER/{name}: {}", self.unused(&name)));
        };
        match added {
            Ok(()) => self.overridden.push(name),
            Err(problems) => self.problems.extend(problems),
        }
    }

    fn add_template(&mut self, path: &Path, name: &str) -> Result<(), Vec<TemplateError>> {
        let text = read(path, name).map_err(|problem| vec![problem])?;
        self.texts.push_str(&text);
        self.any_differs |= !self.built_in.contains(&(name, &text));
        let compiled = self.env.add_template_owned(name.to_owned(), text);
        // The file that is compiled is one of the folder; it includes no other yet.
        compiled.map_err(|error| vec![TemplateError::in_folder(&error)])
    }

    /// A message with a variable that it does not get could not be used.
    fn add_catalogue(&mut self, locale: Locale, path: &Path, name: &str) -> Result<(), Vec<TemplateError>> {
        let of_file = |CatalogueProblem { line, reason }| TemplateError::of_file(name, line, reason);
        if let Some((_, other)) = self.catalogues.iter().find(|(known, _)| *known == locale) {
            let reason = format!(
                "TEMPLATE_FOLDER/{other} has the messages of the same language; make one file of them"
            );
            return Err(vec![TemplateError::of_file(name, 0, reason)]);
        }
        self.catalogues.push((locale, name.to_owned()));
        let text = read(path, name).map_err(|problem| vec![problem])?;
        self.any_differs |= text != Messages::built_in(locale).source();
        let messages = Messages::parse(text)
            .map_err(|problems| -> Vec<_> { problems.into_iter().map(of_file).collect() })?;
        for finding in messages.compared_to(&Messages::built_in(Locale::En)) {
            let (line, reason) = (finding.line(), finding.to_string());
            match finding {
                CatalogueFinding::MissingMessage { .. } => {}
                CatalogueFinding::ExtraMessage { id, line } => {
                    self.extra_messages.push((id, name.to_owned(), line));
                }
                finding if finding.is_fatal() => {
                    self.problems.push(TemplateError::of_file(name, line, reason))
                }
                _ => self.warnings.push(format!("TEMPLATE_FOLDER/{name}, line {line}: {reason}")),
            }
        }
        self.messages.push((locale, messages));
        Ok(())
    }

    /// Messages that no built-in template uses are for templates of the folder, and for other messages.
    fn warn_of_unused_messages(&mut self) {
        let is_used = |id: &str| {
            let quoted = [format!("\"{id}\""), format!("'{id}'")];
            quoted.iter().any(|name| self.texts.contains(name))
                || self.messages.iter().any(|(_, messages)| messages.refer_to(id))
        };
        let unused = self.extra_messages.iter().filter(|(id, _, _)| !is_used(id));
        let warning = |(id, file, line): &(String, String, usize)| {
            let meant = nearest(id, Messages::built_in(Locale::En).ids(), id.len() / 4)
                .map_or_else(String::new, |known| format!("; is {known} meant?"));
            format!("TEMPLATE_FOLDER/{file}, line {line}: no template uses the message {id}{meant}")
        };
        self.warnings.extend(unused.map(warning).collect::<Vec<_>>());
    }

    /// `TEMPLATE_FOLDER=templates` in the folder of this service's source names the built-in templates.
    fn warn_when_nothing_differs(&mut self) {
        if !self.any_differs && !self.overridden.is_empty() && self.problems.is_empty() {
            let warning = "TEMPLATE_FOLDER changes nothing: each file is the same as the built-in one; is another folder meant?";
            self.warnings.push(warning.into());
        }
    }

    /// Why a file replaces nothing.
    fn unused(&self, name: &str) -> String {
        if let Some(tag) = name.strip_prefix("locales/").and_then(|file| file.strip_suffix(".ftl")) {
            return match Locale::of_tag(tag) {
                Some(locale) => format!("overrides nothing; is locales/{locale}.ftl meant?"),
                None => {
                    let tags = Locale::ALL.map(Locale::tag).join(", ");
                    format!("overrides nothing; the languages whose messages can be overridden are {tags}")
                }
            };
        }
        match nearest(name, self.built_in.iter().map(|(known, _)| *known), MISSPELT) {
            Some(known) => format!("overrides nothing; is {known} meant?"),
            None => "overrides nothing, no template has this name".into(),
        }
    }
}

/// Names of files that differ in more letters than this are not misspelt ones.
const MISSPELT: usize = 4;

/// The name that differs in the fewest letters, and in at most `limit`.
fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>, limit: usize) -> Option<&'a str> {
    let distances = known.map(|known| (strsim::damerau_levenshtein(known, name), known));
    distances.min().filter(|(distance, _)| *distance <= limit).map(|(_, known)| known)
}

/// `locales/de.ftl` has the messages of German.
fn catalogue_name(name: &str) -> Option<Locale> {
    name.strip_prefix("locales/")?.strip_suffix(".ftl")?.parse().ok()
}

/// Browsers hash a style with LF instead of CRLF. Emails get their line ends when they are composed.
fn read(path: &Path, name: &str) -> Result<String, TemplateError> {
    let text = std::fs::read_to_string(path).map_err(|source| TemplateError::UnreadableFile {
        file: format!("TEMPLATE_FOLDER/{name}"),
        source,
    })?;
    Ok(text.trim_start_matches('\u{feff}').replace("\r\n", "\n"))
}

/// Every file below `folder`, sorted, without hidden ones (`.gitkeep`, swap files of editors).
pub(super) fn files_under(folder: &Path) -> Result<Vec<PathBuf>, TemplateError> {
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

pub(super) fn name_of(path: &Path, folder: &Path) -> String {
    let relative = path.strip_prefix(folder).unwrap_or(path);
    let parts: Vec<_> = relative.components().map(|part| part.as_os_str().to_string_lossy()).collect();
    parts.join("/")
}
