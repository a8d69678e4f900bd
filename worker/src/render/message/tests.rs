//! Quoted-printable is decoded to the same text.

use mail_parser::decoders::quoted_printable::quoted_printable_decode;
use proptest::prelude::*;

use super::*;

#[test]
fn what_would_be_changed_in_transit_is_encoded() {
    for (text, encoded) in [
        ("plain text.", "plain text."),
        ("a = b", "a =3D b"),
        ("Zoë", "Zo=C3=AB"),
        ("end \nend\t\n", "end=20\r\nend=09\r\n"),
        ("a\n\nb", "a\r\n\r\nb"),
        ("\u{0}\r", "=00=0D"),
        ("", ""),
    ] {
        assert_eq!(String::from_utf8(quoted_printable(text)).unwrap(), encoded, "{text:?}");
    }
    let (full, over) = ("x".repeat(76), "x".repeat(77));
    assert_eq!(quoted_printable(&full), full.as_bytes());
    assert_eq!(quoted_printable(&over), format!("{}=\r\nxx", "x".repeat(75)).as_bytes());
}

proptest! {
    #[test]
    fn any_text_is_encoded_in_short_ascii_lines_and_decoded_again(text in "([ -~\t\n=éß李\u{0}]|[ ]{1,3}\n){0,400}") {
        let encoded = String::from_utf8(quoted_printable(&text)).unwrap();
        for line in encoded.split("\r\n") {
            prop_assert!(line.len() <= 76 && line.is_ascii() && !line.ends_with([' ', '\t']), "{:?}", line);
            prop_assert!(!line.contains(['\r', '\n']), "{:?}", line);
        }
        let decoded = quoted_printable_decode(encoded.as_bytes()).unwrap();
        prop_assert_eq!(String::from_utf8(decoded).unwrap().replace("\r\n", "\n"), text);
    }
}
