//! What is built in: one TLS library, no RSA, permissive licences only.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "in tests a panic is the verdict")]

use std::process::Command;

use serde_json::Value;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
const MANIFEST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml");

/// `rsa` has an open timing advisory (RUSTSEC-2023-0071); the other two are TLS libraries beside rustls with ring.
const UNWANTED: [&str; 4] = ["rsa", "openssl-sys", "aws-lc-sys", "native-tls"];

/// Licences that ask for no more than a notice.
const PERMISSIVE: [&str; 14] = [
    "0BSD",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
    "Apache-2.0 WITH LLVM-exception",
];

/// MPL-2.0, of the browser tests: nothing of it is in what we ship.
const ONLY_IN_TESTS: [&str; 1] = ["webdriver"];

fn packages() -> Vec<Value> {
    let mut cargo = Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".into()));
    cargo.args(["metadata", "--format-version", "1", "--locked", "--manifest-path", MANIFEST]);
    let output = cargo.output().expect("cargo metadata cannot be run");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    metadata["packages"].as_array().unwrap().clone()
}

/// An SPDX expression as far as crates use it: alternatives, of which one must be all permissive.
fn is_permissive(licence: &str) -> bool {
    let plain = licence.replace(['(', ')'], "").replace('/', " OR ");
    let allowed = |name: &str| PERMISSIVE.contains(&name.trim());
    plain.split(" OR ").any(|choice| choice.split(" AND ").all(allowed))
        || plain.split(" AND ").all(|part| part.split(" OR ").any(allowed))
}

#[test]
fn no_unwanted_crate_is_in_the_lock_file() {
    let packages = packages();
    let found: Vec<&str> = packages.iter().filter_map(|package| package["name"].as_str()).collect();
    assert!(found.len() > 100, "cargo metadata lists {} packages", found.len());
    let unwanted: Vec<_> = UNWANTED.iter().filter(|name| found.contains(name)).collect();
    assert!(unwanted.is_empty(), "{unwanted:?}");
}

#[test]
fn every_crate_has_a_permissive_licence() {
    let odd: Vec<String> = packages()
        .iter()
        .filter(|package| !ONLY_IN_TESTS.contains(&package["name"].as_str().unwrap_or_default()))
        .filter(|package| !is_permissive(package["license"].as_str().unwrap_or_default()))
        .map(|package| format!("{} {}", package["name"], package["license"]))
        .collect();
    assert!(odd.is_empty(), "{odd:#?}");
}

#[test]
fn the_licences_of_the_workspace_stand_at_its_top() {
    let ours = ["LICENSE-MIT", "LICENSE-APACHE"]
        .map(|name| std::fs::read_to_string(format!("{ROOT}/{name}")).unwrap());
    assert!(ours[0].starts_with("MIT License") && ours[1].contains("Version 2.0, January 2004"));
    let manifest = std::fs::read_to_string(MANIFEST).unwrap();
    assert!(manifest.contains("license = \"MIT OR Apache-2.0\""), "other texts are needed");
}
