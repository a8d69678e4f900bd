//! The measuring tool runs, from its first table to its last, on the binaries beside it.

use std::process::Command;

#[test]
fn every_work_runs_and_gives_figures() {
    let output = Command::new(env!("CARGO_BIN_EXE_bench")).arg("--smoke").output().unwrap();
    let (tables, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{errors}\n{tables}");
    for table in [
        "Sign-ups",
        "Sign-ups during outages",
        "Readers while",
        "Requests to reset",
        "Workers, fast mail server",
        "300 ms a mail",
        "Two mail servers",
        "An idle system",
        "Resets while welcome emails wait",
        "Long queues",
        "Memory",
        "All in one process",
    ] {
        assert!(tables.contains(table), "no {table}: {tables}");
    }
    assert!(!tables.contains("NaN") && !tables.contains("| inf"), "no figure: {tables}");
}
