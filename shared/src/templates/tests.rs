//! Tests of the template loader.

use super::folder::{files_under, name_of};
use super::*;
use crate::locale::{CatalogueFinding, Messages};
use minijinja::Value;
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
    let all = load(Some(folder.path())).unwrap();
    let env = all.of(Locale::En);
    assert_eq!(env.get_template("mail/welcome/subject.txt").unwrap().render(()).unwrap(), "Ahoy");
    let other = env.get_template("mail/verify_email/subject.txt").unwrap();
    assert_eq!(other.render(()).unwrap(), "Verify your email");
}

#[test]
fn a_file_that_replaces_no_template_is_no_error() {
    let folder = folder_with("mail/welcome/body.htm", "{% never closed");
    assert!(load(Some(folder.path())).is_ok());
}

#[test]
fn a_broken_file_is_named_with_its_line() {
    let folder = folder_with("mail/verify_email/body.html", "<p>\n\n{{ link }\n");
    let said = load(Some(folder.path())).unwrap_err().to_string();
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
    let unused =
        "TEMPLATE_FOLDER/mail/welcome/subjekt.txt: overrides nothing; is mail/welcome/subject.txt meant?";
    assert_eq!(found.warnings, [unused]);
    let built_in = found.templates.of(Locale::En).get_template("mail/welcome/body.txt").unwrap();
    assert!(built_in.source().contains("welcome-lead"), "a broken file replaces nothing");
}

#[test]
fn a_missing_folder_is_named() {
    let said = load(Some(Path::new("/no/such/folder"))).unwrap_err().to_string();
    assert!(said.starts_with("TEMPLATE_FOLDER: cannot read /no/such/folder"), "{said}");
}

#[test]
fn html_is_escaped_but_text_and_urls_are_not() {
    let folder = folder_with("mail/welcome/body.html", "{{ a }} {{ b }}");
    fs::write(folder.path().join("mail/welcome/body.txt"), "{{ a }} {{ b }}").unwrap();
    let all = load(Some(folder.path())).unwrap();
    let env = all.of(Locale::En);
    let values = minijinja::context! { a => "<b>'\"&", b => "https://a.example/x?y" };
    let render = |name| env.get_template(name).unwrap().render(&values).unwrap();
    assert_eq!(render("mail/welcome/body.html"), "&lt;b&gt;&#x27;&quot;&amp; https://a.example/x?y");
    assert_eq!(render("mail/welcome/body.txt"), "<b>'\"& https://a.example/x?y");
}

#[test]
fn an_unknown_variable_is_an_error_even_in_a_condition() {
    let folder = folder_with("mail/welcome/body.txt", "{% if nmae %}x{% endif %}");
    let all = load(Some(folder.path())).unwrap();
    let env = all.of(Locale::En);
    assert!(env.get_template("mail/welcome/body.txt").unwrap().render(()).is_err());
}

#[test]
fn a_time_names_its_zone() {
    let time = DateTime::parse_from_rfc3339("2026-11-03T15:04:59Z").unwrap().to_utc();
    assert_eq!(date_and_time(time), "3 November 2026, 15:04 UTC");
}

/// The German text of a template with a catalogue of its own.
fn german(template: &str, catalogue: &str, values: Value) -> Result<String, String> {
    let folder = folder_with("mail/welcome/body.html", template);
    fs::create_dir_all(folder.path().join("locales")).unwrap();
    fs::write(folder.path().join("locales/de.ftl"), catalogue).unwrap();
    let all = load(Some(folder.path())).map_err(|error| error.to_string())?;
    let html = all.of(Locale::De).get_template("mail/welcome/body.html").unwrap();
    html.render(values).map_err(|error| error.to_string())
}

#[test]
fn a_message_is_html_in_which_only_markup_of_templates_stays_as_it_is() {
    let template = "{% macro strong(x) %}<b>{{ x }}</b>{% endmacro %}{{ t('ours', x=x, y=strong(x)) }}";
    let values = minijinja::context! { x => "<i>'1'/" };
    let html = german(template, "ours = 1 < { $x } & { $y }\n", values).unwrap();
    assert_eq!(html, "1 &lt; &lt;i&gt;&#x27;1&#x27;/ &amp; <b>&lt;i&gt;&#x27;1&#x27;/</b>");
}

#[test]
fn plurals_dates_and_durations_follow_the_language() {
    let ours = "ours = { $n ->\n    [one] { $n } Buch\n   *[other] { $n } Bücher\n}\n";
    let template = "{{ t('ours', n=1) }}, {{ t('ours', n=2) }}, {{ lang }} {{ dir }} {{ start }} {{ end }}";
    assert_eq!(
        german(template, ours, minijinja::context! {}).unwrap(),
        "1 Buch, 2 Bücher, de ltr left right"
    );
    let own = "moment = { $date }, { $time } Uhr\nduration-hours = { $count } Std.\n";
    let values = minijinja::context! { a => 1_795_446_240, b => 7200 };
    let html = german("{{ a|moment }}; {{ b|duration }}", own, values).unwrap();
    assert_eq!(html, "23. November 2026, 15:04 Uhr; 2 Std.");
}

#[test]
fn a_message_or_variable_that_does_not_exist_is_an_error() {
    for (template, catalogue, said) in [
        ("{{ t('ours') }}", "", "there is no message"),
        ("{{ t('ours', x=nobody) }}", "ours = { $x }\n", "has no value for $x"),
        ("{{ t('ours') }}", "ours = { $x }\n", "$x"),
        ("", "ours = { $x\n", "TEMPLATE_FOLDER/locales/de.ftl, line 1: "),
        (
            "",
            "\ngreeting = Hallo { $x },\n",
            "TEMPLATE_FOLDER/locales/de.ftl, line 2: the message greeting uses $x",
        ),
    ] {
        let error = german(template, catalogue, minijinja::context! {}).unwrap_err();
        assert!(error.contains(said), "{error}");
    }
}

#[test]
fn a_catalogue_with_doubtful_messages_is_a_warning() {
    let folder = folder_with("locales/pt-BR.ftl", "ours = x\ngreeting-name = Oi,\n");
    fs::write(folder.path().join("locales/sv.ftl"), "greeting = Hej,\n").unwrap();
    let found = inspect(Some(folder.path())).unwrap();
    assert!(found.problems.is_empty(), "{:?}", found.problems);
    assert_eq!(found.overridden, ["locales/pt-BR.ftl"]);
    assert_eq!(
        found.warnings,
        [
            "TEMPLATE_FOLDER/locales/pt-BR.ftl, line 2: the message greeting-name does not use $first_name",
            "TEMPLATE_FOLDER/locales/sv.ftl: overrides nothing; the languages whose messages can be overridden are \
             en, de, fr, es, it, pt-BR, nl, pl, uk, tr, ja, zh-Hans, ar",
            "TEMPLATE_FOLDER/locales/pt-BR.ftl, line 1: no template uses the message ours",
        ]
    );
    let found = inspect(Some(folder_with("locales/de-AT.ftl", "greeting = Servus,\n").path())).unwrap();
    assert!(found.warnings[0].ends_with("is locales/de.ftl meant?"), "{:?}", found.warnings);
}

#[test]
fn a_message_is_used_by_templates_of_the_folder_and_by_other_messages() {
    let folder = folder_with("mail/welcome/body.txt", "{{ t('ours') }} {{ t(\"theirs\", x=1) }}");
    fs::create_dir(folder.path().join("locales")).unwrap();
    let messages = "ours = { part }\npart = x\ntheirs = { $x }\nverify-email-sujbect = x\nnobodys = x\n";
    fs::write(folder.path().join("locales/de.ftl"), messages).unwrap();
    let found = inspect(Some(folder.path())).unwrap();
    assert_eq!(
        found.warnings,
        [
            "TEMPLATE_FOLDER/locales/de.ftl, line 5: no template uses the message nobodys",
            "TEMPLATE_FOLDER/locales/de.ftl, line 4: no template uses the message verify-email-sujbect; \
             is verify-email-subject meant?",
        ]
    );
}

#[test]
fn two_files_for_one_language_are_a_fault() {
    let folder = folder_with("locales/DE.ftl", "greeting = Hallo,\n");
    fs::write(folder.path().join("locales/de.ftl"), "greeting = Guten Tag,\n").unwrap();
    let said = load(Some(folder.path())).unwrap_err().to_string();
    let begin = "TEMPLATE_FOLDER/locales/de.ftl: TEMPLATE_FOLDER/locales/DE.ftl has the messages of the same language";
    assert!(said.starts_with(begin), "{said}");
}

#[test]
fn every_message_names_a_file_in_the_same_way() {
    let folder = folder_with("locales/de.ftl", "greeting = { $x }\nours = x\n");
    let found = inspect(Some(folder.path())).unwrap();
    assert!(found.problems[0].to_string().starts_with("TEMPLATE_FOLDER/locales/de.ftl, line 1: "));
    assert!(
        found.warnings[0].starts_with("TEMPLATE_FOLDER/locales/de.ftl, line 2: "),
        "{:?}",
        found.warnings
    );
    fs::write(folder.path().join("locales/de.ftl"), b"\xff").unwrap();
    let said = inspect(Some(folder.path())).unwrap().problems[0].to_string();
    assert!(said.starts_with("TEMPLATE_FOLDER/locales/de.ftl: cannot be read: "), "{said}");
}

#[test]
fn a_folder_that_changes_nothing_is_a_warning() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../templates");
    let warnings = |folder: &Path| inspect(Some(folder)).unwrap().warnings;
    let found = warnings(&root);
    assert!(found.len() == 1 && found[0].starts_with("TEMPLATE_FOLDER changes nothing"), "{found:?}");
    let text = fs::read_to_string(root.join("locales/de.ftl")).unwrap();
    assert_eq!(warnings(folder_with("locales/de.ftl", &text).path()), found);
    let other = text.replacen(" = ", " = x ", 1);
    assert!(warnings(folder_with("locales/de.ftl", &other).path()).is_empty());
    assert!(warnings(folder_with("mail/welcome/subject.txt", "Ahoy").path()).is_empty());
    assert!(warnings(tempfile::tempdir().unwrap().path()).is_empty());
}

#[test]
fn a_text_is_wrapped_at_its_spaces() {
    let folder = folder_with("mail/welcome/body.txt", "{{ x|wrap }}");
    let all = load(Some(folder.path())).unwrap();
    let text = all.of(Locale::De).get_template("mail/welcome/body.txt").unwrap();
    let wrapped = text.render(minijinja::context! { x => "word ".repeat(40) }).unwrap();
    assert_eq!(wrapped.lines().map(str::len).collect::<Vec<_>>(), [74, 74, 49]);
    assert_eq!(wrapped.split_whitespace().count(), 40);
    let japanese = format!("{} zoe@example.org {}", "ア".repeat(60), "イ".repeat(60));
    let unbroken = text.render(minijinja::context! { x => japanese.as_str() }).unwrap();
    assert_eq!(unbroken, japanese, "no line ends at a space only because an address has one beside it");
}

/// What code names: formats, and texts by the code of an error or problem.
const NAMED_BY_CODE: [&str; 8] =
    ["moment", "duration-", "error-", "field-", "address-", "code-", "password-", "passwords-"];

#[test]
fn every_message_is_used_and_every_message_of_a_template_exists() {
    let nothing = Messages::parse(String::new()).unwrap();
    let findings = Messages::built_in(Locale::En).compared_to(&nothing);
    let ids: Vec<String> = findings
        .into_iter()
        .filter_map(|finding| match finding {
            CatalogueFinding::ExtraMessage { id, .. } => Some(id),
            _ => None,
        })
        .collect();
    let all: String = BUILT_IN.iter().map(|(_, text)| *text).collect();
    for id in &ids {
        let is_named = NAMED_BY_CODE.iter().any(|prefix| id.starts_with(prefix));
        assert!(is_named || all.contains(&format!("t(\"{id}\"")), "no template uses {id}");
    }
    for used in all.split(" t(\"").skip(1).filter_map(|rest| rest.split('"').next()) {
        assert!(ids.iter().any(|id| id == used) || used == "name", "there is no message {used}");
    }
}
