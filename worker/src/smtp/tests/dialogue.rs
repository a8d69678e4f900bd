//! How replies are parsed.

use super::super::dialogue::{MAX_REPLY_BYTES, Parsed, ReplyLines};
use super::super::session::Extensions;

fn complete(code: u16, text: &str, end: usize) -> Parsed {
    Parsed::Complete(ReplyLines { code, text: text.to_owned() }, end)
}

#[test]
fn a_reply_ends_with_its_last_line_and_not_before() {
    for (bytes, parsed) in [
        ("250 ok\r\n", complete(250, "ok", 8)),
        ("250\r\n", complete(250, "", 5)),
        ("571 5.7.1 blocked\r\n", complete(571, "5.7.1 blocked", 19)),
        ("250-mx\r\n250 SIZE 1\r\n", complete(250, "mx\nSIZE 1", 20)),
        ("250 ok\r\n354 go\r\n", complete(250, "ok", 8)),
        ("250-mx\r\n", Parsed::Partial),
        ("250 ok\r", Parsed::Partial),
        ("2", Parsed::Partial),
        ("", Parsed::Partial),
        ("250 ok\n", complete(250, "ok", 7)),
        ("250-mx\n250 SIZE 1\n", complete(250, "mx\nSIZE 1", 18)),
        ("250\tok\r\n", complete(250, "ok", 8)),
        ("250-mx\r\n550 no\r\n", Parsed::Malformed),
        ("150 soon\r\n", Parsed::Malformed),
        ("650 what\r\n", Parsed::Malformed),
        ("2500 ok\r\n", Parsed::Malformed),
        ("25 ok\r\n", Parsed::Malformed),
        ("5é\r\n", Parsed::Malformed),
        ("\r\n", Parsed::Malformed),
    ] {
        assert_eq!(Parsed::from_start_of(bytes.as_bytes()), parsed, "{bytes:?}");
    }
}

#[test]
fn a_reply_without_end_is_not_read_for_ever() {
    let endless = "250-mx\r\n".repeat(MAX_REPLY_BYTES / 8 + 1);
    assert_eq!(Parsed::from_start_of(endless.as_bytes()), Parsed::Malformed);
    assert_eq!(Parsed::from_start_of(&vec![b'2'; MAX_REPLY_BYTES + 1]), Parsed::Malformed);
}

#[test]
fn only_a_complete_line_that_refuses_is_a_refusal() {
    for (bytes, refusal) in [
        ("571-5.7.1 blocked\r\n471 really\r\n", Some((571, "5.7.1 blocked"))),
        ("471 later\n", Some((471, "later"))),
        ("590\r\n", Some((590, ""))),
        ("571 half a li", None),
        ("250 ok\r\n", None),
        ("5712 pigs\r\n", None),
        ("5é\r\n", None),
        ("", None),
    ] {
        let found = ReplyLines::refusal_in(bytes.as_bytes()).map(|reply| (reply.code, reply.text));
        assert_eq!(found, refusal.map(|(code, text)| (code, text.to_owned())), "{bytes:?}");
    }
}

#[test]
fn an_extension_is_a_keyword_after_the_first_line_in_any_case() {
    let offers = |bytes: &str| match Parsed::from_start_of(bytes.as_bytes()) {
        Parsed::Complete(reply, _) => Extensions::from_ehlo(&reply).pipelining,
        parsed => panic!("{parsed:?}"),
    };
    assert!(offers("250-mx\r\n250-SIZE 1\r\n250 Pipelining\r\n"));
    assert!(offers("250-mx\r\n250-PIPELINING \r\n250 HELP\r\n"));
    assert!(!offers("250 pipelining is my name\r\n"));
    assert!(!offers("250-mx\r\n250 X-PIPELINING\r\n"));
}

#[test]
fn login_mechanisms_may_follow_an_equals_sign() {
    for (line, plain, login) in [
        ("AUTH PLAIN LOGIN", true, true),
        ("AUTH=LOGIN", false, true),
        ("auth=plain login", true, true),
        ("AUTH CRAM-MD5", false, false),
        ("XAUTH PLAIN", false, false),
    ] {
        let reply = ReplyLines { code: 250, text: format!("mx\n{line}") };
        let extensions = Extensions::from_ehlo(&reply);
        assert_eq!((extensions.auth_plain, extensions.auth_login), (plain, login), "{line}");
    }
}
