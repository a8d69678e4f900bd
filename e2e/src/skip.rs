//! Tests that this machine does not allow: they say so, and `scripts/test` counts them as skipped, not as passed.

use std::fs::File;
use std::io::Write;

use anyhow::Context;

/// Names the file that `scripts/test` reads: one line for each skipped test.
pub const FILE_VARIABLE: &str = "E2E_SKIPPED";

/// Notes that a test did not run. The test ends after it with success, because the runner knows no third outcome.
///
/// # Errors
/// When the note cannot be written.
pub fn skip(test: &str, reason: &str) -> anyhow::Result<()> {
    let line = format!("{test}: {}\n", reason.replace('\n', " "));
    match std::env::var_os(FILE_VARIABLE) {
        // One write, so that the lines of tests that run side by side do not mix.
        Some(path) => File::options().append(true).create(true).open(path)?.write_all(line.as_bytes()),
        None => std::io::stderr().write_all(format!("SKIPPED {line}").as_bytes()),
    }
    .context("the note of a skipped test")
}
