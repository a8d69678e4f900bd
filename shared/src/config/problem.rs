//! What is wrong with the settings, in words that name the variable, what it holds and what would be right.

use std::fmt;

/// Longer values are cut in messages.
const SHOWN_CHARS: usize = 60;

/// One thing that is wrong. Its text holds no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    name: String,
    finding: String,
    needed: String,
}

impl Problem {
    /// `finding` continues the name ("is not set"); `needed` says what would be right.
    pub(super) fn new(
        name: impl Into<String>,
        finding: impl Into<String>,
        needed: impl Into<String>,
    ) -> Self {
        Self { name: name.into(), finding: finding.into(), needed: needed.into() }
    }

    /// The variable that has to change.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.name, self.finding, self.needed)
    }
}

/// Everything that is wrong with the settings, at once.
#[derive(Debug, Clone, thiserror::Error)]
pub struct SettingsError {
    problems: Vec<Problem>,
}

impl SettingsError {
    pub(super) fn new(problems: Vec<Problem>) -> Self {
        Self { problems }
    }

    /// The problems, one by one.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the settings are not right")?;
        for problem in &self.problems {
            write!(f, "\n  {problem}")?;
        }
        Ok(())
    }
}

/// What a variable holds, as a message may show it.
pub(super) fn shown(value: &str, secret: bool) -> String {
    if secret || may_hold_a_password(value) {
        return format!("is {} bytes long", value.len());
    }
    let mut start: String = value.chars().take(SHOWN_CHARS).collect();
    if start.len() < value.len() {
        start.push('…');
    }
    format!("is {start:?}")
}

/// `user:password@host` ends up in settings that want a host or a URL without it.
fn may_hold_a_password(value: &str) -> bool {
    value.rsplit_once('@').is_some_and(|(before, _)| before.contains(':'))
}
