//! `docs/security.md` names tests: each exists.
#![expect(clippy::unwrap_used, reason = "in tests a panic is the verdict")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn page() -> String {
    fs::read_to_string(root().join("docs/security.md")).unwrap()
}

/// What stands between backticks and is a test: `file::name`.
fn named(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let quoted = text.split('`').skip(1).step_by(2);
    quoted.filter_map(|quoted| quoted.split_once("::")).filter(|(_, name)| name.is_ascii())
}

/// A path from the root, or a file of these tests by its name alone.
fn source(file: &str) -> PathBuf {
    let path = Path::new(file);
    let is_path = path.extension().is_some_and(|extension| extension == "rs");
    if is_path { root().join(file) } else { root().join("e2e/tests").join(path.with_extension("rs")) }
}

#[test]
fn every_test_that_the_page_names_is_there() {
    let page = page();
    let mut found = BTreeSet::new();
    for (file, name) in named(&page) {
        let text = fs::read_to_string(source(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        assert!(text.contains(&format!("fn {name}(")), "{file} has no test {name}");
        found.insert((file, name));
    }
    assert!(found.len() > 80, "only {} tests are named", found.len());
}

#[test]
fn every_line_of_its_tables_names_a_test() {
    let page = page();
    let is_row = |line: &&str| {
        line.starts_with('|') && !line.starts_with("|---") && !line.trim_end().ends_with("| shown by |")
    };
    let rows: Vec<&str> = page.lines().filter(is_row).collect();
    assert!(rows.len() > 100, "only {} lines", rows.len());
    for row in rows {
        assert!(named(row).next().is_some(), "{row}");
    }
}

/// Each test about abuse is named on the page.
#[test]
fn every_test_about_abuse_is_named() {
    let page = page();
    const ABOUT: [&str; 12] = [
        "limits/mailbox",
        "limits/login",
        "limits/client",
        "accounts/hashing",
        "mail/secrecy",
        "accounts/tokens",
        "pages/headers",
        "pages/input_fields",
        "limits/heavy_input",
        "limits/naughty_strings",
        "accounts/passwords",
        "accounts/takeover",
    ];
    for file in ABOUT {
        let text = fs::read_to_string(source(file)).unwrap();
        // Tests' names are sentences: five words and more.
        let functions = text.split("async fn ").skip(1).filter_map(|rest| rest.split('(').next());
        for name in functions.filter(|name| name.matches('_').count() >= 4) {
            assert!(page.contains(&format!("`{file}::{name}`")), "{file}::{name}");
        }
    }
}
