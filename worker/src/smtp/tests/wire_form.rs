//! How a message is written after DATA.

use super::super::session::wire_form;

#[test]
fn every_line_end_becomes_crlf_and_a_dot_at_the_beginning_of_a_line_is_doubled() {
    for (given, wire) in [
        ("a\r\nb\r\n", "a\r\nb"),
        ("a\nb\n", "a\r\nb\r\n"),
        ("a\rb", "a\r\nb"),
        ("a\n.\nb\r\n", "a\r\n..\r\nb"),
        ("a\r.", "a\r\n.."),
        ("a\r\r\nb", "a\r\n\r\nb"),
        ("a\n\rb", "a\r\n\r\nb"),
        ("a\r\n\r\n", "a\r\n"),
        ("a.b.\r\n..c", "a.b.\r\n...c"),
        (".", ".."),
        ("", ""),
    ] {
        let ended = format!("{wire}\r\n.\r\n");
        assert_eq!(String::from_utf8(wire_form(given.as_bytes())).unwrap(), ended, "{given:?}");
    }
}
