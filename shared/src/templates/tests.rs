//! Tests of the template loader.

use super::*;
use std::fs;

/// A `TEMPLATE_FOLDER` with one file in it.
fn folder_with(name: &str, text: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
    folder
}

#[test]
fn every_file_under_templates_is_compiled_in() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../templates");
    let files = files_under(&root).unwrap();
    let names = files.iter().map(|path| name_of(path, &root));
    let on_disk: Vec<String> = names.filter(|name| !name.starts_with("locales/")).collect();
    let mut compiled_in: Vec<&str> = BUILT_IN.iter().map(|(name, _)| *name).collect();
    compiled_in.sort_unstable();
    assert_eq!(on_disk, compiled_in);
}

#[test]
fn a_file_in_the_folder_replaces_one_template() {
    let folder = folder_with("mail/welcome/subject.txt", "\u{feff}Ahoy\r\n");
    let env = environment(Some(folder.path())).unwrap();
    assert_eq!(env.get_template("mail/welcome/subject.txt").unwrap().render(()).unwrap(), "Ahoy");
    let other = env.get_template("mail/verify_email/subject.txt").unwrap();
    assert_eq!(other.render(()).unwrap(), "Verify your email");
}

#[test]
fn a_file_that_replaces_no_template_is_no_error() {
    let folder = folder_with("mail/welcome/body.htm", "{% never closed");
    assert!(environment(Some(folder.path())).is_ok());
}

#[test]
fn a_broken_file_is_named_with_its_line() {
    let folder = folder_with("mail/verify_email/body.html", "<p>\n\n{{ link }\n");
    let said = environment(Some(folder.path())).unwrap_err().to_string();
    assert!(said.starts_with("TEMPLATE_FOLDER/mail/verify_email/body.html, line 3: unexpected"), "{said}");
}

#[test]
fn all_errors_of_a_folder_are_found() {
    let folder = folder_with("mail/welcome/body.txt", "{{ link }\n");
    fs::write(folder.path().join("mail/welcome/body.html"), "{% if %}").unwrap();
    fs::write(folder.path().join("mail/welcome/subject.txt"), "Ahoy").unwrap();
    fs::write(folder.path().join("mail/welcome/subjekt.txt"), "Ahoy").unwrap();
    let found = inspect(Some(folder.path())).unwrap();
    assert_eq!(found.problems.len(), 2, "{:?}", found.problems);
    assert_eq!(found.overridden, ["mail/welcome/subject.txt"]);
    assert_eq!(found.unused, ["mail/welcome/subjekt.txt"]);
    let built_in = found.env.get_template("mail/welcome/body.txt").unwrap();
    assert!(built_in.source().contains("Welcome"), "a broken file replaces nothing");
}

#[test]
fn a_missing_folder_is_named() {
    let said = environment(Some(Path::new("/no/such/folder"))).unwrap_err().to_string();
    assert!(said.starts_with("TEMPLATE_FOLDER: cannot read /no/such/folder"), "{said}");
}

#[test]
fn html_is_escaped_but_text_and_urls_are_not() {
    let folder = folder_with("mail/welcome/body.html", "{{ a }} {{ b }}");
    fs::write(folder.path().join("mail/welcome/body.txt"), "{{ a }} {{ b }}").unwrap();
    let env = environment(Some(folder.path())).unwrap();
    let values = minijinja::context! { a => "<b>'\"&", b => "https://a.example/x?y" };
    let render = |name| env.get_template(name).unwrap().render(&values).unwrap();
    assert_eq!(render("mail/welcome/body.html"), "&lt;b&gt;&#x27;&quot;&amp; https://a.example/x?y");
    assert_eq!(render("mail/welcome/body.txt"), "<b>'\"& https://a.example/x?y");
}

#[test]
fn an_unknown_variable_is_an_error_even_in_a_condition() {
    let folder = folder_with("mail/welcome/body.txt", "{% if nmae %}x{% endif %}");
    let env = environment(Some(folder.path())).unwrap();
    assert!(env.get_template("mail/welcome/body.txt").unwrap().render(()).is_err());
}

#[test]
fn a_time_names_its_zone() {
    let time = DateTime::parse_from_rfc3339("2026-11-03T15:04:59Z").unwrap().to_utc();
    assert_eq!(date_and_time(time), "3 November 2026, 15:04 UTC");
}
