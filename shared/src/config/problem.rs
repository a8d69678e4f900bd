//! Problems with the settings. Each names the variable, its value and what would be right.

use std::borrow::Cow;
use std::fmt;

/// Longer values are cut in messages.
const SHOWN_CHARS: usize = 60;

/// One wrong setting. The text contains no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingProblem {
    name: String,
    finding: String,
    needed: String,
}

impl SettingProblem {
    /// `finding` completes a sentence that begins with the name ("is not set"); `needed` says what would be right.
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

impl fmt::Display for SettingProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.name, self.finding, self.needed)
    }
}

/// All wrong settings.
#[derive(Debug, Clone, thiserror::Error)]
pub struct SettingsError {
    problems: Vec<SettingProblem>,
}

impl SettingsError {
    pub(super) fn new(problems: Vec<SettingProblem>) -> Self {
        Self { problems }
    }

    /// The problems, one by one.
    pub fn problems(&self) -> &[SettingProblem] {
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

/// The value of a variable as a message may show it.
pub(super) fn shown(value: &str, secret: bool) -> String {
    if secret {
        return format!("is {} bytes long", value.len());
    }
    let value = &*without_login(value);
    let mut start: String = value.chars().take(SHOWN_CHARS).collect();
    if start.len() < value.len() {
        start.push('…');
    }
    format!("is {start:?}")
}

/// People write `user:password@host` where a host or a URL without a login is needed: `…@host` is shown of it. A list of
/// several loses all before its last `@`.
fn without_login(value: &str) -> Cow<'_, str> {
    match value.rsplit_once('@') {
        Some((before, after)) if before.contains(':') => {
            let scheme = before.split_once("://").map(|(scheme, _)| scheme);
            let scheme = scheme.filter(|scheme| scheme.chars().all(|c| c.is_ascii_alphanumeric()));
            Cow::Owned(match scheme {
                Some(scheme) => format!("{scheme}://…@{after}"),
                None => format!("…@{after}"),
            })
        }
        _ => Cow::Borrowed(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_shown_without_a_login_and_a_secret_not_at_all() {
        for (value, expected) in [
            ("58x7", "is \"58x7\""),
            ("help@acme@example", "is \"help@acme@example\""),
            ("mailto:help@acme.test", "is \"…@acme.test\""),
            ("https://bookly:hunter2@host/x", "is \"https://…@host/x\""),
            ("bookly:hunt@er:2@host", "is \"…@host\""),
            ("a:b://hunter2@host", "is \"…@host\""),
        ] {
            assert_eq!(shown(value, false), expected);
        }
        assert_eq!(shown("0123456789ab", true), "is 12 bytes long");
    }
}
