//! `.env.example` and the table of the README.

use super::*;

#[test]
fn the_example_names_every_setting_and_no_other() {
    let names: BTreeSet<_> =
        example().filter_map(|line| line.split_once('=')).map(|(name, _)| name).collect();
    assert_eq!(names, table::SETTINGS.iter().map(|setting| setting.name()).collect());
}

#[test]
fn the_example_shows_the_defaults() {
    for (name, value) in example().filter_map(|line| line.split_once('=')) {
        let setting = table::SETTINGS.iter().find(|setting| setting.name() == name).unwrap();
        if let table::Unset::Default(default) = setting.unset() {
            assert_eq!(value.to_lowercase(), default.to_lowercase(), "{name}");
        }
    }
}

#[test]
fn the_example_can_be_read_unchanged_and_with_everything_set() {
    let vars = dotenv::read(EXAMPLE, &[], &mut Vec::new());
    assert!(vars.is_empty());
    let is_here =
        |line: &&str| !["TEMPLATE_FOLDER", "SSL_CERT_FILE"].iter().any(|name| line.starts_with(name));
    let text = example().filter(is_here).collect::<Vec<_>>().join("\n");
    let settings = Settings::from_vars(dotenv::read(&text, &[], &mut Vec::new())).unwrap();
    assert_eq!(settings.way_to_run(), WayToRun::PostgresAndRedis);
}

/// Anybody could sign tokens with them.
#[test]
fn the_secrets_of_the_example_are_refused_where_others_reach_the_service_and_are_warnings_elsewhere() {
    let is_example =
        |(_, value): &(&str, &str)| ["change-me", "Y2hhbmdlLW1l"].iter().any(|text| value.contains(text));
    let is_previous = |(name, _): &(&str, &str)| name.contains("PREVIOUS");
    let mut secrets: Vec<_> = example().filter_map(|line| line.split_once('=')).filter(is_example).collect();
    assert!(secrets.len() > 10, "{secrets:?}");
    secrets.retain(|secret| !is_previous(secret));
    secrets.push(("JWT_SECRET", "Change-Me and so on, which is long enough"));
    for (name, value) in secrets {
        let found = problems(&[SERVER, &[(name, value), ("DOMAIN", "bookly.example.org")]]);
        assert_eq!(found.len(), 1, "{name}: {found:?}");
        assert!(found[0].starts_with(&format!("{name} holds change-me")), "{found:?}");
        assert!(found[0].contains("openssl rand -base64 48"), "{found:?}");
        let here = [(name, value), ("DOMAIN", "localhost:8000")];
        let warnings = read(&[SERVER, &here]).unwrap().warnings;
        let named = warnings.iter().any(|warning| warning.starts_with(&format!("{name} holds change-me")));
        assert!(named, "{name}: {warnings:?}");
    }
}

#[test]
fn a_previous_secret_of_the_example_is_a_warning_everywhere() {
    for name in ["JWT_PREVIOUS_SECRET", "LINK_PREVIOUS_SECRET"] {
        let settings = read(&[SERVER, &[(name, "change-me-change-me-change-me-change-me")]]).unwrap();
        assert!(settings.warnings.iter().any(|warning| warning.starts_with(name)), "{:?}", settings.warnings);
    }
}

#[test]
fn the_table_for_the_readme_has_a_row_for_every_setting() {
    let text = table::markdown();
    assert_eq!(text.lines().count(), table::SETTINGS.len() + 2);
    assert!(text.lines().all(|line| line.matches('|').count() == 4), "{text}");
    assert!(text.contains("| `MAIL_PORT` | `587` | The port of the SMTP server. |"));
}

const EXAMPLE: &str = include_str!("../../../../.env.example");

/// The example's assignments, without their `#`.
fn example() -> impl Iterator<Item = &'static str> {
    let assignments = |line: &'static str| line.strip_prefix('#').filter(|rest| !rest.starts_with(' '));
    EXAMPLE.lines().filter_map(assignments)
}
