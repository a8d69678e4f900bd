//! Tests of `.env` files.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::*;

/// What python-dotenv reads, by `make_dotenv.py` beside the file.
const PYTHON: &str = include_str!("../../../../e2e/data/dotenv.json");

#[derive(Deserialize)]
struct PythonDotenv {
    environment: BTreeMap<String, String>,
    files: Vec<PythonFile>,
}

#[derive(Deserialize)]
struct PythonFile {
    text: String,
    values: BTreeMap<String, String>,
    errors: usize,
}

#[test]
fn every_file_has_the_values_that_python_dotenv_reads() {
    let python: PythonDotenv = serde_json::from_str(PYTHON).unwrap();
    let environment: Vec<_> = python.environment.into_iter().collect();
    assert!(python.files.len() > 500);
    for file in python.files {
        let mut problems = Vec::new();
        let values: BTreeMap<_, _> = read(&file.text, &environment, &mut problems).into_iter().collect();
        assert_eq!(values, file.values, "{:?}", file.text);
        assert_eq!(problems.len(), file.errors, "{:?}: {problems:?}", file.text);
    }
}

fn value(line: &str) -> String {
    let mut problems = Vec::new();
    let variables = read(line, &[], &mut problems);
    assert!(problems.is_empty(), "{line}: {problems:?}");
    variables[0].1.clone()
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
        ("A=${NOT_SET:-default}", "default"),
        ("\u{feff}A=after a byte order mark", "after a byte order mark"),
    ] {
        assert_eq!(value(line), expected, "{line}");
    }
}

#[test]
fn names_in_braces_are_replaced() {
    let variables = read("HOST_X=h\nB=postgres://${HOST_X}/d", &[], &mut Vec::new());
    assert!(variables.contains(&("B".into(), "postgres://h/d".into())), "{variables:?}");
}

#[test]
fn the_last_of_two_lines_counts() {
    let variables = read("A=1\nA=2", &[], &mut Vec::new());
    assert_eq!(variables, [("A".into(), "2".into())]);
}

#[test]
fn a_line_that_cannot_be_read_is_reported_by_its_number_without_its_text() {
    let mut problems = Vec::new();
    let variables = read("A=1\n\nMAIL_PASSWORD \"s3cret\nB=2", &[], &mut problems);
    let text = problems[0].to_string();
    assert!(text.contains("line 3") && !text.contains("s3cret"), "{text}");
    assert_eq!(variables.len(), 2, "the other lines are read");
}
