//! What is reported of a catalogue.

use super::super::tag::Locale;
use super::*;

fn messages(text: &str) -> Messages {
    Messages::parse(text.to_owned()).unwrap()
}

fn findings(own: &str, english: &str) -> Vec<String> {
    let compared = messages(own).compared_to(&messages(english));
    compared.iter().map(|finding| format!("{}: {finding}", finding.line())).collect()
}

#[test]
fn a_catalogue_that_differs_is_told_with_its_lines() {
    let english = "a = x\nb = { $x } of { $y }\nc = c\n";
    let own = "# a\nb = { $x } { $z } { $app_name }\n\nd = d\na = { $app_name }\na = 2\n";
    assert_eq!(
        findings(own, english),
        [
            "0: the message c is missing",
            "2: the message b does not use $y",
            "2: the message b uses $z, which it does not get",
            "4: no template uses the message d",
            "6: the message a stands twice",
        ]
    );
}

#[test]
fn a_variable_outside_braces_is_told() {
    let english = "a = { $x }\nb = { $n }\n";
    let own = "a = $x costs $5 or { $x } $\nb = { $n ->\n    [one] $n_1!\n   *[other] { $n }\n}\n";
    assert_eq!(
        findings(own, english),
        [
            "1: the message a has $x as text; for its value write { $x }",
            "2: the message b has $n_1 as text; for its value write { $n_1 }",
        ]
    );
}

#[test]
fn variables_are_found_in_every_place() {
    let english = "a = { $n } { $x }\n";
    let own = "a = { $n ->\n    [one] one { $x }\n   *[other] { NUMBER($n) }\n}\n";
    assert_eq!(findings(own, english), [""; 0]);
}

#[test]
fn every_built_in_catalogue_has_the_english_messages_and_variables() {
    let english = Messages::built_in(Locale::En);
    for (locale, source) in super::super::messages::BUILT_IN {
        let own = match Messages::parse(source.to_owned()) {
            Ok(own) => own,
            Err(problems) => panic!("templates/locales/{locale}.ftl: {problems:?}"),
        };
        let told: Vec<String> = own
            .compared_to(&english)
            .iter()
            .map(|finding| format!("templates/locales/{locale}.ftl, line {}: {finding}", finding.line()))
            .collect();
        assert!(told.is_empty(), "{told:#?}");
    }
}
