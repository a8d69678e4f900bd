//! Reads variables by their row of the table, and collects the problems.
//!
//! The crate envy is not used: it stops at the first wrong value and quotes it, also if it is a secret.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};

use secrecy::SecretString;

use super::problem::{SettingProblem, shown};
use super::secret_file::NoSecret;
use super::table::{self, Setting, Unset};
use super::values::PublicUrl;
use super::{dotenv, names};

/// Files with secrets are short; a longer one is the wrong file (or has no end, like `/dev/zero`).
const LONGEST_SECRET_FILE: u64 = 64 * 1024;

/// What the secrets of `.env.example` hold, in lower case, and the same in base64: everybody can read them.
const OF_THE_EXAMPLE: [&str; 2] = ["change-me", "y2hhbmdllw1l"];

/// Secrets that sign nothing. They may hold the example's text, so that its users can leave it without logging anybody
/// out.
const PREVIOUS_SECRETS: [&Setting; 2] = [&table::JWT_PREVIOUS_SECRET, &table::LINK_PREVIOUS_SECRET];

/// The variables, and the problems found so far.
pub(super) struct Source {
    vars: HashMap<String, String>,
    problems: Vec<SettingProblem>,
    warnings: Vec<String>,
    no_secret: NoSecret,
}

impl Source {
    /// Names are read in any case, as pydantic-settings does. An empty variable is treated as not set. The first of two
    /// with the same name is used.
    pub(super) fn new(
        vars: impl IntoIterator<Item = (String, String)>,
        problems: Vec<SettingProblem>,
    ) -> Self {
        let mut first = HashMap::new();
        for (name, value) in vars {
            first.entry(names::known(&name).unwrap_or(name)).or_insert(value);
        }
        first.retain(|name, value| !value.trim().is_empty() && !is_service_link(name, value));
        let mut warnings: Vec<String> = first.keys().filter_map(|name| names::misspelt(name)).collect();
        warnings.sort_unstable();
        Self { vars: first, problems, warnings, no_secret: NoSecret::Make }
    }

    /// The environment and `.env` in the current folder. The environment wins.
    pub(super) fn of_this_process() -> Self {
        let mut problems = Vec::new();
        let mut variables = environment(&mut problems);
        let of_file = dotenv::read_file(&variables, &mut problems);
        // Of two names that differ in their case, the exact one of the environment and the last one of the file is used.
        variables.sort_by_key(|(name, _)| names::known(name).is_some_and(|known| known != *name));
        variables.extend(of_file.into_iter().rev());
        Self::new(variables, problems)
    }

    /// The same for a command, which makes no file.
    pub(super) fn without_secret(self, no_secret: NoSecret) -> Self {
        Self { no_secret, ..self }
    }

    /// What is done where embedded mode has no secret yet.
    pub(super) fn no_secret(&self) -> NoSecret {
        self.no_secret
    }

    pub(super) fn into_problems(self) -> Vec<SettingProblem> {
        self.problems
    }

    /// What the operator should know at every start, although the settings are valid.
    pub(super) fn into_warnings(self) -> Vec<String> {
        self.warnings
    }

    /// Adds a warning. It must contain no secret.
    pub(super) fn warn(&mut self, warning: impl Into<String>) {
        self.warnings.push(warning.into());
    }

    /// Warns of the first of these settings that is set although nothing uses it.
    pub(super) fn warn_of_unused(&mut self, settings: &[&Setting], reason: &str) {
        if let Some(unused) = settings.iter().find(|setting| self.is_set(setting)) {
            self.warn(format!("{} is not used, because {reason}", unused.name()));
        }
    }

    pub(super) fn has_problems(&self) -> bool {
        !self.problems.is_empty()
    }

    pub(super) fn is_set(&self, setting: &Setting) -> bool {
        self.vars.contains_key(setting.name())
            || setting.file_name().is_some_and(|name| self.vars.contains_key(&name))
    }

    /// Reports a setting that contradicts others, with the caller's texts.
    pub(super) fn refuse(&mut self, setting: &Setting, finding: &str, needed: impl Into<String>) {
        self.problems.push(SettingProblem::new(setting.name(), finding, needed));
    }

    /// Reports a setting that is required and not set.
    pub(super) fn require(&mut self, setting: &Setting, needed: &str) {
        if !self.is_set(setting) {
            self.refuse(setting, "is not set", needed);
        }
    }

    /// Reads a setting. `None` when it is not set and has no default, and when it is wrong (reported).
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

    /// The same with a default that depends on other settings.
    pub(super) fn optional_or<T>(
        &mut self,
        setting: &Setting,
        parse: impl FnOnce(&str) -> Result<T, String>,
        default: impl FnOnce() -> Option<T>,
    ) -> Option<T> {
        if self.is_set(setting) { self.optional(setting, parse) } else { default() }
    }

    /// Reads a secret from its variable or from the file that `…_FILE` names, as [`Source::optional`] does.
    pub(super) fn secret(
        &mut self,
        setting: &Setting,
        check: impl FnOnce(&str) -> Result<String, String>,
    ) -> Option<SecretString> {
        let text = self.secret_text(setting)?;
        match check(&text) {
            Ok(value) => self.is_own_secret(setting, &text).then(|| value.into()),
            Err(needed) => {
                self.refuse(setting, &shown(&text, true), needed);
                None
            }
        }
    }

    /// Whether `DOMAIN` is a name or address that other machines use. A wrong one is reported where it is read.
    pub(super) fn others_come(&self) -> bool {
        let domain = self.vars.get(table::DOMAIN.name());
        let url = domain.and_then(|text| PublicUrl::parse(text.trim()).ok());
        url.is_some_and(|url| !url.is_this_machine())
    }

    /// Refuses a secret of the example where others reach the service, and warns of it elsewhere.
    fn is_own_secret(&mut self, setting: &Setting, text: &str) -> bool {
        const FINDING: &str = "holds change-me, like the examples that everybody can read";
        const NEEDED: &str = "a secret of your own is needed (openssl rand -base64 48)";
        let text = text.to_ascii_lowercase();
        if !OF_THE_EXAMPLE.iter().any(|example| text.contains(example)) {
            return true;
        }
        if PREVIOUS_SECRETS.iter().any(|previous| previous.name() == setting.name()) {
            self.warn(format!("{} {FINDING}, and is accepted: take it out soon", setting.name()));
        } else if self.others_come() {
            self.refuse(setting, FINDING, NEEDED);
            return false;
        } else {
            self.warn(format!("{} {FINDING}: before others reach the service, {NEEDED}", setting.name()));
        }
        true
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
        match read_text(&path) {
            Ok(text) => Some(text),
            Err(needed) => {
                self.problems.push(SettingProblem::new(file_name, shown(&path, false), needed));
                None
            }
        }
    }
}

/// Kubernetes sets `REDIS_PORT=tcp://10.0.0.11:6379` beside a service named redis, and `MAIL_PORT` beside one named mail:
/// these are not settings of this service.
fn is_service_link(name: &str, value: &str) -> bool {
    name.ends_with("_PORT")
        && ["tcp://", "udp://", "sctp://"].iter().any(|scheme| value.trim().starts_with(scheme))
}

/// The variables of this process. `std::env::vars` would panic if any value is not UTF-8.
fn environment(problems: &mut Vec<SettingProblem>) -> Vec<(String, String)> {
    let mut vars = Vec::new();
    for (name, value) in std::env::vars_os() {
        let Ok(name) = name.into_string() else { continue };
        match value.into_string() {
            Ok(value) => vars.push((name, value)),
            Err(_) if names::known(&name).is_some() => {
                problems.push(SettingProblem::new(name, "is not UTF-8", "text in UTF-8 is needed"));
            }
            Err(_) => {}
        }
    }
    vars
}

/// The text of a short file. The error says what is needed, and holds nothing of the file.
pub(super) fn read_text(path: &str) -> Result<String, String> {
    let unreadable = |error: io::Error| format!("a file that can be read is needed ({error})");
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(LONGEST_SECRET_FILE + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > LONGEST_SECRET_FILE {
        return Err(format!("a file of at most {LONGEST_SECRET_FILE} bytes is needed"));
    }
    // The error of `from_utf8` contains the bytes, so it must not be shown.
    let text = String::from_utf8(bytes).map_err(|_| "a file with UTF-8 text is needed".to_owned())?;
    // Editors on Windows write a byte order mark, which is not part of the secret.
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text).trim_end_matches(['\r', '\n']);
    // A file of blanks counts as empty, like a variable of blanks.
    if text.trim().is_empty() { Err("a file that is not empty is needed".into()) } else { Ok(text.into()) }
}
