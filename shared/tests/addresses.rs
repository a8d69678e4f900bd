//! The policy for addresses against the corpus of isemail (version 3.05, Dominic Sayers, BSD licence:
//! `e2e/data/isemail/`), every address of it accepted or refused with the reason. `here` is the result here;
//! the rest of a row is isemail's own, with control characters written out instead of as U+2400 and on.

#![allow(clippy::unwrap_used, reason = "clippy takes the helpers of an integration test for library code")]

use std::collections::BTreeMap;

use bookly_shared::domain::EmailAddress;
use proptest::prelude::*;
use serde::Deserialize;

#[derive(Deserialize)]
struct Row {
    id: u32,
    address: String,
    category: String,
    diagnosis: String,
    here: String,
}

fn corpus() -> Vec<Row> {
    serde_json::from_str(include_str!("../../e2e/data/isemail/addresses.json")).unwrap()
}

/// "accepted", or the reason's name.
fn verdict(address: &str) -> String {
    match EmailAddress::parse(address) {
        Ok(_) => "accepted".to_owned(),
        Err(reason) => format!("{reason:?}"),
    }
}

#[test]
fn every_address_of_isemails_corpus_is_accepted_or_refused_with_the_reason() {
    let corpus = corpus();
    assert_eq!(corpus.len(), 164);
    for Row { id, address, category, diagnosis, here } in corpus {
        assert_eq!(verdict(&address), here, "#{id} {address:?} {category} {diagnosis}");
    }
}

/// By isemail's categories: what is valid is accepted, but for a domain without a dot; of the rest nothing is, but
/// domains for which it found no record in the DNS, and two good addresses with blanks around them.
#[test]
fn the_policy_takes_what_is_valid_in_common_use_and_nothing_that_is_wrong() {
    let mut accepted: BTreeMap<String, Vec<u32>> = BTreeMap::new();
    let mut refused_though_valid = Vec::new();
    for row in corpus() {
        if row.here == "accepted" {
            accepted.entry(row.category).or_default().push(row.id);
        } else if row.category == "VALID_CATEGORY" {
            refused_though_valid.push((row.id, row.here));
        }
    }
    let categories: Vec<&str> = accepted.keys().map(String::as_str).collect();
    assert_eq!(categories, ["CFWS", "DNSWARN", "VALID_CATEGORY"]);
    assert_eq!(accepted["CFWS"], [157, 158]);
    assert_eq!(refused_though_valid, [(5, "NoDot".to_owned())]);
}

/// Texts like addresses: their letters and marks, what must not be in them, whole labels.
fn like_an_address() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        6 => "[a-zA-Z0-9.+_-]{1,12}",
        3 => Just("@".to_owned()),
        3 => Just(".".to_owned()),
        2 => "\\PC{1,3}",
        1 => any::<char>().prop_map(String::from),
        1 => prop::sample::select(vec![
            " ", "\r\n", "\0", "\t", "\"", "(c)", "<", ">", "[", "]", "\\", "xn--", "xn--bcher-kva", "bücher", "例え",
            "\u{202e}", "\u{200d}", "\u{ad}", "。", "ẞ", "İ", "127.0.0.1", "[IPv6:::1]", "example.org",
        ])
        .prop_map(str::to_owned),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    /// Every accepted address can be mailed, has no invisible characters, and its canonical form is accepted, with the
    /// same canonical form.
    #[test]
    fn what_is_accepted_is_one_plain_address_and_its_canonical_form_is_final(
        text in prop_oneof![like_an_address(), "\\PC{0,40}", any::<String>()]
    ) {
        if let Ok(email) = EmailAddress::parse(&text) {
            let mailed = email.as_str();
            prop_assert!(mailed.is_ascii() && mailed.bytes().all(|byte| byte.is_ascii_graphic()), "{mailed:?}");
            prop_assert!(mailed.len() <= 254 && mailed.matches('@').count() == 1);
            let read: Option<lettre::Address> = mailed.parse().ok();
            prop_assert_eq!(read.as_ref().map(AsRef::as_ref), Some(mailed));
            let again = EmailAddress::parse(email.canonical()).ok();
            prop_assert_eq!(again.as_ref().map(EmailAddress::canonical), Some(email.canonical()));
            let same = EmailAddress::parse(mailed).ok();
            prop_assert_eq!(same.as_ref(), Some(&email));
        }
    }
}
