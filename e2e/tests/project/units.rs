//! The systemd units of `docs/systemd` are what systemd and the service understand.

use std::fs;
use std::process::Command;

use bookly_shared::config::table::SETTINGS;

const UNITS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/systemd");
/// With the name that an instance has.
const FILES: [(&str, &str); 2] =
    [("bookly-api.service", "bookly-api.service"), ("bookly-worker@.service", "bookly-worker@1.service")];

#[test]
fn systemd_finds_no_fault_with_the_units() {
    for (file, name) in FILES {
        let unit = fs::read_to_string(format!("{UNITS}/{file}")).unwrap();
        // It asks for the binary, which is not installed here.
        let lines = unit.lines().map(|line| match line.split_once('=') {
            Some(("ExecStart", _)) => "ExecStart=/bin/true",
            _ => line,
        });
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        fs::write(&path, lines.map(|line| format!("{line}\n")).collect::<String>()).unwrap();
        let verified = Command::new("systemd-analyze").arg("verify").arg(&path).output();
        let verified = verified.expect("systemd-analyze cannot be run: install systemd");
        let complaints = String::from_utf8_lossy(&verified.stderr).into_owned();
        let about_ours: Vec<_> = complaints.lines().filter(|line| line.contains("bookly")).collect();
        assert!(verified.status.success() && about_ours.is_empty(), "{complaints}");
    }
}

#[test]
fn each_variable_of_the_units_is_a_setting_and_each_credential_is_used() {
    for (file, _) in FILES {
        let unit = fs::read_to_string(format!("{UNITS}/{file}")).unwrap();
        let values = |key: &str| {
            let lines =
                unit.lines().filter_map(|line| line.split_once('=')).filter(|(found, _)| *found == key);
            lines.map(|(_, value)| value.to_owned()).collect::<Vec<_>>()
        };
        let variables: Vec<_> = values("Environment").iter().flat_map(|line| pairs(line)).collect();
        for (name, _) in &variables {
            assert!(SETTINGS.iter().any(|setting| setting.is_read_from(name)), "{file}: {name}");
        }
        let mut given: Vec<_> = values("LoadCredential")
            .iter()
            .filter_map(|value| Some(value.split_once(':')?.0.to_owned()))
            .collect();
        let mut used: Vec<_> =
            variables.iter().filter_map(|(_, value)| value.strip_prefix("%d/").map(str::to_owned)).collect();
        given.sort();
        used.sort();
        assert_eq!(given, used, "{file}");
    }
}

fn pairs(line: &str) -> Vec<(String, String)> {
    let pairs = line.split_whitespace().filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}
