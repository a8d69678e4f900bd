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
