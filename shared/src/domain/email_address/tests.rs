//! Which addresses are taken, which are refused and why.

use proptest::prelude::*;

use super::EmailAddressError::{self as E, *};
use super::*;

fn parse(text: &str) -> EmailAddress {
    EmailAddress::parse(text).unwrap_or_else(|error| panic!("{text:?}: {error}"))
}

#[test]
fn good_addresses_are_mailed_as_typed_and_compared_without_case() {
    let table = [
        // typed, mailed, compared
        ("ann@example.org", "ann@example.org", "ann@example.org"),
        ("  Ann@Example.ORG \u{a0}", "Ann@example.org", "ann@example.org"),
        ("Ann+Books@example.org", "Ann+Books@example.org", "ann+books@example.org"),
        ("o'hara_{x}@a-b.example.org", "o'hara_{x}@a-b.example.org", "o'hara_{x}@a-b.example.org"),
        ("ann@BÜCHER.example", "ann@xn--bcher-kva.example", "ann@xn--bcher-kva.example"),
        ("ann@xn--bcher-kva.example", "ann@xn--bcher-kva.example", "ann@xn--bcher-kva.example"),
        ("ann@例え。テスト", "ann@xn--r8jz45g.xn--zckzah", "ann@xn--r8jz45g.xn--zckzah"),
        ("a@1.example.org", "a@1.example.org", "a@1.example.org"),
        ("a@b.c", "a@b.c", "a@b.c"),
    ];
    for (typed, mailed, compared) in table {
        let email = parse(typed);
        assert_eq!((email.as_str(), email.canonical()), (mailed, compared), "{typed:?}");
        assert_eq!(email.to_lettre().to_string(), mailed);
    }
}

#[test]
fn bad_addresses_are_refused_with_the_reason() {
    let long_local = format!("{}@example.org", "x".repeat(65));
    let long_domain = format!("a@{}org", "abcdefgh.".repeat(28));
    let long_label = format!("a@{}.org", "x".repeat(64));
    let grows = format!("{}@{}example", "x".repeat(64), "日本.".repeat(18));
    let table: &[(&str, E)] = &[
        ("", Empty),
        ("  \u{3000}", Empty),
        (" \t ", ForbiddenCharacter),
        ("ann@example.org\r\n", ForbiddenCharacter),
        ("\nann@example.org", ForbiddenCharacter),
        ("ann@example.org\u{2028}", ForbiddenCharacter),
        ("ann", MissingParts),
        ("@example.org", MissingParts),
        ("ann@", MissingParts),
        ("ann@localhost", NoDot),
        ("ann@[192.0.2.1]", IpLiteral),
        ("ann@[IPv6:2001:db8::1]", IpLiteral),
        ("ann@192.0.2.1", IpLiteral),
        ("ann@１９２.0.2.1", IpLiteral),
        ("ann@2001:db8::1", IpLiteral),
        ("ann@example.123", IpLiteral),
        ("\"ann\"@example.org", Quoted),
        ("\"a@b\"@example.org", Quoted),
        ("a@b@example.org", InvalidLocalPart),
        ("zoë@example.org", NotAsciiLocalPart),
        ("ａｎｎ@example.org", NotAsciiLocalPart),
        ("a＠b@example.org", NotAsciiLocalPart),
        (".ann@example.org", InvalidLocalPart),
        ("ann.@example.org", InvalidLocalPart),
        ("a..n@example.org", InvalidLocalPart),
        ("a…n@example.org", NotAsciiLocalPart),
        ("a,b@example.org", InvalidLocalPart),
        ("Ann <ann@example.org>", ForbiddenCharacter),
        ("<ann@example.org>", InvalidLocalPart),
        ("an n@example.org", ForbiddenCharacter),
        ("an\u{a0}n@example.org", ForbiddenCharacter),
        ("ann@example.org\r\nBcc: x@example.org", ForbiddenCharacter),
        ("an\0n@example.org", ForbiddenCharacter),
        ("an\u{202e}n@example.org", ForbiddenCharacter),
        ("an\u{200b}n@example.org", ForbiddenCharacter),
        ("ann@exam\u{ad}ple.org", ForbiddenCharacter),
        ("ann@example..org", InvalidDomain),
        ("ann@.example.org", InvalidDomain),
        ("ann@example.org.", InvalidDomain),
        ("ann@-example.org", InvalidDomain),
        ("ann@example-.org", InvalidDomain),
        ("ann@exa_mple.org", InvalidDomain),
        ("ann@exam/ple.org", InvalidDomain),
        ("ann@example.org>", InvalidDomain),
        ("ann@xn--a.org", InvalidDomain),
        (&long_label, InvalidDomain),
        (&long_local, LocalPartTooLong),
        (&long_domain, TooLong),
        (&grows, TooLong),
    ];
    for (typed, reason) in table {
        assert_eq!(EmailAddress::parse(typed).unwrap_err(), *reason, "{typed:?}");
    }
}

#[test]
fn the_longest_address_has_254_bytes_and_64_before_the_at() {
    let domain =
        |bytes: usize| format!("{}.{}.{}.org", "d".repeat(60), "d".repeat(60), "d".repeat(bytes - 126));
    let longest = format!("{}@{}", "x".repeat(64), domain(189));
    assert_eq!(parse(&longest).as_str().len(), 254);
    assert_eq!(EmailAddress::parse(&format!("{}@{}", "x".repeat(64), domain(190))), Err(TooLong));
}

#[test]
fn debug_and_masked_show_two_characters_at_most() {
    let table = [
        ("annabelle@example.org", "a***e@example.org"),
        ("anna@example.org", "a***a@example.org"),
        ("ann@example.org", "a***@example.org"),
        ("a@example.org", "a***@example.org"),
        ("Emile@bücher.example", "E***e@xn--bcher-kva.example"),
    ];
    for (typed, masked) in table {
        assert_eq!(parse(typed).masked(), masked);
        assert_eq!(format!("{:?}", parse(typed)), format!("EmailAddress({masked})"));
    }
}

#[test]
fn json_goes_through_parse() {
    let email: EmailAddress = serde_json::from_str("\" Ann@Example.org \"").unwrap();
    assert_eq!(serde_json::to_string(&email).unwrap(), "\"Ann@example.org\"");
    let error = serde_json::from_str::<EmailAddress>("\"ann\"").unwrap_err();
    assert!(error.to_string().starts_with("must look like name@example.org"));
}

proptest! {
    #[test]
    fn no_text_makes_parse_panic_and_what_it_takes_it_takes_again(text in "\\PC{0,20}@?\\PC{0,20}(\\.org)?") {
        if let Ok(email) = EmailAddress::parse(&text) {
            prop_assert_eq!(&parse(email.as_str()), &email);
            let again = parse(email.canonical());
            prop_assert_eq!(again.canonical(), email.canonical());
        }
    }
}

#[test]
fn the_base_mailbox_has_no_plus_part() {
    for (address, base) in [
        ("Ann@example.org", "ann@example.org"),
        ("ann+books@Example.org", "ann@example.org"),
        ("ann+a+b@example.org", "ann@example.org"),
        ("+ann@example.org", "+ann@example.org"),
    ] {
        assert_eq!(EmailAddress::parse(address).unwrap().base_mailbox(), base);
    }
}
