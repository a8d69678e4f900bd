//! `.env` as python-dotenv reads it, so that the original's file works as it is.
//!
//! dotenvy follows the shell: it refuses `MAIL_PASSWORD=abcd efgh` and empties the `$d` in `pa$$w$d`. Values are
//! quoted for it first; interpolation of `${NAME}` stays.

use std::{fs, io};

use super::problem::SettingProblem;

/// Reads `.env` in the current folder; a missing file is an empty one.
pub(super) fn read_file(problems: &mut Vec<SettingProblem>) -> Vec<(String, String)> {
    match fs::read_to_string(".env") {
        Ok(text) => parse(&text, problems),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => {
            problems.push(SettingProblem::new(".env", "cannot be read", error.to_string()));
            Vec::new()
        }
    }
}

pub(super) fn parse(text: &str, problems: &mut Vec<SettingProblem>) -> Vec<(String, String)> {
    let text = quoted(text.trim_start_matches('\u{feff}'));
    let mut vars: Vec<(String, String)> = Vec::new();
    for item in dotenvy::from_read_iter(text.as_bytes()) {
        match item {
            Ok(var) => vars.push(var),
            // dotenvy's error quotes the line, which may hold a secret.
            Err(_) => problems.push(unreadable_line(vars.last().map(|(name, _)| name.as_str()))),
        }
    }
    // Of two lines with the same name python-dotenv lets the last count.
    vars.reverse();
    vars
}

fn unreadable_line(after: Option<&str>) -> SettingProblem {
    let place = after.map_or("at the beginning".to_owned(), |name| format!("after {name}"));
    let needed = "NAME=value is needed, with both quotes where there is one";
    SettingProblem::new(".env", format!("has a line {place} that cannot be read"), needed)
}

fn quoted(text: &str) -> String {
    let mut output = String::new();
    let mut open = None;
    for line in text.lines() {
        match (open, line.split_once('=')) {
            // Inside a quoted value of several lines, and what is no assignment.
            (Some(quote), _) => {
                output.push_str(line);
                if line.contains(quote) {
                    open = None;
                }
            }
            (None, Some((name, value))) if !line.trim_start().starts_with('#') => {
                output.push_str(name);
                output.push('=');
                open = quote_value(value, &mut output);
            }
            (None, _) => output.push_str(line),
        }
        output.push('\n');
    }
    output
}

/// Returns the quote that the line leaves open.
fn quote_value(value: &str, output: &mut String) -> Option<char> {
    let trimmed = value.trim();
    match trimmed.chars().next() {
        Some('\'') => output.push_str(trimmed),
        Some('"') => escape(trimmed, "\\\"'n$", output),
        _ => {
            output.push('"');
            escape(&without_comment(value).replace('\\', "\\\\").replace('"', "\\\""), "\\\"", output);
            output.push('"');
        }
    }
    let quote = trimmed.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    (trimmed.matches(quote).count() == 1).then_some(quote)
}

/// Doubles backslashes that escape nothing, and escapes every `$` that does not begin `${`.
fn escape(text: &str, escapable: &str, output: &mut String) {
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, chars.peek().copied()) {
            ('\\', Some(next)) if escapable.contains(next) => {
                output.extend(['\\', next]);
                chars.next();
            }
            ('\\', _) => output.push_str("\\\\"),
            ('$', next) if next != Some('{') => output.push_str("\\$"),
            _ => output.push(c),
        }
    }
}

/// A comment begins with a `#` after white space.
fn without_comment(value: &str) -> &str {
    let comment = value.match_indices('#').find(|(at, _)| value[..*at].ends_with([' ', '\t']));
    comment.map_or(value, |(at, _)| &value[..at]).trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(line: &str) -> String {
        let mut problems = Vec::new();
        let vars = parse(line, &mut problems);
        assert!(problems.is_empty(), "{line}: {problems:?}");
        vars[0].1.clone()
    }

    #[test]
    fn values_are_what_python_dotenv_reads() {
        for (line, expected) in [
            ("A=plain", "plain"),
            ("A = spaced ", "spaced"),
            ("export A=exported", "exported"),
            ("A=abcd efgh ijkl", "abcd efgh ijkl"),
            ("A=pa$$w$d", "pa$$w$d"),
            ("A=\"pa$$w$d\"", "pa$$w$d"),
            ("A='pa$$w\\$d'", "pa$$w\\$d"),
            ("A=back\\slash\\n", "back\\slash\\n"),
            ("A=\"back\\slash\"", "back\\slash"),
            ("A=it's \"so\"", "it's \"so\""),
            ("A=\"two\\nlines\"", "two\nlines"),
            ("A=\"two\nlines = a\"", "two\nlines = a"),
            ("A=kept#this", "kept#this"),
            ("A=#this", "#this"),
            ("A=cut # this", "cut"),
            ("A= # this", ""),
            ("A=\"quoted\" # this", "quoted"),
            ("A=", ""),
            ("\u{feff}A=after a byte order mark", "after a byte order mark"),
        ] {
            assert_eq!(value(line), expected, "{line}");
        }
    }

    #[test]
    fn names_in_braces_are_replaced() {
        let vars = parse("HOST_X=h\nB=postgres://${HOST_X}/d", &mut Vec::new());
        assert_eq!(vars[0], ("B".into(), "postgres://h/d".into()));
    }

    #[test]
    fn the_last_of_two_lines_counts() {
        let vars = parse("A=1\nA=2", &mut Vec::new());
        assert_eq!(vars[0].1, "2");
    }

    #[test]
    fn a_line_that_cannot_be_read_is_reported_without_its_text() {
        let mut problems = Vec::new();
        parse("A=1\nMAIL_PASSWORD \"s3cret\nB=2", &mut problems);
        let text = problems[0].to_string();
        assert!(text.contains("after A"), "{text}");
        assert!(!text.contains("s3cret"), "{text}");
    }
}
