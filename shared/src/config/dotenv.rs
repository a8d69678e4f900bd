//! `.env` as python-dotenv reads it for pydantic-settings, so that the original's file works unchanged.
//!
//! The crate dotenvy follows the shell instead: it refuses `MAIL_PASSWORD=abcd efgh`, empties the `$d` in `pa$$w$d` and has
//! no `${NAME:-default}`. `shared/tests/dotenv` holds what python-dotenv itself answered to many files.

mod interpolate;
mod parse;

use std::{fs, io};

use super::problem::SettingProblem;

/// Reads `.env` in the current folder; a missing file is an empty one.
pub(super) fn read_file(
    environment: &[(String, String)],
    problems: &mut Vec<SettingProblem>,
) -> Vec<(String, String)> {
    match fs::read_to_string(".env") {
        Ok(text) => read(&text, environment, problems),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => {
            problems.push(SettingProblem::new(".env", "cannot be read", error.to_string()));
            Vec::new()
        }
    }
}

/// The variables of a file, each name once. `environment` is for `${NAME}`; the file's own variables win.
pub(super) fn read(
    text: &str,
    environment: &[(String, String)],
    problems: &mut Vec<SettingProblem>,
) -> Vec<(String, String)> {
    // Python reads files with universal newlines.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text).replace("\r\n", "\n").replace('\r', "\n");
    let mut variables: Vec<(String, Option<String>)> = Vec::new();
    for line in parse::lines(&text) {
        match line {
            Ok((name, value)) => {
                let value = value.map(|value| interpolate::resolve(&value, &variables, environment));
                match variables.iter_mut().find(|(known, _)| *known == name) {
                    Some(variable) => variable.1 = value,
                    None => variables.push((name, value)),
                }
            }
            Err(number) => problems.push(unreadable(number)),
        }
    }
    variables.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

/// Names the line by its number: the line itself may hold a secret.
fn unreadable(line: usize) -> SettingProblem {
    let needed = "NAME=value is needed, with both quotes where there is one";
    SettingProblem::new(".env", format!("has a line {line} that cannot be read"), needed)
}

#[cfg(test)]
mod tests;
