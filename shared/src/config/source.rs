//! Reads variables by their row of the table and collects what is wrong with them.
//!
//! Not by envy, which stops at the first wrong value and quotes it, secrets included.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};

use secrecy::SecretString;

use super::dotenv;
use super::problem::{Problem, shown};
use super::table::{SETTINGS, Setting, Unset};

/// Files with secrets are short; anything longer is the wrong file (or never ends, like `/dev/zero`).
const LONGEST_SECRET_FILE: u64 = 64 * 1024;

/// The variables, and the problems found so far.
pub(super) struct Source {
    vars: HashMap<String, String>,
    problems: Vec<Problem>,
    makes_files: bool,
}

impl Source {
    /// An empty variable counts as not set. Of two with the same name the first counts.
    pub(super) fn new(vars: impl IntoIterator<Item = (String, String)>, problems: Vec<Problem>) -> Self {
        let mut first = HashMap::new();
        for (name, value) in vars {
            first.entry(name).or_insert(value);
        }
        first.retain(|_, value| !value.trim().is_empty());
        Self { vars: first, problems, makes_files: true }
    }

    /// The environment, and for what is not set there `.env` in the current folder.
    pub(super) fn of_this_process() -> Self {
        let mut problems = Vec::new();
        let mut vars = environment(&mut problems);
        vars.extend(dotenv::read_file(&mut problems));
        Self::new(vars, problems)
    }

    /// For whoever only looks.
    pub(super) fn without_making_files(self) -> Self {
        Self { makes_files: false, ..self }
    }

    /// Whether what has to be kept may be written.
    pub(super) fn makes_files(&self) -> bool {
        self.makes_files
    }

    pub(super) fn into_problems(self) -> Vec<Problem> {
        self.problems
    }

    pub(super) fn has_problems(&self) -> bool {
        !self.problems.is_empty()
    }

    pub(super) fn is_set(&self, setting: &Setting) -> bool {
        self.vars.contains_key(setting.name())
            || setting.file_name().is_some_and(|name| self.vars.contains_key(&name))
    }

    /// Notes that a setting contradicts others, in the words of the caller.
    pub(super) fn refuse(&mut self, setting: &Setting, finding: &str, needed: impl Into<String>) {
        self.problems.push(Problem::new(setting.name(), finding, needed));
    }

    /// Notes that a setting is not set and must be.
    pub(super) fn require(&mut self, setting: &Setting, needed: &str) {
        if !self.is_set(setting) {
            self.refuse(setting, "is not set", needed);
        }
    }

    /// A setting without a default that may be left out: `None` when it is not set, and when it is wrong (noted).
    pub(super) fn optional<T>(
        &mut self,
        setting: &Setting,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let text = match (self.vars.get(setting.name()), setting.unset()) {
            (Some(text), _) => text.trim().to_owned(),
            (None, Unset::Default(text)) => text.to_owned(),
            (None, Unset::Means(_)) => return None,
        };
        match parse(&text) {
            Ok(value) => Some(value),
            Err(needed) => {
                self.refuse(setting, &shown(&text, setting.is_secret()), needed);
                None
            }
        }
    }

    /// A secret from its variable or from the file that `…_FILE` names, checked; as [`Source::optional`].
    pub(super) fn secret(
        &mut self,
        setting: &Setting,
        check: impl FnOnce(&str) -> Result<String, String>,
    ) -> Option<SecretString> {
        let text = self.secret_text(setting)?;
        match check(&text) {
            Ok(value) => Some(value.into()),
            Err(needed) => {
                self.refuse(setting, &shown(&text, true), needed);
                None
            }
        }
    }

    fn secret_text(&mut self, setting: &Setting) -> Option<String> {
        let file_name = setting.file_name().unwrap_or_default();
        let direct = self.vars.get(setting.name()).cloned();
        let Some(path) = self.vars.get(&file_name).cloned() else { return direct };
        if direct.is_some() {
            let needed = format!("set one of {} and {file_name}", setting.name());
            self.refuse(setting, "is set twice", needed);
            return None;
        }
        match read_secret(&path) {
            Ok(text) => Some(text),
            Err(needed) => {
                self.problems.push(Problem::new(file_name, shown(&path, false), needed));
                None
            }
        }
    }
}

/// `std::env::vars` would panic at a value that is not UTF-8, in whatever variable of the machine.
fn environment(problems: &mut Vec<Problem>) -> Vec<(String, String)> {
    let mut vars = Vec::new();
    for (name, value) in std::env::vars_os() {
        let Ok(name) = name.into_string() else { continue };
        match value.into_string() {
            Ok(value) => vars.push((name, value)),
            Err(_) if SETTINGS.iter().any(|setting| setting.is_read_from(&name)) => {
                problems.push(Problem::new(name, "is not UTF-8", "text in UTF-8 is needed"));
            }
            Err(_) => {}
        }
    }
    vars
}

fn read_secret(path: &str) -> Result<String, String> {
    let unreadable = |error: io::Error| format!("a file that can be read is needed ({error})");
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(LONGEST_SECRET_FILE + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > LONGEST_SECRET_FILE {
        return Err(format!("a file of at most {LONGEST_SECRET_FILE} bytes is needed"));
    }
    // The error of `from_utf8` holds the bytes: it must not be shown.
    let text = String::from_utf8(bytes).map_err(|_| "a file with UTF-8 text is needed".to_owned())?;
    let text = text.trim_end_matches(['\r', '\n']);
    if text.is_empty() { Err("a file that is not empty is needed".into()) } else { Ok(text.into()) }
}
