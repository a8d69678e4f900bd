//! Codes: what they are bound to, how people type them, and the secret before a change.

use secrecy::SecretString;
use uuid::Uuid;

use super::super::*;

const SECRET: &str = "a secret of at least 32 bytes, say";
const PURPOSE: Purpose = Purpose::PasswordReset;

fn codes(secret: &str) -> LinkSigner {
    LinkSigner::new(&SecretString::from(secret))
}

fn claims() -> CodeClaims {
    CodeClaims { email_id: Uuid::from_u128(1), uid: Uuid::from_u128(2), version: Some(3) }
}

#[test]
fn the_code_is_that_of_another_implementation() {
    assert_eq!(codes(SECRET).code(PURPOSE, &claims()).spaced(), "6582 3762");
}

#[test]
fn a_code_is_bound_to_secret_purpose_email_account_and_version() {
    let code = codes(SECRET).code(PURPOSE, &claims());
    let is_right = |codes: &LinkSigner, purpose, claims| codes.find_code(purpose, &code, &[claims]).is_some();
    assert!(is_right(&codes(SECRET), PURPOSE, claims()));
    assert!(!is_right(&codes("another secret of at least 32 bytes"), PURPOSE, claims()));
    for purpose in [Purpose::EmailVerification, Purpose::EmailChange, Purpose::EmailChangeUndo] {
        assert!(!is_right(&codes(SECRET), purpose, claims()), "{purpose:?}");
    }
    for other in [
        CodeClaims { email_id: Uuid::from_u128(2), ..claims() },
        CodeClaims { uid: Uuid::from_u128(1), ..claims() },
        CodeClaims { version: Some(4), ..claims() },
        CodeClaims { version: None, ..claims() },
    ] {
        assert!(!is_right(&codes(SECRET), PURPOSE, other), "{other:?}");
    }
}

#[test]
fn the_email_of_a_code_is_found_among_several_and_not_beyond_the_last_place() {
    let of = |number| CodeClaims { email_id: Uuid::from_u128(number), ..claims() };
    let many: Vec<CodeClaims> = (10..40).map(of).collect();
    for place in [0, 7, MAX_CANDIDATES - 1] {
        let code = codes(SECRET).code(PURPOSE, &many[place]);
        assert_eq!(codes(SECRET).find_code(PURPOSE, &code, &many), Some(place));
    }
    let beyond = codes(SECRET).code(PURPOSE, &many[MAX_CANDIDATES]);
    assert_eq!(codes(SECRET).find_code(PURPOSE, &beyond, &many), None);
}

#[test]
fn nobodys_code_finds_no_email() {
    let nobody = CodeClaims { email_id: Uuid::nil(), uid: Uuid::nil(), version: None };
    let code = codes(SECRET).code(PURPOSE, &nobody);
    assert_eq!(codes(SECRET).find_code(PURPOSE, &code, &[]), None);
    assert_eq!(codes(SECRET).find_code(PURPOSE, &code, &[claims()]), None);
}

#[test]
fn codes_of_the_previous_secret_are_accepted_and_none_is_made_with_it() {
    let (old, new) = (codes(SECRET), codes("the secret after the change, long enough"));
    let changed = new.clone().accepting(Some(&SecretString::from(SECRET)));
    let (before, after) = (old.code(PURPOSE, &claims()), changed.code(PURPOSE, &claims()));
    for code in [&before, &after] {
        assert_eq!(changed.find_code(PURPOSE, code, &[claims()]), Some(0));
    }
    assert_eq!(new.find_code(PURPOSE, &after, &[claims()]), Some(0));
    assert_eq!(old.find_code(PURPOSE, &after, &[claims()]), None);
}

#[test]
fn a_code_is_read_as_people_type_it() {
    let shown = |text: &str| LinkCode::parse(text).map(|code| code.spaced());
    for text in [
        "12345678",
        "1234 5678",
        " 1234-5678 ",
        "12 34\u{a0}56–78",
        "1-2-3-4-5-6-7-8",
        "１２３４　５６７８",
        "١٢٣٤٥٦٧٨",
        "۱۲۳۴ ۵۶۷۸",
        "\t1234\u{200b}5678\r\n",
        "\u{200e}1234 5678\u{200f}",
        "\u{2066}1234\u{2069} \u{2068}5678\u{2069}",
        "\u{feff}\u{202d}1234\u{ad}5678\u{202c}",
    ] {
        assert_eq!(shown(text), Ok("1234 5678".to_owned()), "{text}");
    }
    assert_eq!(shown("0000 0001"), Ok("0000 0001".to_owned()));
    for text in
        ["", " ", "1234567", "123456789", "1234567a", "1234.5678", "+12345678", "1234५678", "1234\u{0}5678"]
    {
        assert_eq!(shown(text), Err(NotACode), "{text}");
    }
}

#[test]
fn codes_use_all_their_digits_and_leading_zeros_stay() {
    let of = |number| CodeClaims { email_id: Uuid::from_u128(number), ..claims() };
    let many: Vec<String> =
        (0..2_000).map(|number| codes(SECRET).code(PURPOSE, &of(number)).spaced()).collect();
    assert!(many.iter().all(|code| code.len() == 9 && LinkCode::parse(code).is_ok()));
    for place in [0, 1, 2, 3, 5, 6, 7, 8] {
        for digit in '0'..='9' {
            let count = many.iter().filter(|code| code.chars().nth(place) == Some(digit)).count();
            assert!((130..270).contains(&count), "{digit} is {count} times at {place}");
        }
    }
}

#[test]
fn a_verification_code_survives_a_change_of_the_account_as_its_link_does() {
    for (purpose, of_row, bound) in [
        (Purpose::EmailVerification, Some(1), Some(1)),
        (Purpose::EmailVerification, None, None),
        (Purpose::PasswordReset, Some(1), Some(1)),
        (Purpose::PasswordReset, None, Some(7)),
        (Purpose::EmailChange, Some(1), Some(1)),
    ] {
        assert_eq!(bound_version(purpose, of_row, 7), bound, "{purpose:?} {of_row:?}");
    }
}

#[test]
fn debug_shows_no_code() {
    let code = codes(SECRET).code(PURPOSE, &claims());
    let shown = format!("{code:?}");
    assert!(code.spaced().split(' ').all(|half| !shown.contains(half)), "{shown}");
}
